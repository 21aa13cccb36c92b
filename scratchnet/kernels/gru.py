r"""The GRU of `scratchnet.equations.gru`, reset after, sigmoid and tanh, arranged for speed.

- (1) is one product for the whole sequence beforehand, (2) one product a step, the rows of ``hx1``
  being :math:`[h_{t-1}; 1]`.
- One tanh for both gates: :math:`\sigma(a) = \frac12 \tanh(\frac12 a) + \frac12`, the inner half
  multiplied into the weights beforehand.
- Blocks stand in the order n, z, r in v and z, r, n in u, so that the gradients of both are
  contiguous parts of one array :math:`[dv_n, da_z, da_r, da_n]`.
"""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.kernels.sweep import Buffers, Sweep, feature_major


def gru_step(u: Array, v: Array, h_prev: Array, zr: Array, n: Array, h: Array) -> None:
    """Write ``zr`` (2H, B), ``n`` and ``h`` (H, B) from ``u`` = [z, r, n] and ``v`` = [n, z, r]."""
    xp, H = array_module(u), len(h)
    xp.add(u[: 2 * H], v[H:], out=zr)
    xp.tanh(zr, out=zr)
    zr *= 0.5
    zr += 0.5  # (3), (4)
    z, r = zr[:H], zr[H:]
    xp.multiply(r, v[:H], out=n)
    n += u[2 * H :]
    xp.tanh(n, out=n)  # (5)
    xp.subtract(h_prev, n, out=h)
    h *= z
    h += n  # (6)  n + z * (h_prev - n)


def gru_step_backward(
    dh: Array, h_prev: Array, v_n: Array, zr: Array, n: Array, da: Array, tmp: Array
) -> None:
    """Write ``da`` = [dv_n, da_z, da_r, da_n] (4H, B); ``tmp`` is (2H, B)."""
    xp, H = array_module(dh), len(dh)
    z, r = zr[:H], zr[H:]
    dv_n, da_z, da_r, da_n = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
    one = tmp[:H]
    xp.multiply(n, n, out=one)
    xp.subtract(1, one, out=one)
    xp.subtract(1, z, out=da_n)
    da_n *= dh  # (6')  dn
    da_n *= one  # (5')  dn * (1 - n * n)
    xp.multiply(da_n, v_n, out=da_r)  # (5')  dr
    xp.multiply(da_n, r, out=dv_n)  # (5')
    xp.subtract(h_prev, n, out=da_z)
    da_z *= dh  # (6')  dz
    xp.subtract(1, zr, out=tmp)
    tmp *= zr
    da[H : 3 * H] *= tmp  # (3'), (4')  each times s * (1 - s)


class GRUSweep(Sweep):
    """One pass over time, forward and back."""

    def __init__(
        self, x: Array, states: tuple[Array, ...], params: dict[str, Array], buffers: Buffers
    ) -> None:
        super().__init__(x, states[0].shape[1], buffers)
        T, B, H, D = self.T, self.B, self.H, self.D
        xp = self.xp
        bias = params.get("bias")
        bx, bh = xp.zeros((2, 3 * H), self.dtype) if bias is None else bias
        Wh = feature_major(xp.concatenate((params["recurrent_kernel"], bh[None])))
        self.Wh = n_first(Wh)  # (3H, H+1), blocks n, z, r
        self.Wx = feature_major(xp.concatenate((params["kernel"], bx[None])))  # (3H, D+1), z, r, n
        halved_x, halved_h = self.Wx.copy(), self.Wh.copy()
        halved_x[: 2 * H] *= 0.5
        halved_h[H:] *= 0.5
        self.halved = halved_h
        self.x1 = self.array("x1", T, D + 1, B)
        self.x1[:, :D], self.x1[:, D] = x.transpose(1, 2, 0), 1
        self.u = xp.matmul(halved_x, self.x1, out=self.array("u", T, 3 * H, B))  # (1)
        self.hx1 = self.array("hx1", T + 1, H + 1, B)
        self.hx1[:, H] = 1
        self.v = self.array("v", T, 3 * H, B)
        self.zr = self.array("zr", T, 2 * H, B)
        self.n = self.array("n", T, H, B)
        self.da = self.given_back = self.array("da", T, 4 * H, B)
        self.tmp = self.array("tmp", 2 * H, B)
        self.states = (self.hx1[:, :H],)
        self.start(states)

    def step(self, t: int) -> None:
        """Write the state after step t from the one before it."""
        H, hx1, v = self.H, self.hx1, self.v[t]
        self.xp.matmul(self.halved, hx1[t], out=v)  # (2)
        gru_step(self.u[t], v, hx1[t, :H], self.zr[t], self.n[t], hx1[t + 1, :H])

    def begin_backward(self) -> None:
        """Clear the gradients of the weights."""
        self.dWx, self.dWh = self.xp.zeros_like(self.Wx), self.xp.zeros_like(self.Wh)

    def step_backward(self, t: int, dstates: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the gradient of the state before step t from that of the state after it."""
        (dh,), H, da, hx1 = dstates, self.H, self.da[t], self.hx1[t]
        gru_step_backward(dh, hx1[:H], self.v[t, :H], self.zr[t], self.n[t], da, self.tmp)
        du, dv = da[H:], da[: 3 * H]
        self.dWx += du @ self.x1[t].T  # (1')
        self.dWh += dv @ hx1.T  # (2')
        return (self.Wh[:, :H].T @ dv + dh * self.zr[t, :H],)  # (2'), (6')

    def gradients(self) -> tuple[Array, dict[str, Array]]:
        """Return ``dx`` (T, D, B) and the gradients of the weights, under Keras's keys."""
        H, D, xp = self.H, self.D, self.xp
        dx = xp.matmul(self.Wx[:, :D].T, self.da[:, H:])  # (1')
        dWx, dWh = self.dWx.T, n_last(self.dWh).T
        grads = {
            "kernel": dWx[:D].copy(),
            "recurrent_kernel": dWh[:H].copy(),
            "bias": xp.stack((dWx[D], dWh[H])),
        }
        return dx, grads


def n_first(W: Array) -> Array:
    """Turn rows in Keras's order z, r, n into n, z, r."""
    z_and_r, n = W[: 2 * len(W) // 3], W[2 * len(W) // 3 :]
    return array_module(W).concatenate((n, z_and_r))


def n_last(W: Array) -> Array:
    """Turn rows in the order n, z, r into Keras's z, r, n."""
    n, z_and_r = W[: len(W) // 3], W[len(W) // 3 :]
    return array_module(W).concatenate((z_and_r, n))
