"""Affine layer, assignment style."""

import numpy as np


def affine_forward(x, w, b):
    """x: (N, D), w: (D, M), b: (M,)"""
    out = x.dot(w) + b
    cache = (x, w)
    return out, cache


def affine_backward(dout, cache):
    x, w = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db
