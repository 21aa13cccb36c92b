"""Small weight arrays, updated as one: NumPy's price for a call does not depend on their size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from scratchnet.backend import Array, array_module
from scratchnet.optimizers.state import Slots

SMALL = 4096
"""Elements up to which gathering an array costs less than a dozen calls for it alone."""


class Pack:
    """Weight arrays of one dtype that a rule updates element by element as one flat array.

    Their slots become views of flat ones, so that `Optimizer.state` sees nothing of it.
    """

    def __init__(self, positions: Sequence[int], variables: Sequence[Array]) -> None:
        self.positions = positions
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
        own = [variables[i] for i in self.positions]
        concatenate = array_module(self.variable).concatenate
        gradient = concatenate([gradients[i] for i in self.positions], axis=None)
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


def _joined(arrays: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return one flat array of all elements, and the views of it that stand for each array."""
    flat = array_module(arrays[0]).concatenate(arrays, axis=None)
    ends = itertools.accumulate(math.prod(array.shape) for array in arrays)
    slices = [slice(a, b) for a, b in itertools.pairwise([0, *ends])]
    return flat, [flat[s].reshape(a.shape) for s, a in zip(slices, arrays, strict=True)]
