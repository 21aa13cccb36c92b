"""A function of arrays at a point: its values around it, and how much it rounds there."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet.backend import Array

Run = Callable[[dict[str, Array]], Mapping[str, Any]]


class Precision(NamedTuple):
    """What the code's floating-point type makes of steps; steps are powers of two."""

    eps: float
    dtype: str
    windows: tuple[int, ...]
    """The largest step's exponent, below the coordinate's scale, in each window of four."""
    target: float
    """Relative error at which to stop."""
    judged: float
    """Relative error up to which a derivative is judged."""
    probes: tuple[int, ...]
    """Exponents of the steps that measure rounding."""


PRECISIONS = {
    "float64": Precision(2.0**-53, "float64", (-4, -9, -15, -21, -28), 1e-9, 1e-5, (-40, -29, -26)),
    "float32": Precision(2.0**-24, "float32", (-2, -6, -10, -14), 1e-4, 1e-2, (-17, -15, -13)),
}


def flatten(outputs: Mapping[str, Any]) -> Array:
    """Return all outputs as one vector, in their order, as float64."""
    if not outputs:
        return np.zeros(0)
    return np.concatenate([np.asarray(y, np.float64).ravel() for y in outputs.values()])


class Function:
    """The function, its value at the point, and how much it rounds there."""

    def __init__(self, run: Run, arrays: Mapping[str, Array], precision: Precision) -> None:
        self.run, self.precision = run, precision
        self.arrays = {name: _own(array, precision) for name, array in arrays.items()}
        self.scales = {
            name: scale_of(array) for name, array in self.arrays.items() if array.dtype.kind == "f"
        }
        self.base = self._evaluate({})
        self.noise = precision.eps * np.abs(self.base)

    def at(self, direction: Mapping[str, Any], step: float) -> Array:
        """Return the outputs a step along a direction."""
        return self._evaluate(
            {name: self.rounded(self.arrays[name] + step * d) for name, d in direction.items()}
        )

    def at_entry(self, name: str, index: tuple[int, ...], value: float) -> Array:
        """Return the outputs with one entry replaced."""
        array = self.arrays[name].copy()
        array[index] = value
        return self._evaluate({name: array})

    def rounded(self, value: Any) -> Any:
        """Return a number that the code's type holds exactly."""
        return np.asarray(value, self.precision.dtype).astype(np.float64)

    def measure_rounding(self, names: Iterable[str]) -> None:
        """Set ``noise``, the size of the rounding error of each output.

        High differences of values at tiny steps hold nothing else; tiny ones miss what is rounded
        coarsely, and others are less tiny.  All steps are to one side, so that a kink or a jump at
        the point itself is not taken for noise.
        """
        rng = np.random.default_rng(0)
        names = list(names)
        for exponent in self.precision.probes:
            direction = {name: self._random_direction(name, rng) for name in names}
            steps = 2.0**exponent * np.arange(1, 8)
            table = np.stack([self.at(direction, step) for step in steps])
            for order in range(1, 6):
                with np.errstate(all="ignore"):
                    table = np.diff(table, axis=0)
                    size = np.sqrt(np.mean(table**2, axis=0) / math.comb(2 * order, order))
                if order >= 3:
                    self.noise = np.fmax(self.noise, np.where(np.isfinite(size), size, 0))

    def _random_direction(self, name: str, rng: np.random.Generator) -> Array:
        array = self.arrays[name]
        lengths = np.maximum(np.abs(array), self.scales[name]) * rng.uniform(1, 2, array.shape)
        return rng.choice([-1.0, 1.0], array.shape) * lengths

    def _evaluate(self, replaced: Mapping[str, Array]) -> Array:
        copies = {
            name: replaced[name].astype(array.dtype) if name in replaced else array.copy()
            for name, array in self.arrays.items()
        }
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return flatten(self.run(copies))


def _own(array: Array, precision: Precision) -> Array:
    """Return a copy; floating-point numbers as float64 unless the code is for float32."""
    array = np.array(array)
    exact = array.dtype.kind == "f" and precision.dtype == "float64"
    return array.astype(np.float64) if exact else array


def scale_of(array: Array) -> float:
    """Return the typical magnitude of an array: the median of what is not zero."""
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    return float(np.median(sizes)) if sizes.size else 1.0


def power_of_two(x: float) -> float:
    """Return the nearest power of two, which scales without rounding."""
    return float(2.0 ** np.round(np.log2(x)))
