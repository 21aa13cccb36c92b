"""Who is faster: candidates run in turns, a whole block of units at a time, in one process.

Alternating single steps would slow TensorFlow down 1.5 to 2.4 times and flatter us.  The first
units of a block warm up and do not count; the least disturbed block of each candidate is compared,
and the spread over all rounds is kept beside it.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WARM_UP = 3
"""Units at the start of a block that do not count."""
FEWEST_UNITS = 15
"""That count, in a block."""
MOST_UNITS = 60
"""The same where a unit is short."""
ROUNDS = 15
"""At most; there are fewer where units are long."""
FEWEST_ROUNDS = 3
SECONDS = 60.0
"""After which no further round begins."""

Block = Callable[[], float]
"""Runs a block of units, the first of them to warm up; returns the seconds of one."""


@dataclass(frozen=True)
class Candidate:
    """One way of doing the work."""

    name: str
    engine: str
    """``scratchnet``, ``Keras``, ``PyTorch`` or ``JAX``."""
    block: Block


@dataclass(frozen=True)
class Timing:
    """What one candidate took for a unit of the work."""

    name: str
    engine: str
    seconds: float
    """Of a unit in the least disturbed block."""
    median: float
    """The same in the median block: far above ``seconds`` on a busy machine."""
    blocks: tuple[float, ...]
    """The same in every block, round by round."""
    ratio: float
    """``seconds`` over the baseline's."""
    spread: tuple[float, float]
    """Between which the ratio lies: the quartiles of the rounds' own ratios, and ``ratio``."""
    memory: float | None = None
    """Peak memory of a process that does this work alone, MiB."""
    growth: float | None = None
    """Of that, what data, network and training take, and not the imports."""


class Interrupted(KeyboardInterrupt):
    """The user stopped a race; ``timings`` has what the whole rounds before gave."""

    def __init__(self, timings: list[Timing]) -> None:
        super().__init__()
        self.timings = timings


class Stopped(KeyboardInterrupt):
    """The user stopped a measurement; ``found`` has the rows that are whole."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        super().__init__()
        self.found = found


def race(
    candidates: Sequence[Candidate],
    baseline: str,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Timing]:
    """Run every candidate's block in turns; return the timings in the candidates' order.

    Parameters
    ----------
    candidates : sequence of Candidate
    baseline : str
        Name of the one whose time the others' are divided by.
    rounds : int
        Blocks of each candidate, at most.
    seconds : float
        After which no further round begins, once there were `FEWEST_ROUNDS`.
    progress : function
        Called after each block with the number done and their number at most.

    Raises
    ------
    Interrupted
        The user stopped it after one whole round or more; what was measured is in it.
    """
    blocks: list[list[float]] = []
    total = rounds * len(candidates)
    begun = time.perf_counter()
    try:
        for done in range(rounds):
            if done >= FEWEST_ROUNDS and time.perf_counter() - begun > seconds:
                break
            times = []
            for candidate in candidates:
                times.append(candidate.block())
                progress(done * len(candidates) + len(times), total)
            blocks.append(times)
    except KeyboardInterrupt:
        if not blocks:
            raise
        raise Interrupted(_timings(candidates, baseline, blocks)) from None
    return _timings(candidates, baseline, blocks)


def _timings(
    candidates: Sequence[Candidate], baseline: str, rounds: list[list[float]]
) -> list[Timing]:
    by_candidate = list(zip(*rounds, strict=True))
    at = [candidate.name for candidate in candidates].index(baseline)
    reference = by_candidate[at]
    return [
        timed(one.name, one.engine, blocks, reference)
        for one, blocks in zip(candidates, by_candidate, strict=True)
    ]


def timed(
    name: str, engine: str, blocks: tuple[float, ...], reference: tuple[float, ...]
) -> Timing:
    """Return the timing of blocks beside the baseline's blocks of the same rounds."""
    ratio = min(blocks) / min(reference)
    ratios = [ours / theirs for ours, theirs in zip(blocks, reference, strict=True)]
    low, _, high = (
        statistics.quantiles(ratios, n=4, method="inclusive") if ratios[1:] else ratios * 3
    )
    return Timing(
        name,
        engine,
        min(blocks),
        statistics.median(blocks),
        tuple(blocks),
        ratio,
        (min(low, ratio), max(high, ratio)),
    )


def stepwise(
    step: Callable[[Any, Any], Any],
    batches: Sequence[tuple[Any, Any]],
    units: int = FEWEST_UNITS,
) -> Block:
    """Return a block that takes the batches one after the other, again from the first when out.

    Parameters
    ----------
    step : function
        Takes a batch; has finished the unit when it returns.
    units : int
        Counted; `WARM_UP` more come before them.
    """
    taken = list(itertools.islice(itertools.cycle(batches), WARM_UP + units))
    warm_up, counted = taken[:WARM_UP], taken[WARM_UP:]

    def block() -> float:
        for x, y in warm_up:
            step(x, y)
        start = time.perf_counter()
        for x, y in counted:
            step(x, y)
        return (time.perf_counter() - start) / units

    return block


def repeated(run: Callable[[], Any], calls: int, units: int) -> Block:
    """Return a block of calls that each do several units; one call before them warms up."""

    def block() -> float:
        run()
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - start) / (calls * units)

    return block
