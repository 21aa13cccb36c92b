"""RNN(tanh) with the big framework's parameter names: (seq, batch, feature), weights (out, in)."""

import numpy as np


class RNN:
    def __init__(self, input_size=5, hidden_size=3):
        g = np.random.default_rng(0)
        k = 1 / np.sqrt(hidden_size)
        self.weight_ih = g.uniform(-k, k, (hidden_size, input_size))
        self.weight_hh = g.uniform(-k, k, (hidden_size, hidden_size))
        self.bias_ih = g.uniform(-k, k, hidden_size)
        self.bias_hh = g.uniform(-k, k, hidden_size)

    def forward(self, inp):
        T, N, _ = inp.shape
        self.inp = inp
        self.hiddens = [np.zeros((N, len(self.bias_hh)))]
        for step in range(T):
            gate = inp[step] @ self.weight_ih.T + self.bias_ih
            gate += self.hiddens[-1] @ self.weight_hh.T + self.bias_hh
            self.hiddens.append(np.tanh(gate))
        return np.array(self.hiddens[1:])

    def backward(self, grad_out):
        self.grad_weight_ih = np.zeros_like(self.weight_ih)
        self.grad_weight_hh = np.zeros_like(self.weight_hh)
        self.grad_bias_ih = np.zeros_like(self.bias_ih)
        self.grad_bias_hh = np.zeros_like(self.bias_hh)
        grad_inp = np.zeros_like(self.inp)
        grad_h = np.zeros_like(self.hiddens[0])
        for step in range(len(grad_out))[::-1]:
            h_new, h_old = self.hiddens[step + 1], self.hiddens[step]
            grad_h = grad_h + grad_out[step]
            grad_gate = grad_h * (1.0 - h_new * h_new)
            self.grad_weight_ih += grad_gate.T @ self.inp[step]
            self.grad_weight_hh += grad_gate.T @ h_old
            self.grad_bias_ih += grad_gate.sum(0)
            self.grad_bias_hh += grad_gate.sum(0)
            grad_inp[step] = grad_gate @ self.weight_ih
            grad_h = grad_gate @ self.weight_hh
        return grad_inp
