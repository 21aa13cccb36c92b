r"""The simple recurrent network of `scratchnet.equations.simple_rnn`, for tanh, arranged for speed.

One product a step: the rows of ``xh`` are :math:`[x_t, 1, h_{t-1}]`, those of ``W`` the weights for
them, and (2) is written where the state belongs.  Back, the local derivatives of a chunk of steps
are computed at once, and so is (1') for x and the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import Sweep, SweepShape, joint_gradients, joint_weights


class SimpleRNNWeights(NamedTuple):
    """The weights of a forward pass, as all its rows use them."""

    W: Array
    """(K, H)"""
    back: Array
    """(H, H): from da to dh_prev."""
    Wx: Array
    """(D, H): from da to dx, transposed."""


def arranged(params: dict[str, Array]) -> SimpleRNNWeights:
    """Return the weights in the kernel's layout."""
    back = params["recurrent_kernel"].T.copy(order="C")
    return SimpleRNNWeights(joint_weights(params), back, params["kernel"].copy())


def simple_rnn_step(W: Array, xh: Array, h: Array) -> None:
    """Write ``h`` (B, H); ``xh`` is (B, K)."""
    xp = array_module(xh)
    xp.matmul(xh, W, out=h)  # (1)
    xp.tanh(h, out=h)  # (2)


def simple_rnn_local_derivatives(h: Array, over_dh: Array) -> None:
    """Write da over dh, for n steps, (n, B, H)."""
    xp = array_module(h)
    xp.multiply(h, h, out=over_dh)
    xp.subtract(1, over_dh, out=over_dh)  # (2')  1 - h * h


def simple_rnn_step_backward(dh: Array, back: Array, over_dh: Array, da: Array) -> None:
    """Write ``da``, and the gradient of h_prev over ``dh`` (B, H)."""
    xp = array_module(dh)
    xp.multiply(dh, over_dh, out=da)  # (2')
    xp.matmul(da, back, out=dh)  # (1')  dh_prev


class SimpleRNNSweep(Sweep):
    """One pass over time, forward and back."""

    def __init__(self, shape: SweepShape, memory: Sequence[Array] = ()) -> None:
        super().__init__(shape, memory)
        B, D, H, n = self.B, self.D, self.H, self.chunk
        self.over_dh, self.das = self.array(n, B, H), self.array(n, B, H)
        self.joint_shapes = ((D + 1 + H, H),)
        self.hs = self.xh[:, :, D + 1 :]
        self.states = (self.hs,)

    def step(self, t: int) -> None:
        """Write the state after step t from the one before it."""
        simple_rnn_step(self.weights.W, self.xh[t], self.hs[t + 1])

    def _local_derivatives(self, steps: slice) -> None:
        h = self.hs[steps.start + 1 : steps.stop + 1]
        simple_rnn_local_derivatives(h, self.over_dh[: len(h)])

    def _step_back(self, t: int, k: int, dstates: tuple[Array, ...]) -> None:
        (dh,) = dstates
        simple_rnn_step_backward(dh, self.weights.back, self.over_dh[k], self.das[k])

    def _products(self, xh: Array, da: Array) -> tuple[Array, tuple[Array, ...]]:
        return da, (xh.T @ da,)  # (1')

    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]:
        """Return the gradients of the weights under Keras's keys."""
        return joint_gradients(dweights[0], self.D)
