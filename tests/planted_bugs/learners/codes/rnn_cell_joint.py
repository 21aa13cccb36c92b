import numpy as np


def step(x, h_prev, W, b):
    """One matrix W, (H + D, H), for [h, x]."""
    hx = np.concatenate([h_prev, x], axis=1)
    pre = hx @ W + b
    h = np.tanh(pre)
    return h, (hx, pre, h, W)


def step_back(dh, cache):
    hx, pre, h, W = cache
    H = h.shape[1]
    dpre = dh / np.cosh(pre) ** 2  # tanh' = 1 / cosh^2
    dW = hx.T @ dpre
    db = dpre.sum(axis=0)
    dhx = dpre @ W.T
    dh_prev, dx = dhx[:, :H], dhx[:, H:]
    return dx, dh_prev, dW, db
