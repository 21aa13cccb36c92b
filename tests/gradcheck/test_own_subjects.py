"""Our layers, losses and models as subjects: outputs, gradients, names, and no traces."""

from __future__ import annotations

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.gradcheck import catalogue, numeric
from scratchnet.gradcheck.oracles import keras_of, tolerance_of
from scratchnet.gradcheck.subject import random_upstream
from scratchnet.gradcheck.subjects.own_layer import LayerSubject
from scratchnet.gradcheck.subjects.own_model import ModelSubject
from scratchnet.layers import LSTM, Bidirectional, Dense, Dropout, Layer
from tests.helpers import assert_agrees

pytestmark = pytest.mark.slow

CASES = list(catalogue.everything())
TOLERANCE = {"float64": 1e-7, "float32": 1e-4}


def names_and_labels(cases):
    return [f"{case.name}-{case.label}" for case in cases]


@pytest.mark.parametrize("case", CASES[::7], ids=names_and_labels(CASES[::7]))
def test_gradients_are_those_of_differences_and_of_keras(case):
    subject = case.make()
    arrays, rng = subject.arrays, np.random.default_rng(1)
    upstream = random_upstream(subject.run(arrays), rng)
    pulled = subject.pull(arrays, upstream)
    assert not pulled.changed
    coordinates, _ = numeric.choose(arrays, subject.wrt, 10**6, rng)
    columns = numeric.columns(subject.run, arrays, coordinates, subject.precision)
    assert columns.judged.all()
    flat = numeric.flatten({name: pulled.gradients[name] for name in subject.wrt})
    assert_agrees(flat, numeric.flatten(upstream) @ columns.values, TOLERANCE[subject.dtype])
    keras = keras_of(subject, arrays, upstream)
    if keras is None:
        assert "heaviside" in case.name
        return
    assert list(keras) == list(subject.wrt)
    for name, gradient in keras.items():
        assert_agrees(pulled.gradients[name], gradient, tolerance_of(subject), name)


def test_the_catalogue_has_every_layer_activation_and_loss():
    from scratchnet import layers, losses
    from scratchnet.layers.activation import FORWARD

    names = {case.name for case in CASES}
    without_gradient = {"Layer", "OneHot"}  # an id has none, and OneHot no parameters
    assert set(layers.__all__) - without_gradient - {"Activation"} <= names
    assert {f"Activation {name}" for name in FORWARD} <= names
    assert set(losses.__all__) - {"Loss", "get"} <= names
    keys = [(case.name, case.label) for case in CASES]
    assert len(set(keys)) == len(keys)


def test_pairs_are_all_there():
    factors = {"a": (1, 2), "b": "xyz", "c": (True, False)}
    rows = catalogue.pairwise(factors)
    assert len(rows) < 12
    assert {(row["a"], row["b"]) for row in rows} == {(a, b) for a in (1, 2) for b in "xyz"}
    assert {(row["b"], row["c"]) for row in rows} == {(b, c) for b in "xyz" for c in (True, False)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_trace_is_left(dtype):
    layer = LSTM(3, return_state=True, dropout=0.4, stateful=True, dtype=dtype)
    subject = LayerSubject(layer, (4, 5, 2))
    assert not layer.built
    assert subject.wrt == ("x", "h0", "c0", "kernel", "recurrent_kernel", "bias")
    arrays = {name: array.copy() for name, array in subject.arrays.items()}
    upstream = random_upstream(subject.run(arrays), np.random.default_rng(0))
    assert list(upstream) == ["y", "h", "c"]
    kept = {name: array.copy() for name, array in upstream.items()}
    first = subject.pull(arrays, upstream)
    once, twice = subject.pull(arrays, upstream), subject.pull(arrays, upstream, times=2)
    for name in subject.wrt:
        assert first.gradients[name].dtype == dtype
        np.testing.assert_array_equal(first.gradients[name], once.gradients[name])
        np.testing.assert_array_equal(first.gradients[name], twice.gradients[name])
    for name, array in subject.arrays.items():
        np.testing.assert_array_equal(array, arrays[name])
    for name, array in upstream.items():
        np.testing.assert_array_equal(array, kept[name])
    smaller = subject.sliced(arrays, B=1, T=2)
    assert subject.run(smaller)["y"].shape == (1, 3)


def test_a_layer_that_has_run_can_be_checked():
    layer = Bidirectional(LSTM(3, dtype="float64"))
    layer.forward(np.ones((2, 3, 4)), training=True)
    subject = LayerSubject(layer, (2, 5, 4))
    assert subject.run(subject.arrays)["y"].shape == (2, 6)


class Swish(Layer):
    """Somebody's own layer, with a mistake that only the second feature shows."""

    def _build(self, input_shape):
        self.add_weight("slope", (input_shape[-1],), "ones")

    def _forward(self, x, training, mask):
        s = 1 / (1 + np.exp(-self.params["slope"] * x))
        return x * s, (x, s)

    def _backward(self, dy, cache):
        x, s = cache
        self.grads["slope"] = (dy * x * x * s * (1 - s)).sum(axis=0)
        dx = dy * (s + self.params["slope"] * x * s * (1 - s))
        dx[:, 1] *= 1.01
        return dx


class RoundedSwish(Swish):
    """The same, computed in float32 whatever its dtype."""

    def _forward(self, x, training, mask):
        y, cache = super()._forward(x.astype("float32"), training, mask)
        return y.astype("float32").astype(x.dtype), cache


@pytest.mark.parametrize(
    ("layer", "precision"),
    [
        (Swish(dtype="float64"), "float64"),
        (Swish(), "float64"),
        (RoundedSwish(), "float32"),
    ],
)
def test_a_users_own_layer(layer, precision):
    subject = LayerSubject(layer, (3, 4))
    assert subject.precision == precision
    assert not subject.like
    assert subject.wrt == ("x", "slope")
    upstream = random_upstream(subject.run(subject.arrays), np.random.default_rng(0))
    gradients = subject.pull(subject.arrays, upstream).gradients
    coordinates, _ = numeric.choose(subject.arrays, ["x"], 100, np.random.default_rng(0))
    columns = numeric.columns(subject.run, subject.arrays, coordinates, precision)
    found = (numeric.flatten(upstream) @ columns.values).reshape(3, 4)
    off = abs(gradients["x"] / found - 1)
    assert (abs(off[:, 1] - 0.01) < 1e-3).all()
    assert (np.delete(off, 1, axis=1) < 1e-3).all()
    assert keras_of(subject, subject.arrays, upstream) is None


def test_a_model_needs_a_loss_and_keeps_its_weights():
    model = Sequential([Dense(3, "tanh"), Dropout(0.4), Dense(1)])
    model.build((None, 2))
    before = model.get_weights()
    with pytest.raises(ValueError, match="expected a compiled model, or a loss"):
        ModelSubject(model, (4, 2))
    subject = ModelSubject(model, (4, 2), loss="mse")
    assert subject.wrt == ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    values = [subject.run(subject.arrays)["loss"] for _ in range(3)]
    assert values[0] == values[1] == values[2]
    for array, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
