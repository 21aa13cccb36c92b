"""Regression losses: how far numbers are from numbers."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import POSITIVE, real
from scratchnet.backend import Array
from scratchnet.equations import losses as equations
from scratchnet.losses.base import Loss


class MeanSquaredError(Loss):
    r"""Mean over the outputs of :math:`(p - y)^2`."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_squared_error(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_squared_error_backward(dvalues, y_true, y_pred)


class MeanAbsoluteError(Loss):
    r"""Mean over the outputs of :math:`|p - y|`."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_absolute_error(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_absolute_error_backward(dvalues, y_true, y_pred)


class MeanAbsolutePercentageError(Loss):
    r"""Mean over the outputs of :math:`100\,|p - y| / |y|`; targets below 1e-7 count as 1e-7."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_absolute_percentage_error(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_absolute_percentage_error_backward(dvalues, y_true, y_pred)


class MeanSquaredLogarithmicError(Loss):
    r"""Mean over the outputs of :math:`(\log(1 + p) - \log(1 + y))^2`; negatives count as 1e-7."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_squared_logarithmic_error(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.mean_squared_logarithmic_error_backward(dvalues, y_true, y_pred)


class Huber(Loss):
    r"""Squared error near 0, absolute error beyond ``delta`` (Huber 1964).

    Parameters
    ----------
    delta : float
        Where the parabola goes over into its tangent, in units of the targets.
    reduction, name
        See `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
    ) -> None:
        super().__init__(reduction, name)
        self.delta = real("Huber", "delta", delta, POSITIVE)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.huber(y_true, y_pred, self.delta)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.huber_backward(dvalues, y_true, y_pred, self.delta)

    def get_config(self) -> dict[str, Any]:
        return {"delta": self.delta, **super().get_config()}


class LogCosh(Loss):
    r"""Mean over the outputs of :math:`\log\cosh(p - y)`."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.log_cosh(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.log_cosh_backward(dvalues, y_true, y_pred)


class CosineSimilarity(Loss):
    r"""The negative cosine of the angle between targets and predictions: −1 where they point alike.

    Parameters
    ----------
    axis : int
        The axis of the vectors.
    reduction, name
        See `Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.axis = axis

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return equations.cosine_similarity(y_true, y_pred)

    def values_backward(self, dvalues: Array, y_true: Array, y_pred: Array) -> Array:
        return equations.cosine_similarity_backward(dvalues, y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis, **super().get_config()}
