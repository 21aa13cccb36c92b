"""Every layer's forward pass, and forward and backward, beside its compiled Keras twin.

Both are given the same float32 weights, inputs and upstream gradients; outputs and gradients are
compared before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from keras_impl.bench.race import FEWEST_UNITS, MOST_UNITS, Candidate, stepwise
from keras_impl.parity.compare import FORWARD_TOLERANCE, GRADIENT_TOLERANCE, difference
from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import to_keras
from scratchnet import Sequential
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
from scratchnet.random import set_random_seed

B, T, V, D, H = 128, 40, 57, 57, 128
"""The char LSTM's batch, time, vocabulary, features and units."""
DTYPE = "float32"
RATE = 0.25
SHORT = {"Dense", "Activation", "Flatten", "Masking", "Dropout", "OneHot"}
"""Layers whose blocks are of more passes."""

ROWS, SEQUENCES = (B, H), (B, T, D)
LAYERS: dict[str, tuple[Callable[[], list[Layer]], tuple[int, ...]]] = {
    "Dense relu": (lambda: [Dense(H, "relu")], ROWS),
    "Dense softmax": (lambda: [Dense(V, "softmax")], ROWS),
    "Dense on sequences": (lambda: [Dense(H, "tanh")], SEQUENCES),
    "Activation sigmoid": (lambda: [Activation("sigmoid")], SEQUENCES),
    "Activation tanh": (lambda: [Activation("tanh")], SEQUENCES),
    "Activation gelu": (lambda: [Activation("gelu")], SEQUENCES),
    "Activation softmax": (lambda: [Activation("softmax")], SEQUENCES),
    "OneHot": (lambda: [OneHot(V)], (B, T)),
    "Embedding": (lambda: [Embedding(5000, 32)], (64, 500)),
    "Dropout": (lambda: [Dropout(RATE)], SEQUENCES),
    "Flatten": (lambda: [Flatten()], SEQUENCES),
    "Masking": (lambda: [Masking()], SEQUENCES),
    "TimeDistributed": (lambda: [TimeDistributed(Dense(H, "tanh"))], SEQUENCES),
    "SimpleRNN": (lambda: [SimpleRNN(H)], SEQUENCES),
    "LSTM": (lambda: [LSTM(H)], SEQUENCES),
    "LSTM, sequences": (lambda: [LSTM(H, return_sequences=True)], SEQUENCES),
    "LSTM, masked": (lambda: [Masking(), LSTM(H)], SEQUENCES),
    "GRU": (lambda: [GRU(H)], SEQUENCES),
    "GRU, reset before": (lambda: [GRU(H, reset_after=False)], SEQUENCES),
    "Bidirectional concat": (lambda: [Bidirectional(LSTM(H // 2))], SEQUENCES),
    "Bidirectional sum": (lambda: [Bidirectional(GRU(H // 2), "sum")], SEQUENCES),
    "LSTM on LSTM": (lambda: [LSTM(H, return_sequences=True), LSTM(H)], SEQUENCES),
}
NO_BACKWARD = {"OneHot"}


class Pair(NamedTuple):
    """A layer, or a few, and the twin, with what they are given."""

    ours: Sequential
    twin: Any
    x: Any
    dy: Any


def make(name: str) -> Pair:
    layers, shape = LAYERS[name]
    set_random_seed(0)
    ours = Sequential(layers(), dtype=DTYPE)
    ours.build(shape)
    rng = np.random.default_rng(1)
    ours.set_weights([w + rng.normal(0, 0.05, w.shape) for w in ours.get_weights()])
    first = ours.layers[0]
    if isinstance(first, OneHot | Embedding):
        size = first.num_tokens if isinstance(first, OneHot) else first.input_dim
        x = rng.integers(0, size, shape, dtype="int32")
    else:
        x = rng.normal(size=shape).astype(DTYPE)
    if isinstance(first, Masking):
        x[np.arange(T) < rng.integers(0, T // 2, (len(x), 1))] = 0  # (B, T): padding in front
    dy = rng.normal(size=ours.forward(x).shape).astype(DTYPE)
    with keras_floats(DTYPE):
        return Pair(ours, to_keras(ours), x, dy)


def test_every_layer_is_measured():
    import scratchnet.layers

    measured = {type(layer) for layers, _ in LAYERS.values() for layer in layers()}
    every = {getattr(scratchnet.layers, name) for name in scratchnet.layers.__all__}
    assert measured == every - {Layer}


@pytest.mark.parametrize("name", LAYERS)
def test_forward(side_by_side, name):
    ours, twin, x, _ = make(name)
    tensor = tf.constant(x)

    @tf.function
    def forward(tensor):
        return twin(tensor, training=False)

    y = ours.forward(x)
    assert np.abs(y).max() > 1e-3
    assert difference(y, forward(tensor)) <= FORWARD_TOLERANCE[DTYPE]
    race(side_by_side, name, lambda: ours.forward(x), lambda: forward(tensor))


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - NO_BACKWARD))
def test_forward_and_backward(side_by_side, name):
    ours, twin, x, dy = make(name)
    tensors = tf.constant(x), tf.constant(dy)
    weights = twin.trainable_variables

    @tf.function
    def there_and_back(x, dy):
        sources = [x, *weights] if x.dtype.is_floating else weights
        with tf.GradientTape() as tape:
            tape.watch([one for one in sources if one is x])
            y = twin(x, training=True)
        found = tape.gradient(y, sources, output_gradients=dy)
        # ours is one array: the slices of an Embedding's are to be added up here too
        return y, [tf.convert_to_tensor(gradient) for gradient in found]

    def ours_there_and_back():
        y = ours.forward(x, training=True)
        return y, ours.backward(dy)

    check = check_dropped if "Dropout" in name else check_gradients
    check(ours, x, dy, ours_there_and_back(), there_and_back(*tensors))
    race(side_by_side, name, ours_there_and_back, lambda: there_and_back(*tensors))


def check_gradients(ours, x, dy, found, expected):
    (y, dx), (y_keras, gradients) = found, expected
    assert difference(y, y_keras) <= FORWARD_TOLERANCE[DTYPE]
    grads = [layer.grads[key] for layer in ours.layers for key in layer.params]
    for gradient, reference in zip([*([] if dx is None else [dx]), *grads], gradients, strict=True):
        assert np.abs(reference).max() > 1e-6
        assert difference(gradient, reference) <= GRADIENT_TOLERANCE[DTYPE]


def check_dropped(ours, x, dy, found, expected):
    """Each side draws its own mask: what is kept is scaled, in both directions, as often."""
    for y, dx in (found, (expected[0].numpy(), expected[1][0].numpy())):
        kept = y != 0
        assert kept.mean() == pytest.approx(1 - RATE, abs=0.01)
        np.testing.assert_allclose(y[kept], x[kept] / (1 - RATE), rtol=1e-5)
        np.testing.assert_allclose(dx, np.where(kept, dy / (1 - RATE), 0), rtol=1e-5)


def race(side_by_side, name, ours, theirs):
    units = MOST_UNITS if name.split()[0].rstrip(",") in SHORT else FEWEST_UNITS

    def candidate(engine, run):
        return Candidate(engine, engine, stepwise(lambda x, y: run(), [(None, None)], units))

    side_by_side(candidate("scratchnet", ours), candidate("Keras", theirs))
