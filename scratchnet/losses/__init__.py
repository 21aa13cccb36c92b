"""Losses with Keras's names, arguments, clips and reductions.

A loss checks its inputs, weighs and masks, and reduces to one number; what it computes is in
`scratchnet.equations.losses`.

>>> from scratchnet import losses
>>> loss = losses.MeanSquaredError()
>>> float(loss([[1.0, 2.0]], [[1.5, 2.0]]))
0.125
>>> loss.gradient([[1.0, 2.0]], [[1.5, 2.0]]).tolist()
[[0.5, 0.0]]
"""

from __future__ import annotations

from scratchnet.arguments import look_up
from scratchnet.losses.base import Loss
from scratchnet.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from scratchnet.losses.hinge import CategoricalHinge, Hinge, SquaredHinge
from scratchnet.losses.probabilistic import KLDivergence, Poisson
from scratchnet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "get",
]

_MEMBERS: dict[str, type[Loss]] = {
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "cosine_similarity": CosineSimilarity,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "kl_divergence": KLDivergence,
    "poisson": Poisson,
    "bce": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "kld": KLDivergence,
}


def get(identifier: object) -> Loss:
    """Return the loss that ``"mse"`` or ``"mean_squared_error"`` stands for.

    A loss passes through; ``{"class_name": …, "config": loss.get_config()}`` makes it again.

    Raises
    ------
    InputError
        If there is no such loss (near matches are named) or the config does not fit it.
    """
    return look_up(identifier, Loss, _MEMBERS)
