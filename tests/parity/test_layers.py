"""Every layer against Keras and TensorFlow's tape, in both dtypes."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_impl.parity.oracle import ask_layer, keras_floats
from scratchnet.equations import activations
from scratchnet.layers import Activation, Dense, Dropout, Embedding, Flatten
from scratchnet.layers.activation import FORWARD
from tests.helpers import (
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.layers.cases import every_case, every_dtype, random_array, randomised

ROUNDED = {
    "gelu": "1/sqrt(2), and 0.044715 and sqrt(2/pi) where approximate",
    "leaky_relu": "negative_slope",
}
"""Constants that TensorFlow rounds to float32 even in float64; 1e-7 is agreement then."""

COMPARED = sorted(FORWARD.keys() - {"heaviside"})  # the perceptron's, which Keras lacks


def check(layer, x, dy, *, training=True, loosest=0.0):
    """Compare output, ``dx`` and ``grads`` of a layer whose parameters are random."""
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    answer = ask_layer(layer, x, dy, training=training)
    forward = max(FORWARD_TOLERANCE[layer.dtype], loosest)
    gradient = max(GRADIENT_TOLERANCE[layer.dtype], loosest)
    if y.size:
        assert_not_negligible(answer.y)
    assert y.dtype == answer.y.dtype == layer.dtype
    assert_agrees(y, answer.y, forward, "y")
    (grads,) = answer.grads
    assert list(layer.grads) == list(grads)
    for key, reference in grads.items():
        if y.size:
            assert_not_negligible(reference)
        assert layer.grads[key].dtype == reference.dtype
        assert_agrees(layer.grads[key], reference, gradient, f"d{key}")
    if isinstance(layer, Embedding):
        assert dx is answer.dx is None
    else:
        if y.size:
            assert_not_negligible(answer.dx)
        assert dx.dtype == answer.dx.dtype
        assert_agrees(dx, answer.dx, gradient, "dx")


@every_case
@every_dtype
def test_every_case(case, dtype):
    loosest = 1e-7 if "gelu" in case.name else 0  # ROUNDED
    check(case.layer(dtype), case.x(dtype), case.dy(dtype), loosest=loosest)


@pytest.mark.parametrize("name", COMPARED)
@every_dtype
def test_dense_with_every_activation(name, dtype):
    layer = randomised(Dense(4, name, dtype=dtype), (3, 5))
    loosest = 1e-7 if name in ROUNDED else 0
    check(layer, random_array(3, 5, dtype=dtype), random_array(3, 4, seed=1), loosest=loosest)


@pytest.mark.parametrize("name", COMPARED)
@every_dtype
def test_every_activation_on_three_axes(name, dtype):
    layer = Activation(name, dtype=dtype)
    x, dy = random_array(2, 3, 5, dtype=dtype), random_array(2, 3, 5, seed=1)
    check(layer, x, dy, loosest=1e-7 if name in ROUNDED else 0)


@pytest.mark.parametrize(
    ("name", "settings", "loosest"),
    [
        ("gelu", {"approximate": True}, 1e-7),
        ("leaky_relu", {"negative_slope": 0.3}, 1e-7),
        ("leaky_relu", {"negative_slope": 0.25}, 0),
        ("elu", {"alpha": 0.3}, 0),
        ("celu", {"alpha": 1.7}, 0),
        ("hard_shrink", {"threshold": 0.2}, 0),
        ("soft_shrink", {"threshold": 0.2}, 0),
        ("squareplus", {"b": 1.5}, 0),
    ],
)
@every_dtype
def test_activations_with_settings(name, settings, loosest, dtype):
    activation = functools.partial(getattr(activations, name), **settings)
    layer = randomised(Dense(4, activation, dtype=dtype), (3, 5))
    x, dy = random_array(3, 5, dtype=dtype), random_array(3, 4, seed=1)
    check(layer, x, dy, loosest=loosest)


SHAPES = [
    (1, 1, 1),
    (1, 7, 3),
    (5, 1, 3),
    (5, 7, 1),
    (1, 1, 3),
    (11, 13, 2),
    (2, 3, 17),
    (64, 9, 12),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("use_bias", [True, False])
@every_dtype
def test_dense_of_every_shape(shape, use_bias, dtype):
    B, D, H = shape
    layer = randomised(Dense(H, "tanh", use_bias=use_bias, dtype=dtype), (B, D))
    check(layer, random_array(B, D, dtype=dtype) / D, random_array(B, H, dtype=dtype, seed=1))


@settings(max_examples=40)
@given(
    leading=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    D=st.integers(1, 6),
    H=st.integers(1, 6),
    activation=st.sampled_from(["linear", "relu", "sigmoid", "softplus", "tanh", "elu"]),
    use_bias=st.booleans(),
    dtype=st.sampled_from(["float64", "float32"]),
    seed=st.integers(0, 100),
)
def test_dense_of_any_shape(leading, D, H, activation, use_bias, dtype, seed):
    layer = Dense(H, activation, use_bias=use_bias, dtype=dtype)
    randomised(layer, (*leading, D), seed=seed + 3)
    x = random_array(*leading, D, seed=seed + 1, dtype=dtype)
    dy = random_array(*leading, H, seed=seed + 2, dtype=dtype)
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    answer = ask_layer(layer, x, dy)
    assert_agrees(y, answer.y, FORWARD_TOLERANCE[dtype], "y")
    # Everything may cancel or be cut off by relu here, so what entered the sums is the scale.
    entered = {
        "x": abs(dy).sum() * abs(layer.params["kernel"]).max(),
        "kernel": abs(dy).sum() * abs(x).max(),
        "bias": abs(dy).sum(),
    }
    for key, reference in {"x": answer.dx, **answer.grads[0]}.items():
        actual = dx if key == "x" else layer.grads[key]
        assert abs(actual - reference).max() <= GRADIENT_TOLERANCE[dtype] * entered[key], key


@settings(max_examples=25)
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    V=st.integers(1, 9),
    D=st.integers(1, 4),
    dtype=st.sampled_from(["float64", "float32"]),
    seed=st.integers(0, 100),
)
def test_embedding_of_any_shape(shape, V, D, dtype, seed):
    layer = randomised(Embedding(V, D, dtype=dtype), shape)
    ids = np.random.default_rng(seed).integers(V, size=shape)
    check(layer, ids, random_array(*shape, D, dtype=dtype, seed=seed))


def test_embedding_with_ids_as_floats():
    layer = randomised(Embedding(6, 3, dtype="float64"), (2, 4))
    ids = np.array([[0, 5, 5, 2], [1, 1, 5, 0]])
    check(layer, ids.astype("float32"), random_array(2, 4, 3))


@settings(max_examples=15)
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 100))
def test_flatten_of_any_shape(shape, seed):
    layer = Flatten(dtype="float64")
    layer.build(shape)
    flat = layer.compute_output_shape(tuple(shape))
    check(layer, random_array(*shape, seed=seed), random_array(*flat, seed=seed + 1))


class TestDropout:
    @pytest.mark.parametrize("rate", [0, 0.3, 0.75])
    @pytest.mark.parametrize("noise_shape", [None, (None, 1, None), (4, 1, 1), (1, None, 5)])
    @every_dtype
    def test_with_our_mask(self, rate, noise_shape, dtype):
        layer = randomised(Dropout(rate, noise_shape, seed=7, dtype=dtype), (4, 3, 5))
        check(layer, random_array(4, 3, 5, dtype=dtype), random_array(4, 3, 5, seed=1))

    @every_dtype
    def test_of_everything(self, dtype):
        layer = Dropout(1, dtype=dtype)
        x, dy = random_array(4, 5, dtype=dtype), random_array(4, 5, seed=1)
        y, dx = layer.forward(x, training=True), layer.backward(dy)
        answer = ask_layer(layer, x, dy, training=True)
        np.testing.assert_array_equal(y, answer.y, strict=True)
        np.testing.assert_array_equal(dx, answer.dx, strict=True)

    def test_inference(self):
        layer = Dropout(0.5, dtype="float64")
        x, dy = random_array(4, 5), random_array(4, 5, seed=1)
        answer = ask_layer(layer, x, dy)
        np.testing.assert_array_equal(layer(x), answer.y)
        np.testing.assert_array_equal(answer.dx, dy)

    @pytest.mark.parametrize("rate", [0.1, 0.4, 0.75])
    @every_dtype
    def test_what_is_drawn_has_keras_scale_and_sharing(self, rate, dtype):
        """The masks themselves, which are injected everywhere else."""
        noise_shape, ones = (None, 1, None), np.ones((40, 3, 30), dtype)
        drawn = Dropout(rate, noise_shape, seed=1, dtype=dtype).forward(ones, training=True)
        with keras_floats(dtype):
            twin = keras.layers.Dropout(rate, noise_shape=noise_shape, seed=1)
            theirs = twin(ones, training=True).numpy()
        assert_agrees(np.unique(drawn), np.unique(theirs), FORWARD_TOLERANCE[dtype])
        assert abs((drawn == 0).mean() - (theirs == 0).mean()) < 0.1
        for y in (drawn, theirs):
            np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
            assert not (y == y[:1]).all()
            assert not (y == y[:, :, :1]).all()
