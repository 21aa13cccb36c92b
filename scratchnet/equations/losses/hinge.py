r"""Hinge losses: margins that are wide enough cost nothing."""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.equations.losses.mean import mean, mean_backward


def binary_labels_to_signs(y_true: Array) -> Array:
    r"""Return :math:`2 y - 1` where every label is 0 or 1; else the labels as they came."""
    xp = array_module(y_true)
    binary = xp.all((y_true == 0) | (y_true == 1))
    return xp.where(binary, 2 * y_true - 1, y_true)


def hinge(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k \max(1 - y_k p_k, 0)`, labels −1 and 1.

    Cortes & Vapnik 1995.
    """
    return mean(array_module(y_pred).maximum(1 - y_true * y_pred, 0))


def hinge_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = -y_k\,d\ell / K` where :math:`1 - y_k p_k \ge 0`, else 0."""
    slope = array_module(y_pred).where(1 - y_true * y_pred >= 0, -y_true, 0)
    return slope * mean_backward(dvalues, y_pred)


def squared_hinge(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k \max(1 - y_k p_k, 0)^2`, labels −1 and 1."""
    return mean(array_module(y_pred).maximum(1 - y_true * y_pred, 0) ** 2)


def squared_hinge_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = -2 y_k \max(1 - y_k p_k, 0)\,d\ell / K`."""
    margin = array_module(y_pred).maximum(1 - y_true * y_pred, 0)
    return -2 * y_true * margin * mean_backward(dvalues, y_pred)


def categorical_hinge(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \max(\max_k (1 - y_k) p_k - \sum_k y_k p_k + 1, 0)`, labels one-hot.

    The best wrong class should stay 1 below the right one (Crammer & Singer 2001).
    """
    xp = array_module(y_pred)
    right = xp.sum(y_true * y_pred, axis=-1)
    wrong = xp.max((1 - y_true) * y_pred, axis=-1)
    return xp.maximum(wrong - right + 1, 0)


def categorical_hinge_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = ((1 - y_k) m_k - y_k)\,d\ell` where the margin is too narrow, else 0.

    :math:`m_k` is 1 for the best wrong class and 0 for the others; tied classes share the 1.
    """
    xp = array_module(y_pred)
    wrong = (1 - y_true) * y_pred
    best = xp.max(wrong, axis=-1, keepdims=True)
    m = xp.where(wrong == best, xp.ones_like(y_pred), 0)
    m = m / xp.sum(m, axis=-1, keepdims=True)
    narrow = best - xp.sum(y_true * y_pred, axis=-1, keepdims=True) + 1 >= 0
    return xp.where(narrow, (1 - y_true) * m - y_true, 0) * dvalues[..., None]
