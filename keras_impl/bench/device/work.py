"""What is timed on a GPU: training steps of one recurrent layer, small and large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_impl.bench.device import check
from scratchnet import Sequential
from scratchnet.backend import Array
from scratchnet.layers import GRU, LSTM, Dense
from scratchnet.optimizers import Adam

LAYERS = {"LSTM": LSTM, "GRU": GRU}
CLASSES = 57
BATCHES = 2
"""Different ones in turn: a graph has to take a new batch in, as it would in ``fit``."""


@dataclass(frozen=True)
class DeviceWork:
    """A training step in float32: a recurrent layer, a softmax over its last output, Adam."""

    name: str
    layer: str
    """``LSTM`` or ``GRU``, with Keras's defaults: a GRU resets after the product."""
    batch: int
    steps: int
    features: int
    units: int
    required: float
    """At most so many times cuDNN's time is what the project has to reach."""
    classes: int = CLASSES

    @property
    def title(self) -> str:
        """What the table calls it."""
        sizes = f"{self.batch}×{self.steps}×{self.features}→{self.units}"
        return f"{self.layer} training step, {sizes}"

    def build_model(self, *, run_eagerly: bool = False) -> Sequential:
        """Return the compiled network on the host, the same random weights every time."""
        # written over below: zeros are made in no time
        layer = LAYERS[self.layer](
            self.units, kernel_initializer="zeros", recurrent_initializer="zeros"
        )
        model = Sequential([layer, Dense(self.classes, activation="softmax")])
        model.build((None, self.steps, self.features))
        rng, scale = np.random.default_rng(9), self.units**-0.5
        weights = [rng.normal(0, scale, one.shape) for one in model.get_weights()]
        model.set_weights([one.astype("float32") for one in weights])
        loss = "sparse_categorical_crossentropy"
        model.compile(Adam(1e-3), loss, run_eagerly=run_eagerly)
        return model

    def batches(self) -> list[tuple[Array, Array]]:
        """Return `BATCHES` random batches in the host's memory, the same every time."""
        rng = np.random.default_rng(7)
        shape = (self.batch, self.steps, self.features)
        return [
            (
                rng.standard_normal(shape, dtype="float32"),
                rng.integers(self.classes, size=self.batch),
            )
            for _ in range(BATCHES)
        ]


WORKS = {
    one.name: one
    for one in (
        DeviceWork("lstm-small", "LSTM", 128, 40, 57, 128, 3.0),
        DeviceWork("gru-small", "GRU", 128, 40, 57, 128, 3.0),
        DeviceWork("lstm-large", "LSTM", 256, 128, 512, 1024, 1.5),
        DeviceWork("gru-large", "GRU", 256, 128, 512, 1024, 1.5),
    )
}


def get(name: str) -> DeviceWork:
    """Return the work of a name.

    Raises
    ------
    InputError
        There is none.
    """
    check(name)
    return WORKS[name]
