"""GRU, reset before: two matrices over [h, x], one for r and z together, one for the candidate.

Time first: xs is (T, B, D).  h_t = (1 - z) * h_{t-1} + z * n_t, as in the blog post.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(xs, h_init, W_rz, b_rz, W_n, b_n):
    T, B, _ = xs.shape
    H = h_init.shape[-1]
    h = np.empty((T + 1, B, H))
    h[0] = h_init
    r, z, n = np.empty((T, B, H)), np.empty((T, B, H)), np.empty((T, B, H))
    for t in range(T):
        rz = sigmoid(np.concatenate((h[t], xs[t]), axis=1) @ W_rz + b_rz)
        r[t], z[t] = rz[:, :H], rz[:, H:]
        n[t] = np.tanh(np.concatenate((r[t] * h[t], xs[t]), axis=1) @ W_n + b_n)
        h[t + 1] = (1 - z[t]) * h[t] + z[t] * n[t]
    return h[1:].copy(), (xs, h, r, z, n, W_rz, W_n)


def backward(dhs, cache):
    xs, h, r, z, n, W_rz, W_n = cache
    T, B, H = dhs.shape
    dxs = np.zeros_like(xs)
    dW_rz, db_rz = np.zeros_like(W_rz), np.zeros(2 * H)
    dW_n, db_n = np.zeros_like(W_n), np.zeros(H)
    dh = np.zeros((B, H))
    for t in range(T - 1, -1, -1):
        dh = dh + dhs[t]
        da_n = dh * z[t] * (1 - n[t] ** 2)
        dW_n += np.concatenate((r[t] * h[t], xs[t]), axis=1).T @ da_n
        db_n += da_n.sum(axis=0)
        dhx = da_n @ W_n.T
        da_r = dhx[:, :H] * h[t] * r[t] * (1 - r[t])
        da_z = dh * (n[t] - h[t]) * z[t] * (1 - z[t])
        da_rz = np.concatenate((da_r, da_z), axis=1)
        dW_rz += np.concatenate((h[t], xs[t]), axis=1).T @ da_rz
        db_rz += da_rz.sum(axis=0)
        dhx2 = da_rz @ W_rz.T
        dxs[t] = dhx[:, H:] + dhx2[:, H:]
        dh = dh * (1 - z[t]) + dhx[:, :H] * r[t] + dhx2[:, :H]
    return {"xs": dxs, "h_init": dh, "W_rz": dW_rz, "b_rz": db_rz, "W_n": dW_n, "b_n": db_n}
