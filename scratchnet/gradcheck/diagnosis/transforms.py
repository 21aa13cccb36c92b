"""What a wrong gradient looks like beside the right one, whatever the code computes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array

CLOSE = {"float64": 1e-6, "float32": 1e-3}
"""How far two gradients may be apart, over the largest magnitude, to count as the same pattern."""

EXACT = {"float64": 1e-9, "float32": 1e-3}
"""The same where both sides are computed without differences."""


@dataclass(frozen=True)
class Transform:
    """How the wrong gradient comes from the right one.

    Attributes
    ----------
    id : str
        A key of `scratchnet.gradcheck.findings.TITLES`.
    words : str
        In words, with ``{d}`` for the gradient.
    evidence : str
    factor : float
        Of a constant factor.
    """

    id: str
    words: str
    evidence: str
    factor: float = 1.0


def close(a: Array, b: Array, tolerance: float) -> bool:
    """Return whether two arrays agree, over the larger one's magnitude.

    Entries of ``b`` that are NaN are not known.
    """
    if np.shape(a) != np.shape(b):
        return False
    known = ~np.isnan(b)
    if not known.all():
        a, b = np.asarray(a)[known], np.asarray(b)[known]
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) <= tolerance * scale)


def negligible(right: Array, others: Iterable[Array]) -> bool:
    """Return whether a gradient is rounding beside the others; NaN is not known."""
    largest = max((np.nanmax(np.abs(a), initial=0.0) for a in others), default=0.0)
    return bool(np.nanmax(np.abs(right), initial=0.0) <= 1e-12 * largest)


def transforms(
    ours: Array, right: Array, parameter: Array | None, sizes: Mapping[str, int], tolerance: float
) -> Iterator[Transform]:
    """Yield every way in which ``ours`` is ``right``, changed.

    Parameters
    ----------
    ours, right : array
    parameter : array or None
        The array whose gradient it is, if it is one that learns.
    sizes : dict of str to int
        What a factor may be named after: ``{"batch size": 3, "number of time steps": 6}``.
    """
    if np.shape(ours) != np.shape(right):
        return
    if not np.any(ours):
        yield Transform("all-zero", "{d} is zero everywhere", "no entry differs from 0")
        return
    if close(ours, -right, tolerance):
        yield Transform(
            "wrong-sign", "{d} has the opposite sign", _far(ours, -right, "minus the right one")
        )
        return
    factor = _factor(ours, right, tolerance)
    if factor is not None:
        name = factor_name(factor, sizes)
        yield Transform(
            "constant-factor",
            f"{{d}} is {name} times the right one",
            f"the ratio of all {right.size} entries is {factor:.6g}",
            factor,
        )
        return
    if right.ndim == 2 and right.shape[0] == right.shape[1] and close(ours, right.T, tolerance):
        yield Transform(
            "transposed", "{d} is transposed", _far(ours, right.T, "the right one's transpose")
        )
    if parameter is not None and close(ours - right, parameter, tolerance):
        yield Transform(
            "plus-parameter",
            "{d} holds the parameter itself on top of its gradient",
            _far(ours - right, parameter, "what is too much and the parameter"),
        )
    yield from _blocks_moved(ours, right, tolerance)


def factor_name(factor: float, sizes: Mapping[str, int]) -> str:
    """Return what a factor probably is: ``1/3 (1 / batch size)``."""
    found = [
        words
        for words, value in _named_factors(sizes)
        if abs(value) not in (0.0, 1.0) and np.isclose(factor, value, rtol=1e-4)
    ]
    found = [words for words in dict.fromkeys(found) if words != f"{factor:.6g}"]
    return f"{factor:.6g}" + (f" ({' or '.join(found)})" if found else "")


def _named_factors(sizes: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    for words, value in (("2", 2.0), ("1/2", 0.5)):
        yield words, value
        yield f"-{words}", -value
    for words, n in sizes.items():
        yield f"the {words}", float(n)
        yield f"1 / {words}", 1.0 / n
        yield f"-1 / {words}", -1.0 / n
    for (a, m), (b, n) in itertools.combinations(sizes.items(), 2):
        yield f"{a} × {b}", float(m * n)
        yield f"1 / ({a} × {b})", 1.0 / (m * n)


def _factor(ours: Array, right: Array, tolerance: float) -> float | None:
    square = float(np.sum(right * right))
    if square == 0.0:
        return None
    factor = float(np.sum(ours * right)) / square
    if factor == 0.0 or right.size < 2 or abs(factor - 1) < 1e-3:
        return None
    return factor if close(ours, factor * right, tolerance) else None


def _blocks_moved(ours: Array, right: Array, tolerance: float) -> Iterator[Transform]:
    """Yield the gates' blocks changing places, along any axis, in two to four blocks."""
    for axis, n in enumerate(right.shape):
        for G in (2, 3, 4):
            if n % G or (n == G and right.size == G):
                continue
            blocks = np.split(right, G, axis=axis)
            for order in itertools.permutations(range(G)):
                if list(order) == list(range(G)):
                    continue
                if close(ours, np.concatenate([blocks[k] for k in order], axis=axis), tolerance):
                    moved = [str(k + 1) for k in range(G) if order[k] != k]
                    yield Transform(
                        "gates-swapped",
                        f"the blocks {' and '.join(moved)} of {G} of {{d}} have changed places",
                        f"with the blocks in the order {[k + 1 for k in order]} it is right",
                    )


def _far(a: Array, b: Array, what: str) -> str:
    scale = max(float(np.abs(b).max(initial=0.0)), 1e-300)
    return f"{what} differs by {np.abs(a - b).max(initial=0.0) / scale:.0e} of its magnitude"
