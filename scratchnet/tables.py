"""Reading tables of numbers from CSV files, with errors that say where.

A file has no header; every row has the same columns; the class, where there is one, is the last.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scratchnet.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e15
"""The largest size of a cell's number: what is computed from it then stays finite."""

MISSING = frozenset({"", "?", "NA"})
"""What may stand in a cell whose value is not known."""


def read_csv(
    path: str | os.PathLike[str],
    features: Sequence[str],
    label: str | None = None,
    *,
    label_required: bool = True,
) -> pd.DataFrame:
    """Read the rows of a CSV file without a header.

    Parameters
    ----------
    path
        The file, in UTF-8; blank lines in it are passed over.
    features
        Names of the columns of numbers; an empty cell, ``?`` or ``NA`` is a missing value.
    label
        Name of the last column, a class of 0 or 1.
    label_required
        Whether that column has to be there; otherwise the first row decides.

    Returns
    -------
    pandas.DataFrame
        One row a record; the features as float64 with NaN for a missing value, the label as int64.

    Raises
    ------
    DataError
        The file is missing, empty, ragged or not UTF-8, or a cell is not what it should be; the
        message names the file, the row (the line's number in the file) and the column.
    """
    import pandas as pd

    reader = _Reader(Path(path), list(features), label, label_required)
    frame = pd.DataFrame(list(reader.records()), columns=reader.columns, dtype="float64")
    if label in frame:
        frame[label] = frame[label].astype("int64")
    return frame


class _Reader:
    """One pass over one file; keeps what the messages name."""

    def __init__(
        self, path: Path, features: list[str], label: str | None, label_required: bool
    ) -> None:
        self.path = path
        self.features = features
        self.label = label
        self.label_required = label_required
        self.columns = [*features, label] if label else features

    def records(self) -> Iterator[list[float]]:
        """Yield the numbers of each row."""
        first = True
        above = 0  # lines above the row: a quoted cell may make it several lines long
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.reader(file)
                for cells in rows:
                    if len(cells) > 1 or "".join(cells).strip():
                        yield self._record(cells, above + 1, first)
                        first = False
                    above = rows.line_num
        except FileNotFoundError:
            raise DataError(f"{self.path}: no such file. Check the path.") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.path}: expected a CSV file in UTF-8, got other bytes. Save it as CSV UTF-8."
            ) from error
        except csv.Error as error:
            raise self._error(
                f"row {above + 1}",
                f"not CSV ({error}). Shorten the cell, or close its quotation mark.",
            ) from error
        if first:
            raise DataError(
                f"{self.path}: the file is empty. Expected rows of {self._expected()}: "
                f"{', '.join(self.columns)}."
            )

    def _record(self, cells: list[str], line: int, first: bool) -> list[float]:
        if first:
            self._check_first(cells, line)
        if len(cells) != len(self.columns):
            raise self._error(
                f"row {line}",
                f"expected {len(self.columns)} cells like the rows above, got {len(cells)}. "
                "Give every row the same columns.",
            )
        numbers = []
        for column, (name, cell) in enumerate(zip(self.columns, cells, strict=True), 1):
            where = (line, column, name)
            is_class = name == self.label
            numbers.append(self._class(cell, *where) if is_class else self._number(cell, *where))
        if all(math.isnan(number) for number in numbers[: len(self.features)]):
            raise self._error(f"row {line}", "every feature is missing. Remove the row.")
        return numbers

    def _check_first(self, cells: list[str], line: int) -> None:
        """Settle the columns by the first row, and recognise the commonest wrong files."""
        expected = f"expected {self._expected()} ({', '.join(self.columns)})"
        if not self.label_required and len(cells) == len(self.features):
            self.columns = self.features
        if len(cells) != len(self.columns):
            if len(cells) == 1:
                remedy = "Separate the cells with commas."
            elif len(cells) < len(self.columns):
                remedy = "Add the missing column."
            else:
                remedy = "Remove the columns that do not belong."
            raise self._error(f"row {line}", f"{expected}, got {len(cells)}. {remedy}")
        if all(cell.strip() not in MISSING and not _is_number(cell) for cell in cells):
            raise self._error(
                f"row {line}",
                f"expected numbers, got {_shown(cells[0])} and other words. "
                "Remove the header line.",
            )

    def _expected(self) -> str:
        """Return how many columns the first row may have."""
        if self.label is None or self.label_required:
            return f"{len(self.columns)} columns"
        return f"{len(self.features)} columns, or {len(self.columns)} with the class"

    def _number(self, cell: str, line: int, column: int, name: str) -> float:
        cell = cell.strip()
        if cell in MISSING:
            return math.nan
        if _is_number(cell) and abs(number := float(cell)) <= LARGEST:
            return number
        kind = "a number"
        if _is_number(cell):
            finite = math.isfinite(float(cell))
            kind = f"a number from {-LARGEST:g} to {LARGEST:g}" if finite else "a finite number"
        raise self._error(
            f"row {line}, column {column} ({name})",
            f"expected {kind}, got {_shown(cell)}. Write ? for a missing value.",
        )

    def _class(self, cell: str, line: int, column: int, name: str) -> float:
        if _is_number(cell) and float(cell) in (0, 1):
            return float(cell)
        raise self._error(
            f"row {line}, column {column} ({name})",
            f"expected class 0 or 1, got {_shown(cell)}. Write each row's class as 0 or 1.",
        )

    def _error(self, where: str, what: str) -> DataError:
        return DataError(f"{self.path}, {where}: {what}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell


def _shown(cell: str) -> str:
    """Return a cell as a message shows it: quoted, short, on one line."""
    cell = cell.strip()
    return repr(cell if len(cell) <= 30 else cell[:29] + "…")
