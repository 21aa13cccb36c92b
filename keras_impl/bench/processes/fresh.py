"""One training in a process of its own: when it got how far, and how much memory it took.

What is measured starts with the process: interpreter, imports, data, model, training steps, as
``fit`` makes them.  The engine is the first thing that the process imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from keras_impl.bench.processes import fresh_data
from keras_impl.bench.processes.process_memory import forget_peak, highest, resident
from keras_impl.bench.threads import environment as threads_of
from scratchnet.callbacks import LambdaCallback
from scratchnet.errors import InputError

ENGINES = {"scratchnet": "scratchnet", "Keras": "keras"}
"""By name, what is imported."""
START = """
import importlib, sys, time
folder, engine = sys.argv[1:3]
sys.path[:0] = [] if folder in sys.path else [folder]
importlib.import_module(engine)
imported = time.monotonic()
from keras_impl.bench.processes.fresh import main
main(imported, *sys.argv[3:])
"""
MINUTES = 10
"""After which a training is given up."""


class Report(NamedTuple):
    """What a process says of itself; seconds since it was started, memory in MiB.

    Memory is None where the system does not tell.
    """

    imported: float
    """The engine could be used."""
    ready: float
    """Data and model were there."""
    first_step: float
    """The first training step was done, compilation included."""
    finished: float
    """The last one was."""
    steps: int
    memory_imported: float | None
    """Resident once everything was imported."""
    memory_peak: float | None
    """The most that was resident at any time."""
    memory_training: float | None
    """The most that was resident once the data were there."""


def train(name: str, engine: str, steps: int | None = None, threads: int | None = None) -> Report:
    """Start a process that trains, wait for it and return its report.

    Parameters
    ----------
    name : str
        One of `fresh_data.TRAININGS`.
    engine : {"scratchnet", "Keras"}
    steps : int, optional
        Training steps, at most an epoch's; the whole first epoch unless given.
    threads : int, optional
        As this process has, unless given.

    Raises
    ------
    InputError
        There is no such training or engine.
    RuntimeError
        The process failed; the message is its last words.
    """
    for what, value, known in (
        ("name", name, tuple(fresh_data.TRAININGS)),
        ("engine", engine, tuple(ENGINES)),
    ):
        if value not in known:
            raise InputError(
                f"train: expected {what} to be one of {', '.join(known)}, got {value!r}. "
                "Use one of those."
            )
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if threads is not None:
        environment |= threads_of(threads)
    folder = str(Path(__file__).parents[2])
    given = json.dumps([name, engine, steps, time.monotonic()])
    done = subprocess.run(
        [sys.executable, "-c", START, folder, ENGINES[engine], given],
        env=environment, capture_output=True, text=True, timeout=60 * MINUTES, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(f"training {name} with {engine} in a process of its own: {said[-1]}")
    return Report(*json.loads(done.stdout.splitlines()[-1]))


def main(imported: float, given: str) -> None:
    """Train as `train` says, in the process that it started, and print the report."""
    name, engine, steps, started = json.loads(given)
    run = {"scratchnet": _with_scratchnet, "Keras": _with_keras}[engine]
    report = run(name, steps, lambda: time.monotonic() - started)
    print(json.dumps(report._replace(imported=imported - started)))


Clock = Callable[[], float]


def _with_scratchnet(name: str, steps: int | None, clock: Clock) -> Report:
    make = fresh_data.maker(name)
    memory = resident()
    problem = make()
    model = problem.build_model()
    before, ready = forget_peak(), clock()
    done: list[float] = []

    def count(batch: int, logs: dict[str, float]) -> None:
        done.append(clock())
        model.stop_training = len(done) == steps

    model.fit(
        problem.x_train,
        problem.y_train,
        batch_size=problem.batch_size,
        seed=problem.seed,
        verbose=0,
        callbacks=[LambdaCallback(on_train_batch_end=count)],
    )
    return _report(ready, done, memory, before)


def _with_keras(name: str, steps: int | None, clock: Clock) -> Report:
    import keras

    from keras_impl.models import TWINS
    from keras_impl.pipelines import training_batches

    make = fresh_data.maker(name)
    memory = resident()
    problem = make()
    twin = TWINS[problem.experiment](**problem.architecture)
    before, ready = forget_peak(), clock()
    done: list[float] = []

    def count(batch: int, logs: dict[str, float]) -> None:
        done.append(clock())

    twin.fit(
        training_batches(problem),
        steps_per_epoch=min(len(problem.batches(0)), steps or sys.maxsize),
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=count)],
    )
    return _report(ready, done, memory, before)


def _report(ready: float, done: list[float], memory: float | None, before: float | None) -> Report:
    training = highest()
    peak = None if training is None else max(training, before or 0.0)
    return Report(0.0, ready, done[0], done[-1], len(done), memory, peak, training)
