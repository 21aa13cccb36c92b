"""The optimizers with their options, the weights they move, and Keras's doing the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import optimizers

SHAPES = ((3, 5), (7,), (1,), (2, 3, 4), (5, 1))
STEPS = 120

EXACT = {
    "SGD": {"learning_rate": 0.05},
    "SGD-momentum": {"learning_rate": 0.05, "momentum": 0.875},
    "SGD-nesterov": {"learning_rate": 0.05, "momentum": 0.875, "nesterov": True},
    "SGD-momentum-1": {"learning_rate": 0.001, "momentum": 1.0},
    "RMSprop": {"learning_rate": 0.01, "rho": 0.875},
    "RMSprop-momentum": {"learning_rate": 0.01, "rho": 0.875, "momentum": 0.75},
    "RMSprop-centered": {"learning_rate": 0.01, "rho": 0.875, "centered": True},
    "RMSprop-both": {"learning_rate": 0.01, "rho": 0.875, "momentum": 0.75, "centered": True},
    "RMSprop-rho-0": {"learning_rate": 0.01, "rho": 0.0},
    "Adagrad": {"learning_rate": 0.1, "initial_accumulator_value": 0.125},
    "Adagrad-from-2": {"learning_rate": 0.1, "initial_accumulator_value": 2.0},
    "Adadelta": {"learning_rate": 2.0, "rho": 0.875},
    "Adam": {"learning_rate": 0.01, "beta_1": 0.875, "beta_2": 0.9990234375},
    "Adam-amsgrad": {
        "learning_rate": 0.01,
        "beta_1": 0.875,
        "beta_2": 0.9375,  # low, so that the largest mean square is not the latest
        "amsgrad": True,
    },
    "Adam-betas-0": {"learning_rate": 0.01, "beta_1": 0.0, "beta_2": 0.0},
    "AdamW": {
        "learning_rate": 0.01,
        "beta_1": 0.875,
        "beta_2": 0.9990234375,
        "weight_decay": 0.125,
    },
    "AdamW-amsgrad": {
        "learning_rate": 0.01,
        "beta_1": 0.875,
        "beta_2": 0.9375,
        "weight_decay": 0.125,
        "amsgrad": True,
    },
    "Adamax": {"learning_rate": 0.01, "beta_1": 0.875, "beta_2": 0.9990234375},
    "Nadam": {"learning_rate": 0.01, "beta_1": 0.875, "beta_2": 0.9990234375},
}
"""What float32 holds exactly, since Keras rounds betas, momentum, weight decay and Adagrad's first
accumulator to it."""

RULES = tuple(dict.fromkeys(name.partition("-")[0] for name in EXACT))


def rule_of(name: str) -> str:
    return name.partition("-")[0]


class RoundedNadam(optimizers.Nadam):
    """Nadam with 0.96 rounded to float32 where Keras rounds it: everywhere but in the product."""

    def begin_step(self) -> None:
        self.mu_product *= super()._mu(self.iterations + 1)

    def _mu(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * float(np.float32(0.96)) ** t)


def make(name: str, **options: Any) -> optimizers.Optimizer:
    return getattr(optimizers, rule_of(name))(**EXACT[name], **options)


def first_weights(seed: int, dtype: str = "float64", size: float = 0.01) -> list[np.ndarray]:
    """Random weights, small beside what training adds; the second array like its gradients."""
    rng = np.random.default_rng(seed)
    scales = (size, 1e-7, size, size, size)
    weights = [s * rng.standard_normal(n) for s, n in zip(scales, SHAPES, strict=True)]
    return [w.astype(dtype) for w in weights]


def random_gradients(
    seed: int,
    dtype: str = "float64",
    steps: int = STEPS,
    zeros: bool = True,
    largest: float = 1e4,
) -> list[list[np.ndarray]]:
    """For each step an array a weight array; read-only, since no optimizer may write to them.

    The second array is of magnitude 1e-7, the last of ``largest``.  With ``zeros`` the third is 0
    in two steps of three and a part of the fourth is 0 for ever.
    """
    rng = np.random.default_rng(seed + 1000)
    scales = (1.0, 1e-7, 1.0, 1.0, largest)
    gradients = []
    for _ in range(steps):
        step = [s * rng.standard_normal(n) for s, n in zip(scales, SHAPES, strict=True)]
        if zeros:
            step[2] *= rng.random() < 1 / 3
            step[3][:, 1] = 0
        step = [g.astype(dtype) for g in step]
        for gradient in step:
            gradient.flags.writeable = False
        gradients.append(step)
    return gradients


def train(
    optimizer: optimizers.Optimizer,
    weights: Sequence[np.ndarray],
    gradients: Sequence[Sequence[np.ndarray]],
) -> list[np.ndarray]:
    """Return what becomes of copies of the weights."""
    weights = [w.copy() for w in weights]
    for step in gradients:
        optimizer.apply_gradients(zip(step, weights, strict=True))
    return weights


def train_keras(
    rule: str,
    options: dict[str, Any],
    weights: Sequence[np.ndarray],
    gradients: Sequence[Sequence[np.ndarray]],
) -> list[np.ndarray]:
    """Return what Keras makes of the same, in the weights' dtype throughout."""
    import keras  # a GPU's machine may have none, and asks for the rest of this file alone
    import tensorflow as tf

    from keras_impl.parity.oracle import keras_floats

    dtype = weights[0].dtype.name
    with keras_floats(dtype):
        optimizer = getattr(keras.optimizers, rule)(**options)
        variables = [keras.Variable(w) for w in weights]
        optimizer.build(variables)
        if not callable(options.get("learning_rate")):
            assert optimizer.learning_rate.dtype == dtype

        @tf.function
        def step(gradients: list[tf.Tensor]) -> None:
            optimizer.apply_gradients(zip(gradients, variables, strict=True))

        for arrays in gradients:
            step([tf.constant(g) for g in arrays])
        assert all(v.dtype == dtype for v in variables)
        return [np.array(v.numpy()) for v in variables]
