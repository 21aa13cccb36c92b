import numpy as np


def sigma(a):
    return 1 / (1 + np.exp(-a))


class MaskedLSTM:
    """LSTM for padded batches: where mask is False the state is held.  Gates i, f, g, o."""

    def __init__(self, dim=4, units=3):
        rng = np.random.default_rng(5)
        self.units = units
        self.params = {
            "kernel": rng.normal(scale=0.6, size=(dim, 4 * units)),
            "recurrent_kernel": rng.normal(scale=0.6, size=(units, 4 * units)),
            "bias": rng.normal(scale=0.6, size=(4 * units,)),
        }
        self.grads = {}

    def forward(self, x, mask=None):
        B, T, _ = x.shape
        if mask is None:
            mask = np.ones((B, T), dtype=bool)
        self.x, self.mask = x, mask
        h, c = np.zeros((B, self.units)), np.zeros((B, self.units))
        self.memory, ys = [], []
        for t in range(T):
            a = x[:, t] @ self.params["kernel"] + self.params["bias"]
            a = a + h @ self.params["recurrent_kernel"]
            i, f, g, o = np.split(a, 4, axis=1)
            i, f, g, o = sigma(i), sigma(f), np.tanh(g), sigma(o)
            c_new = f * c + i * g
            h_new = o * np.tanh(c_new)
            self.memory.append((h, c, i, f, g, o, c_new))
            keep = mask[:, t, None]
            h, c = np.where(keep, h_new, h), np.where(keep, c_new, c)
            ys.append(h)
        return np.stack(ys, axis=1)

    def backward(self, dys):
        B, T, H = dys.shape
        grads = {key: np.zeros(value.shape) for key, value in self.params.items()}
        dx = np.zeros(self.x.shape)
        dh, dc = np.zeros((B, H)), np.zeros((B, H))
        for t in reversed(range(T)):
            h_prev, c_prev, i, f, g, o, c_new = self.memory[t]
            keep = self.mask[:, t, None]
            dh = dh + dys[:, t]
            dh_new, dc_new = dh * keep, dc * keep
            dh_held, dc_held = dh * ~keep, dc * ~keep
            tanh_c = np.tanh(c_new)
            do = dh_new * tanh_c
            dc_new = dc_new + dh_new * o * (1 - tanh_c**2)
            di, df, dg = dc_new * g, dc_new * c_prev, dc_new * i
            da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)])
            grads["kernel"] += self.x[:, t].T @ da
            grads["recurrent_kernel"] += h_prev.T @ da
            grads["bias"] += da.sum(axis=0)
            dx[:, t] = da @ self.params["kernel"].T
            dh = da @ self.params["recurrent_kernel"].T + dh_held
            dc = dc_new * f + dc_held
        self.grads = grads
        return dx
