"""The callbacks of every training: a check of the loss, a progress bar, and the history."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from scratchnet.callbacks.base import Callback, Logs
from scratchnet.errors import MissingExtraError, NonFiniteError


def default_callbacks(given: Sequence[Callback], verbose: bool | int | str) -> list[Callback]:
    """Return what comes before the callbacks that `fit` was given; the history comes after."""
    defaults: list[Callback] = []
    if not any(isinstance(callback, TerminateOnNaN) for callback in given):
        defaults.append(TerminateOnNaN())
    if ProgressBar.wanted(verbose):
        defaults.append(ProgressBar())
    return defaults


class History(Callback):
    """Keeps the logs: ``history`` has a list for each name, ``epoch`` lists the epochs."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Append."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)


class TerminateOnNaN(Callback):
    """Stops training when a batch's loss is NaN or infinite; on by default.

    Raises
    ------
    NonFiniteError
        Naming the epoch, the batch and the layer where it first appears.  The weights are those
        from before that batch.
    """

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Remember the epoch for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Check the batch's loss."""
        if not math.isfinite(logs["loss"]):
            raise NonFiniteError(
                f"fit: expected a finite loss, got {logs['loss']} in epoch {self._epoch + 1}, "
                f"batch {batch + 1}; {self.model.non_finite}. Try a smaller learning rate, or "
                "clipnorm."
            )


class ProgressBar(Callback):
    """A Rich progress bar on standard error: epoch, loss, steps a second, time left."""

    @staticmethod
    def wanted(verbose: bool | int | str) -> bool:
        """Resolve ``fit``'s ``verbose``; "auto" is a terminal where Rich is installed."""
        if verbose == "auto":
            return sys.stderr.isatty() and find_spec("rich") is not None
        return bool(verbose)

    def on_train_begin(self, logs: Logs) -> None:
        """Start the bar."""
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        except ImportError:
            raise MissingExtraError(
                "fit: expected Rich for the progress bar, found none. pip install rich, or pass "
                "verbose=0."
            ) from None
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[speed]:,.0f} steps/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        steps, epochs = self.params["steps"], self.params["epochs"]
        self._done = self.params["initial_epoch"] * steps + self.params["initial_batch"]
        fields: dict[str, Any] = {"epoch": 0, "epochs": epochs, "loss": math.nan, "speed": 0.0}
        self._task = self._progress.add_task(
            "", total=epochs * steps, completed=self._done, **fields
        )
        self._progress.start()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Show the epoch."""
        self._progress.update(self._task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Advance, at most every 16th step: a bar must not slow what it watches."""
        self._done += 1
        if self._done % 16 == 0:
            self._show(logs["loss"])

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Show the epoch's loss."""
        self._show(logs["loss"])

    def on_train_end(self, logs: Logs) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def _show(self, loss: float) -> None:
        speed = self._progress.tasks[0].speed or 0.0
        self._progress.update(self._task, completed=self._done, loss=loss, speed=speed)
