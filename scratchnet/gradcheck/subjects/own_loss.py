"""A scratchnet loss as something to check."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject
from scratchnet.gradcheck.subjects.own_shared import random_numbers
from scratchnet.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Loss,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)


class LossSubject(Subject):
    """A loss, differentiated with respect to the predictions, for random labels that suit it.

    With ``reduction=None`` its values are summed, as its gradient is that of the sum.

    Parameters
    ----------
    loss : Loss
    shape : tuple of int
        Of ``y_pred``.
    seed : int
    dtype : {"float64", "float32"}
        Of ``y_pred``; differences are taken in float64 in either case.
    sample_weight : bool
        Whether samples have random weights.
    """

    precision = "float64"

    def __init__(
        self,
        loss: Loss,
        shape: Sequence[int],
        *,
        seed: int = 0,
        dtype: str = "float64",
        sample_weight: bool = True,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.loss = loss
        y_pred = predictions(loss, shape, rng).astype(dtype).astype(np.float64)
        y_true = targets(loss, y_pred, rng)
        if y_true.dtype.kind == "f":
            y_true = y_true.astype(dtype).astype(np.float64)
        arrays = {"y_pred": y_pred, "y_true": y_true}
        axes = ("B", "T", "")[: len(shape) - 1]
        if sample_weight:
            shape_of_values = np.delete(shape, loss.axis)
            weights = rng.uniform(0.3, 2, shape_of_values).astype(dtype)
            arrays["sample_weight"] = weights.astype(np.float64)
        super().__init__(
            name=type(loss).__name__,
            arrays=arrays,
            wrt=("y_pred",),
            dtype=dtype,
            axes={name: (*axes, "")[: array.ndim] for name, array in arrays.items()},
        )

    def run(self, arrays: Arrays) -> dict[str, Array]:
        """Return ``loss``."""
        return {"loss": np.sum(self.loss(**self._given(arrays, "float64")))}

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        """Return the loss and its gradient, times that of the loss itself."""
        for _ in range(times):
            given = self._given(arrays, self.dtype)
            before = {name: array.copy() for name, array in given.items()}
            value, gradient = self.loss(**given), self.loss.gradient(**given)
        changed = tuple(n for n, array in given.items() if not np.array_equal(array, before[n]))
        scale = np.asarray(upstream.get("loss", 0.0), self.dtype)
        return Pulled({"loss": np.sum(value)}, {"y_pred": gradient * scale}, changed)

    def _given(self, arrays: Arrays, dtype: str) -> dict[str, Array]:
        """Return copies, in a dtype but for labels."""
        given = {name: np.array(array) for name, array in arrays.items()}
        return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in given.items()}


def predictions(loss: Loss, shape: Sequence[int], rng: np.random.Generator) -> Array:
    """Return random predictions that a loss can be given, away from its clips."""
    if getattr(loss, "from_logits", None) is False:
        return rng.uniform(0.1, 0.9, tuple(shape))
    if isinstance(loss, KLDivergence | Poisson):
        return rng.uniform(0.1, 0.9, tuple(shape))
    return 1.5 * random_numbers(shape, rng)


def targets(loss: Loss, y_pred: Array, rng: np.random.Generator) -> Array:
    """Return random targets that a loss can be given for these predictions."""
    shape, axis = y_pred.shape, loss.axis
    if isinstance(loss, SparseCategoricalCrossentropy):
        labels = rng.integers(shape[-1], size=shape[:-1])
        if loss.ignore_class is not None:
            labels.flat[0], labels.flat[-1] = loss.ignore_class, (loss.ignore_class + 1) % shape[-1]
        return labels
    if isinstance(loss, Hinge | SquaredHinge):
        signs = rng.choice([-1.0, 1.0], shape)
        signs.flat[0] = -1.0  # 0 and 1 alone would be taken for other labels
        return signs
    if isinstance(loss, CategoricalHinge):
        return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
    if isinstance(loss, BinaryCrossentropy):
        return rng.uniform(0, 1, shape)
    if isinstance(loss, CategoricalCrossentropy | KLDivergence):
        parts = rng.uniform(0.1, 1, shape)
        return parts / parts.sum(axis=axis, keepdims=True)
    if isinstance(loss, Poisson):
        return rng.poisson(2, shape).astype(float)
    numbers = random_numbers(shape, rng)
    if isinstance(loss, MeanAbsoluteError | MeanAbsolutePercentageError):
        return np.where(abs(y_pred - numbers) < 0.1, y_pred + 0.3, numbers)  # not at the kink
    return numbers
