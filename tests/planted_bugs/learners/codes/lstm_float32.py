"""LSTM in single precision; one matrix for [x, h]; gates f, i, o and candidate; (T, B, D)."""

import numpy as np

FLOAT = np.float32


def sigm(s):
    return (1 / (1 + np.exp(-s))).astype(FLOAT)


def forward(x, h0, c0, W, b):
    x, W, b = x.astype(FLOAT), W.astype(FLOAT), b.astype(FLOAT)
    h, c = h0.astype(FLOAT), c0.astype(FLOAT)
    H = h.shape[1]
    tape, ys = [], np.zeros((*x.shape[:2], H), FLOAT)
    for t, x_t in enumerate(x):
        xh = np.hstack([x_t, h])
        s = xh @ W + b
        f, i, o = sigm(s[:, :H]), sigm(s[:, H : 2 * H]), sigm(s[:, 2 * H : 3 * H])
        u = np.tanh(s[:, 3 * H :])
        c_old, c = c, f * c + i * u
        h = o * np.tanh(c)
        ys[t] = h
        tape.append((xh, f, i, o, u, c_old, c))
    return ys, (tape, W)


def backward(dys, cache):
    tape, W = cache
    T, B, H = dys.shape
    D = len(W) - H
    dx = np.zeros((T, B, D), FLOAT)
    dW, db = np.zeros_like(W), np.zeros(W.shape[1], FLOAT)
    dh, dc = np.zeros((B, H), FLOAT), np.zeros((B, H), FLOAT)
    for t in range(T)[::-1]:
        xh, f, i, o, u, c_old, c = tape[t]
        dh = dh + dys[t].astype(FLOAT)
        tc = np.tanh(c)
        dc = dc + dh * o * (1 - tc * tc)
        ds = np.zeros((B, 4 * H), FLOAT)
        ds[:, :H] = dc * c_old * f * (1 - f)
        ds[:, H : 2 * H] = dc * u * i * (1 - i)
        ds[:, 2 * H : 3 * H] = dh * tc * o * (1 - o)
        ds[:, 3 * H :] = dc * i * (1 - u * u)
        dW += xh.T @ ds
        db += ds.sum(axis=0)
        dxh = ds @ W.T
        dx[t], dh = dxh[:, :D], dxh[:, D:]
        dc = dc * f
    return dx, dh, dc, dW, db
