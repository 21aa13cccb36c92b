"""A whole training step where the data is: nothing crosses between host and device unasked.

`tests.strict_array` refuses to meet NumPy; what a step computes on it must be what NumPy gives, but
for the last digits.
"""

import functools

import numpy as np
import pytest

from scratchnet import Sequential, losses, optimizers
from scratchnet.backend import to_host
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.layers.cases import random_array
from tests.strict_array import StrictArray, to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = [needs_compiler, pytest.mark.usefixtures("strict_cupy")]

B, D, V, CLASSES = 6, 5, 11, 3


approx = functools.partial(pytest.approx, rel=DEVICE_TOLERANCE["float64"])


def mlp(last="linear"):
    return [
        Dense(7, "gelu"),
        Dropout(0.3, seed=1),
        Dense(4, "softplus"),
        Activation("tanh"),
        Dense(CLASSES, last),
    ]


def words(last="softmax"):
    return [Embedding(V, 4), Flatten(), Dropout(0.2, seed=2), Dense(CLASSES, last)]


def twins(layers, x, loss, optimizer=lambda: "sgd"):
    """Two models of the same weights, one for NumPy and one for the device."""
    models = []
    for _ in range(2):
        model = Sequential(layers(), dtype="float64")
        model.build(x.shape)
        model.set_weights([random_array(*w.shape, seed=w.size) for w in model.get_weights()])
        model.compile(optimizer(), loss)
        models.append(model)
    return models


def assert_same(actual, reference):
    assert type(actual) is StrictArray
    assert actual.dtype == reference.dtype
    assert_agrees(to_host(actual), reference, DEVICE_TOLERANCE[reference.dtype.name])


def assert_same_weights(device, host):
    for actual, reference in zip(device.get_weights(), host.get_weights(), strict=True):
        assert_same(actual, reference)


DATA = {
    "SparseCategoricalCrossentropy": ("softmax", np.arange(B) % CLASSES),
    "CategoricalCrossentropy": ("softmax", np.eye(CLASSES)[np.arange(B) % CLASSES]),
    "BinaryCrossentropy": ("sigmoid", np.arange(B * CLASSES).reshape(B, CLASSES) % 2.0),
}
ANY = ("softplus", abs(random_array(B, CLASSES, seed=9)))
LOSSES = sorted(set(losses.__all__) - {"Loss", "get"})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_every_loss(name, weighted):
    last, y = DATA.get(name, ANY)
    x, weight = random_array(B, D), np.linspace(0.5, 2, B) if weighted else None
    host, device = twins(lambda: mlp(last), x, getattr(losses, name)())
    loss, gradients = host.gradients(x, y, weight)
    strict_weight = None if weight is None else to_strict(weight)
    strict_loss, strict_gradients = device.gradients(to_strict(x), to_strict(y), strict_weight)
    assert type(strict_loss) is float
    assert strict_loss == approx(loss)
    for ours, reference in zip(strict_gradients, gradients, strict=True):
        assert ours.keys() == reference.keys()
        for key in reference:
            assert_same(ours[key], reference[key])


OPTIMIZERS = {
    "SGD": {"momentum": 0.9, "nesterov": True, "global_clipnorm": 0.1},
    "RMSprop": {"centered": True, "momentum": 0.5, "clipnorm": 0.1},
    "Adam": {"amsgrad": True, "clipvalue": 0.1, "weight_decay": 0.01},
}


@pytest.mark.parametrize(
    "name", sorted(set(optimizers.__all__) - {"Optimizer", "get", "schedules"})
)
def test_steps_of_every_optimizer(name):
    x, y = random_array(B, D), DATA["CategoricalCrossentropy"][1]

    def optimizer():
        return getattr(optimizers, name)(learning_rate=0.1, **OPTIMIZERS.get(name, {}))

    host, device = twins(lambda: mlp("softmax"), x, "categorical_crossentropy", optimizer)
    before = host.get_weights()
    for _ in range(3):
        loss = host.train_on_batch(x, y)
        assert device.train_on_batch(to_strict(x), to_strict(y)) == approx(loss)
    assert_same_weights(device, host)
    for array, start in zip(host.get_weights(), before, strict=True):
        assert abs(array - start).max() > 1e-4


def test_token_ids():
    x = np.random.default_rng(0).integers(V, size=(B, D))
    y = np.arange(B) % CLASSES
    host, device = twins(words, x, "sparse_categorical_crossentropy")
    for _ in range(2):
        loss = host.train_on_batch(x, y)
        assert device.train_on_batch(to_strict(x), to_strict(y)) == approx(loss)
    assert_same_weights(device, host)


def test_masked_losses():
    def masked():
        return [Embedding(V, 4, mask_zero=True), Dense(V, "softmax")]

    rng = np.random.default_rng(0)
    x, y = rng.integers(3, size=(B, D)), rng.integers(V, size=(B, D))
    host, device = twins(masked, x, "sparse_categorical_crossentropy")
    assert device.train_on_batch(to_strict(x), to_strict(y)) == approx(host.train_on_batch(x, y))
    assert_same_weights(device, host)


@pytest.mark.parametrize("metric", ["accuracy", "mse"])
def test_fit_evaluate_and_predict(metric):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, D)), np.arange(20) % CLASSES
    x_new, y_new = rng.standard_normal((7, D)), np.arange(7) % CLASSES
    if metric == "mse":
        y, y_new = np.eye(CLASSES)[y], np.eye(CLASSES)[y_new]
    loss = "mse" if metric == "mse" else "sparse_categorical_crossentropy"
    host, device = twins(lambda: mlp("softmax"), x, loss, lambda: "rmsprop")
    results = []
    for model, place in ((host, np.asarray), (device, to_strict)):
        model.compile("rmsprop", loss, metrics=[metric])
        history = model.fit(
            place(x),
            place(y),
            batch_size=8,
            epochs=2,
            seed=3,
            verbose=False,
            sample_weight=place(np.linspace(0.5, 2, 20)),
            validation_data=(place(x_new), place(y_new)),
        )
        evaluated = model.evaluate(place(x_new), place(y_new))
        results.append({**history.history, "evaluated": evaluated})
    for name, values in results[0].items():
        assert results[1][name] == approx(values)
    assert_same_weights(device, host)
    assert_same(device.predict(to_strict(x_new)), host.predict(x_new))


def test_class_weights_and_validation_split():
    x, y = random_array(20, D), np.arange(20) % CLASSES
    host, device = twins(lambda: mlp("softmax"), x, "sparse_categorical_crossentropy")
    options = {"verbose": False, "seed": 1, "class_weight": {0: 2.0}, "validation_split": 0.2}
    host.fit(x, y, **options)
    device.fit(to_strict(x), to_strict(y), **options)
    assert_same_weights(device, host)
