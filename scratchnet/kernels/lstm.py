r"""The LSTM of `scratchnet.equations.lstm`, for sigmoid and tanh, arranged for speed.

- One product a step: the rows of ``xh`` are :math:`[x_t, 1, h_{t-1}]`, those of ``W`` the gates'
  weights for them, so that (1) is ``xh @ W``.
- Each gate is a block (B, H) of its own, in the order o, f, i, g, and behind them stands
  :math:`c_{t-1}`: one call serves several blocks, ``[f, i] * [c_prev, g]`` for instance.
- One tanh for all gates: :math:`\sigma(a) = \frac12 \tanh(\frac12 a) + \frac12`, the inner half
  multiplied into ``W`` beforehand.
- Back, whatever does not depend on dh and dc is computed for a chunk of steps at once, and so is
  (1') for x and the weights; what is left of a step is five calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import Sweep, SweepShape, joint_gradients


class LSTMWeights(NamedTuple):
    """The weights of a forward pass, as all its rows use them."""

    W: Array
    """(4, K, H), blocks o, f, i, g, the sigmoids' halved."""
    back: Array
    """(4H, H): from da to dh_prev."""
    Wx: Array
    """(D, 4H): from da to dx, transposed."""


def arranged(params: dict[str, Array]) -> LSTMWeights:
    """Return the weights in the kernel's layout."""
    kernel, recurrent = params["kernel"], params["recurrent_kernel"]
    xp, D, H = array_module(kernel), len(kernel), len(recurrent)
    W = xp.empty((4, D + 1 + H, H), dtype=kernel.dtype)
    back = xp.empty((4, H, H), dtype=kernel.dtype)
    for block, gate in enumerate(gates_of(H)):
        W[block, :D], W[block, D + 1 :] = kernel[:, gate], recurrent[:, gate]
        W[block, D] = params["bias"][gate] if "bias" in params else 0
        back[block] = recurrent[:, gate].T
    W[:3] *= 0.5
    Wx = xp.concatenate([kernel[:, gate] for gate in gates_of(H)], axis=1)
    return LSTMWeights(W, back.reshape(4 * H, H), Wx)


def gates_of(H: int) -> list[slice]:
    """Return the columns of o, f, i, g among Keras's i, f, g, o."""
    return [slice(k * H, (k + 1) * H) for k in (3, 1, 0, 2)]


class Forward(NamedTuple):
    """The arrays of one step; making views costs as much as small sums, so they are made once."""

    xh: Array
    """(B, K)"""
    a: Array
    """(4, B, H), the blocks o, f, i, g, before and after their functions."""
    ofi: Array
    """(3, B, H), part of a."""
    fi: Array
    """(2, B, H), part of a."""
    cg: Array
    """(2, B, H): c_prev and g."""
    o: Array
    """(B, H), part of a."""
    c: Array
    """(B, H)"""
    tanh_c: Array
    """(B, H)"""
    h: Array
    """(B, H)"""


class Backward(NamedTuple):
    """The arrays of one step back, but for f those of a place in the chunk."""

    over_dh: Array
    """(2, B, H): what goes into dc, and da_o, over dh."""
    from_dh: Array
    """(2, B, H): the same times dh."""
    into_dc: Array
    """(B, H): the first of them."""
    over_dc: Array
    """(3, B, H): da_f, da_i and da_g over dc."""
    da_fig: Array
    """(3, B, H): the same times dc."""
    da: Array
    """(B, 4H): o, f, i, g side by side."""


def lstm_step(W: Array, at: Forward, terms: Array) -> None:
    """Write the gates, ``c``, ``tanh_c`` and ``h``; ``terms`` (2, B, H) is scratch."""
    xp, ofi = array_module(W), at.ofi
    xp.matmul(at.xh, W, out=at.a)  # (1), halved for the sigmoids
    xp.tanh(at.a, out=at.a)  # (3)
    ofi *= 0.5
    ofi += 0.5  # (2)
    xp.multiply(at.fi, at.cg, out=terms)  # (4)  f * c_prev, i * g
    xp.add(terms[0], terms[1], out=at.c)  # (4)
    xp.tanh(at.c, out=at.tanh_c)  # (5)
    xp.multiply(at.o, at.tanh_c, out=at.h)  # (6)


def lstm_local_derivatives(gates: Array, tanh_c: Array, over: Array) -> None:
    """Write what dh and dc are multiplied by, for n steps.

    ==========  ===============  =====================================================
    array       shape            meaning
    ==========  ===============  =====================================================
    ``gates``   (n, 5, B, H)     o, f, i, g, c_prev
    ``tanh_c``  (n, B, H)
    ``over``    (n, 5, B, H)     what dh gives to dc and da_o, over dh; da_f, da_i and
                                 da_g over dc
    ==========  ===============  =====================================================
    """
    xp, ofi, o = array_module(gates), gates[:, :3], gates[:, 0]
    into_dc, slopes = over[:, 0], over[:, 1:]
    xp.multiply(gates[:, :4], gates[:, :4], out=slopes)
    xp.subtract(ofi, slopes[:, :3], out=slopes[:, :3])  # (2')  s * (1 - s)
    xp.subtract(1, slopes[:, 3], out=slopes[:, 3])  # (3')  1 - g * g
    slopes[:, 0] *= tanh_c  # (6')  do = dh * tanh_c
    slopes[:, 1:] *= gates[:, 4:1:-1]  # (4')  df = dc * c_prev, di = dc * g, dg = dc * i
    xp.multiply(tanh_c, tanh_c, out=into_dc)
    xp.subtract(1, into_dc, out=into_dc)
    into_dc *= o  # (6'), (5')  o * (1 - tanh_c * tanh_c)


def lstm_step_backward(dh: Array, dc: Array, back: Array, f: Array, at: Backward) -> None:
    """Write ``da``, and the gradients of h_prev and c_prev over ``dh`` and ``dc`` (B, H)."""
    xp = array_module(dh)
    xp.multiply(dh, at.over_dh, out=at.from_dh)  # (6'), (2')
    dc += at.into_dc  # (5')
    xp.multiply(dc, at.over_dc, out=at.da_fig)  # (4'), (3'), (2')
    xp.matmul(at.da, back, out=dh)  # (1')  dh_prev
    dc *= f  # (4')  dc_prev


class LSTMSweep(Sweep):
    """One pass over time, forward and back."""

    def __init__(self, shape: SweepShape, memory: Sequence[Array] = ()) -> None:
        super().__init__(shape, memory)
        T, B, D, H, n = self.T, self.B, self.D, self.H, self.chunk
        self.gates = self.array(T + 1, 5, B, H)
        self.tanh_cs = self.array(T, B, H)
        self.terms = self.array(2, B, H)
        self.over = self.array(n, 5, B, H)
        self.das = self.array(n, B, 5 * H)  # what goes into dc, then o, f, i, g
        self.joint_shapes = ((D + 1 + H, 4 * H),)
        self.states = (self.xh[:, :, D + 1 :], self.gates[:, 4])
        self._forward = [self._at_step(t) for t in range(T)]
        self._backward = [self._at_place(k) for k in range(n)]

    def _at_step(self, t: int) -> Forward:
        gates, (hs, cs) = self.gates[t], self.states
        return Forward(
            self.xh[t], gates[:4], gates[:3], gates[1:3], gates[4:2:-1], gates[0],
            cs[t + 1], self.tanh_cs[t], hs[t + 1],
        )  # fmt: skip

    def _at_place(self, k: int) -> Backward:
        over, das = self.over[k], self.das[k]
        blocks = das.reshape(self.B, 5, self.H).swapaxes(0, 1)
        return Backward(over[:2], blocks[:2], blocks[0], over[2:], blocks[2:], das[:, self.H :])

    def step(self, t: int) -> None:
        """Write the states after step t from those before it."""
        lstm_step(self.weights.W, self._forward[t], self.terms)

    def _local_derivatives(self, steps: slice) -> None:
        over = self.over[: steps.stop - steps.start]
        lstm_local_derivatives(self.gates[steps], self.tanh_cs[steps], over)

    def _step_back(self, t: int, k: int, dstates: tuple[Array, ...]) -> None:
        dh, dc = dstates
        lstm_step_backward(dh, dc, self.weights.back, self.gates[t, 1], self._backward[k])

    def _products(self, xh: Array, da: Array) -> tuple[Array, tuple[Array, ...]]:
        da = da[:, self.H :]
        return da, (xh.T @ da,)  # (1')

    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]:
        """Return the gradients of the weights under Keras's keys."""
        in_order = self.xp.empty_like(dweights[0])
        for block, gate in enumerate(gates_of(self.H)):
            in_order[:, gate] = dweights[0][:, block * self.H : (block + 1) * self.H]
        return joint_gradients(in_order, self.D)
