r"""The dense layer, :math:`y = x W + b`, and its backward (Rumelhart et al. 1986)."""

from __future__ import annotations

from scratchnet.backend import Array


def dense(x: Array, W: Array, b: Array | None) -> Array:
    r"""Return :math:`a = x W + b`.

    ========  ==========  =========================
    array     shape       meaning
    ========  ==========  =========================
    ``x``     (B, D)      inputs
    ``W``     (D, H)      weights, one column a unit
    ``b``     (H,)        biases, or None
    ``a``     (B, H)      pre-activations
    ========  ==========  =========================
    """
    a = x @ W  # (1)  (B, H)
    if b is not None:
        a += b  # (2)
    return a


def dense_backward(da: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    r"""Return ``dx, dW, db`` from ``da``.

    .. math:: dx = da\,W^T, \qquad dW = x^T da, \qquad db = \sum_B da
    """
    db = da.sum(axis=0)  # (2')  (H,)
    dW = x.T @ da  # (1')  (D, H)
    dx = da @ W.T  # (1')  (B, D)
    return dx, dW, db
