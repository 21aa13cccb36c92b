"""Flatten."""

import numpy as np
import pytest

from scratchnet.layers import Flatten
from tests.layers.cases import random_array


@pytest.mark.parametrize(
    ("shape", "flat"),
    [
        ((4,), (4, 1)),
        ((4, 5), (4, 5)),
        ((4, 1), (4, 1)),
        ((2, 3, 4), (2, 12)),
        ((0, 3, 4), (0, 12)),
    ],
)
def test_keeps_the_batch_and_the_order(shape, flat):
    x, dy = random_array(*shape), random_array(*flat)
    layer = Flatten(dtype="float64")
    y = layer.forward(x, training=True)
    assert y.shape == flat
    np.testing.assert_array_equal(y.ravel(), x.ravel())
    dx = layer.backward(dy)
    assert dx.shape == shape
    np.testing.assert_array_equal(dx.ravel(), dy.ravel())


def test_memory_order_does_not_matter():
    x = random_array(2, 3, 4)
    np.testing.assert_array_equal(Flatten(dtype="float64")(np.asfortranarray(x)), x.reshape(2, 12))


def test_drops_the_mask():
    assert Flatten().compute_mask(np.ones((1, 2, 3)), np.array([[True, False]])) is None
