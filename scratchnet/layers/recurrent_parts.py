"""How a batch is divided: into parts of its rows, and a part's way through time into stages.

Texts of different lengths are padded in front, and a row that is still padding has nothing to
compute.  Where a mask says so, it stands still; where none does, it goes the way of every other row
that is still padding, and one of them can go for all.  So a part's way is divided into stages, and
a row joins when it begins to be different.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratchnet.backend import Array
from scratchnet.kernels import threads

STAGES = 10
WORTH = 8
"""One in so many of a batch's steps has to be saved: rows change places, and small products are
slower for their size."""
MULTIPLE = 4
"""Of rows: what BLAS computes at once."""


class Stage(NamedTuple):
    """Time steps that the first rows of a part take."""

    steps: slice
    rows: int


class Part(NamedTuple):
    """Rows of a batch that go through time together."""

    rows: slice | Array
    stages: tuple[Stage, ...]
    alike: bool = False
    """Whether a row that has not joined goes the way of the first."""


def undivided(B: int, T: int) -> list[Part]:
    """Return the one part that all rows are."""
    return [Part(slice(None), (Stage(slice(0, T), B),))]


def parts(x: Array, mask: Array | None, may_be_alike: bool) -> list[Part]:
    """Divide a batch (B, T, D), or as much of it as is not padding.

    Parameters
    ----------
    may_be_alike : bool
        Whether rows of the same inputs have the same states, and may be taken together.
    """
    B, T, _ = x.shape
    starts = None
    if mask is not None:
        starts = np.where(mask.any(axis=1), mask.argmax(axis=1), T)
    elif may_be_alike and _may_be_worth_it(x):
        starts = alike_until(x)
    if starts is None or starts.sum() * WORTH < max(1, B * T):
        return [Part(rows, (Stage(slice(0, T), _length(rows)),)) for rows in threads.parts(B)]
    number = len(threads.parts(B))
    order = np.argsort(starts, kind="stable")
    return [_in_stages(order[k::number], starts, T, mask is None) for k in range(number)]


def _may_be_worth_it(x: Array) -> bool:
    """Whether enough rows stay as they begin for a step: a cheap look, taken at every batch."""
    B, T, _ = x.shape
    return B > 1 < T and int((x[:, 0] == x[:, 1]).all(axis=1).sum()) * WORTH >= B


def alike_until(x: Array) -> Array:
    """Return up to which step each row is the same as one row that stays long as it began."""
    first = x[:, :, 0]
    leader = int(_length_of_truth(first == first[:, :1]).argmax())
    until = _length_of_truth(first == first[leader])
    for row, end in enumerate(until):
        if not np.array_equal(x[row, :end], x[leader, :end]):
            until[row] = 0
    until[leader] = np.delete(until, leader).max()  # without it, there would be no other's to go
    return until


def _in_stages(rows: Array, starts: Array, T: int, alike: bool) -> Part:
    """Divide the way of rows that are sorted by where they start."""
    if alike:
        rows = np.roll(rows, 1)  # the last to be different is like each other one until it joins
    begins = starts[rows]
    begins[:alike] = 0
    stages = []
    for steps in threads.divided(T, min(T, STAGES)):
        count = len(rows) if steps.stop == T else int((begins < steps.stop).sum())
        if count:
            stages.append(Stage(steps, min(len(rows), -(-count // MULTIPLE) * MULTIPLE)))
    return Part(rows, tuple(stages), alike)


def _length_of_truth(table: Array) -> Array:
    """Return how many entries from the left are True, row by row."""
    return np.where(table.all(axis=1), table.shape[1], table.argmin(axis=1))


def _length(rows: slice) -> int:
    return int(rows.stop - rows.start)
