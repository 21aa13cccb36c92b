"""Three ways of clipping: what they leave alone, what they shrink, and what is not finite."""

import keras
import numpy as np
import pytest

from keras_impl.parity.oracle import keras_floats
from scratchnet.optimizers.clipping import by_global_norm, by_norm, by_value
from tests.helpers import assert_agrees

GRADIENTS = [np.array([3.0, -4.0]), np.array([[12.0]])]


def listed(arrays):
    return [a.tolist() for a in arrays]


def test_value():
    assert listed(by_value(GRADIENTS, 3.5)) == [[3.0, -3.5], [[3.5]]]


def test_each_norm():
    first, second = by_norm(GRADIENTS, 2.5)
    np.testing.assert_allclose(first, [1.5, -2.0], rtol=1e-15)
    np.testing.assert_allclose(second, [[2.5]], rtol=1e-15)


def test_global_norm():
    first, second = by_global_norm(GRADIENTS, 6.5)  # half of √(9 + 16 + 144)
    np.testing.assert_allclose(first, [1.5, -2.0], rtol=1e-15)
    np.testing.assert_allclose(second, [[6.0]], rtol=1e-15)


@pytest.mark.parametrize("clip", [by_value, by_norm, by_global_norm])
def test_small_gradients_come_back_as_they_are(clip):
    clipped = clip(GRADIENTS, 13.0)
    assert listed(clipped) == listed(GRADIENTS)
    assert not any(np.shares_memory(c, g) for c, g in zip(clipped, GRADIENTS, strict=True))


@pytest.mark.parametrize("clip", [by_value, by_norm, by_global_norm])
def test_zeros_stay_zeros(clip):
    assert listed(clip([np.zeros(3), np.zeros((1, 2))], 0.5)) == [[0.0] * 3, [[0.0, 0.0]]]


@pytest.mark.parametrize("clip", [by_value, by_norm, by_global_norm])
def test_float32_stays_float32(clip):
    assert [c.dtype for c in clip([np.ones((2, 3), "float32")], 0.5)] == ["float32"]


@pytest.mark.parametrize(
    ("argument", "clip"),
    [("clipvalue", by_value), ("clipnorm", by_norm), ("global_clipnorm", by_global_norm)],
)
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_finite_comes_out_as_in_keras(argument, clip, bad):
    gradients = [np.array([3.0, bad, -1.0]), np.array([0.5, -2.0])]
    with keras_floats("float64"):
        optimizer = keras.optimizers.SGD(1.0, **{argument: 0.25})
        variables = [keras.Variable(np.zeros_like(g)) for g in gradients]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        reference = [-np.array(v.numpy()) for v in variables]
    for ours, theirs in zip(clip(gradients, 0.25), reference, strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_global_norm_of_many_arrays():
    rng = np.random.default_rng(4)
    gradients = [rng.standard_normal(n) for n in ((3, 5), (7,), (1,), (2, 3, 4))]
    flat = np.concatenate([g.ravel() for g in gradients])
    clipped = by_global_norm(gradients, 0.75)
    assert_agrees(
        np.concatenate([c.ravel() for c in clipped]), flat * 0.75 / np.linalg.norm(flat), 1e-14
    )
