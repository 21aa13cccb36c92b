"""Two sigmoid layers, trained as in the step by step example with i1, i2, h1, h2, o1, o2."""

import numpy as np


def logistic(net):
    return 1.0 / (1.0 + np.exp(-net))


class TwoLayerNet:
    def __init__(self, n_inputs=2, n_hidden=3, n_outputs=4, lr=0.5):
        r = np.random.default_rng(7)
        self.w_hidden = r.uniform(-1, 1, (n_inputs, n_hidden))
        self.b_hidden = r.uniform(-1, 1, n_hidden)
        self.w_output = r.uniform(-1, 1, (n_hidden, n_outputs))
        self.b_output = r.uniform(-1, 1, n_outputs)
        self.lr = lr

    def forward(self, x):
        self.x = x
        self.out_h = logistic(x @ self.w_hidden + self.b_hidden)
        self.out_o = logistic(self.out_h @ self.w_output + self.b_output)
        return self.out_o

    def backward(self, dE_dout):
        # output layer
        delta_o = dE_dout * self.out_o * (1 - self.out_o)
        self.d_w_output = self.out_h.T @ delta_o
        self.d_b_output = delta_o.sum(0)
        # hidden layer
        dE_dh = delta_o @ self.w_output.T
        delta_h = dE_dh * self.out_h * (1 - self.out_h)
        self.d_w_hidden = self.x.T @ delta_h
        self.d_b_hidden = delta_h.sum(0)
        dx = delta_h @ self.w_hidden.T
        # gradient descent
        self.w_output = self.w_output - self.lr * self.d_w_output
        self.b_output = self.b_output - self.lr * self.d_b_output
        self.w_hidden = self.w_hidden - self.lr * self.d_w_hidden
        self.b_hidden = self.b_hidden - self.lr * self.d_b_hidden
        return dx
