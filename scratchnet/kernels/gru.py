r"""The GRU of `scratchnet.equations.gru`, reset after, sigmoid and tanh, arranged for speed.

- The rows of ``xh`` are :math:`[x_t, 1, h_{t-1}]`: (1) and (2) are one product for z and r, and
  for n, which needs u and v apart, one for v each step and one for u beforehand.
- Each gate is a block (B, H) of its own, so that one call serves several.
- One tanh for both gates: :math:`\sigma(a) = \frac12 \tanh(\frac12 a) + \frac12`, the inner half
  multiplied into the weights beforehand.
- Back, whatever does not depend on dh is computed for a chunk of steps at once, over the blocks it
  is made of, and so are (1') for x and (1'), (2') for the weights; what is left of a step is four
  calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import Sweep, SweepShape


class GRUWeights(NamedTuple):
    """The weights of a forward pass, as all its rows use them."""

    W_rz: Array
    """(2, K, H), halved."""
    W_v: Array
    """(1+H, H): from [1, h] to v_n."""
    W_u: Array
    """(D+1, H): from [x, 1] to u_n."""
    back: Array
    """(3H, H): from da_z, da_r, dv_n to dh_prev."""
    Wx: Array
    """(D, 3H): from da_n, da_z, da_r to dx, transposed."""


def arranged(params: dict[str, Array]) -> GRUWeights:
    """Return the weights in the kernel's layout."""
    Wx, Wh, bias = params["kernel"], params["recurrent_kernel"], params.get("bias")
    xp, H = array_module(Wx), len(Wh)
    bx, bh = xp.zeros((2, 3 * H), dtype=Wx.dtype) if bias is None else bias
    z, r, n = slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)
    W_rz = [xp.concatenate((Wx[:, g], (bx + bh)[None, g], Wh[:, g])) for g in (r, z)]
    return GRUWeights(
        0.5 * xp.stack(W_rz),
        xp.concatenate((bh[None, n], Wh[:, n])),
        xp.concatenate((Wx[:, n], bx[None, n])),
        Wh.T.copy(order="C"),
        xp.concatenate((Wx[:, n], Wx[:, z], Wx[:, r]), axis=1),
    )


class Forward(NamedTuple):
    """The arrays of one step; making views costs as much as small sums, so they are made once."""

    xh: Array
    """(B, K)"""
    h1: Array
    """(B, 1+H), the last columns of xh: [1, h_prev]."""
    rz: Array
    """(2, B, H)"""
    r: Array
    """(B, H), part of rz."""
    z: Array
    """(B, H), part of rz."""
    v_n: Array
    """(B, H)"""
    n: Array
    """(B, H), u_n at first."""
    h_prev: Array
    """(B, H)"""
    h: Array
    """(B, H)"""


class Backward(NamedTuple):
    """The arrays of one step back, those of a place in the chunk."""

    from_dh: Array
    """(3, B, H): what goes straight into dh_prev, da_n and da_z."""
    into_dh: Array
    """(B, H): the first of them."""
    da_n: Array
    from_da_n: Array
    """(2, B, H): da_r and dv_n."""
    dv: Array
    """(B, 3H): z, r, n side by side."""


def gru_step(W_rz: Array, W_v: Array, at: Forward, tmp: Array) -> None:
    """Write the gates and ``h``; ``tmp`` (B, H) is scratch."""
    xp, rz, n, h = array_module(W_v), at.rz, at.n, at.h
    xp.matmul(at.xh, W_rz, out=rz)  # (1), (2), halved
    xp.matmul(at.h1, W_v, out=at.v_n)  # (2)
    xp.tanh(rz, out=rz)
    rz *= 0.5
    rz += 0.5  # (3), (4)
    xp.multiply(at.r, at.v_n, out=tmp)
    n += tmp
    xp.tanh(n, out=n)  # (5)
    xp.subtract(at.h_prev, n, out=tmp)
    tmp *= at.z
    xp.add(n, tmp, out=h)  # (6)  n + z * (h_prev - n)


def gru_local_derivatives(h_prev: Array, gates: Array, slopes: Array) -> None:
    """Turn ``gates`` of n steps into what dh and da_n are multiplied by.

    ==========  ===============  =====================================================
    array       shape            meaning
    ==========  ===============  =====================================================
    ``gates``   (n, 5, B, H)     at first v_n, r, z, n and room; then da_r over da_n,
                                 r, z, da_n over dh, da_z over dh
    ``slopes``  (n, 2, B, H)     scratch: r * (1 - r), z * (1 - z)
    ==========  ===============  =====================================================
    """
    xp, rz, z = array_module(gates), gates[:, 1:3], gates[:, 2]
    over_r, over_n, over_z = gates[:, 0], gates[:, 3], gates[:, 4]
    xp.multiply(rz, rz, out=slopes)
    xp.subtract(rz, slopes, out=slopes)
    xp.subtract(h_prev, over_n, out=over_z)
    over_z *= slopes[:, 1]  # (6'), (3')  (h_prev - n) * z * (1 - z)
    over_r *= slopes[:, 0]  # (5'), (4')  v_n * r * (1 - r)
    over_n *= over_n
    xp.subtract(1, over_n, out=over_n)
    xp.subtract(1, z, out=slopes[:, 1])
    over_n *= slopes[:, 1]  # (6'), (5')  (1 - z) * (1 - n * n)


def gru_step_backward(dh: Array, back: Array, over: Array, at: Backward) -> None:
    """Write ``da_n, da_z, da_r, dv_n``, and the gradient of h_prev over ``dh`` (B, H).

    ``over`` (5, B, H) is what `gru_local_derivatives` made: its last three belong to dh.
    """
    xp = array_module(dh)
    xp.multiply(dh, over[2:], out=at.from_dh)  # (6'), (5'), (3')
    xp.multiply(at.da_n, over[:2], out=at.from_da_n)  # (5'), (4')
    xp.matmul(at.dv, back, out=dh)  # (2')
    dh += at.into_dh  # (6')  dh_prev


class GRUSweep(Sweep):
    """One pass over time, forward and back."""

    def __init__(self, shape: SweepShape, memory: Sequence[Array] = ()) -> None:
        super().__init__(shape, memory)
        T, B, D, H, n = self.T, self.B, self.D, self.H, self.chunk
        self.gates = self.array(T, 5, B, H)  # v_n, r, z, n, and room
        self.tmp = self.array(B, H)
        self.slopes = self.array(n, 2, B, H)
        self.das = self.array(n, B, 5 * H)  # what goes into dh_prev, then n, z, r, v_n
        self.joint_shapes = ((D + 1, 3 * H), (1 + H, 3 * H))
        self.hs = self.xh[:, :, D + 1 :]
        self.states = (self.hs,)
        self._forward = [self._at_step(t) for t in range(T)]
        self._backward = [self._at_place(k) for k in range(n)]

    def _at_step(self, t: int) -> Forward:
        xh, (v_n, r, z, n, _) = self.xh[t], self.gates[t]
        h1 = xh[:, self.D :]
        return Forward(xh, h1, self.gates[t, 1:3], r, z, v_n, n, self.hs[t], self.hs[t + 1])

    def _at_place(self, k: int) -> Backward:
        blocks = self.das[k].reshape(self.B, 5, self.H).swapaxes(0, 1)
        return Backward(blocks[:3], blocks[0], blocks[1], blocks[3:], self.das[k, :, 2 * self.H :])

    def start(self, x: Array, states: tuple[Array, ...], weights: GRUWeights) -> None:
        """Take in inputs, initial states and weights, and compute u_n of every step."""
        super().start(x, states, weights)
        x1 = self.xh[: self.T, :, : self.D + 1]
        self.xp.matmul(x1, weights.W_u, out=self.gates[:, 3])  # (1)

    def step(self, t: int) -> None:
        """Write the state after step t from the one before it."""
        gru_step(self.weights.W_rz, self.weights.W_v, self._forward[t], self.tmp)

    def _local_derivatives(self, steps: slice) -> None:
        slopes = self.slopes[: steps.stop - steps.start]
        gru_local_derivatives(self.hs[steps], self.gates[steps], slopes)

    def _step_back(self, t: int, k: int, dstates: tuple[Array, ...]) -> None:
        (dh,) = dstates
        gru_step_backward(dh, self.weights.back, self.gates[t], self._backward[k])

    def _products(self, xh: Array, da: Array) -> tuple[Array, tuple[Array, ...]]:
        D, H = self.D, self.H
        du, dv = da[:, H : 4 * H], da[:, 2 * H :]  # n, z, r; z, r, n
        return du, (xh[:, : D + 1].T @ du, xh[:, D:].T @ dv)  # (1'), (2')

    def named(self, dweights: tuple[Array, ...]) -> dict[str, Array]:
        """Return the gradients of the weights under Keras's keys."""
        (dWx, dWh), D, H, xp = dweights, self.D, self.H, self.xp
        dWx = xp.concatenate((dWx[:, H:], dWx[:, :H]), axis=1)  # z, r, n
        bias = xp.stack((dWx[D], dWh[0]))
        return {"kernel": dWx[:D], "recurrent_kernel": dWh[1:], "bias": bias}
