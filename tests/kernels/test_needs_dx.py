"""Backward without dx: the recurrent layers' other gradients are the same to the last bit."""

import numpy as np
import pytest

from scratchnet.layers import Bidirectional
from tests.helpers import assert_not_negligible
from tests.kernels.dividing import divided
from tests.layers.cases import every_dtype, random_array, randomised
from tests.layers.recurrent_cases import (
    LAYERS,
    every_kernel,
    every_layer,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
)

T, D, H = 7, 3, 2

every_batch = pytest.mark.parametrize("batch", [5, 65])


def backward(layer, batch, mask, **options):
    """Return dx, the parameters' gradients, and those of the initial states."""
    dtype = layer.dtype
    x = random_array(batch, T, D, dtype=dtype)
    y, *states = layer.forward(x, training=True, mask=mask)
    d_state = tuple(random_array(*s.shape, dtype=dtype, seed=i) for i, s in enumerate(states))
    dx = layer.backward(random_array(*y.shape, dtype=dtype, seed=9), d_state, **options)
    return dx, layer.grads, layer.d_initial_state


def assert_same_without_dx(make, batch, masked):
    mask = mask_of_every_kind(batch, T) if masked else None
    with divided(3):
        dx, grads, d_initial_state = backward(make(), batch, mask)
        layer = make()
        for _ in range(2):  # and once more, in memory that is used again
            none, found, first = backward(layer, batch, mask, needs_dx=False)
            assert none is None
            assert list(found) == list(grads)
            for key, gradient in grads.items():
                assert_not_negligible(gradient)
                np.testing.assert_array_equal(found[key], gradient)
            for array, reference in zip(first, d_initial_state, strict=True):
                assert_not_negligible(reference)
                np.testing.assert_array_equal(array, reference)
        np.testing.assert_array_equal(backward(layer, batch, mask)[0], dx)
    assert_not_negligible(dx)


@every_layer
@page_and_kernel
@every_dtype
@every_batch
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(
    "options",
    [{}, {"return_sequences": True, "go_backwards": True}, {"use_bias": False}],
    ids=["last", "sequences-backwards", "no-bias"],
)
def test_of_one_layer(name, page, dtype, batch, masked, options):
    assert_same_without_dx(
        lambda: recurrent(name, H, D, page=page, dtype=dtype, return_state=True, **options),
        batch,
        masked,
    )


@every_layer
@pytest.mark.parametrize("recurrent_dropout", [0.0, 0.3])
def test_with_dropout(name, recurrent_dropout):
    """The same mask each time."""

    def make():
        layer = recurrent(
            name, H, D, return_state=True, dropout=0.3, recurrent_dropout=recurrent_dropout, seed=6
        )
        draw = layer._draw_masks

        def again(x):
            layer.set_state({"seed": 6, "draws": 0})
            return draw(x)

        layer._draw_masks = again
        return layer

    assert_same_without_dx(make, 5, masked=False)


@every_layer
@page_and_kernel
@every_batch
@pytest.mark.parametrize("merge_mode", ["concat", "mul"])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_of_both_directions(name, page, batch, merge_mode, return_sequences):
    def make():
        inner = LAYERS[name](H, page=page, return_state=True, return_sequences=return_sequences)
        layer = Bidirectional(inner, merge_mode, dtype="float64")
        return randomised(layer, (None, None, D))

    assert_same_without_dx(make, batch, masked=True)


@every_kernel
def test_of_a_gradient_that_fades(name):
    """Where nothing is left to go back with, a chunk is broken off."""
    found = []
    for needs_dx in (True, False):
        layer = recurrent(name, H, D, dtype="float32")
        layer.set_weights([w / 4 for w in layer.get_weights()])
        with divided(7):
            y = layer.forward(random_array(5, 300, D), training=True)
        dx = layer.backward(random_array(*y.shape), needs_dx=needs_dx)
        found.append([*layer.grads.values(), *layer.d_initial_state])
        assert dx is None or not dx[:, 0].any()
    for array, reference in zip(*found, strict=True):
        np.testing.assert_array_equal(array, reference)
    assert_not_negligible(found[0][0])


@every_kernel
@every_batch
def test_the_product_is_not_made(name, batch):
    layer = recurrent(name, H, D)
    layer.forward(random_array(batch, T, D), training=True)
    layer.backward(random_array(batch, H), needs_dx=False)
    assert layer._sweeps
    assert all(sweep.dx is None for sweep in layer._sweeps.values())
