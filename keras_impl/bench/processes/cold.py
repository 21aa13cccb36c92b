"""From a cold start: how long until the import, the first step, the first epoch are done.

Every process is started anew, the engines in turns; the least disturbed of each counts.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from typing import Any

from keras_impl.bench.processes import fresh
from keras_impl.bench.processes.fresh import ENGINES, Report
from keras_impl.bench.race import Stopped

REPETITIONS = 5
TRAININGS: dict[str, int | None] = {"wisconsin": None, "nietzsche": 100}
"""What is trained, and for how many steps: None is an epoch."""
IMPORTS = {"scratchnet": "import scratchnet", "Keras": "import keras (TensorFlow)"}
UNTIL: dict[str, Callable[[Report], float]] = {
    "until the first training step": lambda report: report.first_step,
    "of it, that step, compilation included": lambda report: report.first_step - report.ready,
    "until the {last} is done": lambda report: report.finished,
}
"""What of a training is a row."""

Progress = Callable[[str, int, int], None]


def measure(
    threads: int | None = None,
    progress: Progress = lambda what, done, total: None,
    repetitions: int = REPETITIONS,
    trainings: dict[str, int | None] = TRAININGS,
) -> list[dict[str, Any]]:
    """Return a row for each thing that was waited for, engine by engine.

    Parameters
    ----------
    threads : int, optional
        Of each process; as many as this one has unless given.
    progress : function
        Called with what is being done, how many processes have ended, and of how many.
    repetitions : int
        Processes of each engine and training.
    trainings : dict
        By the name of a training its steps; None is a whole epoch.

    Returns
    -------
    list of dict
        ``what``, ``engine``, ``seconds`` of the least disturbed process, the ``median``, and all
        of them as ``times``.

    Raises
    ------
    Stopped
        The user did; the rows of the processes that had ended are in it.
    """
    turn = list(itertools.product(trainings, ENGINES))
    reports: dict[tuple[str, str], list[Report]] = {who: [] for who in turn}
    try:
        for done, (name, engine) in enumerate(turn * repetitions):
            progress(f"from a cold start: {name}, {engine}", done, len(turn) * repetitions)
            reports[name, engine].append(fresh.train(name, engine, trainings[name], threads))
    except KeyboardInterrupt:
        raise Stopped(_rows(reports, trainings)) from None
    return _rows(reports, trainings)


def _rows(
    reports: dict[tuple[str, str], list[Report]], trainings: dict[str, int | None]
) -> list[dict[str, Any]]:
    """Return the rows of the trainings that every engine ended once or more."""
    both = {
        name: limit
        for name, limit in trainings.items()
        if all(reports[name, engine] for engine in ENGINES)
    }
    return [*_imports(reports), *_trainings(reports, both)] if both else []


def _imports(reports: dict[tuple[str, str], list[Report]]) -> list[dict[str, Any]]:
    return [
        _row(
            IMPORTS[engine],
            engine,
            [one.imported for (_, of), found in reports.items() if of == engine for one in found],
        )
        for engine in ENGINES
    ]


def _trainings(
    reports: dict[tuple[str, str], list[Report]], trainings: dict[str, int | None]
) -> list[dict[str, Any]]:
    rows = []
    for name, limit in trainings.items():
        steps = reports[name, "scratchnet"][0].steps
        last = f"first epoch, {steps} steps," if limit is None else f"{steps}th step"
        for what, seconds in UNTIL.items():
            for engine in ENGINES:
                times = [seconds(report) for report in reports[name, engine]]
                rows.append(_row(f"{name}: {what.format(last=last)}", engine, times))
    return rows


def _row(what: str, engine: str, times: list[float]) -> dict[str, Any]:
    return {
        "what": what,
        "engine": engine,
        "seconds": min(times),
        "median": statistics.median(times),
        "times": times,
    }
