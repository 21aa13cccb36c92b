"""Losses between distributions that are not cross-entropies."""

from __future__ import annotations

from scratchnet.backend import Array
from scratchnet.equations import losses as equations
from scratchnet.losses.base import Loss


class KLDivergence(Loss):
    r"""Sum over the outputs of :math:`y \log(y / p)`, both clipped to [1e-7, 1]."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.kl_divergence(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.kl_divergence_backward(dvalues, y_true, y_pred)


class Poisson(Loss):
    r"""Mean over the outputs of :math:`p - y \log p`, for counts y and positive predictions p."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.poisson(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.poisson_backward(dvalues, y_true, y_pred)
