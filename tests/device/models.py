"""Models that train on both sides, from the same weights on the same batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scratchnet import Sequential, set_random_seed
from scratchnet.backend import to_host
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    Masking,
    OneHot,
    SimpleRNN,
    TimeDistributed,
)
from tests.device.places import Place, assert_all_close
from tests.helpers import DEVICE_TOLERANCE, assert_agrees, assert_not_negligible
from tests.layers.cases import random_array

B, T, D, V, CLASSES = 6, 5, 4, 9, 3
RNG = np.random.default_rng(0)
IDS = RNG.integers(V, size=(B, T))
IDS[:, 0] += IDS[:, 0] == 0  # no row that is padding alone
LABELS = np.arange(B) % CLASSES
EACH_STEP = RNG.integers(CLASSES, size=(B, T))


class Network(NamedTuple):
    """Layers, data for them, and a loss."""

    layers: Callable[[], list[Layer]]
    x: np.ndarray
    y: np.ndarray
    loss: str = "sparse_categorical_crossentropy"

    def model(self, dtype: str = "float64", optimizer: Any = "adam", **compiled: Any) -> Sequential:
        """Return the model, built and compiled, with weights that are always the same."""
        set_random_seed(11)
        model = Sequential(self.layers(), dtype=dtype)
        model.build(self.x.shape)
        weights = [random_array(*w.shape, seed=30 + i) for i, w in enumerate(model.get_weights())]
        model.set_weights([w / 2 for w in weights])
        model.compile(optimizer, self.loss, **compiled)
        return model

    def batches(self, count: int, size: int = B) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return random rows of the data, some of them twice."""
        rng = np.random.default_rng(5)
        chosen = [rng.integers(len(self.x), size=size) for _ in range(count)]
        return [(self.x[rows], self.y[rows]) for rows in chosen]


SERIES = random_array(B, T, D)
PADDED = SERIES.copy()
PADDED[1, 3:] = PADDED[4, 2:] = 0

NETWORKS = {
    "dense": Network(
        lambda: [Dense(6, "gelu"), Dropout(0.3, seed=1), Dense(4, "relu"), Dense(CLASSES)],
        random_array(B, D),
        random_array(B, CLASSES, seed=3),
        "mse",
    ),
    "sigmoid": Network(
        lambda: [Dense(6), Activation("tanh"), Dense(1, "sigmoid")],
        random_array(B, D),
        (np.arange(B) % 2.0)[:, None],
        "binary_crossentropy",
    ),
    "words": Network(
        lambda: [Embedding(V, 4), Flatten(), Dropout(0.2, seed=2), Dense(CLASSES, "softmax")],
        IDS,
        LABELS,
    ),
    "characters": Network(
        lambda: [OneHot(V), LSTM(5), Dropout(0.25, seed=4), Dense(CLASSES, "softmax")], IDS, LABELS
    ),
    "masked": Network(
        lambda: [Embedding(V, 4, mask_zero=True), LSTM(5), Dense(CLASSES, "softmax")], IDS, LABELS
    ),
    "masked-steps": Network(
        lambda: [
            Embedding(V, 4, mask_zero=True),
            GRU(5, return_sequences=True),
            TimeDistributed(Dense(CLASSES, "softmax")),
        ],
        IDS,
        EACH_STEP,
    ),
    "stacked": Network(
        lambda: [
            Masking(),
            GRU(5, return_sequences=True, reset_after=False, go_backwards=True),
            SimpleRNN(4, return_sequences=True, dropout=0.2, seed=6),
            LSTM(3),
            Dense(CLASSES, "softmax"),
        ],
        PADDED,
        LABELS,
    ),
    "both-ways": Network(
        lambda: [
            Bidirectional(LSTM(3, return_sequences=True, dropout=0.2, seed=8)),
            Bidirectional(GRU(4), "mul"),
            Dense(CLASSES, "softmax"),
        ],
        SERIES,
        LABELS,
    ),
    "stateful": Network(
        lambda: [LSTM(4, stateful=True), Dense(CLASSES, "softmax")], SERIES, LABELS
    ),
}


def steps(model: Sequential, batches: Any, place: Place | None = None) -> list[float]:
    """Return the losses of training steps, taken on the host or on a device."""
    losses = []
    for batch in batches:
        losses.append(model.train_on_batch(*(batch if place is None else place.put(*batch))))
    return losses


def assert_same_training(device: Sequential, host: Sequential) -> None:
    """Assert that weights and the optimizer's memory agree."""
    weights = host.get_weights()
    assert_all_close(device.get_weights(), weights)
    state, expected = device.optimizer.state(), host.optimizer.state()
    assert state.keys() == expected.keys()
    tolerance = DEVICE_TOLERANCE[host.dtype]
    for name, array in expected.items():
        assert_agrees(state[name], array, tolerance, name)


def assert_moved(before: list[Any], after: list[Any]) -> None:
    """Assert that training has changed every weight array."""
    for old, new in zip(before, after, strict=True):
        assert_not_negligible(to_host(new) - to_host(old), 1e-5)
