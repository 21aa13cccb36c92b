"""One pass over time with the page's own steps: what `scratchnet.kernels` is held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scratchnet.backend import Array, array_module


class PageSweep:
    """Runs a step of `scratchnet.equations` at every time step, on (B, features) arrays.

    Parameters
    ----------
    x : array, shape (B, T, D)
    states : tuple of array, shape (B, H)
        Initial states.
    weights : dict of str to array
        The step's weights by name, in its order.
    step, step_backward : function
        ``step(x_t, *states, *weights) -> (*states, cache)`` and
        ``step_backward(*dstates, cache) -> (dx_t, *dstates, *dweights)``.
    """

    mask_axis = 2
    """Where a mask (T, B) gets an axis to stretch over the features."""

    def __init__(
        self,
        x: Array,
        states: tuple[Array, ...],
        weights: dict[str, Array],
        step: Callable[..., tuple[Any, ...]],
        step_backward: Callable[..., tuple[Array, ...]],
    ) -> None:
        xp = array_module(x)
        self.xp, self.x, self.weights = xp, self.enter(x), weights
        self._step, self._step_backward = step, step_backward
        T = len(self.x)
        self.caches: list[Any] = [None] * T
        self.states = tuple(xp.zeros((T + 1, *s.shape), dtype=s.dtype) for s in states)
        for stack, state in zip(self.states, states, strict=True):
            stack[0] = state

    def step(self, t: int) -> None:
        """Write the states after step t from those before it."""
        states = [stack[t] for stack in self.states]
        *new_states, self.caches[t] = self._step(self.x[t], *states, *self.weights.values())
        for stack, state in zip(self.states, new_states, strict=True):
            stack[t + 1] = state

    def begin_backward(self) -> None:
        """Clear the gradients."""
        self.dx = self.xp.zeros_like(self.x)
        self.dweights = {key: self.xp.zeros_like(w) for key, w in self.weights.items()}

    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the gradients of the states before step t from those of the states after it."""
        answer = self._step_backward(*dstates, self.caches[t])
        n = len(dstates)
        self.dx[t] = answer[0]
        for total, dweight in zip(self.dweights.values(), answer[1 + n :], strict=True):
            total += dweight
        return answer[1 : 1 + n]

    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool:
        """Tell that nothing has: the page computes every number there is."""
        return False

    def gradients(self) -> tuple[Array, dict[str, Array]]:
        """Return ``dx`` (T, B, D) and the gradients of the weights by name."""
        return self.dx, self.dweights

    @staticmethod
    def enter(array: Array) -> Array:
        """Lay out (B, T, F) as (T, B, F); (B, F) stays, as a copy of its own."""
        return array.swapaxes(0, 1) if array.ndim == 3 else array.copy()

    @staticmethod
    def leave(array: Array) -> Array:
        """Lay out (T, B, F) as (B, T, F); (B, F) stays, as a copy of its own."""
        return array.swapaxes(0, 1).copy() if array.ndim == 3 else array.copy()
