"""Peak memory of a training, in a process that does nothing else."""

from __future__ import annotations

from typing import NamedTuple

from keras_impl.bench.processes import fresh

STEPS = 20


class Memory(NamedTuple):
    """MiB; None where the system does not tell."""

    peak: float | None
    """Of the whole process: the interpreter and the engine's libraries too."""
    growth: float | None
    """By which training, with its data and its network, exceeds what the imports took."""


def measure(name: str, engine: str, steps: int = STEPS, threads: int | None = None) -> Memory:
    """Return what a training needs at most; parameters are those of `fresh.train`.

    Raises
    ------
    InputError
        There is no such training or engine.
    RuntimeError
        The training failed.
    """
    report = fresh.train(name, engine, steps, threads)
    if report.memory_training is None or report.memory_imported is None:
        return Memory(report.memory_peak, None)
    growth = max(report.memory_training - report.memory_imported, 0.0)
    return Memory(report.memory_peak, growth)


def peak(name: str, engine: str) -> float | None:
    """Return the peak alone, on as many threads as this process has."""
    return measure(name, engine).peak
