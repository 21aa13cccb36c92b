"""What was measured, and what follows from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from keras_impl.bench.race import Timing

FORMAT = "scratchnet bench"
VERSION = 1
"""Of the file; a newer one may hold what this code does not know."""
SCRATCH = "scratchnet"


@dataclass(frozen=True)
class Measured:
    """One work, and what every way of doing it took."""

    name: str
    title: str
    unit: str
    data: str
    baseline: str
    required: float | None
    aimed: float | None
    flops: int
    """Of the matrix products of a unit."""
    flops_without_one_hot: int
    """The same where rows are looked up instead of multiplied by one-hot vectors."""
    agreement: float
    """The worst difference of the engines' numbers over what is allowed, before the clock."""
    timings: tuple[Timing, ...]
    complete: bool = True
    """Whether all rounds were run."""

    def timing(self, name: str) -> Timing | None:
        """Return the timing of one way."""
        return next((one for one in self.timings if one.name == name), None)

    @property
    def ours(self) -> Timing:
        """What scratchnet took."""
        return next(one for one in self.timings if one.name == SCRATCH)

    @property
    def reference(self) -> Timing:
        """What the baseline took."""
        return next(one for one in self.timings if one.name == self.baseline)

    @property
    def verdict(self) -> str:
        """How far the ratio came: ``aimed``, ``required``, ``missed``; empty without a target."""
        if self.required is None or self.aimed is None:
            return ""
        return verdict(self.ours.ratio, self.required, self.aimed)


def verdict(ratio: float, required: float, aimed: float) -> str:
    """Return how far a ratio came that had to be at most the first, and aimed at the second."""
    if ratio > required:
        return "missed"
    return "aimed" if ratio <= aimed else "required"


@dataclass(frozen=True)
class Failure:
    """A work that was not timed, because the engines do not compute the same."""

    name: str
    misses: tuple[str, ...]


@dataclass
class Results:
    """Everything one run of ``scratchnet bench`` found."""

    machine: dict[str, Any]
    peak: float = 0.0
    """Float32 operations a second in matrix products, the most that were measured."""
    works: list[Measured] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    cold: list[dict[str, Any]] = field(default_factory=list)
    """From a cold start: import, and the first epoch's end."""
    curves: list[dict[str, Any]] = field(default_factory=list)
    """How the cost grows with the sizes."""

    @property
    def threads(self) -> int:
        """How many threads everyone had."""
        return int(self.machine["threads"])

    def floor(self, work: Measured, one_hot: bool = True) -> float:
        """Return the seconds that a unit's matrix products take at the machine's peak."""
        return (work.flops if one_hot else work.flops_without_one_hot) / self.peak

    def share(self, work: Measured, one_hot: bool = True) -> float:
        """Return the floor over the seconds that scratchnet takes."""
        return self.floor(work, one_hot) / work.ours.seconds

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, with what follows from the timings."""
        works = [
            {
                **asdict(work),
                "floor_seconds": self.floor(work),
                "floor_share": self.share(work),
                "floor_share_without_one_hot": self.share(work, one_hot=False),
                "verdict": work.verdict,
            }
            for work in self.works
        ]
        return {"format": FORMAT, "version": VERSION, **asdict(self), "works": works}

    def to_json(self) -> str:
        """Return the file's text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
