"""One measurement: each work's agreement, its race, its floor, its memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from keras_impl.bench import floor
from keras_impl.bench.processes.memory import Memory
from keras_impl.bench.race import ROUNDS, SECONDS, Interrupted, Timing, race
from keras_impl.bench.report.results import SCRATCH, Failure, Measured, Results
from keras_impl.bench.works import works
from keras_impl.bench.works.work import Work
from keras_impl.parity.compare import Agreement

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

AskMemory = Callable[[str, str], Memory]
"""Takes a training's name and an engine's; returns what a process of its own needs."""


def measure(
    results: Results,
    names: Sequence[str],
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    peers: bool = True,
    memory: AskMemory | None = None,
    progress: Progress = lambda what, done, total: None,
) -> None:
    """Measure works one after the other and put each into ``results`` as soon as it is done.

    If the user interrupts, what the whole rounds before gave is there too.

    Parameters
    ----------
    results : Results
        Says on how many threads; they have been set with `threads.pin`.
    rounds, seconds
        See `race`.
    memory : function, optional
        Asked for each training, in scratchnet and in Keras.
    """
    for number, name in enumerate(names):
        progress(f"{name}: preparing", number, len(names))
        _measure_one(results, works.get(name), rounds, seconds, peers, memory, progress)


def _measure_one(
    results: Results,
    work: Work,
    rounds: int,
    seconds: float,
    peers: bool,
    memory: AskMemory | None,
    progress: Progress,
) -> None:
    progress(f"{work.name}: do the engines agree?", 0, 1)
    agreements = work.agreement(results.threads, peers)
    if misses := tuple(said(one) for one in agreements if not one.ok):
        results.failures.append(Failure(work.name, misses))
        return
    progress(f"{work.name}: compiling", 0, 1)
    candidates = work.candidates(results.threads, peers)
    results.peak = max(results.peak, floor.peak(results.threads))

    def keep(timings: list[Timing], complete: bool) -> None:
        results.works.append(measured(work, agreements, timings, complete))

    try:
        timings = race(
            candidates,
            work.baseline,
            rounds,
            seconds,
            lambda done, total: progress(f"{work.name}: racing", done, total),
        )
    except Interrupted as stopped:
        keep(stopped.timings, complete=False)
        raise
    keep(timings, complete=True)
    if memory is not None and work.training is not None:
        progress(f"{work.name}: peak memory", 0, 1)
        needed = {SCRATCH: memory(work.name, SCRATCH), work.baseline: memory(work.name, "Keras")}
        results.works[-1] = with_memory(results.works[-1], needed)


def measured(
    work: Work, agreements: Sequence[Agreement], timings: Sequence[Timing], complete: bool = True
) -> Measured:
    """Return a work's timings as results keep them."""
    return Measured(
        work.name,
        work.title,
        work.unit,
        work.data,
        work.baseline,
        work.required,
        work.aimed,
        floor.flops(work.products),
        floor.flops(work.products, one_hot=False),
        max(one.difference / one.tolerance for one in agreements),
        tuple(timings),
        complete,
    )


def with_memory(work: Measured, needed: dict[str, Memory]) -> Measured:
    """Return a work with the memory that some ways of doing it need, by name."""
    timings = [
        dataclasses.replace(one, memory=needed[one.name].peak, growth=needed[one.name].growth)
        if one.name in needed
        else one
        for one in work.timings
    ]
    return dataclasses.replace(work, timings=tuple(timings))


def said(agreement: Agreement) -> str:
    """Return what does not agree, in words."""
    return (
        f"{agreement.name}: {agreement.difference:.1e} apart, {agreement.tolerance:.0e} are allowed"
    )
