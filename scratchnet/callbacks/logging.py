"""Logs to a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from scratchnet.callbacks.base import Callback, Logs
from scratchnet.errors import InputError


class CSVLogger(Callback):
    """Writes a line an epoch to a CSV file: the epoch, from 0, and the logs, sorted by name.

    Parameters
    ----------
    filename : path
        Written anew unless ``append``.
    separator : str
        One character.
    append : bool
        Go on below what is there, for a training that is resumed.
    """

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise InputError(
                f"CSVLogger: expected separator to be one character, got {separator!r}. "
                'Use "," or "\\t".'
            )
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._file: TextIO | None = None

    def on_train_begin(self, logs: Logs) -> None:
        """Open the file."""
        goes_on = self.append and self.filename.exists() and self.filename.stat().st_size > 0
        self._names: list[str] | None = None
        self._needs_header = not goes_on
        self._file = self.filename.open("a" if self.append else "w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, delimiter=self.separator)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write a line and flush it."""
        if self._names is None:
            self._names = _columns(logs)
            if self._needs_header:
                self._writer.writerow(["epoch", *self._names])
        row: list[Any] = [epoch, *(logs.get(name, "NA") for name in self._names)]
        self._writer.writerow(row)
        assert self._file is not None
        self._file.flush()

    def on_train_end(self, logs: Logs) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _columns(logs: Logs) -> list[str]:
    """Return sorted names; as in Keras, columns for a validation that may come in a later run."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]
