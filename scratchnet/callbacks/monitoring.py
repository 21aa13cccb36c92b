"""Callbacks that act on whether a value got better."""

from __future__ import annotations

from pathlib import Path

from scratchnet.arguments import real, whole_number
from scratchnet.backend import Array
from scratchnet.callbacks.base import Callback, Logs
from scratchnet.errors import InputError

GROWING = ("accuracy", "acc", "precision", "recall")
FALLING = ("loss", "error", "mse", "mae")


class Monitor(Callback):
    """Knows whether a monitored value got better."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        owner = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise InputError(
                f"{owner}: expected mode to be auto, min or max, got {mode!r}. Use one of those."
            )
        if mode == "auto":
            name = monitor.lower()
            if not name.endswith(GROWING + FALLING):
                raise InputError(
                    f"{owner}: expected mode min or max for {monitor!r}, got auto, which knows "
                    f"names that end in {', '.join(GROWING + FALLING)}. Say which is better."
                )
            mode = "max" if name.endswith(GROWING) else "min"
        self.monitor, self.mode = monitor, mode
        self.min_delta = abs(real(owner, "min_delta", min_delta))

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than the reference by more than ``min_delta``."""
        if reference is None:
            return True
        if self.mode == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def value(self, logs: Logs) -> float:
        """Return the monitored value."""
        if self.monitor not in logs:
            raise InputError(
                f"{type(self).__name__}: expected monitor to be one of {', '.join(logs)}, got "
                f"{self.monitor!r}. Pass validation_data to fit for val_ names, or monitor another."
            )
        return logs[self.monitor]


class EarlyStopping(Monitor):
    """Stops when the monitored value has not improved for ``patience`` epochs.

    Parameters
    ----------
    monitor : str
        A name in the logs.
    min_delta : float
        What a change must exceed to count as an improvement.
    patience : int
        Epochs without improvement before it stops.
    mode : {"auto", "min", "max"}
        What is better; "auto" goes by the name.
    baseline : float, optional
        A value that must be beaten, too, for the waiting to begin anew.
    restore_best_weights : bool
        Whether the model gets the weights of its best epoch at the end, however that comes.
    start_from_epoch : int
        Epochs at the beginning that do not count.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        *,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = whole_number("EarlyStopping", "patience", patience)
        self.baseline = (
            baseline if baseline is None else real("EarlyStopping", "baseline", baseline)
        )
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = whole_number("EarlyStopping", "start_from_epoch", start_from_epoch)

    def on_train_begin(self, logs: Logs) -> None:
        """Forget an earlier training."""
        self.best: float | None = None
        self.best_weights: list[Array] | None = None
        self.best_epoch = self.stopped_epoch = self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Compare with the best so far."""
        value = self.value(logs)
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs) -> None:
        """Put the best weights back."""
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or after each that improves.

    Parameters
    ----------
    filepath : path
        May name ``{epoch}``, from 1, and any log: ``"m-{epoch:02d}-{val_loss:.3f}.npz"``.
    monitor, mode
        As for `EarlyStopping`.
    save_best_only : bool
        Whether to save only when the monitored value is better than ever before.
    initial_value_threshold : float, optional
        The best value of an earlier training, not to be overwritten by a worse one.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        *,
        save_best_only: bool = False,
        mode: str = "auto",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath, self.save_best_only = str(filepath), save_best_only
        self.best = initial_value_threshold

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save, if this epoch is to be saved."""
        if self.save_best_only:
            value = self.value(logs)
            if not self.improves(value, self.best):
                return
            self.best = value
        self.model.save(self._path(epoch, logs))

    def _path(self, epoch: int, logs: Logs) -> str:
        try:
            return self.filepath.format(epoch=epoch + 1, **logs)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            raise InputError(
                f"ModelCheckpoint: expected filepath with epoch, {', '.join(logs)} in braces, got "
                f"{self.filepath!r}. Name one of those; a brace itself is written {{{{ or }}}}."
            ) from None
