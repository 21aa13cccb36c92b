import numpy as np


class GRU:
    """GRU, reset gate before the product: candidate = tanh(x Wh + (r * h) Uh + bh)."""

    def __init__(self, n_x=4, n_h=3):
        rand = np.random.default_rng(17).standard_normal
        self.n_h = n_h
        self.Wz, self.Uz, self.bz = rand((n_x, n_h)), rand((n_h, n_h)), rand(n_h)
        self.Wr, self.Ur, self.br = rand((n_x, n_h)), rand((n_h, n_h)), rand(n_h)
        self.Wh, self.Uh, self.bh = rand((n_x, n_h)), rand((n_h, n_h)), rand(n_h)

    @staticmethod
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def forward(self, x):
        batch, T, _ = x.shape
        self.x = x
        self.h = np.zeros((T + 1, batch, self.n_h))
        self.z, self.r, self.hbar = {}, {}, {}
        for t in range(T):
            xt, h = x[:, t], self.h[t]
            self.z[t] = self.sigmoid(xt @ self.Wz + h @ self.Uz + self.bz)
            self.r[t] = self.sigmoid(xt @ self.Wr + h @ self.Ur + self.br)
            self.hbar[t] = np.tanh(xt @ self.Wh + (self.r[t] * h) @ self.Uh + self.bh)
            self.h[t + 1] = self.z[t] * h + (1 - self.z[t]) * self.hbar[t]
        return self.h[1:].transpose(1, 0, 2).copy()

    def backward(self, dout):
        self.dWz, self.dUz, self.dbz = 0 * self.Wz, 0 * self.Uz, 0 * self.bz
        self.dWr, self.dUr, self.dbr = 0 * self.Wr, 0 * self.Ur, 0 * self.br
        self.dWh, self.dUh, self.dbh = 0 * self.Wh, 0 * self.Uh, 0 * self.bh
        dx = np.zeros_like(self.x)
        dh_next = 0
        for t in range(dout.shape[1] - 1, -1, -1):
            xt, h, z, r, hbar = self.x[:, t], self.h[t], self.z[t], self.r[t], self.hbar[t]
            dh = dout[:, t] + dh_next
            # candidate
            dhbar = dh * (1 - z) * (1 - hbar**2)
            self.dWh += xt.T @ dhbar
            self.dUh += (r * h).T @ dhbar
            self.dbh += dhbar.sum(axis=0)
            drh = dhbar @ self.Uh.T
            # reset gate
            dr = drh * h * r * (1 - r)
            self.dWr += xt.T @ dr
            self.dUr += h.T @ dr
            self.dbr += dr.sum(axis=0)
            # update gate
            dz = dh * (h - hbar) * z * (1 - z)
            self.dWz += xt.T @ dz
            self.dUz += h.T @ dz
            self.dbz += dz.sum(axis=0)
            # below and before
            dx[:, t] = dhbar @ self.Wh.T + dr @ self.Wr.T + dz @ self.Wz.T
            dh_next = dh * z + drh * r + dr @ self.Ur.T + dz @ self.Uz.T
        return dx
