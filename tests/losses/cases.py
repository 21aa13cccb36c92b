"""The losses with their options, data that suits each, and Keras's answer for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scratchnet import losses

DTYPES = ["float64", "float32"]
CLASSES = 5
"""Outputs of a prediction, and classes of a label."""


class Case(NamedTuple):
    """A loss class with arguments, and the kind of data it is for."""

    name: str
    data: str
    arguments: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    rounded: str = ""
    """The constant that Keras rounds to float32 even in float64; 1e-7 is agreement then."""

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.arguments.items())])

    def tolerance(self, table: dict[str, float], dtype: str) -> float:
        return max(table[dtype], 1e-7) if self.rounded else table[dtype]

    def ours(self, **more: Any) -> losses.Loss:
        return getattr(losses, self.name)(**self.arguments, **more)

    def keras(self, **more: Any) -> Any:
        import keras  # a GPU's machine may have none, and asks for the rest of this file alone

        return getattr(keras.losses, self.name)(**self.arguments, **more)


CASES = [
    Case("MeanSquaredError", "numbers"),
    Case("MeanAbsoluteError", "numbers"),
    Case("MeanAbsolutePercentageError", "numbers"),
    Case("MeanSquaredLogarithmicError", "numbers"),
    Case("Huber", "numbers"),
    Case("Huber", "numbers", {"delta": 0.3}),
    Case("LogCosh", "numbers", rounded="log 2"),
    Case("CosineSimilarity", "numbers"),
    Case("Hinge", "signs"),
    Case("Hinge", "bits"),
    Case("SquaredHinge", "signs"),
    Case("SquaredHinge", "bits"),
    Case("CategoricalHinge", "one_hot"),
    Case("KLDivergence", "distributions"),
    Case("Poisson", "counts"),
    Case("BinaryCrossentropy", "probabilities"),
    Case("BinaryCrossentropy", "probabilities", {"label_smoothing": 0.2}),
    Case("BinaryCrossentropy", "bits", {"from_logits": True}),
    Case("BinaryCrossentropy", "bits", {"from_logits": True, "label_smoothing": 0.2}),
    Case("CategoricalCrossentropy", "distributions"),
    Case("CategoricalCrossentropy", "distributions", {"label_smoothing": 0.2}),
    Case("CategoricalCrossentropy", "one_hot", {"from_logits": True}),
    Case("CategoricalCrossentropy", "one_hot", {"from_logits": True, "label_smoothing": 0.2}),
    Case("SparseCategoricalCrossentropy", "labels_of_probabilities"),
    Case("SparseCategoricalCrossentropy", "labels", {"from_logits": True}),
    Case("SparseCategoricalCrossentropy", "labels_of_probabilities", {"ignore_class": 2}),
    Case("SparseCategoricalCrossentropy", "labels", {"from_logits": True, "ignore_class": 2}),
]


def make_data(kind: str, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Return random targets and predictions, away from kinks and clips."""
    y_pred = 1.5 * rng.standard_normal(shape)
    positive = rng.uniform(0.1, 3, shape)
    if kind == "numbers":
        y_true = y_pred + rng.choice([-1, 1], shape) * rng.uniform(0.05, 2, shape)
    elif kind == "signs":
        y_true = rng.choice([-1.0, 1.0], shape)
        y_true.flat[0] = -1
    elif kind == "bits":
        y_true = rng.choice([0.0, 1.0], shape)
    elif kind == "one_hot":
        y_true = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    elif kind == "distributions":
        y_true = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        y_pred = positive / 4  # neither of them summing to 1
    elif kind == "counts":
        y_true, y_pred = rng.poisson(2, shape).astype(float), positive
    elif kind == "probabilities":
        y_true, y_pred = rng.uniform(0, 1, shape), rng.uniform(0.02, 0.98, shape)
    else:
        y_true = rng.integers(0, shape[-1], shape[:-1])
        if kind == "labels_of_probabilities":
            y_pred = positive / 4
        return y_true, y_pred.astype(dtype)
    return y_true.astype(dtype), y_pred.astype(dtype)


def keras_answer(
    case: Case,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    sample_weight: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    **more: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Return Keras's loss and the tape's gradient with respect to ``y_pred``."""
    import tensorflow as tf
    from keras.src import backend

    from keras_impl.parity.oracle import keras_floats

    with keras_floats(y_pred.dtype.name):
        predictions = tf.constant(y_pred)
        if mask is not None:
            backend.set_keras_mask(predictions, tf.constant(mask))
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            loss = case.keras(**more)(y_true, predictions, sample_weight=sample_weight)
        return loss.numpy(), tape.gradient(loss, predictions).numpy()
