r"""The steps of the page for a single row that goes on and on: how a text is written, id by id.

States and weights stay where they are from step to step; arrays have no batch axis.  What a step
gets is :math:`x W_x + b` already (`inputs`): for a text that is one row of a table, looked up by
its id.  One tanh serves all gates, as in `scratchnet.kernels.lstm` and `scratchnet.kernels.gru`.
"""

from __future__ import annotations

from scratchnet.backend import Array, array_module


class OneRow:
    """A recurrent layer's weights as they are now, and its states, zeros at first."""

    def __init__(self, Wx: Array, b: Array, Wh: Array) -> None:
        """Take weights whose columns (D, G·H) are in the order and of the scale of `step`."""
        self.Wx, self.b, self.Wh = Wx, b, Wh
        self.h = array_module(Wh).zeros_like(Wh[:, 0])
        self.a = array_module(Wh).empty_like(Wh[0])  # (G·H,)

    def inputs(self, x: Array) -> Array:
        """Return what `step` takes for inputs (…, D)."""
        return x @ self.Wx + self.b

    def one_hot_inputs(self) -> Array:
        """Return what `inputs` gives for every one-hot row, (D, G·H), without a product."""
        return self.Wx + self.b

    def step(self, ax: Array) -> Array:
        """Return the next h (H,), the same array at every step."""
        raise NotImplementedError


class SimpleRNNOneRow(OneRow):
    """`scratchnet.equations.simple_rnn` with tanh."""

    @classmethod
    def of(cls, params: dict[str, Array]) -> SimpleRNNOneRow:
        """Return it for a layer's parameters."""
        return cls(*_weights(params))

    def step(self, ax: Array) -> Array:
        """Return the next h (H,)."""
        xp, a, h = array_module(ax), self.a, self.h
        xp.dot(h, self.Wh, out=a)
        a += ax  # (1)
        return xp.tanh(a, out=h)  # (2)


class LSTMOneRow(OneRow):
    """`scratchnet.equations.lstm` with sigmoid and tanh, the columns in the order i, f, o, g."""

    @classmethod
    def of(cls, params: dict[str, Array]) -> LSTMOneRow:
        """Return it for a layer's parameters."""
        weights = []
        for W in _weights(params):
            i, f, g, o = array_module(W).split(W, 4, axis=-1)
            weights.append(array_module(W).concatenate((i / 2, f / 2, o / 2, g), axis=-1))
        return cls(*weights)

    def __init__(self, Wx: Array, b: Array, Wh: Array) -> None:
        super().__init__(Wx, b, Wh)
        self.c = array_module(Wh).zeros_like(self.h)
        self.ifo = self.a[: 3 * len(self.h)]
        self.i, self.f, self.o, self.g = array_module(Wh).split(self.a, 4)

    def step(self, ax: Array) -> Array:
        """Return the next h (H,)."""
        xp, a, h, c, g, ifo = array_module(ax), self.a, self.h, self.c, self.g, self.ifo
        xp.dot(h, self.Wh, out=a)
        a += ax  # (1), halved for the sigmoids
        xp.tanh(a, out=a)  # (3)
        ifo *= 0.5
        ifo += 0.5  # (2)
        c *= self.f
        g *= self.i
        c += g  # (4)  f * c + i * g
        xp.tanh(c, out=h)  # (5)
        h *= self.o  # (6)
        return h


class GRUOneRow(OneRow):
    """`scratchnet.equations.gru`, reset after, with sigmoid and tanh, the columns as in Keras."""

    @classmethod
    def of(cls, params: dict[str, Array]) -> GRUOneRow:
        """Return it for a layer's parameters."""
        Wx, Wh, bias = params["kernel"], params["recurrent_kernel"], params.get("bias")
        xp, H = array_module(Wx), len(Wh)
        bx, bh = xp.zeros((2, 3 * H), dtype=Wx.dtype) if bias is None else bias
        scale = xp.ones(3 * H, dtype=Wx.dtype)
        scale[: 2 * H] = 0.5
        b = bx + bh
        b[2 * H :] = bx[2 * H :]
        return cls(Wx * scale, b * scale, Wh * scale, bh[2 * H :].copy())

    def __init__(self, Wx: Array, b: Array, Wh: Array, bh_n: Array) -> None:
        super().__init__(Wx, b, Wh)
        self.bh_n, H = bh_n, len(self.h)
        self.zr = self.a[: 2 * H]
        self.z, self.r, self.n = array_module(Wh).split(self.a, 3)

    def step(self, ax: Array) -> Array:
        """Return the next h (H,)."""
        xp, h, zr, n = array_module(ax), self.h, self.zr, self.n
        H = len(h)
        xp.dot(h, self.Wh, out=self.a)  # (2)
        zr += ax[: 2 * H]
        xp.tanh(zr, out=zr)
        zr *= 0.5
        zr += 0.5  # (3), (4)
        n += self.bh_n
        n *= self.r
        n += ax[2 * H :]
        xp.tanh(n, out=n)  # (5)
        h -= n
        h *= self.z
        h += n  # (6)  n + z * (h - n)
        return h


def _weights(params: dict[str, Array]) -> tuple[Array, Array, Array]:
    """Return ``Wx``, ``b`` and ``Wh``, copies, with zeros for a bias that is not there."""
    Wx, Wh, b = params["kernel"], params["recurrent_kernel"], params.get("bias")
    return Wx.copy(), array_module(Wx).zeros_like(Wh[0]) if b is None else b.copy(), Wh.copy()
