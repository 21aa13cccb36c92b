"""A training step of the character models, 128×40×57→128, beside every way Keras has of running it.

``python benchmarks/recurrent_step.py [LSTM] [GRU] [SimpleRNN]``
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from keras_impl.parity.oracle import keras_floats
from keras_impl.parity.timing import measure
from keras_impl.weights import to_keras
from scratchnet import Sequential, layers
from scratchnet.optimizers import RMSprop

B, T, V, H = 128, 40, 57, 128
BLOCK = 18
ROUNDS = 5


def build_model(cell: str) -> Sequential:
    """Return the tutorials' character model: one recurrent layer and a softmax."""
    model = Sequential([getattr(layers, cell)(H), layers.Dense(V, activation="softmax")])
    model.build((B, T, V))
    model.compile(RMSprop(0.01), "sparse_categorical_crossentropy")
    return model


def build_twin(cell: str, **run: object) -> keras.Model:
    """Return its Keras twin with the same weights, compiled alike."""
    twin = to_keras(build_model(cell))
    twin.compile(keras.optimizers.RMSprop(0.01), "sparse_categorical_crossentropy", **run)
    return twin


def main() -> None:
    """Print a line for each way to run a step."""
    rng = np.random.default_rng(0)
    one_hot = np.eye(V, dtype="float32")
    batches = [(one_hot[rng.integers(0, V, (B, T))], rng.integers(0, V, B)) for _ in range(BLOCK)]
    for cell in sys.argv[1:] or ("LSTM", "GRU"):
        with keras_floats("float32"):
            timings = measure(
                lambda cell=cell: build_model(cell),
                lambda cell=cell, **run: build_twin(cell, **run),
                batches,
                rounds=ROUNDS,
            )
        for one in timings:
            print(f"{cell:10} {one.name:34} {one.seconds * 1e3:8.2f} ms  {one.ratio:6.3f}")


if __name__ == "__main__":
    main()
