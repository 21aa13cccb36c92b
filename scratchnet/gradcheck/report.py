"""What a check found, for a terminal, a notebook and a program."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.findings import Finding

if TYPE_CHECKING:
    from rich.console import Console

RIGHT, WRONG, UNJUDGED = "right", "wrong", "cannot be judged"

EXACT = ("complex step", "Keras")
"""The oracles that are as exact as the code under test."""


@dataclass(frozen=True)
class Row:
    """One array's gradient against one oracle.

    Attributes
    ----------
    array : str
        As the user calls it.
    oracle : str
        What it was held against: ``"differences"``, ``"complex step"``, ``"Keras"``,
        ``"directions"``.
    shape : tuple of int
    absolute, relative : float
        Largest difference; the same over the reference's largest magnitude.
    tolerance : float
        What ``relative`` may be.
    verdict : str
        ``RIGHT``, ``WRONG`` or ``UNJUDGED``.
    entries, judged : int
        How many entries were looked at, and at how many of those the oracle was reliable.
    worst : tuple of int
        Index of the largest difference.
    ours, reference : float
        What the code under test and the oracle say there.
    reason : str
        Why it could not be judged.
    """

    array: str
    oracle: str
    shape: tuple[int, ...]
    absolute: float
    relative: float
    tolerance: float
    verdict: str
    entries: int
    judged: int
    worst: tuple[int, ...] = ()
    ours: float = 0.0
    reference: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class HeatMap:
    """The error over time × gate: how far each block is off when only y_t is pulled.

    ``values[i, t]`` is the largest difference in block ``rows[i]``, over the reference's largest
    magnitude, for an upstream gradient that is zero but at step t.
    """

    rows: tuple[str, ...]
    values: Array


@dataclass
class Report:
    """Whether a gradient is right, and if not, where and why.

    Attributes
    ----------
    name : str
        What was checked.
    rows : list of Row
    findings : list of Finding
        Empty where everything judged is right.
    notes : list of str
        What was found out on the way.
    slope : float or None
        The Taylor remainder's: 2 where the gradient is right, 1 where it is wrong.
    heat_map : HeatMap or None
    smallest : str
        The smallest case that fails, in words.
    seed : int
    replay : str
        A command, or Python, that runs exactly this case again.
    seconds : float
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    slope: float | None = None
    heat_map: HeatMap | None = None
    smallest: str = ""
    seed: int = 0
    replay: str = ""
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """``RIGHT``, ``WRONG``, or ``UNJUDGED`` where something could not be judged."""
        verdicts = {row.verdict for row in self.rows}
        if WRONG in verdicts or any(f.id != "not-repeatable" for f in self.findings):
            return WRONG
        return UNJUDGED if UNJUDGED in verdicts or not verdicts else RIGHT

    @property
    def ok(self) -> bool:
        """Whether every gradient was judged, and is right."""
        return self.verdict == RIGHT

    @property
    def status(self) -> int:
        """The command's exit status: 0 right, 1 wrong, 2 could not be checked."""
        return {RIGHT: 0, WRONG: 1, UNJUDGED: 2}[self.verdict]

    @property
    def arrays(self) -> list[str]:
        """The arrays whose gradient has the report's own verdict, each once."""
        return list(dict.fromkeys(row.array for row in self.rows if row.verdict == self.verdict))

    @property
    def answer(self) -> str:
        """The verdict in words: ``right, to 3e-15``, ``WRONG in Wh, b``, ``could not be judged``.

        The figure is the worst relative difference of all arrays.  Differences, which have an error
        of their own, count only for an array that was not held against anything exact.
        """
        if self.verdict == RIGHT:
            exact = {row.array for row in self.rows if row.oracle in EXACT}
            worst = max(
                row.relative for row in self.rows if row.oracle in EXACT or row.array not in exact
            )
            return f"right, to {worst:.0e}" if worst else "right, to the last digit"
        said = "WRONG" if self.verdict == WRONG else "could not be judged"
        return f"{said} in {_some(self.arrays)}" if self.arrays else said

    def __str__(self) -> str:
        from scratchnet.gradcheck.display.terminal import text

        return text(self)

    def show(self, console: Console) -> None:
        """Print the report on a console of Rich's, in its width and with its colours."""
        from scratchnet.gradcheck.display.terminal import show

        show(self, console)

    def _repr_html_(self) -> str:
        from scratchnet.gradcheck.display.page import fragment

        return fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it: a number that is not finite becomes None."""
        of_the_report = {"verdict": self.verdict, "ok": self.ok, "answer": self.answer}
        findings = [finding.to_dict() for finding in self.findings]
        return plain({"name": self.name, **of_the_report, **asdict(self), "findings": findings})

    def to_json(self) -> str:
        """Return `to_dict` as a JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Return a value in JSON's own types, with None for a number that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _some(names: list[str], most: int = 4) -> str:
    """Return the first names, and how many more there are."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return ", ".join(names)
