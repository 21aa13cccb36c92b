import numpy as np


class FullyConnected:
    # works for (batch, features) and for (batch, time, features)

    def __init__(self, in_features=3, out_features=5):
        gen = np.random.default_rng(42)
        self.weight = gen.standard_normal((out_features, in_features)) * 0.5
        self.bias = gen.standard_normal(out_features) * 0.5
        self.weight_grad = None
        self.bias_grad = None

    def forward(self, inputs):
        self.inputs = inputs
        self.pre = inputs @ self.weight.T + self.bias
        return np.maximum(self.pre, 0)

    def backward(self, grad_output):
        grad_pre = np.where(self.pre > 0, grad_output, 0)
        flat_grad = grad_pre.reshape(-1, grad_pre.shape[-1])
        flat_in = self.inputs.reshape(-1, self.inputs.shape[-1])
        self.weight_grad = flat_grad.T @ flat_in
        self.bias_grad = flat_grad.sum(axis=0)
        return grad_pre @ self.weight
