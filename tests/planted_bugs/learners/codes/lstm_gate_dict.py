"""LSTM layer of a small library of algorithms: a dictionary with W, U and b of every gate."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def tanh_d(z):
    return 1 - np.tanh(z) ** 2


class LSTM:
    def __init__(self, input_dim=5, hidden_dim=3):
        self.input_dim = input_dim
        self.hidden_dim = hidden_dim
        rng = np.random.default_rng(1234)
        self.params = {}
        for gate in ("i", "f", "o", "c"):
            self.params["W_" + gate] = rng.normal(0, 0.5, (input_dim, hidden_dim))
            self.params["U_" + gate] = rng.normal(0, 0.5, (hidden_dim, hidden_dim))
            self.params["b_" + gate] = rng.normal(0, 0.5, hidden_dim)
        self.grads = {}

    def forward(self, X):
        n_samples, n_timesteps, _ = X.shape
        p = self.params
        self.last_input = X
        # one more row, the last, for the states before the first step
        shape = (n_samples, n_timesteps + 1, self.hidden_dim)
        self.states = np.zeros(shape)
        self.outputs = np.zeros(shape)
        self.gates = {k: np.zeros(shape) for k in ("i", "f", "o", "c")}

        for t in range(n_timesteps):
            x_t, h_prev = X[:, t, :], self.outputs[:, t - 1, :]
            for k in ("i", "f", "o"):
                z = np.dot(x_t, p["W_" + k]) + np.dot(h_prev, p["U_" + k]) + p["b_" + k]
                self.gates[k][:, t, :] = sigmoid(z)
            z = np.dot(x_t, p["W_c"]) + np.dot(h_prev, p["U_c"]) + p["b_c"]
            self.gates["c"][:, t, :] = np.tanh(z)

            self.states[:, t, :] = (
                self.gates["i"][:, t, :] * self.gates["c"][:, t, :]
                + self.gates["f"][:, t, :] * self.states[:, t - 1, :]
            )
            self.outputs[:, t, :] = self.gates["o"][:, t, :] * np.tanh(self.states[:, t, :])

        return self.outputs[:, :-1, :].copy()

    def backward(self, delta):
        n_samples, n_timesteps, _ = delta.shape
        p = self.params
        grads = {k: np.zeros_like(p[k]) for k in p}
        output = np.zeros((n_samples, n_timesteps, self.input_dim))
        dh_next = np.zeros((n_samples, self.hidden_dim))
        dc_next = np.zeros((n_samples, self.hidden_dim))

        for t in range(n_timesteps - 1, -1, -1):
            i, f, o, g = (self.gates[k][:, t, :] for k in ("i", "f", "o", "c"))
            dh = delta[:, t, :] + dh_next
            dc = dc_next + dh * o * tanh_d(self.states[:, t, :])

            d = {
                "i": dc * g * i * (1 - i),
                "f": dc * self.states[:, t - 1, :] * f * (1 - f),
                "o": dh * np.tanh(self.states[:, t, :]) * o * (1 - o),
                "c": dc * i * (1 - g**2),
            }
            dh_next = np.zeros_like(dh)
            for k in d:
                grads["W_" + k] += np.dot(self.last_input[:, t, :].T, d[k])
                grads["U_" + k] += np.dot(self.outputs[:, t - 1, :].T, d[k])
                grads["b_" + k] += d[k].sum(axis=0)
                output[:, t, :] += np.dot(d[k], p["W_" + k].T)
                dh_next += np.dot(d[k], p["U_" + k].T)
            dc_next = dc * f

        self.grads = grads
        return output
