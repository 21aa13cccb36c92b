"""A run's ``history.csv``: a line an epoch, with what was measured and how long it took."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

from scratchnet.archive import one_line
from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import Logs
from scratchnet.errors import DataError
from scratchnet.files import write_whole

SECONDS = "seconds"
"""Of training and validation; in a resumed epoch, since it was resumed."""


class RunHistory(Callback):
    """Writes the whole file anew after each epoch.

    Parameters
    ----------
    path : Path
        The file.
    rows : list of dict, optional
        What `read_history` returned, for a training that is resumed.
    """

    def __init__(self, path: Path, rows: list[Logs] | None = None) -> None:
        self.path, self.rows = path, list(rows or ())

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Start the clock: what happened between two epochs is not training."""
        self._begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Add a line."""
        seconds = round(time.perf_counter() - self._begun, 3)
        self.rows.append({"epoch": epoch, **logs, SECONDS: seconds})
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self.path, text.getvalue().encode())


def read_history(path: Path, epochs: int | None = None) -> list[Logs]:
    """Return the lines of the first epochs, by default all of them.

    Raises
    ------
    DataError
        If the file does not have them.
    """
    if epochs == 0:
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                {name: int(v) if name == "epoch" else float(v) for name, v in row.items() if v}
                for row in csv.DictReader(file, strict=True)
            ][:epochs]
        wanted = len(rows) if epochs is None else epochs
        if [row["epoch"] for row in rows] != list(range(wanted)):
            raise ValueError(f"it does not have epochs 0 to {wanted - 1}")
    except (csv.Error, KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(
            f"{path}: expected the history of a run, got one that cannot be read "
            f"({one_line(str(error))}). Restore it, or train again."
        ) from error
    return rows
