"""One pass over time with the page's own steps: what `scratchnet.kernels` is held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scratchnet.backend import Array, array_module


class PageCell(NamedTuple):
    """A recurrent layer's step on the page, and the weights it takes."""

    step: Callable[..., tuple[Any, ...]]
    """``step(x_t, *states, *weights, **settings) -> (*states, cache)``"""
    step_backward: Callable[..., tuple[Any, ...]]
    """``step_backward(*dstates, cache) -> (dx_t, *dstates, *dweights)``"""
    weights: dict[str, Array]
    """By name, in the step's order."""
    settings: dict[str, Any]


class PageSweep:
    """Runs a step of `scratchnet.equations` at every time step, on (B, features) arrays.

    Parameters
    ----------
    x : array, shape (B, T, D)
    states : tuple of array, shape (B, H)
        Initial states.
    cell : PageCell
    """

    def __init__(self, x: Array, states: tuple[Array, ...], cell: PageCell) -> None:
        xp = array_module(x)
        self.xp, self.x, self.cell = xp, x.swapaxes(0, 1), cell
        T = len(self.x)
        self.caches: list[Any] = [None] * T
        self.states = tuple(xp.zeros((T + 1, *s.shape), dtype=s.dtype) for s in states)
        for stack, state in zip(self.states, states, strict=True):
            stack[0] = state

    def step(self, t: int) -> None:
        """Write the states after step t from those before it."""
        states = [stack[t] for stack in self.states]
        weights, settings = self.cell.weights.values(), self.cell.settings
        *new_states, self.caches[t] = self.cell.step(self.x[t], *states, *weights, **settings)
        for stack, state in zip(self.states, new_states, strict=True):
            stack[t + 1] = state

    def begin_backward(self, needs_dx: bool = True, grain: float = 0.0) -> None:
        """Begin with gradients of nothing; dx comes with the others, needed or not."""
        self.dx = self.xp.zeros_like(self.x)
        self.dweights = {key: self.xp.zeros_like(w) for key, w in self.cell.weights.items()}

    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> None:
        """Turn the gradients of the states after step t into those of the states before it."""
        answer = self.cell.step_backward(*dstates, self.caches[t])
        n = len(dstates)
        self.dx[t] = answer[0]
        for total, dweight in zip(self.dweights.values(), answer[1 + n :], strict=True):
            total += dweight
        for d, d_prev in zip(dstates, answer[1 : 1 + n], strict=True):
            d[...] = d_prev

    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool:
        """Tell that nothing has: the page computes every number there is."""
        return False

    def gradients(self) -> tuple[Array, tuple[Array, ...]]:
        """Return ``dx`` (T, B, D) and the gradients of the weights."""
        return self.dx, tuple(self.dweights.values())

    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]:
        """Return the gradients of the weights by name."""
        return dict(zip(self.cell.weights, dweights, strict=True))
