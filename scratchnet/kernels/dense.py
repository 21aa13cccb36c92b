"""The dense layer of `scratchnet.equations.dense`, its large products divided among threads.

The columns of W are divided, so that every part writes columns of its own; dx, to which all columns
contribute, is the sum of the parts' in their order.  Products that BLAS would not divide either run
the page as it is.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.equations import dense as page
from scratchnet.kernels.device.products import product
from scratchnet.kernels.threads import divided, together

UNDIVIDED = 2**18
"""Multiplications in a product up to which BLAS uses one thread by itself."""
PART = 2**25
"""Multiplications that are worth a thread's attention."""


def dense(x: Array, W: Array, b: Array | None) -> Array:
    """Return ``a`` (B, H)."""
    if type(x) is not np.ndarray and array_module(x) is not np:
        a = product(x, W)  # (1)
        return a if b is None else a + b  # (2)
    columns = _columns(x, W)
    if not columns:
        return page.dense(x, W, b)
    a = np.empty((len(x), W.shape[1]), dtype=x.dtype)

    def run(own: slice) -> None:
        np.matmul(x, W[:, own], out=a[:, own])  # (1)
        if b is not None:
            a[:, own] += b[own]  # (2)

    together([partial(run, own) for own in columns])
    return a


def dense_backward(
    da: Array, x: Array, W: Array, needs_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    """Return ``dx, dW, db``; dx is None where it is not needed."""
    if type(x) is not np.ndarray and array_module(x) is not np:
        dx = product(da, W.T) if needs_dx else None
        return dx, product(x.T, da), da.sum(axis=0)  # (1'), (2')
    columns = _columns(x, W)
    if not columns:
        if needs_dx:
            return page.dense_backward(da, x, W)
        return None, x.T @ da, da.sum(axis=0)  # (1'), (2')
    dW, db = np.empty_like(W), np.empty_like(W[0])

    def run(own: slice) -> Array | None:
        np.sum(da[:, own], axis=0, out=db[own])  # (2')
        np.matmul(x.T, da[:, own], out=dW[:, own])  # (1')
        return da[:, own] @ W[:, own].T if needs_dx else None  # (1')

    dx, *others = together([partial(run, own) for own in columns])
    for part in others:
        if dx is not None:
            dx += part
    return dx, dW, db


def _columns(x: Array, W: Array) -> list[slice]:
    """Return the columns of each part; none for a product that BLAS would not divide either."""
    size = x.size * W.shape[1]
    if size <= UNDIVIDED:
        return []
    return divided(W.shape[1], min(W.shape[1], max(1, size // PART)))
