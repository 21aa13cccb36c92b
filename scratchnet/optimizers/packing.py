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

    def __init__(self, positions: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> None:
        self.positions, self.shapes = positions, shapes
        ends = list(itertools.accumulate(math.prod(shape) for shape in shapes))
        self.slices = [slice(a, b) for a, b in itertools.pairwise([0, *ends])]
        self.slots: dict[str, Array] = {}

    def adopt(self, slots: Slots) -> None:
        """Take over the slots of the pack's arrays, leaving views in their place."""
        own = [slots[i] for i in self.positions]
        for name in own[0]:
            arrays = [kept[name].reshape(-1) for kept in own]
            flat = self.slots[name] = array_module(arrays[0]).concatenate(arrays)
            for kept, rows, shape in zip(own, self.slices, self.shapes, strict=True):
                kept[name] = flat[rows].reshape(shape)

    def update(
        self,
        update_step: Callable[..., None],
        gradients: Sequence[Array],
        variables: Sequence[Array],
        learning_rate: float,
    ) -> None:
        """Run the rule once for all of the pack's arrays."""
        own = [variables[i] for i in self.positions]
        concatenate = array_module(own[0]).concatenate
        gradient = concatenate([gradients[i].reshape(-1) for i in self.positions])
        variable = concatenate([array.reshape(-1) for array in own])
        update_step(gradient, variable, learning_rate, **self.slots)
        for array, rows, shape in zip(own, self.slices, self.shapes, strict=True):
            array[...] = variable[rows].reshape(shape)


def packs(variables: Sequence[Array]) -> tuple[list[Pack], list[int]]:
    """Return the packs of small arrays, one a dtype, and the positions of all other arrays."""
    by_dtype: dict[object, list[int]] = {}
    for i, variable in enumerate(variables):
        if variable.size <= SMALL:
            by_dtype.setdefault(variable.dtype, []).append(i)
    groups = [positions for positions in by_dtype.values() if len(positions) > 1]
    packed = {i for positions in groups for i in positions}
    alone = [i for i in range(len(variables)) if i not in packed]
    return [Pack(group, [variables[i].shape for i in group]) for group in groups], alone
