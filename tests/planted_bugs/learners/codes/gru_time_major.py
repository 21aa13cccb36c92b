"""GRU with the big framework's formulas: gates r, z, n; the reset gate after the product."""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class GRU:
    def __init__(self, input_size=5, hidden_size=3):
        rng = np.random.default_rng(21)
        H = self.H = hidden_size
        self.params = {
            "weight_ih": rng.normal(0, 0.6, (3 * H, input_size)),
            "weight_hh": rng.normal(0, 0.6, (3 * H, H)),
            "bias_ih": rng.normal(0, 0.6, 3 * H),
            "bias_hh": rng.normal(0, 0.6, 3 * H),
        }
        self.grads = {}

    def forward(self, x):
        P = self.params
        h = np.zeros((x.shape[1], self.H))
        self.x, self.steps, out = x, [], []
        for x_t in x:
            i_r, i_z, i_n = np.split(x_t @ P["weight_ih"].T + P["bias_ih"], 3, axis=1)
            h_r, h_z, h_n = np.split(h @ P["weight_hh"].T + P["bias_hh"], 3, axis=1)
            r = sigmoid(i_r + h_r)
            z = sigmoid(i_z + h_z)
            n = np.tanh(i_n + r * h_n)
            self.steps.append((h, r, z, n, h_n))
            h = (1 - z) * n + z * h
            out.append(h)
        return np.stack(out)

    def backward(self, dy):
        P = self.params
        self.grads = {k: np.zeros_like(v) for k, v in P.items()}
        dx = np.zeros_like(self.x)
        dh = np.zeros_like(dy[0])
        for t in reversed(range(len(dy))):
            h_prev, r, z, n, h_n = self.steps[t]
            dh = dh + dy[t]
            dn = dh * (1 - z)
            dz = dh * (h_prev - n)
            dan = dn * (1 - n**2)
            dr = dan * h_n
            dar = dr * r * (1 - r)
            daz = dz * z * (1 - z)
            d_ih = np.concatenate([dar, daz, dan], axis=1)
            d_hh = np.concatenate([dar, daz, dan * r], axis=1)
            self.grads["weight_ih"] += d_ih.T @ self.x[t]
            self.grads["weight_hh"] += d_hh.T @ h_prev
            self.grads["bias_ih"] += d_ih.sum(0)
            self.grads["bias_hh"] += d_hh.sum(0)
            dx[t] = d_ih @ P["weight_ih"]
            dh = dh * z + d_hh @ P["weight_hh"]
        return dx
