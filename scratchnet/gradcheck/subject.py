"""What is checked: a function of named arrays, and the gradients that someone wrote for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType

import numpy as np

from scratchnet.backend import Array

Arrays = Mapping[str, Array]
"""Arrays by name."""


@dataclass(frozen=True)
class Pulled:
    """What one forward pass and the backward pass after it gave."""

    outputs: dict[str, Array]
    gradients: dict[str, Array]
    """By the names of the arrays they belong to; only those that the code gives."""
    changed: tuple[str, ...] = ()
    """What the backward pass wrote into: names of arrays, ``"upstream"``, ``"cache"``."""
    after: dict[str, Array] = field(default_factory=dict)
    """What the arrays named in ``changed`` are after it."""


@dataclass
class Subject:
    """Base of everything that can be checked; a subclass runs one kind of code.

    Neither method may leave a trace: both work on copies, whatever the code does to its arguments.

    Attributes
    ----------
    name : str
        As the report calls it.
    arrays : dict of str to array
        Everything that the forward pass depends on: inputs, states, parameters, ids, labels, masks.
    wrt : tuple of str
        Those among them that are differentiated: inputs first, then parameters.
    parameters : tuple of str
        Those of ``wrt`` that are parameters.
    axes : dict of str to tuple of str
        What is known of the axes of arrays and outputs: ``("B", "T", "D")``.  Slicing every array
        along an axis of this name gives a smaller case of the same problem.
    dtype : str
        The dtype that the code computes in.
    functions : tuple of function
        The code under test, whose lines a finding may name.
    notes : list of str
        What was found out on the way: gate order, layout, names.
    like : str
        The kind of layer that it is said to be (``"lstm"``), or empty.
    """

    name: str
    arrays: dict[str, Array]
    wrt: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dtype: str = "float64"
    functions: tuple[FunctionType, ...] = ()
    notes: list[str] = field(default_factory=list)
    like: str = ""

    def run(self, arrays: Arrays) -> dict[str, Array]:
        """Return the outputs by name: ``y``, and ``h``, ``c`` for final states."""
        raise NotImplementedError(f"{type(self).__name__} has no run")

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        """Run forward, then backward from these gradients of the outputs (missing ones are zero).

        With ``times=2`` both are run twice on the same object and the second answer is returned.
        """
        raise NotImplementedError(f"{type(self).__name__} has no pull")

    def sliced(self, arrays: Arrays, **stops: int) -> dict[str, Array]:
        """Return the arrays cut to a smaller case: ``sliced(arrays, B=1, T=2)``."""
        return {
            name: array[tuple(slice(stops.get(axis)) for axis in self.axes.get(name, ()))]
            for name, array in arrays.items()
        }

    def size(self, axis: str) -> int | None:
        """Return how long an axis is, or None where no array is known to have it."""
        for name, array in self.arrays.items():
            if axis in self.axes.get(name, ()):
                return array.shape[self.axes[name].index(axis)]
        return None


def random_upstream(outputs: Arrays, rng: np.random.Generator) -> dict[str, Array]:
    """Return a random gradient for every output: never constant, or "return 0" can pass."""
    return {name: rng.standard_normal(np.shape(array)) for name, array in outputs.items()}


def resampled(subject: Subject, rng: np.random.Generator) -> dict[str, Array]:
    """Return other random values of the same magnitude for all that is differentiated."""
    fresh = dict(subject.arrays)
    for name in subject.wrt:
        array = fresh[name]
        scale = float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) or 0.5
        fresh[name] = (scale * rng.standard_normal(array.shape)).astype(array.dtype)
    return fresh
