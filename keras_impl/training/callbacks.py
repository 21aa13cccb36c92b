"""Keras's callbacks, taught to go on after a kill as if there had been none.

Its ``CSVLogger`` is not here: it adds lines, and repeats one after a kill.  A run's history is
written whole by `scratchnet.runs.history.RunHistory`, for both engines.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from keras_impl.training.saved import Saved, restore_sums
from scratchnet.callbacks.base import CallbackList, Logs
from scratchnet.errors import CheckpointError
from scratchnet.files import write_whole
from scratchnet.progress import Progress


class OneTraining(keras.callbacks.CallbackList):
    """One training to its callbacks, though it takes two calls of ``fit`` to go on in an epoch.

    They begin and end once, and count the batches of the resumed epoch from where it was.
    """

    def __init__(
        self, callbacks: list[keras.callbacks.Callback], twin: keras.Model, start: Progress
    ) -> None:
        super().__init__(callbacks, add_history=True, model=twin)
        self.start, self.offset = start, 0
        self.logs: dict[str, Any] | None = None

    def begin(self) -> None:
        """Tell all that the training begins."""
        super().on_train_begin()

    def end(self) -> None:
        """Tell all that it has ended."""
        super().on_train_end(self.logs)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Pass nothing on: `begin` has."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Pass nothing on: `end` will."""
        self.logs = logs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Count from the batch that was reached."""
        self.offset = self.start.batch if epoch == self.start.epoch else 0
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass on, with its true number."""
        super().on_train_batch_begin(self.offset + batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass on, with its true number."""
        super().on_train_batch_end(self.offset + batch, logs)


class Backup(keras.callbacks.Callback):
    """Has the model kept, and goes on with an epoch that was resumed; the last to be called.

    Keras's ``BackupAndRestore`` goes back to an epoch's beginning, and replaces its two files one
    after the other.  This one goes on at the batch, with the sums of the metrics.

    Parameters
    ----------
    keeping : CallbackList
        Of a `Keeper`.
    saved : Saved
        What it keeps.
    start : Progress
        Where the training goes on.
    steps : int
        Of an epoch.
    """

    def __init__(self, keeping: CallbackList, saved: Saved, start: Progress, steps: int) -> None:
        super().__init__()
        self.keeping, self.saved, self.start, self.steps = keeping, saved, start, steps

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Go on with the sums of an epoch that is resumed, which Keras has set to zero."""
        self.epoch = epoch
        if self.start.batch and epoch == self.start.epoch:
            restore_sums(self.model, self.start)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count, and save where it is time to; the last batch leaves that to the epoch's end."""
        if batch + 1 < self.steps:
            self.saved.epoch, self.saved.batch = self.epoch, batch + 1
            self.keeping.on_train_batch_end(batch, {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save: whatever else is written at an epoch's end was written before."""
        self.saved.epoch, self.saved.batch = epoch + 1, 0
        self.keeping.on_epoch_end(epoch, {})


class BestModel(keras.callbacks.ModelCheckpoint):
    """Keras's, whose file is only ever replaced as a whole, by a better one than ever before.

    Parameters
    ----------
    path : Path
        The file.
    figure : str
        What is watched; an accuracy is to be high, anything else low.
    rows : list of dict
        The epochs there have been before.
    """

    def __init__(self, path: Path, figure: str, rows: list[Logs]) -> None:
        mode = _mode(figure)
        values = [row[figure] for row in rows]
        self.path = path
        self.draft = path.with_name(f".{path.name}.{os.getpid()}.keras")
        super().__init__(
            str(self.draft).replace("{", "{{").replace("}", "}}"),  # Keras formats it
            figure,
            save_best_only=True,
            mode=mode,
            initial_value_threshold=(max if mode == "max" else min)(values, default=None),
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if it got better."""
        try:
            super().on_epoch_end(epoch, logs)
            if self.draft.exists():
                write_whole(self.path, self.draft.read_bytes())
        finally:
            self.draft.unlink(missing_ok=True)


class Patience(keras.callbacks.EarlyStopping):
    """Keras's, which has seen the epochs before a kill and has their best weights.

    Parameters
    ----------
    patience : int
        Epochs that may be no better.
    path : Path
        The file of `BestModel`.
    figure, rows
        As there.
    """

    def __init__(self, patience: int, path: Path, figure: str, rows: list[Logs]) -> None:
        super().__init__(figure, patience=patience, mode=_mode(figure), restore_best_weights=True)
        self.path, self.rows = path, rows

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Count the epochs there have been, which may stop the training at once."""
        super().on_train_begin(logs)
        for epoch, row in enumerate(self.rows):
            self.on_epoch_end(epoch, row)
        if self.rows:
            self.best_weights = self._weights_of_best()

    def _weights_of_best(self) -> list[Any]:
        try:
            return keras.saving.load_model(self.path, compile=False).get_weights()
        except (OSError, KeyError, ValueError) as error:
            raise CheckpointError(
                f"{self.path}: expected the model of the best epoch so far, got none that can be "
                "read. Restore it, or train a new run."
            ) from error


def _mode(figure: str) -> str:
    return "max" if figure.endswith("accuracy") else "min"
