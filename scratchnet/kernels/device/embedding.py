"""Rows of a table by their numbers on a device, and back: what an embedding is made of.

Ids that are none of a row's give NaN: within a training step nobody looks at them.
"""

from __future__ import annotations

import functools
from typing import Any

from scratchnet.backend import Array, array_module


def taken(table: Array, ids: Array) -> Array:
    """Return ``table[ids]``."""
    xp, (V, D) = array_module(table), table.shape
    rows = xp.empty((ids.size, D), dtype=table.dtype)
    _kernel(xp, "take_rows")(ids.reshape(-1, 1), table, V, D, rows)
    return rows.reshape(*ids.shape, D)


def summed(rows: Array, ids: Array, count: int) -> Array:
    """Return ``count`` rows, row v the sum of ``rows[i]`` over all i with ``ids[i] == v``.

    The device adds in an order of its own, which may differ from one time to the next in the last
    digits.
    """
    xp, D = array_module(rows), rows.shape[1]
    total = xp.zeros((count, D), dtype=rows.dtype)
    _kernel(xp, "sum_rows")(ids.reshape(-1, 1), rows, count, D, total)
    return total


def one_hot(ids: Array, count: int, dtype: str) -> Array:
    """Return a row of zeros for each id, with a 1 in its column, (…, count)."""
    xp = array_module(ids)
    rows = xp.empty((ids.size, count), dtype=dtype)
    _kernel(xp, "one_hot")(ids.reshape(-1, 1), count, rows)
    return rows.reshape(*ids.shape, count)


KERNELS = {
    "take_rows": (
        "S id, raw T table, int64 V, int64 D",
        "T row",
        'row = id >= 0 && id < V ? table[id * D + i % D] : T(nan(""))',
    ),
    "sum_rows": (
        "S id, T row, int64 V, int64 D",
        "raw T total",
        "if (id >= 0 && id < V) atomicAdd(&total[id * D + i % D], row)",
    ),
    "one_hot": (
        "S id, int64 V",
        "T row",
        'row = id >= 0 && id < V ? T(id == i % V) : T(nan(""))',
    ),
}


@functools.cache
def _kernel(xp: Any, name: str) -> Any:
    return xp.ElementwiseKernel(*KERNELS[name], name)
