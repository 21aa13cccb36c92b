"""The dense layer's equation against Keras, the tape and central differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_impl.parity.oracle import keras_floats
from scratchnet.equations.dense import dense, dense_backward
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)

NAMES = ("dx", "dW", "db")
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
every_shape = pytest.mark.parametrize(
    ("B", "D", "H"), [(5, 3, 7), (1, 3, 2), (4, 1, 3), (4, 3, 1), (1, 1, 1), (64, 31, 17)]
)


def arrays(B: int, D: int, H: int, dtype: str = "float64") -> tuple[np.ndarray, ...]:
    """``x, W, b`` and an upstream gradient ``da``."""
    generator = np.random.default_rng([B, D, H])
    shapes = [(B, D), (D, H), (H,), (B, H)]
    return tuple(generator.standard_normal(shape).astype(dtype) for shape in shapes)


def keras_results(x, W, b, da) -> tuple[np.ndarray, list[np.ndarray]]:
    """Keras's Dense and the tape's gradients, in the order of `NAMES`."""
    with keras_floats(str(x.dtype)), tf.GradientTape() as tape:
        layer = keras.layers.Dense(W.shape[1])
        layer.build(x.shape)
        layer.set_weights([W, b])
        variable = tf.constant(x)
        tape.watch(variable)
        a = layer(variable)
    targets = [variable, layer.kernel.value, layer.bias.value]
    gradients = tape.gradient(a, targets, output_gradients=tf.constant(da))
    return a.numpy(), [gradient.numpy() for gradient in gradients]


@every_dtype
@every_shape
def test_against_keras(B, D, H, dtype):
    x, W, b, da = arrays(B, D, H, dtype)
    keras_a, keras_gradients = keras_results(x, W, b, da)
    a = dense(x, W, b)
    assert a.dtype == dtype
    assert_not_negligible(keras_a)
    assert_agrees(a, keras_a, FORWARD_TOLERANCE[dtype], "a")
    for name, actual, reference in zip(
        NAMES, dense_backward(da, x, W), keras_gradients, strict=True
    ):
        assert actual.dtype == dtype
        assert_not_negligible(reference)
        assert_agrees(actual, reference, GRADIENT_TOLERANCE[dtype], name)


@settings(max_examples=25)
@given(
    shape=st.tuples(*[st.integers(1, 13)] * 3),
    scale=st.sampled_from([1e-7, 1.0, 1e4]),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_any_shape_any_scale(shape, scale, dtype):
    x, W, b, da = arrays(*shape, dtype)
    x, b = (scale * array for array in (x, b))
    keras_a, keras_gradients = keras_results(x, W, b, da)
    # A sum may cancel, so what was added is the scale and not what is left.
    terms = np.abs(x) @ np.abs(W) + np.abs(b)
    assert np.abs(dense(x, W, b) - keras_a).max() <= FORWARD_TOLERANCE[dtype] * terms.max()
    terms = np.abs(da) @ np.abs(W.T), np.abs(x.T) @ np.abs(da), np.abs(da).sum(axis=0)
    for actual, reference, sums in zip(
        dense_backward(da, x, W), keras_gradients, terms, strict=True
    ):
        assert np.abs(actual - reference).max() <= GRADIENT_TOLERANCE[dtype] * sums.max()


def test_against_central_differences():
    x, W, b, da = arrays(5, 3, 7)

    def loss(_: np.ndarray) -> float:
        return float((da * dense(x, W, b)).sum())

    for name, array, actual in zip(NAMES, (x, W, b), dense_backward(da, x, W), strict=True):
        numeric = central_differences(loss, array)
        assert_not_negligible(numeric)
        assert_agrees(actual, numeric, DIFFERENCES_TOLERANCE, name)


@every_dtype
def test_without_a_bias(dtype):
    x, W, b, _ = arrays(5, 3, 7, dtype)
    np.testing.assert_array_equal(dense(x, W, None), dense(x, W, np.zeros_like(b)))
    assert_agrees(dense(x, W, None) + b, dense(x, W, b), FORWARD_TOLERANCE[dtype])


def test_changes_none_of_its_inputs():
    inputs = arrays(5, 3, 7)
    kept = [array.copy() for array in inputs]
    x, W, b, da = inputs
    dense(x, W, b)
    dense_backward(da, x, W)
    for array, copy in zip(inputs, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


@every_dtype
@pytest.mark.parametrize("magnitude", [1e4, 1e-7, 0.0])
def test_extreme_inputs_stay_finite(magnitude, dtype):
    x, W, b, da = (np.full_like(array, magnitude) for array in arrays(4, 3, 2, dtype))
    x[0] *= -1
    for array in (dense(x, W, b), *dense_backward(da, x, W)):
        assert np.isfinite(array).all()
