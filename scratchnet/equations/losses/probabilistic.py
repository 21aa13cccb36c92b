r"""Losses between distributions that are not cross-entropies."""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.equations.losses.mean import EPSILON, mean, mean_backward


def kl_divergence(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \sum_k y_k \log(y_k / p_k)` (Kullback & Leibler 1951).

    Targets and predictions are clipped to :math:`[\varepsilon, 1]`.
    """
    xp = array_module(y_pred)
    y = xp.clip(y_true, EPSILON, 1)
    return xp.sum(y * xp.log(y / xp.clip(y_pred, EPSILON, 1)), axis=-1)


def kl_divergence_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = -y_k / p_k\,d\ell`, and 0 outside the clip."""
    xp = array_module(y_pred)
    slope = -xp.clip(y_true, EPSILON, 1) / xp.clip(y_pred, EPSILON, 1)
    inside = (y_pred >= EPSILON) & (y_pred <= 1)
    return xp.where(inside, slope, 0) * dvalues[..., None]


def poisson(y_true: Array, y_pred: Array) -> Array:
    r""":math:`\ell = \frac{1}{K} \sum_k p_k - y_k \log(p_k + \varepsilon)`, for counts.

    The negative log-likelihood of Poisson's distribution with mean p, but for a term without p.
    """
    return mean(y_pred - y_true * array_module(y_pred).log(y_pred + EPSILON))


def poisson_backward(dvalues: Array, y_true: Array, y_pred: Array) -> Array:
    r""":math:`dp_k = (1 - y_k / (p_k + \varepsilon))\,d\ell / K`."""
    return (1 - y_true / (y_pred + EPSILON)) * mean_backward(dvalues, y_pred)
