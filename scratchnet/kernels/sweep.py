"""What the three recurrent kernels share: their layout, and memory that outlives a call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from scratchnet.backend import Array, array_module, empty_aligned

FADED = 2.0**-75
"""Times the largest gradient that came in, it is added to every gradient and taken off again.

float32 has 24 bits: of what is below 2^-98 of the largest, nothing is left then.
"""
LOOK_EVERY = 8
"""Time steps between two looks for gradients that have faded."""
CHUNK = 2**15
"""Numbers of one gate in the steps that are worked on together: what they need stays in the cache.
"""


class SweepShape(NamedTuple):
    """What a sweep is made for; one made for as much can be used again."""

    module: Any
    dtype: Any
    B: int
    T: int
    D: int
    H: int


class Sweep:
    """One pass over time, forward and back, of some rows of a batch.

    The arrays are kept from one pass to the next: a training step needs the same megabytes as the
    one before it, and asking the system for fresh ones would cost as much as filling them.

    ``states`` holds a stack for each state, (T+1, B, H), row 0 the initial state; `step` writes row
    t + 1 from row t.  The rows of ``xh``, (T+1, B, K), are [x_t, 1, h_{t-1}]: one product with the
    weights for all three is what a step begins with.

    Back, time is divided into chunks.  The local derivatives, which do not depend on the gradient
    that comes from the right, are computed for a whole chunk at once, and so are the products that
    give dx and the gradients of the weights.  A subclass has ``_local_derivatives``, ``_step_back``
    and ``_products``.
    """

    states: tuple[Array, ...]
    das: Array
    """Gradients of the pre-activations in the steps of a chunk, (n, B, …)."""
    weights: Any
    joint_shapes: tuple[tuple[int, int], ...]
    """Of the weight gradients, as ``_products`` gives them."""

    def __init__(self, shape: SweepShape, memory: Sequence[Array] = ()) -> None:
        self.shape, self.xp = shape, shape.module
        self._memory = iter(memory)
        self._arrays: list[Array] = []
        _, _, self.B, self.T, self.D, self.H = shape
        self.xh = self.array(self.T + 1, self.B, self.D + 1 + self.H)
        self.chunk = min(self.T, max(1, CHUNK // max(1, self.B * self.H)))

    def array(self, *shape: int) -> Array:
        """Return an array with whatever it holds, of the memory there is if that is enough."""
        size, flat = math.prod(shape), next(self._memory, None)
        if flat is None or flat.size < size:
            flat = empty_aligned(self.xp, (size,), self.shape.dtype)
        self._arrays.append(flat)
        return flat[:size].reshape(shape)

    def remade(self, shape: SweepShape) -> Self:
        """Return a sweep for another shape in this one's memory, as far as that is enough."""
        fits = (shape.module, shape.dtype) == self.shape[:2]
        return type(self)(shape, self._arrays if fits else ())

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the views: those of a copy are of its own arrays."""
        return {"shape": self.shape[1:], "arrays": self._arrays, "weights": self.weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        arrays = state["arrays"]
        self.__init__(SweepShape(array_module(arrays[0]), *state["shape"]), arrays)  # type: ignore[misc]
        self.weights = state["weights"]

    def start(self, x: Array, states: tuple[Array, ...], weights: Any) -> None:
        """Take in the inputs (B, T, D), the initial states (B, H), and the arranged weights."""
        self.weights = weights
        self.xh[: self.T, :, : self.D] = x.swapaxes(0, 1)
        self.xh[:, :, self.D] = 1
        for stack, state in zip(self.states, states, strict=True):
            stack[0] = state

    def begin_backward(self, needs_dx: bool, grain: float = 0.0) -> None:
        """Begin with gradients of nothing; of later ones, what `grain` hides may be dropped."""
        shape = (self.T, self.B, self.D)
        self.dx = self.xp.empty(shape, dtype=self.shape.dtype) if needs_dx else None
        self.dweights = tuple(
            self.xp.zeros(shape, dtype=self.shape.dtype) for shape in self.joint_shapes
        )
        self._grain = grain
        self._first = self.T  # step of the chunk

    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> None:
        """Turn the gradients of the states after step t into those of the states before it."""
        if t < self._first:
            self._first = max(0, t + 1 - self.chunk)
            self._steps = slice(self._first, t + 1)
            self._local_derivatives(self._steps)
        self._step_back(t, t - self._first, dstates)
        if t == self._first:
            self._add_products()

    def _add_products(self) -> None:
        steps = self._steps
        xh, da = self.xh[steps], self.das[: steps.stop - steps.start]
        rows = len(xh) * self.B
        xh, da = xh.reshape(rows, xh.shape[2]), da.reshape(rows, da.shape[2])
        du, dweights = self._products(xh, da)
        for total, dweight in zip(self.dweights, dweights, strict=True):
            total += dweight
        if self.dx is not None:
            self.dx[steps] = (du @ self.weights.Wx.T).reshape(self.dx[steps].shape)

    def gradients(self) -> tuple[Array | None, tuple[Array, ...]]:
        """Return ``dx`` (T, B, D), if it was needed, and the gradients of the joint weights."""
        return self.dx, self.dweights

    def step(self, t: int) -> None:
        """Write the states after step t from those before it."""
        raise NotImplementedError

    def _local_derivatives(self, steps: slice) -> None:
        """Compute what does not depend on the gradient from the right."""
        raise NotImplementedError

    def _step_back(self, t: int, k: int, dstates: tuple[Array, ...]) -> None:
        """Take one step back, the k-th of its chunk."""
        raise NotImplementedError

    def _products(self, xh: Array, da: Array) -> tuple[Array, tuple[Array, ...]]:
        """Return du, of which ``du @ Wx.T`` is dx, and the gradients of the joint weights."""
        raise NotImplementedError

    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]:
        """Return the gradients of the weights under Keras's keys."""
        raise NotImplementedError

    def faded(self, t: int, dstates: tuple[Array, ...]) -> bool:
        """Set gradients to zero that no sum can see; tell whether none is left before step t + 1.

        Over hundreds of steps a float32 gradient falls below the normal numbers, where a processor
        is ten times slower.  Adding and taking off a number rounds them to what it can hold.  What
        is lost is 2^-98 of the largest: of a sample whose own gradient is not larger than that,
        all of it.
        """
        if not self._grain or not (t == self.T - 1 or t % LOOK_EVERY == 0):
            return False
        for d in dstates:
            d += self._grain
            d -= self._grain
        if any(d.any() for d in dstates):
            return False
        if self._first <= t:
            self.das[: t + 1 - self._first] = 0
            self._add_products()
        if self.dx is not None:
            self.dx[: self._first] = 0
        return True


def grain(dstates: tuple[Array, ...]) -> float:
    """Return the number beside which gradients that no sum can see are nothing; 0 for none.

    In float64 they fade too slowly to matter, and beside what is not finite all would be nothing.
    On a device nobody looks, and no number is slow.
    """
    first = dstates[0]
    if array_module(first) is not np or first.dtype.itemsize > 4 or first.size == 0:
        return 0.0
    smallest = FADED * float(max(np.abs(d).max() for d in dstates))
    return smallest if math.isfinite(smallest) else 0.0


def joint_weights(params: dict[str, Array]) -> Array:
    """Return the weights for [x, 1, h] in one matrix, (K, G·H)."""
    kernel = params["kernel"]
    bias = params.get("bias")
    xp = array_module(kernel)
    row = xp.zeros_like(kernel[:1]) if bias is None else bias[None]
    return xp.concatenate((kernel, row, params["recurrent_kernel"]))


def joint_gradients(dW: Array, D: int) -> dict[str, Array]:
    """Return the gradients of `joint_weights` (K, G·H) under Keras's keys."""
    return {"kernel": dW[:D], "recurrent_kernel": dW[D + 1 :], "bias": dW[D]}
