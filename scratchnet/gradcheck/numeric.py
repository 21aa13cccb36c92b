"""Derivatives of a function that nothing is known of, from its values alone.

Central differences at four steps, each half the one before, are extrapolated to a step of zero
(Richardson 1911; Ridders 1982).  If what remains is too large, smaller steps are tried where the
function bends, larger ones where its rounding shows (how much it rounds is measured first, after
Moré & Wild 2011).  Every derivative comes with an estimate of its error, and with a reason where
it cannot be relied on.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.black_box import (
    PRECISIONS,
    Function,
    Run,
    flatten,
    power_of_two,
    scale_of,
)
from scratchnet.gradcheck.differences import Line

Coordinate = tuple[str, tuple[int, ...]]
"""An array's name and an index into it."""


MOST_ENTRIES = 300
"""Entries that are differentiated one by one; of larger problems so many are sampled."""

FEWEST_ENTRIES = 32

NUMBERS = 8_000_000
"""What all calls' arrays and outputs may come to: of a large problem fewer entries are sampled."""

MOST_SCATTER = 0.5
"""How far slopes between neighbouring steps may be apart for their median to mean something."""


@dataclass(frozen=True)
class Columns:
    """Columns of a Jacobian.

    Attributes
    ----------
    coordinates : list of (str, tuple of int)
        What was differentiated with respect to: an array's name, an index.
    values : array, shape (outputs, coordinates)
        Derivatives of the outputs, flat and one after the other as in `flatten`.
    errors : array, shape (outputs, coordinates)
        By how much they may be off; infinite, beside a derivative of 0, where there is none.
    judged : array of bool, shape (outputs, coordinates)
        Where the error is small beside the derivatives, or the function does not change at all.
    reasons : list of str
        One a coordinate: empty where all is judged, else ``"kink"`` (the slopes on the two sides
        differ), ``"step"`` (the function jumps), ``"cancellation"`` (rounding hides the change) or
        ``"not finite"``.
    """

    coordinates: list[Coordinate]
    values: Array
    errors: Array
    judged: Array
    reasons: list[str]


__all__ = [
    "Columns",
    "Coordinate",
    "affordable",
    "choose",
    "columns",
    "complex_columns",
    "directional",
    "flatten",
    "taylor_slope",
]


def columns(
    run: Run,
    arrays: Mapping[str, Array],
    coordinates: Iterable[Coordinate],
    precision: str = "float64",
) -> Columns:
    """Return the derivatives of all outputs with respect to some entries of the arrays.

    Parameters
    ----------
    run : function
        Of arrays by name, to outputs by name; it gets copies.
    arrays : dict of str to array
    coordinates : list of (str, tuple of int)
    precision : {"float64", "float32"}
        What the function computes in: steps and estimates are chosen to match.
    """
    chosen = [(name, tuple(map(int, index))) for name, index in coordinates]
    function = Function(run, arrays, PRECISIONS[precision])
    function.measure_rounding(dict.fromkeys(name for name, _ in chosen))
    lines = [_along_axis(function, *coordinate) for coordinate in chosen]
    return _gathered(function, chosen, lines)


def directional(
    run: Run,
    arrays: Mapping[str, Array],
    directions: Sequence[Mapping[str, Array]],
    precision: str = "float64",
) -> Columns:
    """Return the derivatives of all outputs along directions: columns ``("direction", (k,))``."""
    function = Function(run, arrays, PRECISIONS[precision])
    function.measure_rounding(dict.fromkeys(name for d in directions for name in d))
    lines = []
    for direction in directions:
        lengths = [
            np.abs(d).max() / function.scales[name] for name, d in direction.items() if np.any(d)
        ]
        scale = power_of_two(1 / max(lengths, default=1.0))
        lines.append(Line(function, dict(direction), scale, 1.0))
    return _gathered(function, [("direction", (k,)) for k in range(len(lines))], lines)


def affordable(arrays: Mapping[str, Array], outputs: Mapping[str, Array]) -> int:
    """Return how many entries to differentiate by: fewer where a call takes long.

    What a call takes is judged by the sizes, not by a clock: the same case is always the same.
    """
    numbers = sum(np.size(array) for array in (*arrays.values(), *outputs.values()))
    return int(np.clip(NUMBERS // max(numbers, 1), FEWEST_ENTRIES, MOST_ENTRIES))


def choose(
    arrays: Mapping[str, Array], wrt: Sequence[str], limit: int, rng: np.random.Generator
) -> tuple[list[Coordinate], bool]:
    """Return which entries to look at, and whether these are all.

    More than ``limit`` are sampled, at least 24 (or all, or an equal share) of every array, in
    proportion to their sizes; every axis is covered evenly, and the first and last entry are among
    them.
    """
    total = sum(arrays[name].size for name in wrt)
    least = min(24, limit // max(len(wrt), 1) + 1)
    complete = total <= limit
    coordinates: list[Coordinate] = []
    for name in wrt:
        shape, size = arrays[name].shape, arrays[name].size
        count = size if complete else min(size, max(least, limit * size // total))
        if count == size:
            coordinates += [(name, index) for index in np.ndindex(shape)]
        else:
            coordinates += [(name, index) for index in _spread(shape, count, rng)]
    return coordinates, complete


def taylor_slope(
    loss: Callable[[dict[str, Array]], float],
    gradient: Mapping[str, Array],
    arrays: Mapping[str, Array],
    rng: np.random.Generator,
    precision: str = "float64",
) -> float | None:
    r"""Return the slope of the Taylor remainder over the step, both as logarithms.

    The remainder :math:`|L(x + hv) - L(x) - h \langle g, v \rangle|` for a random direction v falls
    with the square of h where g is the gradient, and with h where it is not: no step is to be
    trusted, and no size of the error.  None where rounding leaves nothing to measure, as it does
    for a linear loss and its gradient, or where kinks on the way scatter what is measured.
    """
    function = Function(lambda a: {"loss": loss(a)}, arrays, PRECISIONS[precision])
    direction = {
        name: function.scales[name] * rng.standard_normal(np.shape(g))
        for name, g in gradient.items()
    }
    function.measure_rounding(direction)
    slope = float(sum(np.vdot(gradient[name], v) for name, v in direction.items()))
    steps = 2.0 ** -np.arange(1, 31)
    remainders, floors = [], []
    for h in steps:
        change = function.at(direction, h)[0] - function.base[0]
        remainders.append(abs(change - h * slope))
        # a direction as long as its arrays: rounding x + hv moves the loss as one unit in the last
        # place of x does, which the measured noise holds already
        floors.append(40 * (function.noise[0] + function.precision.eps * abs(h * slope)))
    above = [
        (h, r)
        for h, r, floor in zip(steps, remainders, floors, strict=True)
        if np.isfinite(r) and r > floor
    ]
    finest = above[-5:]
    if len(finest) < 3:
        return None
    local = [math.log2(r / s) / math.log2(g / h) for (g, r), (h, s) in itertools.pairwise(finest)]
    return float(np.median(local)) if max(local) - min(local) < MOST_SCATTER else None


def complex_columns(
    run: Run,
    arrays: Mapping[str, Array],
    coordinates: Sequence[Coordinate],
    differences: Columns,
) -> Array | None:
    """Return the derivatives by the complex step (Squire & Trapp 1998), exact to rounding.

    None where the function does not allow it: it raises, drops imaginary parts, or takes absolute
    values or compares, so that the answer is not that of ``differences``, its central differences
    at the same coordinates.
    """
    values = np.zeros_like(differences.values)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            for column, (name, index) in enumerate(coordinates):
                copies = {key: np.array(array) for key, array in arrays.items()}
                step = 2.0**-100 * power_of_two(scale_of(copies[name]))
                copies[name] = copies[name].astype(np.complex128)
                copies[name][index] += 1j * step
                outputs = [np.ravel(y) for y in run(copies).values()]
                if not any(np.iscomplexobj(y) for y in outputs):
                    return None
                values[:, column] = np.concatenate(outputs).imag / step
    except Exception:  # whatever the code raises: it was not written for complex numbers
        return None
    scale = np.abs(differences.values).max(initial=0.0, where=differences.judged)
    off = np.abs(values - differences.values) > 1e-6 * scale + 10 * differences.errors
    wrong = off & differences.judged
    return None if wrong.any() or not np.isfinite(values).all() else values


def _along_axis(function: Function, name: str, index: tuple[int, ...]) -> Line:
    magnitude = abs(float(function.arrays[name][index]))
    scale = power_of_two(max(magnitude, function.scales[name]))
    return Line(function, index, scale, magnitude, name)


def _gathered(function: Function, chosen: list[Coordinate], lines: list[Line]) -> Columns:
    """Put the columns side by side; judge each derivative beside the others of its output.

    An error must be small beside the largest derivative with respect to the same array, or much
    smaller yet beside the largest effect that any array has, or this one to the second order.
    """
    outputs = function.base.size
    values = np.array([line.values for line in lines]).reshape(len(lines), outputs).T
    errors = np.array([line.errors for line in lines]).reshape(len(lines), outputs).T
    constant = np.array([line.constant for line in lines]).reshape(len(lines), outputs).T
    lengths = np.array([line.scale for line in lines])
    names = np.array([name for name, _ in chosen])
    sure = np.where(errors < 0.1 * np.abs(values), np.abs(values), 0.0)
    largest = np.zeros_like(values)
    for name in dict.fromkeys(names.tolist()):
        largest[:, names == name] = sure[:, names == name].max(axis=1, keepdims=True)
    changes = np.array([line.change for line in lines]).reshape(len(lines), outputs).T
    effect = np.maximum((sure * lengths).max(axis=1, initial=0.0, keepdims=True), changes)
    judge = function.precision.judged
    judged = constant | (errors <= judge * largest)
    judged |= errors * lengths <= 1e-4 * judge * effect
    judged &= np.isfinite(errors) & np.isfinite(function.base)[:, np.newaxis]
    reasons = [line.reason(~judged[:, i]) for i, line in enumerate(lines)]
    return Columns(chosen, values, errors, judged, reasons)


def _spread(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return distinct indices that cover every axis evenly, first and last among them."""
    axes = [rng.permutation(np.resize(rng.permutation(n), count)) for n in shape]
    indices = dict.fromkeys(zip(*(axis.tolist() for axis in axes), strict=True))
    corners = [tuple(0 for _ in shape), tuple(n - 1 for n in shape)]
    return sorted({*corners, *indices})
