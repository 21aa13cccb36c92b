import numpy as np


class Softmax:
    """Softmax over the last axis, as a layer of its own (any loss can follow)."""

    def forward(self, x):
        z = np.exp(x - np.max(x, axis=-1, keepdims=True))
        self.s = z / np.sum(z, axis=-1, keepdims=True)
        return self.s

    def backward(self, grad):
        s = self.s
        # J = diag(s) - s s^T, so grad @ J = s * (grad - <grad, s>)
        inner = (grad * s).sum(axis=-1, keepdims=True)
        return s * (grad - inner)
