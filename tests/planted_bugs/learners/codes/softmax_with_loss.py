import numpy as np


def softmax(x):
    x = x - x.max(axis=1).reshape(-1, 1)
    return np.exp(x) / np.exp(x).sum(axis=1).reshape(-1, 1)


class SoftmaxWithLoss:
    def __init__(self):
        self.y = None  # output of softmax
        self.t = None  # labels

    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        batch_size = len(t)
        return -np.sum(np.log(self.y[np.arange(batch_size), t])) / batch_size

    def backward(self, dout=1):
        batch_size = len(self.t)
        dx = self.y.copy()
        dx[np.arange(batch_size), self.t] -= 1
        return dx * dout / batch_size
