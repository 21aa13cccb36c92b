"""Hinge losses: for scores whose sign is the class."""

from __future__ import annotations

from scratchnet.backend import Array
from scratchnet.equations import losses as equations
from scratchnet.losses.base import Loss


class Hinge(Loss):
    r"""Mean over the outputs of :math:`\max(1 - y p, 0)`, for labels −1 and 1.

    Labels 0 and 1 are taken for −1 and 1 where a batch has no others.
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.hinge(equations.binary_labels_to_signs(y_true), y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        signs = equations.binary_labels_to_signs(y_true)
        return equations.hinge_backward(dvalues, signs, y_pred)


class SquaredHinge(Loss):
    r"""Mean over the outputs of :math:`\max(1 - y p, 0)^2`, for labels −1 and 1 (see `Hinge`)."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.squared_hinge(equations.binary_labels_to_signs(y_true), y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        signs = equations.binary_labels_to_signs(y_true)
        return equations.squared_hinge_backward(dvalues, signs, y_pred)


class CategoricalHinge(Loss):
    r"""By how much the best wrong class misses staying 1 below the right one; labels one-hot."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.categorical_hinge(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.categorical_hinge_backward(dvalues, y_true, y_pred)
