"""One step of an LSTM; the gates in the order f, i, g, o."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def dsigmoid(z):
    s = sigmoid(z)
    return s * (1 - s)


def dtanh(z):
    return 1 - np.tanh(z) ** 2


def cell_forward(x, h_prev, c_prev, W, U, b):
    z = x @ W + h_prev @ U + b
    zf, zi, zg, zo = np.split(z, 4, axis=1)
    f, i, g, o = sigmoid(zf), sigmoid(zi), np.tanh(zg), sigmoid(zo)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c, (x, h_prev, c_prev, W, U, f, i, g, o, c, zf, zi, zg, zo)


def cell_backward(dh, dc, cache):
    x, h_prev, c_prev, W, U, f, i, g, o, c, zf, zi, zg, zo = cache
    # through h = o * tanh(c)
    do = dh * np.tanh(c)
    dc_total = dc + dh * o * dtanh(c)
    # through c = f * c_prev + i * g
    df = dc_total * c_prev
    dc_prev = dc_total * f
    di = dc_total * g
    dg = dc_total * i
    # through the activations
    dzf = df * dsigmoid(zf)
    dzi = di * dsigmoid(zi)
    dzg = dg * dtanh(zg)
    dzo = do * dsigmoid(zo)
    dz = np.concatenate([dzf, dzi, dzg, dzo], axis=1)
    # through z = x W + h_prev U + b
    dx = dz @ W.T
    dh_prev = dz @ U.T
    dW = x.T @ dz
    dU = h_prev.T @ dz
    db = dz.sum(axis=0)
    return dx, dh_prev, dc_prev, dW, dU, db
