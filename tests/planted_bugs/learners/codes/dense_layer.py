import numpy as np


class Dense:
    """tanh(x W + b), my first layer with params / grads dictionaries."""

    def __init__(self, n_in=4, n_out=3, seed=1):
        rng = np.random.default_rng(seed)
        self.params = {
            "W": rng.normal(size=(n_in, n_out)) / np.sqrt(n_in),
            "b": 0.1 * rng.normal(size=n_out),
        }
        self.grads = {"W": np.zeros((n_in, n_out)), "b": np.zeros(n_out)}

    def forward(self, x):
        self.x = x
        self.z = x @ self.params["W"] + self.params["b"]
        self.y = np.tanh(self.z)
        return self.y

    def backward(self, dy):
        dz = dy * (1 - self.y**2)
        self.grads["W"] = self.x.T @ dz
        self.grads["b"] = dz.sum(axis=0)
        return dz @ self.params["W"].T
