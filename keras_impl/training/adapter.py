"""What scratchnet's callbacks are told of a training by Keras."""

from __future__ import annotations

import math
from typing import Any

import keras

from scratchnet import Sequential
from scratchnet.callbacks.base import CallbackList
from scratchnet.errors import NonFiniteError
from scratchnet.progress import Progress


class Adapter(keras.callbacks.Callback):
    """Tells scratchnet's callbacks what Keras tells its own; the first to be called.

    Parameters
    ----------
    mirror : Sequential
        Their model: it has the twin's weights whenever an epoch ends.
    told : CallbackList
        The callbacks.
    """

    def __init__(self, mirror: Sequential, told: CallbackList) -> None:
        super().__init__()
        self.mirror, self.told = mirror, told

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop before the first batch where a callback says so."""
        self._stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass on."""
        self.epoch = epoch
        self.told.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the loss; pass on; stop where a callback says so."""
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise NonFiniteError(
                f"fit: expected a finite loss, got {loss} in epoch {self.epoch + 1}, "
                f"batch {batch + 1}. Try a smaller learning rate, or clipnorm."
            )
        self.told.on_train_batch_end(batch, {"loss": loss})
        self._stop()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Give the weights to the mirror, then pass on."""
        self.mirror.progress = Progress(epoch + 1)
        self.mirror.set_weights(self.model.get_weights())
        self.told.on_epoch_end(epoch, {name: float(value) for name, value in (logs or {}).items()})
        self._stop()

    def _stop(self) -> None:
        if self.mirror.stop_training:
            self.model.stop_training = True
