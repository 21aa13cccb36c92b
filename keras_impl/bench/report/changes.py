"""How two measurements compare: by their ratios, of which a machine says little."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from keras_impl.bench.report.results import Results

ALLOWED = 0.1
"""By which a ratio may grow without being called a regression, whatever its spread."""


@dataclass(frozen=True)
class Change:
    """A work's ratio then and now; seconds, which are the machine's, are never compared."""

    name: str
    title: str
    old: float
    old_spread: tuple[float, float]
    new: float
    new_spread: tuple[float, float]

    @property
    def change(self) -> float:
        """By which the ratio grew, as a share of the old one; less than 0 is faster."""
        return self.new / self.old - 1

    @property
    def regressed(self) -> bool:
        """Whether scratchnet became slower than both spreads explain.

        The ratio has to be more than `ALLOWED` above the old one, and the spread of the new one
        wholly above the old one's: then no disturbance seen in either run accounts for it.
        """
        return self.change > ALLOWED and self.new_spread[0] > self.old_spread[1]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**asdict(self), "change": self.change, "regressed": self.regressed}


def changes_between(old: Results, new: Results) -> list[Change]:
    """Return scratchnet's ratio of every work that both measured against the same baseline."""
    before = {(work.name, work.baseline): work for work in old.works}
    found = []
    for work in new.works:
        then = before.get((work.name, work.baseline))
        if then is not None:
            a, b = then.ours, work.ours
            found.append(Change(work.name, work.title, a.ratio, a.spread, b.ratio, b.spread))
    return found


def absent(old: Results, new: Results) -> list[str]:
    """Return the works of the new measurement that the old one cannot be asked about."""
    compared = {one.name for one in changes_between(old, new)}
    return [work.name for work in new.works if work.name not in compared]


def differing(old: Results, new: Results) -> list[str]:
    """Return what was not the same for both measurements, a phrase each."""
    then, now = _circumstances(old), _circumstances(new)
    return [
        f"{what}: {then.get(what, 'none')} then, {now.get(what, 'none')} now"
        for what in {**then, **now}
        if then.get(what) != now.get(what)
    ]


def _circumstances(results: Results) -> dict[str, Any]:
    at = results.machine
    said = {"the processor": at.get("cpu"), "the threads": at.get("threads")}
    return {**said, **at.get("versions", {})}
