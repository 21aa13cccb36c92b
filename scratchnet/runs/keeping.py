"""Keeping what is trained: after each epoch, every few minutes, and when somebody stops it."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import FrameType

from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import Logs


class Keeper(Callback):
    """Saves the model, with how far its training has got, so that the training can go on.

    Ctrl-C ends the training after the batch that is being computed, the model saved; a second one
    ends it at once.

    Parameters
    ----------
    path : Path
        The file; it is only ever replaced as a whole.
    minutes : float, optional
        Save within epochs too, that often; None leaves that, and Ctrl-C, to the engine.
    steps : int, optional
        Save after so many batches too, counted from each epoch's beginning.
    """

    def __init__(self, path: Path, minutes: float | None, steps: int | None = None) -> None:
        self.path, self.minutes, self.steps = path, minutes, steps

    def on_train_begin(self, logs: Logs) -> None:
        """Start the clock, and listen for Ctrl-C where that can be done."""
        self._saved, self._interrupted, self._before = time.monotonic(), False, None
        self._try()
        if self.minutes is not None and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Save if it is time to, or if somebody wants to stop."""
        if self.minutes is None:
            return
        due = time.monotonic() - self._saved > 60 * self.minutes
        if self.steps is not None:
            due |= (batch + 1) % self.steps == 0
        if due or self._interrupted:
            self._save()
        if self._interrupted:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save."""
        self._save()
        if self._interrupted:
            raise KeyboardInterrupt

    def on_train_end(self, logs: Logs) -> None:
        """Give Ctrl-C back its meaning."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _try(self) -> None:
        """Find out before the first epoch, not after it, if the model cannot be saved."""
        if not self.path.exists():
            self._save()
            self.path.unlink()

    def _save(self) -> None:
        self.model.save(self.path)
        self._saved = time.monotonic()


class BestKeeper(Callback):
    """Saves the model of the epoch that was best by a validation figure.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        The figure; an accuracy is to be high, anything else low.
    rows : list of dict
        The epochs there have been before.
    """

    def __init__(self, path: Path, name: str, rows: list[Logs]) -> None:
        self.path, self.name = path, name
        self.sign = 1 if name.endswith("accuracy") else -1
        self.best = max((self.sign * row[name] for row in rows), default=float("-inf"))

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Save if it got better."""
        if self.sign * logs[self.name] > self.best:
            self.best = self.sign * logs[self.name]
            self.model.save(self.path)
