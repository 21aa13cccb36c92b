"""Metrics: what a model's quality is read from, gathered batch by batch, as Keras does.

>>> from scratchnet import metrics
>>> accuracy = metrics.BinaryAccuracy()
>>> accuracy.update([1, 0], [0.9, 0.6])
>>> accuracy.update([1, 1], [0.8, 0.7])
>>> accuracy.result()
0.75
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scratchnet.arguments import look_up, snake_case
from scratchnet.backend import Array, array_module
from scratchnet.equations import losses as equations
from scratchnet.losses.shapes import floats, rows_shape, same_shape, spread


class Metric:
    """A number over all batches since the last `reset`.

    Parameters
    ----------
    name : str, optional
        Defaults to the class name in snake case.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.reset()

    def reset(self) -> None:
        """Forget every batch."""
        self._total = 0.0
        self._count = 0.0

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        """Take in one batch.

        Parameters
        ----------
        y_true, y_pred : array
            As the losses take them.
        sample_weight : array, optional
            One a sample, or one for each of its leading axes.
        mask : array of bool, optional
            False where a prediction does not count; shaped as ``sample_weight`` may be.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def result(self) -> float:
        """Return the metric; 0 before the first batch, and where all weights are 0."""
        return self._total / self._count if self._count else 0.0

    def sums(self) -> list[float]:
        """Return what the batches so far have come to: a sum, and what it is divided by."""
        return [self._total, self._count]

    def set_sums(self, sums: Sequence[float]) -> None:
        """Go on from what `sums` gave."""
        self._total, self._count = sums

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again, as JSON can hold them."""
        return {"name": self.name}

    def _weights(self, values: Array, sample_weight: Any, mask: Any) -> Array | None:
        """Return the product of weights and mask in the shape of ``values``."""
        if sample_weight is None and mask is None:
            return None
        weights: Array | None = None
        for argument, given in (("sample_weight", sample_weight), ("mask", mask)):
            if given is not None:
                factor = floats(type(self).__name__, argument, given, values.dtype, like=values)
                factor = spread(type(self).__name__, argument, factor, values.shape)
                weights = factor if weights is None else weights * factor
        return weights


class MeanMetric(Metric):
    """The weighted mean of a value for each sample; subclasses say which value."""

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """Return the values to take the mean of, samples first."""
        raise NotImplementedError(f"{type(self).__name__} has no values")

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        values = self.values(y_true, y_pred)
        size = math.prod(values.shape[1:])
        weights = self._weights(values, sample_weight, mask)
        if weights is None:
            self._total += float(values.sum()) / size
            self._count += values.shape[0] if values.ndim else 1
        else:
            self._total += float((values * weights).sum()) / size
            self._count += float(weights.sum()) / size


class BinaryAccuracy(MeanMetric):
    """How often ``y_pred > threshold`` is what ``y_true`` says, output by output.

    Parameters
    ----------
    name : str, optional
        See `Metric`.
    threshold : float
        Predictions above it count as 1.
    """

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y_true, y_pred = _arrays(type(self).__name__, y_true, y_pred)
        predicted = (y_pred > self.threshold).astype(y_pred.dtype)
        return (predicted == y_true).astype(y_pred.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(MeanMetric):
    """How often the largest prediction stands where the largest target does."""

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y_true, y_pred = _arrays(type(self).__name__, y_true, y_pred)
        xp = array_module(y_pred)
        hit = xp.argmax(y_pred, axis=-1) == xp.argmax(y_true, axis=-1)
        return xp.asarray(hit, dtype=y_pred.dtype)


class SparseCategoricalAccuracy(MeanMetric):
    """How often the largest prediction stands at the label."""

    def values(self, y_true: Any, y_pred: Any) -> Array:
        owner = type(self).__name__
        y_pred = floats(owner, "y_pred", y_pred)
        xp = array_module(y_pred)
        labels = floats(owner, "y_true", y_true, xp.float64, like=y_pred)  # exact to 2⁵³
        labels = rows_shape(owner, labels, y_pred)
        predicted = xp.asarray(xp.argmax(y_pred, axis=-1), dtype=xp.float64)
        return xp.asarray(predicted == labels, dtype=y_pred.dtype)


class MeanSquaredError(MeanMetric):
    r"""The mean of :math:`(p - y)^2`."""

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return equations.mean_squared_error(*_arrays(type(self).__name__, y_true, y_pred))


class MeanAbsoluteError(MeanMetric):
    r"""The mean of :math:`|p - y|`."""

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return equations.mean_absolute_error(*_arrays(type(self).__name__, y_true, y_pred))


class _ShareOfPositives(Metric):
    """The weight of the true positives over that of the positives, found or real."""

    def __init__(self, thresholds: float = 0.5, name: str | None = None) -> None:
        super().__init__(name)
        self.thresholds = thresholds

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> None:
        y_true, y_pred = _arrays(type(self).__name__, y_true, y_pred)
        xp = array_module(y_pred)
        real = xp.asarray(y_true != 0, dtype=y_pred.dtype)
        found = xp.asarray(y_pred > self.thresholds, dtype=y_pred.dtype)
        weights = self._weights(y_pred, sample_weight, mask)
        counted = self._positives(real, found) * (1 if weights is None else weights)
        self._total += float(xp.sum(real * found * counted))
        self._count += float(xp.sum(counted))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.thresholds}

    def _positives(self, real: Array, found: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has no _positives")


class Precision(_ShareOfPositives):
    """The part of the predicted positives that are positive.

    Parameters
    ----------
    thresholds : float
        Predictions above it count as positive.
    name : str, optional
        See `Metric`.
    """

    def _positives(self, real: Array, found: Array) -> Array:
        return found


class Recall(_ShareOfPositives):
    """The part of the positives that are predicted to be.

    Parameters
    ----------
    thresholds : float
        Predictions above it count as positive.
    name : str, optional
        See `Metric`.
    """

    def _positives(self, real: Array, found: Array) -> Array:
        return real


def confusion_matrix(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Array:
    """Count the true and false negatives and positives, ``[[tn, fp], [fn, tp]]``.

    Parameters
    ----------
    y_true : array
        0 or 1.
    y_pred : array
        Probabilities; those above ``threshold`` count as 1.

    Raises
    ------
    InputError
        If the shapes differ by more than a last axis of length 1.
    """
    y_true, y_pred = _arrays("confusion_matrix", y_true, y_pred)
    xp = array_module(y_pred)
    real, found = y_true != 0, y_pred > threshold
    return xp.asarray(
        [
            [int(xp.count_nonzero(~real & ~found)), int(xp.count_nonzero(~real & found))],
            [int(xp.count_nonzero(real & ~found)), int(xp.count_nonzero(real & found))],
        ]
    )


_MEMBERS: dict[str, type[Metric]] = {
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "precision": Precision,
    "recall": Recall,
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
}
_BY_SHAPE = ("accuracy", "acc")


def get(identifier: object, y_true: Any, y_pred: Any) -> Metric:
    """Return a metric from what ``compile(metrics=[…])`` may be given.

    Parameters
    ----------
    identifier : str or Metric
        A metric comes back as it is; a name makes one that is called by it.  ``"accuracy"`` is
        binary for one output, sparse where ``y_true`` holds labels, else categorical.
    y_true, y_pred : array
        A batch, for its shapes.

    Raises
    ------
    InputError
        If there is no such metric; near matches are named.
    """
    members = _MEMBERS | dict.fromkeys(_BY_SHAPE, _accuracy(_shape(y_true), _shape(y_pred)))
    metric = look_up(identifier, Metric, members)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def _accuracy(y_true: tuple[int, ...], y_pred: tuple[int, ...]) -> type[Metric]:
    if y_pred[-1] == 1:
        return BinaryAccuracy
    if len(y_true) < len(y_pred) or y_true[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy


def _shape(array: Any) -> tuple[int, ...]:
    return tuple(array_module(array).asarray(array).shape)


def _arrays(owner: str, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    y_pred = floats(owner, "y_pred", y_pred)
    return same_shape(owner, y_true, y_pred, "Reshape y_true, or choose the metric for its labels")
