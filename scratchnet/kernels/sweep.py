"""What the three recurrent kernels share: their layout, and memory that outlives a call."""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array, array_module

FADED = 2.0**-75
"""Of the largest gradient that came in: what this is too large to be added to counts as zero.

In float32, whose numbers have 24 bits, that is all below 2^-98 of the largest.
"""
LOOK_EVERY = 8
"""Time steps between two looks for gradients that have faded."""


class Buffers:
    """Named arrays, made on first use and handed out again while shape and dtype stay the same.

    A training step needs the same megabytes as the one before it; asking the system for fresh ones
    would cost as much as filling them.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def get(self, xp: Any, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an array with whatever it holds."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._arrays[name] = xp.empty(shape, dtype)
        return array


class Sweep:
    """One pass over time, forward and back, on feature-major arrays.

    ``states`` holds a stack for each state, (T+1, H, B), row 0 the initial state; `step` writes row
    t + 1 from row t.
    """

    states: tuple[Array, ...]
    given_back: Array
    """What the steps back have written, by time: ``dx`` is made of it."""
    mask_axis = 1
    """Where a mask (T, B) gets an axis to stretch over the features."""

    def __init__(self, x: Array, units: int, buffers: Buffers) -> None:
        self.xp, self.buffers, self.dtype = array_module(x), buffers, x.dtype
        (self.B, self.T, self.D), self.H = x.shape, units

    def array(self, name: str, *shape: int) -> Array:
        """Return a buffer."""
        return self.buffers.get(self.xp, name, shape, self.dtype)

    def joint_inputs(self, x: Array) -> Array:
        """Return the stack of [h; x; 1] with x and 1 filled in, (T+1, H+D+1, B)."""
        hx = self.array("hx", self.T + 1, self.H + self.D + 1, self.B)
        hx[: self.T, self.H : -1] = x.transpose(1, 2, 0)
        hx[:, -1] = 1
        return hx

    def start(self, states: tuple[Array, ...]) -> None:
        """Write the initial states, (B, H)."""
        for stack, state in zip(self.states, states, strict=True):
            stack[0] = state.T

    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool:
        """Set gradients to zero that no sum can see; tell whether none is left before step t + 1.

        Over hundreds of steps a float32 gradient falls below the normal numbers, where a processor
        is ten times slower.  Adding and taking off a number rounds them to what it can hold.  What
        is lost is 2^-98 of the largest: of a sample whose own gradient is not larger than that,
        all of it.
        """
        first, last = t == self.T - 1, t % LOOK_EVERY == 0
        if self.dtype.itemsize > 4 or not (first or last):
            return False
        if first:
            self._grain = FADED * max(self.xp.abs(d).max() for d in dstates)
        if not self.xp.isfinite(self._grain):
            return False
        for d in dstates:
            d += self._grain
            d -= self._grain
        if any(d.any() for d in dstates):
            return False
        self.given_back[: t + 1] = 0
        return True

    @staticmethod
    def enter(array: Array) -> Array:
        """Lay out (B, T, F) as (T, F, B), or (B, F) as (F, B), as a copy of its own."""
        axes = (1, 2, 0) if array.ndim == 3 else (1, 0)
        return array.transpose(axes).copy(order="C")

    @staticmethod
    def leave(array: Array) -> Array:
        """Lay out (T, F, B) as (B, T, F), or (F, B) as (B, F), as a copy of its own."""
        axes = (2, 0, 1) if array.ndim == 3 else (1, 0)
        return array.transpose(axes).copy(order="C")


def joint_weights(params: dict[str, Array]) -> Array:
    """Return the weights for [h, x, 1] in one matrix, (G·H, H+D+1)."""
    kernel = params["kernel"]
    bias = params.get("bias")
    xp = array_module(kernel)
    row = xp.zeros_like(kernel[:1]) if bias is None else bias[None]
    return feature_major(xp.concatenate((params["recurrent_kernel"], kernel, row)))


def feature_major(W: Array) -> Array:
    """Return the transpose with its rows contiguous, as everything added to them is."""
    return W.T.copy(order="C")
