"""The Keras twin of every experiment, as a practitioner writes it.

Each function passes its keywords on to ``compile``: how to run (``jit_compile``,
``steps_per_execution``), not what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def wisconsin(**run: Any) -> keras.Model:
    """9 → Dense 9 relu → Dense 12 relu → Dense 1 sigmoid, RMSprop, binary cross-entropy."""
    model = keras.Sequential(
        [
            keras.layers.Input((9,)),
            keras.layers.Dense(9, activation="relu"),
            keras.layers.Dense(12, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="wisconsin",
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.001),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        **run,
    )
    return model


def backprop(**run: Any) -> keras.Model:
    """Mazur's 2-2-2 sigmoid network; his ½Σ(t - o)² over two outputs is the mean squared error."""
    model = keras.Sequential(
        [
            keras.layers.Input((2,)),
            keras.layers.Dense(2, activation="sigmoid"),
            keras.layers.Dense(2, activation="sigmoid"),
        ],
        name="backprop",
    )
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mean_squared_error", **run)
    return model


TWINS: dict[str, Callable[..., keras.Model]] = {"wisconsin": wisconsin, "backprop": backprop}
