"""Arrays brought to the size at which a rule is cheapest; it works element by element.

Small ones are updated as one, since NumPy's price for a call does not depend on their size; large
ones a chunk at a time, since a rule passes over everything it touches a dozen times.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.kernels import threads
from scratchnet.optimizers.state import Slots

SMALL = 4096
"""Elements up to which gathering an array costs less than a dozen calls for it alone."""

CHUNK = 2**15
"""Elements of which weights, slots and what is computed from them stay in a core's cache."""
WORTH_THREADS = 8
"""Chunks from which on waking other threads costs less than it saves."""


class Pack:
    """Weight arrays of one dtype that a rule updates element by element as one flat array.

    Their slots become views of flat ones, so that `Optimizer.state` sees nothing of it.
    """

    def __init__(self, positions: Sequence[int], variables: Sequence[Array]) -> None:
        self.positions = positions
        self._pick = operator.itemgetter(*positions)  # of two or more: a tuple
        self.variable, self.views = _joined([variables[i] for i in positions])
        self.slots: dict[str, Array] = {}

    def adopt(self, slots: Slots) -> None:
        """Take over the slots of the pack's arrays, leaving views in their place."""
        own = [slots[i] for i in self.positions]
        for name in own[0]:
            self.slots[name], views = _joined([kept[name] for kept in own])
            for kept, view in zip(own, views, strict=True):
                kept[name] = view

    def update(
        self,
        update_step: Callable[..., None],
        gradients: Sequence[Array],
        variables: Sequence[Array],
        learning_rate: float,
    ) -> None:
        """Run the rule once for all of the pack's arrays."""
        own = self._pick(variables)
        concatenate = array_module(self.variable).concatenate
        gradient = concatenate(self._pick(gradients), axis=None)
        concatenate(own, axis=None, out=self.variable)
        update_step(gradient, self.variable, learning_rate, **self.slots)
        for array, view in zip(own, self.views, strict=True):
            array[...] = view


def packs(variables: Sequence[Array]) -> tuple[list[Pack], list[int]]:
    """Return the packs of small arrays, one a dtype, and the positions of all other arrays."""
    by_dtype: dict[object, list[int]] = {}
    for i, variable in enumerate(variables):
        if variable.size <= SMALL:
            by_dtype.setdefault(variable.dtype, []).append(i)
    groups = [positions for positions in by_dtype.values() if len(positions) > 1]
    packed = {i for positions in groups for i in positions}
    alone = [i for i in range(len(variables)) if i not in packed]
    return [Pack(group, variables) for group in groups], alone


def update_in_chunks(
    update_step: Callable[..., None],
    gradient: Array,
    variable: Array,
    learning_rate: float,
    slots: Mapping[str, Array],
) -> None:
    """Run the rule for one array; if it is a large one of the host's, a chunk at a time.

    The chunks of one that is worth it are divided among threads, which changes no bit.
    """
    if variable.size <= CHUNK or not all(map(_is_one_row, (variable, *slots.values()))):
        update_step(gradient, variable, learning_rate, **slots)
        return
    g, w = gradient.reshape(-1), variable.reshape(-1)
    rows = {name: slot.reshape(-1) for name, slot in slots.items()}

    def update(starts: Sequence[int]) -> None:
        for start in starts:
            part = slice(start, start + CHUNK)
            own = {name: row[part] for name, row in rows.items()}
            update_step(g[part], w[part], learning_rate, **own)

    starts = range(0, w.size, CHUNK)
    if len(starts) < WORTH_THREADS:
        update(starts)
    else:
        shares = threads.divided(len(starts), threads.count())
        threads.together([functools.partial(update, starts[share]) for share in shares])


def _is_one_row(array: Array) -> bool:
    """Whether the host holds the elements in order, so that flattening makes a view."""
    return isinstance(array, np.ndarray) and array.flags.c_contiguous


def _joined(arrays: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return one flat array of all elements, and the views of it that stand for each array."""
    flat = array_module(arrays[0]).concatenate(arrays, axis=None)
    ends = itertools.accumulate(math.prod(array.shape) for array in arrays)
    slices = [slice(a, b) for a, b in itertools.pairwise([0, *ends])]
    return flat, [flat[s].reshape(a.shape) for s, a in zip(slices, arrays, strict=True)]
