r"""Losses of a distance between targets and predictions.

Every loss here is a mean over the K outputs of a sample, but for the cosine similarity.
"""

from __future__ import annotations

import math

from scratchnet.backend import Array, array_module
from scratchnet.equations.losses.mean import EPSILON, mean, mean_backward


def mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k (p_k - y_k)^2`."""
    return mean((y_pred - y_true) ** 2)


def mean_squared_error_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = 2 (p_k - y_k)\,d\ell / K`."""
    return 2 * (y_pred - y_true) * mean_backward(dvalues, y_pred)


def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k |p_k - y_k|`."""
    return mean(abs(y_pred - y_true))


def mean_absolute_error_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = \mathrm{sign}(p_k - y_k)\,d\ell / K`."""
    return array_module(y_pred).sign(y_pred - y_true) * mean_backward(dvalues, y_pred)


def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{100}{K} \sum_k |p_k - y_k| / \max(|y_k|, \varepsilon)`."""
    return 100 * mean(abs(y_pred - y_true) / _percentage_base(y_true))


def mean_absolute_percentage_error_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = 100\,\mathrm{sign}(p_k - y_k) / \max(|y_k|, \varepsilon)\,d\ell / K`."""
    sign = array_module(y_pred).sign(y_pred - y_true)
    return 100 * sign / _percentage_base(y_true) * mean_backward(dvalues, y_pred)


def _percentage_base(y_true: Array) -> Array:
    return array_module(y_true).maximum(abs(y_true), EPSILON)


def mean_squared_logarithmic_error(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k (\log(1 + p_k) - \log(1 + y_k))^2`.

    Targets and predictions below :math:`\varepsilon` count as :math:`\varepsilon`.
    """
    return mean(_log_difference(y_true, y_pred) ** 2)


def mean_squared_logarithmic_error_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = 2 (\log(1 + p_k) - \log(1 + y_k)) / (1 + p_k)\,d\ell / K`.

    0 where :math:`p_k < \varepsilon`.
    """
    xp = array_module(y_pred)
    slope = 2 * _log_difference(y_true, y_pred) / (1 + xp.maximum(y_pred, EPSILON))
    return xp.where(y_pred >= EPSILON, slope, 0) * mean_backward(dvalues, y_pred)


def _log_difference(y_true: Array, y_pred: Array) -> Array:
    xp = array_module(y_pred)
    return xp.log1p(xp.maximum(y_pred, EPSILON)) - xp.log1p(xp.maximum(y_true, EPSILON))


def huber(y_true: Array, y_pred: Array, delta: float = 1.0) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k h(p_k - y_k)` (Huber 1964).

    :math:`h(e) = \frac12 e^2` where :math:`|e| \le \delta`, else
    :math:`\delta |e| - \frac12 \delta^2`: both are :math:`c (e - \frac12 c)` with
    :math:`c = \mathrm{clip}(e, -\delta, \delta)`.
    """
    error = y_pred - y_true
    c = array_module(error).clip(error, -delta, delta)
    return mean(c * (error - 0.5 * c))


def huber_backward(dvalues: Array, y_true: Array, y_pred: Array, delta: float = 1.0) -> Array:
    r""":math:`dp_k = \mathrm{clip}(p_k - y_k, -\delta, \delta)\,d\ell / K`."""
    slope = array_module(y_pred).clip(y_pred - y_true, -delta, delta)
    return slope * mean_backward(dvalues, y_pred)


def log_cosh(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k \log\cosh(p_k - y_k)`.

    As :math:`|e| + \log(1 + e^{-2|e|}) - \log 2`, whose exponential cannot overflow.
    """
    xp = array_module(y_pred)
    error = abs(y_pred - y_true)
    return mean(error + xp.log1p(xp.exp(-2 * error)) - math.log(2))


def log_cosh_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = \tanh(p_k - y_k)\,d\ell / K`."""
    return array_module(y_pred).tanh(y_pred - y_true) * mean_backward(dvalues, y_pred)


def cosine_similarity(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = -\sum_k \bar y_k \bar p_k`, the negative cosine of the angle.

    :math:`\bar p = p / \max(\lVert p \rVert, \varepsilon)`, and likewise :math:`\bar y`.
    """
    y_unit, p_unit = y_true / _norm(y_true), y_pred / _norm(y_pred)
    return -array_module(y_pred).sum(y_unit * p_unit, axis=-1)


def cosine_similarity_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp = -(\bar y - \bar p \sum_k \bar y_k \bar p_k) / \lVert p \rVert\,d\ell`.

    Where :math:`\lVert p \rVert < \varepsilon` the norm is a constant:
    :math:`dp = -\bar y / \varepsilon\,d\ell`.
    """
    xp = array_module(y_pred)
    norm = _norm(y_pred)
    y_unit, p_unit = y_true / _norm(y_true), y_pred / norm
    along = p_unit * xp.sum(y_unit * p_unit, axis=-1, keepdims=True)
    return -(y_unit - xp.where(norm > EPSILON, along, 0)) / norm * dvalues[..., None]


def _norm(x: Array) -> Array:
    xp = array_module(x)
    return xp.maximum(xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True)), EPSILON)
