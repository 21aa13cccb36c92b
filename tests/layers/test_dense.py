"""The dense layer."""

import numpy as np
import pytest

from scratchnet import initializers
from scratchnet.errors import InputError
from scratchnet.layers import Activation, Dense
from tests.helpers import assert_agrees
from tests.layers.cases import every_dtype, message, random_array


def with_weights(layer, *weights):
    layer.build((None, weights[0].shape[0]))
    layer.set_weights(weights)
    return layer


@pytest.mark.parametrize("shape", [(4, 5), (1, 5), (2, 4, 5), (2, 3, 4, 5), (1, 1, 5), (3, 0, 5)])
def test_is_the_equation_on_the_last_axis(shape):
    kernel, bias = random_array(5, 3), random_array(3)
    layer = with_weights(Dense(3, dtype="float64"), kernel, bias)
    x, dy = random_array(*shape), random_array(*shape[:-1], 3)
    np.testing.assert_allclose(layer.forward(x, training=True), x @ kernel + bias, rtol=1e-14)
    np.testing.assert_allclose(layer.backward(dy), dy @ kernel.T, rtol=1e-14)
    dkernel = np.tensordot(x, dy, axes=[range(x.ndim - 1)] * 2)
    np.testing.assert_allclose(layer.grads["kernel"], dkernel, rtol=1e-12, atol=1e-14)
    dbias = dy.sum(axis=tuple(range(x.ndim - 1)))
    np.testing.assert_allclose(layer.grads["bias"], dbias, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("B", "D", "H"), [(1, 1, 1), (1, 5, 3), (4, 1, 3), (4, 5, 1), (7, 1, 1)])
def test_axes_of_length_one(B, D, H):
    kernel, bias = random_array(D, H), random_array(H)
    layer = with_weights(Dense(H, "tanh", dtype="float64"), kernel, bias)
    x, dy = random_array(B, D), random_array(B, H)
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y, np.tanh(x @ kernel + bias), rtol=1e-13)
    da = dy * (1 - y**2)
    np.testing.assert_allclose(layer.backward(dy), da @ kernel.T, rtol=1e-13)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ da, rtol=1e-13)
    np.testing.assert_allclose(layer.grads["bias"], da.sum(0), rtol=1e-13)


def test_without_a_bias():
    kernel = random_array(5, 3)
    layer = with_weights(Dense(3, use_bias=False, dtype="float64"), kernel)
    np.testing.assert_allclose(layer(random_array(4, 5)), random_array(4, 5) @ kernel, rtol=1e-14)
    layer.forward(random_array(4, 5), training=True)
    layer.backward(random_array(4, 3))
    assert "bias" not in layer.params
    assert "bias" not in layer.grads


@every_dtype
def test_ranks_may_change_between_calls(dtype):
    layer = with_weights(Dense(3, "relu", dtype=dtype), random_array(5, 3), random_array(3))
    x = random_array(2, 4, 5, dtype=dtype)
    assert_agrees(layer(x).reshape(8, 3), layer(x.reshape(8, 5)), 1e-6)


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_order_does_not_matter(order):
    layer = with_weights(Dense(3, "tanh", dtype="float64"), random_array(5, 3), random_array(3))
    x, dy = random_array(4, 6, 5), random_array(4, 6, 3)
    reference = layer.forward(x, training=True), layer.backward(dy), layer.grads["kernel"]
    y = layer.forward(np.asarray(x, order=order)[:, ::1], training=True)
    dx = layer.backward(np.asarray(dy, order=order))
    for actual, expected in zip((y, dx, layer.grads["kernel"]), reference, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_activation_is_the_activation_layer():
    kernel, bias, x = random_array(5, 3), random_array(3), random_array(4, 5)
    one = with_weights(Dense(3, "softplus", dtype="float64"), kernel, bias)
    dense = with_weights(Dense(3, dtype="float64"), kernel, bias)
    activation = Activation("softplus", dtype="float64")
    dy = random_array(4, 3)
    y = activation.forward(dense.forward(x, training=True), training=True)
    np.testing.assert_array_equal(one.forward(x, training=True), y)
    np.testing.assert_array_equal(one.backward(dy), dense.backward(activation.backward(dy)))
    np.testing.assert_array_equal(one.grads["kernel"], dense.grads["kernel"])


class TestLogits:
    def test_logits_and_output_come_together(self):
        layer = with_weights(
            Dense(3, "softmax", dtype="float64"), random_array(5, 3), random_array(3)
        )
        linear = with_weights(Dense(3, dtype="float64"), *layer.get_weights())
        x = random_array(4, 5)
        a, y = layer.forward_with_logits(x)
        np.testing.assert_array_equal(a, linear(x))
        np.testing.assert_array_equal(y, layer(x))

    def test_backward_from_logits_leaves_the_activation_out(self):
        layer = with_weights(
            Dense(3, "softmax", dtype="float64"), random_array(5, 3), random_array(3)
        )
        linear = with_weights(Dense(3, dtype="float64"), *layer.get_weights())
        x, da = random_array(2, 4, 5), random_array(2, 4, 3)
        for one in (layer, linear):
            one.forward(x, training=True)
        layer.forward_with_logits(x, training=True)
        layer.forward_with_logits(x + 1)  # an inference pass disturbs nothing
        np.testing.assert_array_equal(layer.backward_from_logits(da), linear.backward(da))
        for key in linear.grads:
            np.testing.assert_array_equal(layer.grads[key], linear.grads[key])

    def test_either_backward_may_follow(self):
        layer = with_weights(Dense(3, "tanh", dtype="float64"), random_array(5, 3), random_array(3))
        x, dy = random_array(4, 5), random_array(4, 3)
        _, y = layer.forward_with_logits(x, training=True)
        dx = layer.backward(dy)
        layer.forward(x, training=True)
        np.testing.assert_allclose(layer.backward_from_logits(dy * (1 - y * y)), dx, rtol=1e-13)


class TestArguments:
    @pytest.mark.parametrize("units", [0, -3, 2.5, "3", None, True, [3]])
    def test_units(self, units):
        with pytest.raises(
            InputError, match=r"Dense: expected units to be a positive integer"
        ) as e:
            Dense(units)
        assert f"got {units!r}" in message(e)

    def test_units_of_numpy(self):
        assert type(Dense(np.int64(3)).units) is int

    @pytest.mark.parametrize("argument", ["kernel_initializer", "bias_initializer"])
    def test_initializers(self, argument):
        with pytest.raises(InputError, match=r"expected one of .*, got 'glorot_unifrm'") as e:
            Dense(2, **{argument: "glorot_unifrm"})
        assert "glorot_uniform" in message(e)
        layer = Dense(2, **{argument: initializers.Constant(0.5)})
        layer.build((None, 3))
        assert (layer.params[argument.partition("_")[0]] == 0.5).all()

    def test_defaults_are_keras(self):
        layer = Dense(300)
        layer.build((None, 200))
        limit = np.sqrt(6 / 500)
        kernel = layer.params["kernel"]
        assert 0.99 * limit < abs(kernel).max() <= limit
        assert abs(kernel.std() / limit * np.sqrt(3) - 1) < 0.02
        assert not layer.params["bias"].any()
        assert layer.activation.name == "linear"

    def test_no_features(self):
        with pytest.raises(
            InputError, match=r"Dense: expected the last axis of x to be a positive"
        ):
            Dense(2)(np.ones((3, 0)))
