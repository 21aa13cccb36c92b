"""One measurement on a GPU: each work's ways made ready, held against each other, and raced."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_impl.bench.device import floors
from keras_impl.bench.device.clock import clock_of
from keras_impl.bench.device.results import DeviceResults, Row, described
from keras_impl.bench.device.ways import (
    HOST,
    AbsentError,
    Way,
    host_gradients,
    makers,
    scratch,
)
from keras_impl.bench.device.work import DeviceWork, get
from keras_impl.bench.race import Candidate, Interrupted, Timing, race
from scratchnet.backend import Array

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

ROUNDS = 15
SECONDS = 20.0
"""After which no further round of a work begins."""
HOST_SECONDS = 8.0
"""The same for steps on the CPU, which for a large network take seconds each."""
FIRST_LOSSES = 5
"""That every way makes from the same weights; graphs are captured meanwhile."""
BLOCK_SECONDS = 0.2
FEWEST, MOST = 5, 200
"""Steps of a block."""
WARM_UP = 2
"""Steps at the start of a block that do not count."""


def measure(
    results: DeviceResults,
    names: Sequence[str],
    xp: Any,
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    progress: Progress = lambda what, done, total: None,
) -> None:
    """Measure the floors' rates, then works one after the other, each put into ``results``.

    Parameters
    ----------
    results : DeviceResults
    names : sequence of str
        See `keras_impl.bench.device.NAMES`.
    xp : module
        CuPy.
    rounds, seconds
        See `race`.
    """
    progress("products and copies", 0, len(names))
    clock = clock_of(xp)
    results.product_rate = floors.product_rate(xp, clock)
    results.copy_rate = floors.copy_rate(xp, clock)
    release(xp)
    for name in names:
        try:
            measure_one(results, get(name), makers(get(name)), rounds, seconds, progress)
        finally:
            release(xp)


def measure_one(
    results: DeviceResults,
    work: DeviceWork,
    ways: dict[str, Callable[[], Way]],
    rounds: int,
    seconds: float,
    progress: Progress,
) -> None:
    """Measure one work in these ways, and on the CPU; a way that disagrees is not timed."""
    progress(f"{work.name}: on the CPU", 0, 1)
    host = scratch(work, "cpu", HOST)
    reference = host_gradients(work.build_model(), *work.batches()[0])
    ready, rows, misses = prepared(work, ways, reference, progress)
    rows.append(on_host(host))
    laps: dict[str, list[float]] = {way.name: [] for way, _ in ready}
    candidates = [
        Candidate(way.name, way.name, block(way, calls, laps[way.name])) for way, calls in ready
    ]

    def keep(timings: list[Timing], complete: bool) -> None:
        raced = [
            Row(one.name, one.blocks, tuple(laps[one.name][: len(one.blocks)]), reason="")
            for one in timings
        ]
        found = described(work, [*rows, *raced], misses=tuple(misses), complete=complete)
        results.works.append(found)

    if not candidates:
        keep([], complete=True)
        return
    try:
        timings = race(
            candidates,
            candidates[0].name,
            rounds,
            seconds,
            lambda done, total: progress(f"{work.name}: racing", done, total),
        )
    except Interrupted as stopped:
        keep(stopped.timings, complete=False)
        raise
    keep(timings, complete=True)


def prepared(
    work: DeviceWork,
    ways: dict[str, Callable[[], Way]],
    reference: tuple[float, list[Array]],
    progress: Progress,
) -> tuple[list[tuple[Way, int]], list[Row], list[str]]:
    """Return the ways with the steps of their blocks, rows of those absent, and what is amiss.

    A way that computes something else is not timed; one that warns is.
    """
    ready: list[tuple[Way, int]] = []
    rows: list[Row] = []
    misses: list[str] = []
    expected: list[float] = []
    for name, make in ways.items():
        progress(f"{work.name}: {name}", len(ready), len(ways))
        try:
            way = make()
            with way.settings(), warnings.catch_warnings(record=True) as remarks:
                warnings.simplefilter("always", RuntimeWarning)  # scratchnet's, without a graph
                found = disagreements(way, reference)
                losses = [float(way.train()) for _ in range(FIRST_LOSSES)]
                expected = expected or losses
                found += unlike_losses(way, losses, expected)
                calls = calls_of_a_block(way)
        except AbsentError as absent:
            rows.append(Row(name, reason=f"not measured: {absent}"))
            continue
        except Exception as error:  # the other ways are measured all the same
            found, remarks = [raised(error)], []
        misses += dict.fromkeys(f"{name}: {one.message}" for one in remarks)
        if found:
            rows.append(Row(name, reason="not timed: see below"))
            misses += [f"{name}: {one}" for one in found]
        else:
            ready.append((way, calls))
    return ready, rows, misses


def raised(error: Exception) -> str:
    """Return an error in one line, with the place that raised it."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__} in {Path(at.filename).name}, line {at.lineno}: {text}"


def disagreements(way: Way, reference: tuple[float, list[Array]]) -> list[str]:
    """Return where a way's first loss and gradients differ from the host's."""
    if way.gradients is None:
        return []
    loss, gradients = way.gradients()
    pairs = [("loss", np.asarray(loss), np.asarray(reference[0]))]
    pairs += [
        (f"gradient {number}", ours, theirs)
        for number, (ours, theirs) in enumerate(zip(gradients, reference[1], strict=True))
    ]
    said = []
    for what, ours, theirs in pairs:
        apart = float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
        if not apart <= way.tolerance:  # NaN, too
            said.append(f"{what} {apart:.1e} apart, {way.tolerance:.0e} are allowed")
    return said


def unlike_losses(way: Way, losses: list[float], expected: list[float]) -> list[str]:
    """Return where a way's losses of the first steps are not what the first way's were."""
    allowed = 10 * way.tolerance
    return [
        f"loss of step {step + 1} is {ours:.6g}, expected {theirs:.6g} within {allowed:.0e}"
        for step, (ours, theirs) in enumerate(zip(losses, expected, strict=True))
        if not abs(ours - theirs) <= allowed * abs(theirs)
    ]


def calls_of_a_block(way: Way) -> int:
    """Return how many steps of a way take `BLOCK_SECONDS`, within bounds."""
    seconds = way.clock.lap(way.train, WARM_UP).seconds
    return min(MOST, max(FEWEST, round(BLOCK_SECONDS / seconds)))


def block(way: Way, calls: int, device_laps: list[float]) -> Callable[[], float]:
    """Return what runs a block and returns a step's seconds; the events' go into the list."""

    def run() -> float:
        with way.settings():
            for _ in range(WARM_UP):
                way.train()
            lap = way.clock.lap(way.train, calls)
        if lap.device_seconds is not None:
            device_laps.append(lap.device_seconds)
        return lap.seconds

    return run


def on_host(way: Way, seconds: float = HOST_SECONDS) -> Row:
    """Return the CPU's row: one step to warm up, then as many as there is time for."""
    begun = time.perf_counter()
    way.train()
    laps: list[float] = []
    while not laps or (time.perf_counter() - begun < seconds and len(laps) < MOST):
        laps.append(way.clock.lap(way.train, 1).seconds)
    return Row(HOST, tuple(laps), reason="")


def release(xp: Any) -> None:
    """Give back the memory that nobody uses any more, CuPy's and PyTorch's."""
    import gc
    import sys

    gc.collect()
    if hasattr(xp, "get_default_memory_pool"):
        xp.get_default_memory_pool().free_all_blocks()
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        sys.modules["torch"].cuda.empty_cache()
