"""Arrays of host and device that meet are an error of one line with the remedy."""

import re

import numpy as np
import pytest

from scratchnet import Sequential, losses, metrics, optimizers, to_device
from scratchnet.errors import InputError
from scratchnet.layers import GRU, Dense, Dropout, Embedding
from tests.layers.cases import random_array

pytestmark = pytest.mark.usefixtures("strict_cupy")

both_ways = pytest.mark.parametrize(("here", "there"), [("cpu", "gpu"), ("gpu", "cpu")])


def refuses(argument, here, there, call):
    """The call is refused with a line that names the argument, both places and the remedy."""
    with pytest.raises(InputError) as e:
        call()
    line = str(e.value)
    assert "\n" not in line
    assert re.search(rf"expected {re.escape(argument)} on the {here}, where ", line), line
    assert f"got one on the {there}. " in line
    assert f'Pass scratchnet.to_device({argument}, "{here}")' in line
    assert f'model.to("{there}")' in line


@both_ways
@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (Dense(3), random_array(2, 4)),
        (GRU(3), random_array(2, 4, 3)),
        (Embedding(5, 3), np.ones((2, 4), dtype=int)),
        (Dropout(0.5, seed=1), random_array(2, 4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_layer_and_its_input(layer, x, here, there):
    layer.to(here)
    layer.forward(to_device(x, here))
    refuses("x", here, there, lambda: layer.forward(to_device(x, there)))
    layer.forward(to_device(x, here))


@both_ways
def test_a_layer_that_was_told_but_never_used(here, there):
    refuses(
        "x", here, there, lambda: Dense(3).to(here).forward(to_device(random_array(2, 4), there))
    )


@both_ways
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_from_above(dtype, here, there):
    layer = Dense(3).to(here)
    x, dy = random_array(2, 4).astype("float32"), random_array(2, 3).astype(dtype)
    layer.forward(to_device(x, here), training=True)
    refuses("dy", here, there, lambda: layer.backward(to_device(dy, there)))
    layer.backward(to_device(dy, here))


@both_ways
def test_initial_states(here, there):
    layer, x, h = GRU(3).to(here), random_array(2, 4, 3), random_array(2, 3)
    refuses(
        *("initial_state", here, there),
        lambda: layer.forward(to_device(x, here), initial_state=(to_device(h, there),)),
    )


@both_ways
@pytest.mark.parametrize("name", ["MeanSquaredError", "CategoricalCrossentropy", "Huber"])
def test_losses_and_metrics(name, here, there):
    y_true, y_pred = np.eye(3), abs(random_array(3, 3))
    y_pred = to_device(y_pred, here)
    loss, metric = getattr(losses, name)(), metrics.MeanSquaredError()
    for call in (loss, loss.gradient, loss.value_and_gradient, metric.update):
        refuses("y_true", here, there, lambda call=call: call(to_device(y_true, there), y_pred))
        weight = to_device(np.ones(3), there)
        known = to_device(y_true, here)
        refuses("sample_weight", here, there, lambda call=call: call(known, y_pred, weight))  # noqa: B023


@both_ways
def test_sparse_labels(here, there):
    y_pred = to_device(np.full((3, 4), 0.25), here)
    labels = to_device(np.arange(3), there)
    loss, metric = losses.SparseCategoricalCrossentropy(), metrics.SparseCategoricalAccuracy()
    for call in (loss, loss.value_and_gradient, metric.update):
        refuses("y_true", here, there, lambda call=call: call(labels, y_pred))
    loss([0, 1, 2], y_pred)  # a list is nowhere, and goes where it is wanted


@both_ways
def test_gradients_and_weights(here, there):
    weights = [to_device(random_array(3), here), to_device(random_array(2), here)]
    gradients = [to_device(random_array(3), here), to_device(random_array(2), there)]
    before = [to_device(w, "cpu").copy() for w in weights]
    optimizer = optimizers.Adam()
    refuses("gradients[1]", here, there, lambda: optimizer.apply(gradients, weights))
    assert optimizer.iterations == 0
    for weight, start in zip(weights, before, strict=True):
        np.testing.assert_array_equal(to_device(weight, "cpu"), start)


@both_ways
@pytest.mark.parametrize("wrong", ["x", "y", "sample_weight", "validation"])
def test_whole_data_sets(wrong, here, there):
    model = Sequential([Dense(2)]).to(here)
    model.compile("sgd", "mse")
    data = {"x": random_array(4, 3), "y": random_array(4, 2), "sample_weight": np.ones(4)}
    placed = {name: to_device(a, there if name == wrong else here) for name, a in data.items()}
    if wrong == "validation":
        there_too = tuple(to_device(data[name], there) for name in ("x", "y"))
        options = {"validation_data": there_too}
        refuses("x", here, there, lambda: model.fit(**placed, verbose=False, **options))
        return
    for call in (model.fit, model.evaluate):
        if wrong == "x":  # is what the others are held against
            with pytest.raises(InputError, match=f"expected y on the {there}, where x is"):
                call(**placed)
        else:
            refuses(wrong, here, there, lambda call=call: call(**placed))
    if wrong == "x":
        refuses("x", here, there, lambda: model.predict(placed["x"]))
    else:
        found = "y_true" if wrong == "y" else wrong
        refuses(found, here, there, lambda: model.train_on_batch(**placed))


@both_ways
def test_weights_are_set_from_either_side(here, there):
    layer = Dense(2, dtype="float64").to(here)
    layer.build((None, 3))
    weights = [random_array(3, 2), random_array(2)]
    layer.set_weights([to_device(array, there) for array in weights])
    for array, expected in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(to_device(array, "cpu"), expected)
