"""Rows of a table by their numbers, and the sum of what comes back to each row."""

from __future__ import annotations

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.kernels.device import embedding as device


def take_rows(table: Array, ids: Array) -> Array:
    """Return ``table[ids]``; on a device, NaN where an id is none of a row."""
    if array_module(table) is np:
        return table.take(ids, axis=0)
    return device.taken(table, ids)


def one_hot_rows(ids: Array, count: int, dtype: str) -> Array:
    """Return a row of zeros for each id with a 1 in its column; on a device, NaN for no id."""
    if array_module(ids) is not np:
        return device.one_hot(ids, count, dtype)
    rows = np.zeros((ids.size, count), dtype=dtype)
    rows[np.arange(ids.size), ids.reshape(-1)] = 1
    return rows.reshape(*ids.shape, count)


def sum_rows(rows: Array, index: Array, count: int) -> Array:
    r"""Return ``count`` rows, row v the sum of ``rows[i]`` over all i with ``index[i] == v``.

    Rows of one index are brought together and added in pairs, then the sums in pairs, until each
    index has one: a fixed order, which loses fewer digits than one sum after the other, in half the
    time of ``np.bincount`` and a quarter of that of ``np.add.at``.  A device adds in any order.
    """
    if array_module(rows) is not np:
        return device.summed(rows, index, count)
    if count <= 2**15:
        index = index.astype("int16")  # is sorted digit by digit, at once
    order = np.argsort(index, kind="stable")
    rows, index = rows.take(order, axis=0), index.take(order)
    while True:
        new = np.concatenate((np.ones(1, dtype=bool), index[1:] != index[:-1]))[: len(index)]
        starts = np.flatnonzero(new)
        if len(starts) == len(index):
            break
        place = np.arange(len(index))
        place -= starts.take(np.cumsum(new) - 1)  # among the rows of its index
        left = np.flatnonzero(place % 2 == 0)
        paired = np.flatnonzero(~np.append(new, True).take(left + 1))
        sums = rows.take(left, axis=0)
        sums[paired] += rows.take(left.take(paired) + 1, axis=0)
        rows, index = sums, index.take(left)
    total = np.zeros((count, rows.shape[1]), dtype=rows.dtype)
    total[index] = rows
    return total
