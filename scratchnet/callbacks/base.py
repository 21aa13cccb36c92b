"""What every callback is, and how `fit` calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from scratchnet.errors import InputError

Logs = dict[str, float]
"""Loss and metrics by name; ``val_`` before those of the validation data."""


class Callback:
    """Base class: override what you need.

    Attributes
    ----------
    model : Sequential
        The model in training.  Setting its ``stop_training`` ends the training.
    params : dict
        ``epochs``, ``steps`` (batches an epoch), and where a training that is resumed goes on:
        ``initial_epoch`` and ``initial_batch``.
    """

    model: Any
    params: dict[str, int]

    def on_train_begin(self, logs: Logs) -> None:
        """Run before the first epoch, with empty logs."""

    def on_train_end(self, logs: Logs) -> None:
        """Run after the last epoch, with its logs; also when training was broken off."""

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Run before an epoch, with empty logs; the first epoch is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Run after an epoch and its validation."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Run after a batch; ``logs["loss"]`` is that batch's own."""


class CallbackList:
    """The callbacks of one training, called in order; as a context it begins and ends them.

    Whatever happens in between, each that has begun is ended, the last one first.
    """

    def __init__(self, callbacks: Sequence[Callback], model: Any, params: dict[str, int]) -> None:
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise InputError(
                    f"fit: expected callbacks of scratchnet.callbacks, got {callback!r}. Derive it "
                    "from Callback, or pass a LambdaCallback."
                )
            callback.model, callback.params = model, params
        self._callbacks = list(callbacks)
        self._of_batches = [callback for callback in callbacks if _wants_batches(callback)]
        self._logs: Logs = {}

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            for callback in self._callbacks:
                callback.on_train_begin({})
                ends.callback(lambda ended: ended.on_train_end(self._logs), callback)
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.__exit__(kind, error, trace)

    def on_epoch_begin(self, epoch: int) -> None:
        """Pass on, in order."""
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch, {})

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Pass on, in order."""
        self._logs = logs
        for callback in self._callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Pass on, in order, to those that want it."""
        for callback in self._of_batches:
            callback.on_train_batch_end(batch, logs)


def _wants_batches(callback: Callback) -> bool:
    overridden = type(callback).on_train_batch_end is not Callback.on_train_batch_end
    return overridden or "on_train_batch_end" in vars(callback)


class LambdaCallback(Callback):
    """Calls the functions it is given: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``."""

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs], Any] | None = None,
        on_epoch_end: Callable[[int, Logs], Any] | None = None,
        on_train_begin: Callable[[Logs], Any] | None = None,
        on_train_end: Callable[[Logs], Any] | None = None,
        *,
        on_train_batch_end: Callable[[int, Logs], Any] | None = None,
    ) -> None:
        given = {name: f for name, f in locals().items() if name.startswith("on_") and f}
        vars(self).update(given)
