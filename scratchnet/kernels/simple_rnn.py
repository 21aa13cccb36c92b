r"""The simple recurrent network of `scratchnet.equations.simple_rnn`, for tanh, arranged for speed.

One product a step each way: the rows of ``hx`` are :math:`[h_{t-1}; x_t; 1]`, those of ``W`` the
weights for them, and (2) is written where the state belongs.
"""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import Buffers, Sweep, joint_weights


def simple_rnn_step(W: Array, hx: Array, a: Array, h: Array) -> None:
    """Write ``h`` (H, B); ``hx`` is (K, B), ``a`` scratch (H, B)."""
    xp = array_module(hx)
    xp.matmul(W, hx, out=a)  # (1)
    xp.tanh(a, out=h)  # (2)


def simple_rnn_step_backward(dh: Array, h: Array, da: Array) -> None:
    """Write ``da`` (H, B)."""
    xp = array_module(dh)
    xp.multiply(h, h, out=da)
    xp.subtract(1, da, out=da)
    da *= dh  # (2')  dh * (1 - h * h)


class SimpleRNNSweep(Sweep):
    """One pass over time, forward and back."""

    def __init__(
        self, x: Array, states: tuple[Array, ...], params: dict[str, Array], buffers: Buffers
    ) -> None:
        super().__init__(x, states[0].shape[1], buffers)
        T, B, H, K = self.T, self.B, self.H, self.H + self.D + 1
        self.W = joint_weights(params)  # (H, K)
        self.hx = self.joint_inputs(x)  # (T+1, K, B)
        self.a = self.array("a", H, B)
        self.dhx = self.given_back = self.array("dhx", T, K, B)
        self.dW_step = self.array("dW_step", H, K)
        self.states = (self.hx[:, :H],)
        self.start(states)

    def step(self, t: int) -> None:
        """Write the state after step t from the one before it."""
        simple_rnn_step(self.W, self.hx[t], self.a, self.hx[t + 1, : self.H])

    def begin_backward(self) -> None:
        """Clear the gradient of the weights."""
        self.dW = self.xp.zeros_like(self.W)

    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the gradient of the state before step t from that of the state after it."""
        simple_rnn_step_backward(dstates[0], self.hx[t + 1, : self.H], self.a)
        self.xp.matmul(self.a, self.hx[t].T, out=self.dW_step)  # (1')
        self.dW += self.dW_step
        self.xp.matmul(self.W.T, self.a, out=self.dhx[t])  # (1')
        return (self.dhx[t, : self.H],)

    def gradients(self) -> tuple[Array, dict[str, Array]]:
        """Return ``dx`` (T, D, B) and the gradients of the weights, under Keras's keys."""
        H, D, dW = self.H, self.D, self.dW.T
        grads = {"kernel": dW[H : H + D], "recurrent_kernel": dW[:H], "bias": dW[H + D]}
        return self.dhx[:, H : H + D], {key: array.copy() for key, array in grads.items()}
