# LSTM from scratch, one sequence at a time, everything is a column vector
import numpy as np


def sig(x):
    return 1 / (1 + np.exp(-x))


def dsig(y):
    """Derivative of the sigmoid, given its output."""
    return y * (1 - y)


def dtanh(y):
    """Derivative of tanh, given its output."""
    return 1 - y * y


class LSTM:
    def __init__(self, X_size=4, H_size=3):
        self.H_size = H_size
        z_size = H_size + X_size
        rnd = np.random.default_rng(8)
        self.Wf = rnd.normal(size=(H_size, z_size)) * 0.5
        self.bf = rnd.normal(size=(H_size, 1)) * 0.5
        self.Wi = rnd.normal(size=(H_size, z_size)) * 0.5
        self.bi = rnd.normal(size=(H_size, 1)) * 0.5
        self.WC = rnd.normal(size=(H_size, z_size)) * 0.5
        self.bC = rnd.normal(size=(H_size, 1)) * 0.5
        self.Wo = rnd.normal(size=(H_size, z_size)) * 0.5
        self.bo = rnd.normal(size=(H_size, 1)) * 0.5

    def forward(self, x):
        self.z_s, self.f_s, self.i_s, self.C_bar_s, self.o_s = {}, {}, {}, {}, {}
        self.h_s = {-1: np.zeros((self.H_size, 1))}
        self.C_s = {-1: np.zeros((self.H_size, 1))}
        for t in range(len(x)):
            z = np.vstack((self.h_s[t - 1], x[t].reshape(-1, 1)))
            self.f_s[t] = sig(self.Wf @ z + self.bf)
            self.i_s[t] = sig(self.Wi @ z + self.bi)
            self.C_bar_s[t] = np.tanh(self.WC @ z + self.bC)
            self.o_s[t] = sig(self.Wo @ z + self.bo)
            self.C_s[t] = self.f_s[t] * self.C_s[t - 1] + self.i_s[t] * self.C_bar_s[t]
            self.h_s[t] = self.o_s[t] * np.tanh(self.C_s[t])
            self.z_s[t] = z
        return np.array([self.h_s[t].ravel() for t in range(len(x))])

    def backward(self, dy):
        self.dWf, self.dbf = np.zeros_like(self.Wf), np.zeros_like(self.bf)
        self.dWi, self.dbi = np.zeros_like(self.Wi), np.zeros_like(self.bi)
        self.dWC, self.dbC = np.zeros_like(self.WC), np.zeros_like(self.bC)
        self.dWo, self.dbo = np.zeros_like(self.Wo), np.zeros_like(self.bo)
        dh_next = np.zeros((self.H_size, 1))
        dC_next = np.zeros((self.H_size, 1))
        dx = []
        for t in reversed(range(len(dy))):
            z, f, i, C_bar, o = self.z_s[t], self.f_s[t], self.i_s[t], self.C_bar_s[t], self.o_s[t]
            tanh_C = np.tanh(self.C_s[t])

            dh = dy[t].reshape(-1, 1) + dh_next
            do = dh * tanh_C
            do = dsig(o) * do
            self.dWo += do @ z.T
            self.dbo += do

            dC = np.copy(dC_next)
            dC += dh * o * dtanh(tanh_C)
            dC_bar = dC * i
            dC_bar = dtanh(C_bar) * dC_bar
            self.dWC += dC_bar @ z.T
            self.dbC += dC_bar

            di = dC * C_bar
            di = dsig(i) * di
            self.dWi += di @ z.T
            self.dbi += di

            df = dC * self.C_s[t - 1]
            df = dsig(f) * df
            self.dWf += df @ z.T
            self.dbf += df

            dz = self.Wf.T @ df + self.Wi.T @ di + self.WC.T @ dC_bar + self.Wo.T @ do
            dh_next = dz[: self.H_size]
            dC_next = f * dC
            dx.append(dz[self.H_size :].ravel())
        return np.array(dx[::-1])
