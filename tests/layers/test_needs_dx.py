"""Backward without dx: the same ``grads``, None in its place, and the product not made."""

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.errors import BackwardError
from scratchnet.layers import Activation, Dense, Dropout, Flatten, TimeDistributed
from tests.helpers import assert_agrees, assert_not_negligible
from tests.layers.cases import CASES, random_array


@pytest.mark.parametrize("case", CASES, ids=str)
def test_grads_are_the_same(case):
    first, second = case.layer(), case.layer()
    for layer in (first, second):
        layer.forward(case.x(), training=True)
    first.backward(case.dy())
    assert second.backward(case.dy(), needs_dx=False) is None
    assert list(second.grads) == list(first.grads)
    for key, gradient in first.grads.items():
        assert_not_negligible(gradient)
        assert_agrees(second.grads[key], gradient, 1e-14, key)
    with pytest.raises(BackwardError, match="no training forward"):
        second.backward(case.dy(), needs_dx=False)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3)], ids=str)
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense_from_logits(shape, use_bias):
    layer = Dense(4, activation="tanh", use_bias=use_bias, dtype="float64")
    x, da = random_array(*shape, seed=7), random_array(*shape[:-1], 4, seed=8)
    layer.forward_to_logits(x)
    layer.backward_from_logits(da)
    expected = dict(layer.grads)
    np.testing.assert_array_equal(layer.forward_to_logits(x), layer.forward_with_logits(x)[0])
    assert layer.backward_from_logits(da, needs_dx=False) is None
    assert list(layer.grads) == list(expected)
    for key, gradient in expected.items():
        np.testing.assert_array_equal(layer.grads[key], gradient)


class Watched:
    """Counts how often ``_backward`` and the product for dx of a Dense layer are asked for."""

    def __init__(self, monkeypatch, layer):
        self.calls = 0
        for name in ("_backward", "_pre_activation_backward"):
            monkeypatch.setattr(layer, name, self.counted(getattr(layer, name)))

    def counted(self, function):
        def call(*arguments):
            self.calls += 1
            return function(*arguments)

        return call


@pytest.mark.parametrize("wrapped", [False, True])
def test_dense_makes_no_dx(monkeypatch, wrapped):
    inner = Dense(4, activation="tanh")
    layer = TimeDistributed(inner) if wrapped else inner
    x = random_array(5, 2, 3, seed=1)
    watched = Watched(monkeypatch, inner)
    y = layer.forward(x, training=True)
    layer.backward(random_array(*y.shape, seed=2), needs_dx=False)
    assert watched.calls == 0
    layer.forward(x, training=True)
    layer.backward(random_array(*y.shape, seed=2))
    assert watched.calls > 0


class TestTraining:
    @pytest.fixture
    def model(self):
        made = Sequential(
            [Flatten(), Dropout(0.3, seed=1), Dense(4, activation="tanh"), Dense(2)],
            dtype="float64",
        )
        made.build((None, 3, 2))
        made.compile("sgd", "mse")
        return made

    def test_ends_at_the_lowest_parameters(self, monkeypatch, model):
        watched = [Watched(monkeypatch, model.layers[i]) for i in (2, 3)]
        for layer in model.layers[:2]:
            monkeypatch.setattr(layer, "backward", lambda *_, **__: pytest.fail("went too far"))
        x, y = random_array(5, 3, 2, seed=1), random_array(5, 2, seed=2)
        model.train_on_batch(x, y)
        model.gradients(x, y)
        assert watched[0].calls == 0
        assert watched[1].calls == 4  # both methods, in both steps

    def test_has_the_gradients_of_the_whole_way_back(self, model):
        x, y = random_array(5, 3, 2, seed=1), random_array(5, 2, seed=2)
        _, gradients = model.gradients(x, y)
        model.layers[1].set_state({"seed": 1, "draws": 0})  # the same mask again
        y_pred = model.forward(x, training=True)
        dx = model.backward(model.loss.gradient(y, y_pred))
        assert dx.shape == x.shape
        for layer, found in zip(model.layers, gradients, strict=True):
            assert list(found) == list(layer.grads)
            for key, gradient in layer.grads.items():
                assert_not_negligible(gradient)
                np.testing.assert_array_equal(found[key], gradient)

    @pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
    def test_of_one_layer(self, activation):
        model = Sequential([Dense(1, activation=activation)], dtype="float64")
        model.compile("sgd", "binary_crossentropy" if activation == "sigmoid" else "mse")
        x, y = random_array(5, 3, seed=1), np.array([0.0, 1, 1, 0, 1])
        _, (found,) = model.gradients(x, y)
        y_pred = model.forward(x, training=True)
        if activation == "sigmoid":
            dx = model.backward((y_pred - y[:, None]) / 5, from_logits=True)
        else:
            dx = model.backward(model.loss.gradient(y, y_pred))
        assert dx.shape == x.shape
        for key, gradient in model.layers[0].grads.items():
            np.testing.assert_allclose(found[key], gradient, rtol=1e-13)

    def test_of_layers_without_parameters(self):
        model = Sequential([Activation("tanh"), Flatten()], dtype="float64")
        model.compile("sgd", "mse")
        x = random_array(4, 3, seed=1)
        value = model.train_on_batch(x, x)
        assert value == pytest.approx(float(((np.tanh(x) - x) ** 2).mean()))
