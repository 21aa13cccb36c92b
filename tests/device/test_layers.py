"""Every layer with its options: on a device what it is on the host."""

import functools

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.layers import Activation, Dense, OneHot, recurrent_parts
from scratchnet.layers.activation import FORWARD
from tests.all_pairs import all_pairs
from tests.device.places import assert_all_close, assert_close
from tests.layers.cases import (
    CASES,
    Case,
    both_ways,
    every_dtype,
    every_step,
    random_array,
    randomised,
)
from tests.layers.recurrent_cases import LAYERS, mask_of_every_kind, recurrent, states_for

ALL = [
    *CASES,
    Case("embedding-one-hot", functools.partial(OneHot, 5), (2, 3)),
    Case("TimeDistributed-embedding", functools.partial(every_step, lambda: Dense(2)), (2, 3, 4)),
    *(
        Case(f"Bidirectional-{mode}", functools.partial(both_ways, layers.GRU, mode), (2, 4, 5))
        for mode in ("concat", "mul", "ave")
    ),
]
B, T, D, H = 5, 4, 3, 2


def alike(layer, case, dtype):
    """Return a layer of the same weights that has never run."""
    twin = case.make(dtype=dtype)
    twin.restore(layer.input_shape, layer.params)
    return twin


def test_there_is_a_case_for_every_layer():
    found = {type(case.make()).__name__ for case in ALL}
    assert found == set(layers.__all__) - {"Layer"}


@pytest.mark.parametrize("case", ALL, ids=str)
@every_dtype
def test_forwards_and_back(case, dtype, place):
    layer = case.layer(dtype)
    twin = alike(layer, case, dtype)
    x, dy = case.x(dtype), case.dy(dtype)
    there, dy_there = place.put(x, dy)
    with place.no_waiting() if not case.takes_ids else place.looking():
        found = [twin(there), twin.forward(there, training=True), twin.backward(dy_there)]
    assert_all_close(found, [layer(x), layer.forward(x, training=True), layer.backward(dy)])
    assert_all_close(twin.grads, layer.grads)
    assert_close(twin.compute_mask(there), layer.compute_mask(x))


@pytest.mark.parametrize("name", FORWARD)
def test_every_activation(name, place):
    """In float32 too: the stand-in's kernels are in tests.kernels.device.test_expressions."""
    for dtype in ("float64",) if place.stands_in else ("float64", "float32"):
        x = 3 * random_array(4, 7, dtype=dtype)
        x[0, :4] = [30, -30, 0, 1e-7]
        dy = random_array(4, 7, dtype=dtype, seed=1)
        here, there = Activation(name, dtype=dtype), Activation(name, dtype=dtype)
        x_there, dy_there = place.put(x, dy)
        with place.no_waiting():
            found = [there.forward(x_there, training=True), there.backward(dy_there)]
        assert_all_close(found, [here.forward(x, training=True), here.backward(dy)])


OPTIONS = all_pairs(
    {
        "name": list(LAYERS),
        "activation": [None, "softsign", "softmax"],
        "masked": [True, False],
        "initial_state": [True, False],
        "page": [True, False],
        "return_sequences": [True, False],
        "return_state": [True, False],
        "go_backwards": [True, False],
        "stateful": [True, False],
        "use_bias": [True, False],
        "zero_output_for_mask": [True, False],
        "dropout": [0.0, 0.3],
        "recurrent_dropout": [0.0, 0.4],
    },
    lambda row: bool(row.get("stateful")) and bool(row.get("initial_state")),
)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_recurrent_layers_with_every_pair_of_options(number, place, monkeypatch):
    monkeypatch.setattr(recurrent_parts, "WORTH", 0)  # a device's rows all take every step
    row = dict(OPTIONS[number])
    name, masked, given = row.pop("name"), row.pop("masked"), row.pop("initial_state")
    row = {key: value for key, value in row.items() if value is not None}
    mask = mask_of_every_kind(B, T) if masked else None
    x = random_array(B, T, D)
    dy = random_array(B, *([T] if row["return_sequences"] else []), H)

    def everything(put):
        layer = recurrent(name, H, D, seed=20, **row)
        states = put(states_for(layer, B)) if given else None
        d_state = put(states_for(layer, B, seed=80)) if row["return_state"] else None
        outputs = []
        for training in (False, True):
            y = layer.forward(put(x), training, put(mask), states)
            outputs += y if isinstance(y, tuple) else [y]
        dx = layer.backward(put(dy), d_state)
        return [*outputs, dx, *layer.grads.values(), *layer.d_initial_state]

    host = everything(lambda value: value)
    with place.no_waiting():
        device = everything(place.put)
    assert_all_close(device, host)


@pytest.mark.parametrize("name", LAYERS)
def test_a_wrapper_takes_masks_along(name, place):
    mask, x = mask_of_every_kind(B, T), random_array(B, T, D)
    found = []
    for put in (lambda value: value, place.put):
        layer = layers.Bidirectional(LAYERS[name](H, return_state=True), dtype="float64")
        randomised(layer, (None, None, D))
        y, *states = layer.forward(put(x), training=True, mask=put(mask))
        dx = layer.backward(put(random_array(B, 2 * H)))
        found.append([y, *states, dx, *layer.grads.values()])
    assert_all_close(found[1], found[0])


def test_what_is_masked_by_its_value(place):
    x = random_array(B, T, D)
    x[1, 2] = x[4, :2] = 0.5
    here, there = (layers.Masking(0.5, dtype="float64") for _ in range(2))
    assert_close(there.compute_mask(place.put(x)), here.compute_mask(x))
    assert_close(there(place.put(x)), here(x))


def test_extremes_go_through_the_gates(place):
    x = np.where(random_array(B, T, D) > 0, 1e4, -1e4)
    for name in LAYERS:
        here, there = (recurrent(name, H, D) for _ in range(2))
        assert_close(there(place.put(x)), here(x), name)
