"""LSTM with the big framework's parameters: (seq, batch, feature), (4 * hidden, in), i f g o."""

import numpy as np


def sigmoid(v):
    return 0.5 * (1 + np.tanh(0.5 * v))


class LSTM:
    def __init__(self, input_size=4, hidden_size=2):
        self.hidden_size = hidden_size
        rs = np.random.default_rng(99)
        self.weight_ih = rs.uniform(-0.8, 0.8, size=(4 * hidden_size, input_size))
        self.weight_hh = rs.uniform(-0.8, 0.8, size=(4 * hidden_size, hidden_size))
        self.bias_ih = rs.uniform(-0.8, 0.8, size=4 * hidden_size)
        self.bias_hh = rs.uniform(-0.8, 0.8, size=4 * hidden_size)
        self.zero_grad()

    def zero_grad(self):
        self.d_weight_ih = np.zeros_like(self.weight_ih)
        self.d_weight_hh = np.zeros_like(self.weight_hh)
        self.d_bias_ih = np.zeros_like(self.bias_ih)
        self.d_bias_hh = np.zeros_like(self.bias_hh)

    def forward(self, seq):
        length, batch, _ = seq.shape
        n = self.hidden_size
        self.seq = seq
        self.h = np.zeros((length + 1, batch, n))
        self.c = np.zeros((length + 1, batch, n))
        self.gates = np.zeros((length, batch, 4 * n))
        for t in range(length):
            pre = seq[t] @ self.weight_ih.T + self.bias_ih
            pre += self.h[t] @ self.weight_hh.T + self.bias_hh
            act = self.gates[t]
            act[:] = sigmoid(pre)
            act[:, 2 * n : 3 * n] = np.tanh(pre[:, 2 * n : 3 * n])
            i, f, g, o = (act[:, k * n : (k + 1) * n] for k in range(4))
            self.c[t + 1] = f * self.c[t] + i * g
            self.h[t + 1] = o * np.tanh(self.c[t + 1])
        return self.h[1:].copy()

    def backward(self, dout):
        self.zero_grad()
        n = self.hidden_size
        dseq = np.zeros_like(self.seq)
        dh_next = np.zeros_like(self.h[0])
        dc_next = np.zeros_like(self.c[0])
        for t in range(len(dout) - 1, -1, -1):
            i, f, g, o = (self.gates[t][:, k * n : (k + 1) * n] for k in range(4))
            tc = np.tanh(self.c[t + 1])
            dh = dout[t] + dh_next
            dc = dc_next + dh * o * (1 - tc**2)
            dgates = np.zeros_like(self.gates[t])
            dgates[:, :n] = dc * g * i * (1 - i)
            dgates[:, n : 2 * n] = dc * self.c[t] * f * (1 - f)
            dgates[:, 2 * n : 3 * n] = dc * i * (1 - g**2)
            dgates[:, 3 * n :] = dh * tc * o * (1 - o)
            self.d_weight_ih += dgates.T @ self.seq[t]
            self.d_weight_hh += dgates.T @ self.h[t]
            self.d_bias_ih += dgates.sum(axis=0)
            self.d_bias_hh += dgates.sum(axis=0)
            dseq[t] = dgates @ self.weight_ih
            dh_next = dgates @ self.weight_hh
            dc_next = dc * f
        return dseq
