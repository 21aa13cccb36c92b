"""Layers where their input is: nothing crosses between host and device unasked."""

import numpy as np
import pytest

from scratchnet.backend import to_host
from scratchnet.errors import InputError
from scratchnet.layers import Dense, Dropout, Embedding
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.layers.cases import every_case, every_dtype, random_array
from tests.strict_array import StrictArray, to_strict


def assert_same(actual, reference):
    if reference is None:
        assert actual is None
        return
    assert type(actual) is StrictArray
    assert actual.dtype == reference.dtype
    assert_agrees(to_host(actual), reference, DEVICE_TOLERANCE[reference.dtype.name])


def strict_twin(case, layer):
    twin = case.make(dtype=layer.dtype)
    twin.restore(layer.input_shape, layer.params)
    return twin


@every_case
@every_dtype
def test_forward_and_backward_stay_where_the_input_is(case, dtype):
    layer = case.layer(dtype)
    twin = strict_twin(case, layer)
    x, dy = case.x(dtype), case.dy(dtype)
    assert_same(twin(to_strict(x)), layer(x))
    assert_same(twin.forward(to_strict(x), training=True), layer.forward(x, training=True))
    assert_same(twin.backward(to_strict(dy)), layer.backward(dy))
    assert list(twin.grads) == list(layer.grads)
    for key, reference in layer.grads.items():
        assert_same(twin.grads[key], reference)
        assert type(twin.params[key]) is StrictArray
    assert_same(twin.compute_mask(to_strict(x)), layer.compute_mask(x))


@every_case
def test_first_use_builds_on_the_device(case):
    layer = case.make(dtype="float64")
    layer.forward(to_strict(case.x()), training=True)
    layer.backward(to_strict(case.dy()))
    assert all(type(array) is StrictArray for array in layer.params.values())
    assert [array.shape for array in layer.get_weights()] == [
        array.shape for array in case.layer().get_weights()
    ]


def test_casting_happens_on_the_device():
    layer = Dense(2)
    y = layer(to_strict(random_array(3, 4)))
    assert type(y) is StrictArray
    assert y.dtype == "float32"


def test_weights_can_be_set_from_either_side():
    layer = Dense(2, dtype="float64")
    layer(to_strict(random_array(3, 4)))
    kept = dict(layer.params)
    host = [random_array(4, 2), random_array(2)]
    for weights in (host, [to_strict(array) for array in host]):
        layer.set_weights([array * 0 for array in weights])
        layer.set_weights(weights)
        for key, reference in zip(kept, host, strict=True):
            assert layer.params[key] is kept[key]
            assert_same(layer.params[key], reference)


def test_get_weights_copies():
    layer = Dense(2)
    layer(to_strict(random_array(3, 4)))
    before = to_host(layer.params["kernel"])
    layer.get_weights()[0].fill(0)
    assert_same(layer.params["kernel"], before)


@pytest.mark.parametrize("first", ["host", "device"])
def test_inputs_from_both_sides_are_an_error(first):
    layer = Dense(2, dtype="float64")
    host, device = random_array(3, 4), to_strict(random_array(3, 4))
    here, there = (host, device) if first == "host" else (device, host)
    layer.forward(here, training=True)
    remedy = 'scratchnet.to_device\\(x, "{}"\\)'.format("cpu" if first == "host" else "gpu")
    with pytest.raises(InputError, match=remedy):
        layer(there)


def test_dropout_is_drawn_on_the_device():
    layer = Dropout(0.5, seed=1, dtype="float64")
    layer.forward(to_strict(np.ones((4, 5))), training=True)
    assert type(layer.dropout_mask) is StrictArray
    host = Dropout(0.5, seed=1, dtype="float64")
    host.forward(np.ones((4, 5)), training=True)
    assert_same(layer.dropout_mask, host.dropout_mask)


def test_wrong_ids_are_found_on_the_device():
    with pytest.raises(ValueError, match=r"expected token ids x from 0 to 4, got 7"):
        Embedding(5, 3)(to_strict(np.array([[1, 7]])))
    with pytest.raises(ValueError, match=r"whole numbers"):
        Embedding(5, 3)(to_strict(np.array([[1, 2.5]])))
