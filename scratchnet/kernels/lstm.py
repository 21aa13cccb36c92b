r"""The LSTM of `scratchnet.equations.lstm`, for sigmoid and tanh, arranged for speed.

- One product a step: the rows of ``hx`` are :math:`[h_{t-1}; x_t; 1]`, those of ``W`` the gates'
  weights for them, so that (1) is ``W @ hx``, and (1') is ``W.T @ da`` for both dh and dx and
  ``da @ hx.T`` for all weights and the bias.
- One tanh for all gates: :math:`\sigma(a) = \frac12 \tanh(\frac12 a) + \frac12`, the inner half
  multiplied into ``W`` beforehand, so the three sigmoid gates stand together: blocks i, f, o, g.
- Everything is written into arrays that exist already.
"""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import Buffers, Sweep, joint_weights


def lstm_step(
    W: Array, hx: Array, c_prev: Array, gates: Array, c: Array, tanh_c: Array, h: Array, tmp: Array
) -> None:
    """Write ``gates`` (4H, B), ``c``, ``tanh_c`` and ``h`` (H, B); ``hx`` is (K, B)."""
    xp, H = array_module(hx), len(c)
    xp.matmul(W, hx, out=gates)  # (1), halved for the sigmoids
    xp.tanh(gates, out=gates)  # (3)
    ifo = gates[: 3 * H]
    ifo *= 0.5
    ifo += 0.5  # (2)
    i, f, o, g = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
    xp.multiply(f, c_prev, out=c)
    xp.multiply(i, g, out=tmp)
    c += tmp  # (4)
    xp.tanh(c, out=tanh_c)  # (5)
    xp.multiply(o, tanh_c, out=h)  # (6)


def lstm_step_backward(
    dh: Array, dc: Array, gates: Array, c_prev: Array, tanh_c: Array, da: Array, tmp: Array
) -> None:
    """Write ``da`` (4H, B), and the gradient of ``c_prev`` over ``dc``; ``tmp`` is (3H, B)."""
    xp, H = array_module(dh), len(dh)
    i, f, o, g = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
    da_i, da_f, da_o, da_g = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
    one = tmp[:H]
    xp.multiply(tanh_c, tanh_c, out=one)
    xp.subtract(1, one, out=one)
    one *= o
    one *= dh
    dc += one  # (6'), (5')  dc + dh * o * (1 - tanh_c * tanh_c)
    xp.multiply(dh, tanh_c, out=da_o)  # (6')  do
    xp.multiply(dc, g, out=da_i)  # (4')  di
    xp.multiply(dc, c_prev, out=da_f)  # (4')  df
    xp.multiply(g, g, out=da_g)
    xp.subtract(1, da_g, out=da_g)
    da_g *= i
    da_g *= dc  # (4'), (3')  dc * i * (1 - g * g)
    ifo, da_ifo = gates[: 3 * H], da[: 3 * H]
    xp.subtract(1, ifo, out=tmp)
    tmp *= ifo
    da_ifo *= tmp  # (2')  each times s * (1 - s)
    dc *= f  # (4')  dc_prev


class LSTMSweep(Sweep):
    """One pass over time, forward and back."""

    def __init__(
        self, x: Array, states: tuple[Array, ...], params: dict[str, Array], buffers: Buffers
    ) -> None:
        super().__init__(x, states[0].shape[1], buffers)
        T, B, H, K = self.T, self.B, self.H, self.H + self.D + 1
        self.W = swap_g_and_o(joint_weights(params))  # (4H, K), rows i, f, o, g
        self.halved = self.W.copy()
        self.halved[: 3 * H] *= 0.5
        self.hx = self.joint_inputs(x)  # (T+1, K, B)
        self.cs = self.array("cs", T + 1, H, B)
        self.gates = self.array("gates", T, 4 * H, B)
        self.tanh_cs = self.array("tanh_cs", T, H, B)
        self.tmp = self.array("tmp", 3 * H, B)
        self.dhx = self.given_back = self.array("dhx", T, K, B)
        self.da = self.array("da", 4 * H, B)
        self.dW_step = self.array("dW_step", 4 * H, K)
        self.states = (self.hx[:, :H], self.cs)
        self.start(states)

    def step(self, t: int) -> None:
        """Write the states after step t from those before it."""
        H, hx, cs = self.H, self.hx, self.cs
        lstm_step(
            self.halved, hx[t], cs[t], self.gates[t], cs[t + 1], self.tanh_cs[t], hx[t + 1, :H],
            self.tmp[:H],
        )  # fmt: skip

    def begin_backward(self) -> None:
        """Clear the gradient of the weights."""
        self.dW = self.xp.zeros_like(self.W)

    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the gradients of the states before step t from those of the states after it."""
        dh, dc = dstates
        lstm_step_backward(dh, dc, self.gates[t], self.cs[t], self.tanh_cs[t], self.da, self.tmp)
        self.xp.matmul(self.da, self.hx[t].T, out=self.dW_step)  # (1')
        self.dW += self.dW_step
        self.xp.matmul(self.W.T, self.da, out=self.dhx[t])  # (1')
        return self.dhx[t, : self.H], dc

    def gradients(self) -> tuple[Array, dict[str, Array]]:
        """Return ``dx`` (T, D, B) and the gradients of the weights, under Keras's keys."""
        H, D = self.H, self.D
        dW = swap_g_and_o(self.dW).T  # (K, 4H)
        grads = {"kernel": dW[H : H + D], "recurrent_kernel": dW[:H], "bias": dW[H + D]}
        return self.dhx[:, H : H + D], {key: array.copy() for key, array in grads.items()}


def swap_g_and_o(W: Array) -> Array:
    """Turn rows in Keras's order i, f, g, o into i, f, o, g, or back."""
    i, f, g, o = array_module(W).split(W, 4)
    return array_module(W).concatenate((i, f, o, g))
