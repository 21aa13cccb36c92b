import numpy as np


class SimpleRNN:
    """h_t = tanh(x_t W + h_{t-1} U + b);  input (batch, steps, features), output all h_t."""

    def __init__(self, features=4, units=3):
        rng = np.random.default_rng(11)
        self.params = {
            "W": rng.normal(0, 0.5, (features, units)),
            "U": rng.normal(0, 0.5, (units, units)),
            "b": rng.normal(0, 0.5, units),
        }
        self.grads = {name: np.zeros_like(p) for name, p in self.params.items()}

    def forward(self, x):
        W, U, b = self.params["W"], self.params["U"], self.params["b"]
        batch, steps, _ = x.shape
        self.x = x
        self.a = np.zeros((batch, steps, len(b)))
        self.h = np.zeros((batch, steps + 1, len(b)))  # h[:, -1] stays the zero state
        for t in range(steps):
            self.a[:, t] = x[:, t] @ W + self.h[:, t - 1] @ U + b
            self.h[:, t] = np.tanh(self.a[:, t])
        return self.h[:, :-1].copy()

    def backward(self, dy):
        W, U = self.params["W"], self.params["U"]
        for name in self.grads:
            self.grads[name] = np.zeros_like(self.params[name])
        dx = np.zeros_like(self.x)
        carry = np.zeros_like(self.h[:, 0])
        steps = dy.shape[1]
        for t in range(steps - 1, -1, -1):
            dh = dy[:, t] + carry
            da = dh * (1 - self.h[:, t] ** 2)
            self.grads["W"] += self.x[:, t].T @ da
            self.grads["U"] += self.h[:, t - 1].T @ da
            self.grads["b"] += da.sum(axis=0)
            dx[:, t] = da @ W.T
            carry = da @ U.T
        return dx
