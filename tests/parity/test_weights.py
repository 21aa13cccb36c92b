"""`to_keras` and `from_keras`: any Sequential of supported layers, both ways, exact."""

import functools
import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import (
    SUPPORTED,
    ActivationWithSettings,
    from_keras,
    from_keras_layer,
    to_keras,
    to_keras_layer,
    weight_keys,
)
from scratchnet import Sequential, initializers, layers
from scratchnet.equations import activations
from scratchnet.errors import InputError
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Masking,
    OneHot,
    SimpleRNN,
    TimeDistributed,
)
from scratchnet.layers.activation import FORWARD
from tests.helpers import FORWARD_TOLERANCE, assert_agrees
from tests.layers.cases import every_dtype, message, random_array
from tests.strict_array import to_strict

approximate_gelu = functools.partial(activations.gelu, approximate=True)
keras_gelu = functools.partial(keras.activations.gelu, approximate=True)

STACKS = {
    "mlp": [Dense(4, "relu"), Dropout(0.3, seed=4), Dense(3, "tanh"), Dense(1, "sigmoid")],
    "words": [Embedding(7, 4), Flatten(), Dense(5, "relu"), Dropout(0.2), Dense(3, "softmax")],
    "one-hot words": [OneHot(7), Flatten(), Dense(3, "softmax")],
    "masked words": [Embedding(7, 4, mask_zero=True), Dense(2, "elu")],
    "activations apart": [Dense(4), Activation("selu"), Dense(3), Activation("log_softmax")],
    "settings": [
        Dense(4, approximate_gelu, use_bias=False),
        Dense(4, functools.partial(activations.leaky_relu, negative_slope=0.25)),
        Activation({"name": "elu", "alpha": 0.5}),
    ],
    "initializers": [
        Dense(
            4,
            kernel_initializer=initializers.HeNormal(seed=3),
            bias_initializer=initializers.RandomUniform(-0.2, 0.4, seed=8),
        ),
        Dense(4, kernel_initializer="orthogonal", bias_initializer=initializers.Constant(0.5)),
        Dense(4, kernel_initializer=initializers.VarianceScaling(2.0, "fan_out", "uniform", 5)),
        Dense(4, kernel_initializer=initializers.Identity(0.5)),
        Dense(4, kernel_initializer=initializers.TruncatedNormal(0.1, 0.3, seed=2)),
    ],
    "noise": [Dropout(0.3, (None, 1, None), seed=4), Flatten(), Dense(2, name="top")],
    "weightless": [Flatten(), Activation("tanh"), Dropout(0.5)],
    "recurrent": [
        Masking(0.5, name="padding"),
        SimpleRNN(3, "elu", dropout=0.5, seed=6, return_sequences=True, go_backwards=True),
        LSTM(4, approximate_gelu, "hard_sigmoid", unit_forget_bias=False, return_sequences=True),
        GRU(5, "softsign", "relu6", dropout=0.25, recurrent_dropout=0.5, seed=3),
    ],
    "recurrent words": [
        Embedding(7, 4, mask_zero=True),
        LSTM(3, return_sequences=True, zero_output_for_mask=True),
        LSTM(5, use_bias=False, return_sequences=True),
        GRU(2, reset_after=False, return_sequences=True, dropout=0.5),
        GRU(3, reset_after=False, use_bias=False, return_sequences=True),
        TimeDistributed(Dense(4, "softmax")),
    ],
    "recurrent initializers": [
        SimpleRNN(3, recurrent_initializer=initializers.Identity(0.5), return_sequences=True),
        LSTM(3, kernel_initializer="he_normal", bias_initializer="ones", return_sequences=True),
        GRU(3, recurrent_initializer=initializers.Orthogonal(0.75, seed=4)),
    ],
    "recurrent both ways": [
        Bidirectional(LSTM(3, "selu", return_sequences=True), name="both"),
        Bidirectional(GRU(3, return_sequences=True), merge_mode="sum"),
        Bidirectional(GRU(2, reset_after=False, return_sequences=True, name="mine"), "mul"),
        Bidirectional(SimpleRNN(4, return_sequences=True), "ave"),
        Bidirectional(
            LSTM(3, return_sequences=True, dropout=0.5),
            backward_layer=GRU(3, approximate_gelu, go_backwards=True, return_sequences=True),
        ),
        Bidirectional(GRU(4, name="forward_rnn", dropout=0.25, seed=3)),
    ],
    "recurrent at every step": [
        TimeDistributed(Bidirectional(LSTM(3), "sum"), name="each"),
        TimeDistributed(Dense(4, approximate_gelu)),
        TimeDistributed(Dropout(0.25, seed=2)),
        Bidirectional(LSTM(2), "concat"),
    ],
}
INPUTS = {
    "noise": (2, 3, 4),
    "words": (3, 5),
    "one-hot words": (3, 5),
    "masked words": (3, 5),
    "weightless": (2, 3, 4),
    "recurrent": (2, 3, 4),
    "recurrent words": (3, 5),
    "recurrent initializers": (2, 3, 4),
    "recurrent both ways": (2, 3, 4),
    "recurrent at every step": (2, 3, 4, 5),
}
ROUNDED = ("settings", "recurrent", "recurrent both ways", "recurrent at every step")
"""Stacks with gelu, whose constants TensorFlow rounds to float32: 1e-7 is agreement there."""

every_stack = pytest.mark.parametrize("stack", STACKS)


def model_of(stack: str, dtype: str = "float32") -> Sequential:
    """A fresh, unbuilt model of a stack."""
    made = [type(layer).from_config(layer.get_config()) for layer in STACKS[stack]]
    return Sequential(made, dtype=dtype, name="mine")


def input_for(stack: str) -> np.ndarray:
    shape = INPUTS.get(stack, (6, 5))
    if "words" in stack:
        return np.random.default_rng(0).integers(7, size=shape)
    return random_array(*shape)


def built(stack: str, dtype: str = "float32") -> Sequential:
    model = model_of(stack, dtype)
    model.build(input_for(stack).shape)
    weights = model.get_weights()
    model.set_weights([random_array(*w.shape, seed=20 + i) for i, w in enumerate(weights)])
    return model


def configs(model: Sequential) -> list[dict]:
    return [{"class": type(layer).__name__, **layer.get_config()} for layer in model.layers]


def assert_same_weights(model: Sequential, twin: keras.Sequential, dtype: str) -> None:
    for array, weight in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert array.dtype == weight.dtype == dtype
        np.testing.assert_array_equal(array, weight)


def test_every_layer_is_supported_and_tried():
    assert {*SUPPORTED, "Layer"} == set(layers.__all__)
    tried = {type(layer).__name__ for stack in STACKS.values() for layer in stack}
    assert tried == set(SUPPORTED)


class TestBothWays:
    @every_stack
    @every_dtype
    def test_weights_outputs_and_configurations(self, stack, dtype):
        model, x = built(stack, dtype), input_for(stack)
        with keras_floats(dtype):
            twin = to_keras(model)
            assert_same_weights(model, twin, dtype)
            y = twin(x)
            again = from_keras(twin)
        loosest = 1e-7 if stack in ROUNDED else 0
        assert_agrees(model(x), y.numpy(), max(FORWARD_TOLERANCE[dtype], loosest))
        assert twin.name == again.name == "mine"
        assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
        assert configs(again) == configs(model)
        assert again.dtype == dtype
        assert_same_weights(again, twin, dtype)
        np.testing.assert_array_equal(again(x), model(x), strict=True)
        assert [layer.input_shape for layer in again.layers] == [
            layer.input_shape for layer in model.layers
        ]

    @every_stack
    def test_keras_configurations_come_back_too(self, stack):
        twin = to_keras(built(stack))
        again = to_keras(from_keras(twin))
        assert [layer.get_config() for layer in again.layers] == [
            layer.get_config() for layer in twin.layers
        ]

    @every_stack
    @every_dtype
    def test_unbuilt_models_stay_unbuilt(self, stack, dtype):
        twin = to_keras(model_of(stack, dtype))
        assert not twin.built
        again = from_keras(twin)
        assert not again.built
        assert configs(again) == configs(model_of(stack, dtype))

    def test_the_two_do_not_share_memory(self):
        model = built("mlp")
        twin = to_keras(model)
        before = twin.get_weights()
        model.set_weights([array * 0 for array in model.get_weights()])
        again = from_keras(twin)
        again.set_weights([array * 0 for array in again.get_weights()])
        for array, weight in zip(twin.get_weights(), before, strict=True):
            np.testing.assert_array_equal(array, weight)

    def test_a_model_that_has_run_is_untouched(self):
        model, x = built("mlp"), input_for("mlp")
        y = model.forward(x, training=True)
        to_keras(model)
        model.backward(np.ones_like(y))

    def test_weights_on_a_device(self):
        model, x = built("mlp"), input_for("mlp")
        y = model(x)
        again = Sequential([type(layer).from_config(layer.get_config()) for layer in model.layers])
        again(to_strict(x))
        again.set_weights(model.get_weights())
        assert_agrees(to_keras(again)(x.astype("float32")).numpy(), y, 1e-5)

    def test_dtypes_may_differ_from_layer_to_layer(self):
        model = Sequential([Dense(3, dtype="float64"), Dense(2, dtype="float32")])
        model.build((None, 4))
        again = from_keras(to_keras(model))
        assert [layer.dtype for layer in again.layers] == ["float64", "float32"]
        assert_agrees(again(random_array(5, 4)), model(random_array(5, 4)), 0)

    @every_dtype
    def test_two_outputs(self, dtype):
        """Directions that are not merged; states; a layer alone, since a model has one output."""
        layer = Bidirectional(GRU(3, return_state=True), None, dtype=dtype)
        again = from_keras_layer(to_keras_layer(layer))
        assert again.get_config() == layer.get_config()
        x = random_array(2, 3, 4, dtype=dtype)
        with keras_floats(dtype):
            twin = to_keras_layer(layer)
            ours = layer(x)
            twin.build(x.shape)
            twin.set_weights(layer.get_weights())
            theirs = twin(x)
        assert len(ours) == len(theirs) == 4
        for array, reference in zip(ours, theirs, strict=True):
            assert_agrees(array, reference.numpy(), FORWARD_TOLERANCE[dtype])

    def test_a_stateful_model_has_a_batch_size(self):
        model = Sequential([GRU(3, stateful=True, return_sequences=True), LSTM(2, stateful=True)])
        model.build((None, 3, 4))
        with pytest.raises(InputError, match=r"^to_keras: expected batch_size") as e:
            to_keras(model)
        message(e)
        twin = to_keras(model, batch_size=5)
        x = random_array(5, 3, 4, dtype="float32")
        for _ in range(2):
            assert_agrees(model(x), twin(x).numpy(), FORWARD_TOLERANCE["float32"])
        again = from_keras(twin)
        assert configs(again) == configs(model)
        assert again.layers[0].states is None
        np.testing.assert_array_equal(again(x), from_keras(twin)(x))

    def test_the_page_has_no_counterpart(self):
        layer = LSTM(3, page=True)
        assert from_keras_layer(to_keras_layer(layer)).page is None

    def test_keys_of_weights(self):
        for stack in STACKS:
            model = built(stack)
            for layer, twin in zip(model.layers, to_keras(model).layers, strict=True):
                assert weight_keys(twin) == list(layer.params)

    def test_an_empty_model(self):
        assert from_keras(to_keras(Sequential())).layers == []

    @settings(max_examples=25)
    @given(data=st.data())
    def test_any_stack(self, data):
        rank = data.draw(st.integers(1, 3))
        shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=rank, max_size=rank)))
        activation = st.sampled_from(sorted(FORWARD.keys() - {"heaviside"}))
        made = data.draw(
            st.lists(
                st.one_of(
                    st.builds(Dense, st.integers(1, 4), activation, st.booleans()),
                    st.builds(Activation, activation),
                    st.builds(Dropout, st.floats(0, 1)),
                    st.builds(Flatten),
                ),
                min_size=1,
                max_size=4,
            )
        )
        model = Sequential(made, dtype="float64")
        x = random_array(2, *shape)
        with np.errstate(all="ignore"):  # a stack of exponentials may overflow, on both sides
            y = model(x)
        with keras_floats("float64"):
            twin = to_keras(model)
            keras_y = twin(x).numpy()
        assert_same_weights(model, twin, "float64")
        again = from_keras(twin)
        assert configs(again) == configs(model)
        assert_same_weights(again, twin, "float64")
        if np.isfinite(keras_y).all() and abs(keras_y).max() < 1e6:
            # gelu and leaky_relu have constants that TensorFlow rounds to float32
            np.testing.assert_allclose(y, keras_y, rtol=1e-5, atol=1e-5)


class TestFromKeras:
    def test_an_input_layer_has_no_counterpart(self):
        twin = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
        model = from_keras(twin)
        assert [type(layer) for layer in model.layers] == [Dense]
        assert model.layers[0].input_shape == (None, 5)
        assert_same_weights(model, twin, "float32")

    @pytest.mark.parametrize("batch_shape", [(4, 5), (None, None, 5), (None, 3, 5)])
    def test_batch_shapes(self, batch_shape):
        twin = keras.Sequential([keras.Input(batch_shape=batch_shape), keras.layers.Dense(3)])
        model = from_keras(twin)
        assert model.layers[0].input_shape == (None, *batch_shape[1:])
        x = random_array(4, *(n or 2 for n in batch_shape[1:]), dtype="float32")
        assert_agrees(model(x), twin(x).numpy(), 1e-5)

    @pytest.mark.parametrize("policy", ["float64", "float32"])
    def test_keeps_the_dtype(self, policy):
        with keras_floats(policy):
            twin = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "tanh")])
        model = from_keras(twin)
        assert model.dtype == policy
        assert_same_weights(model, twin, policy)

    def test_activations_in_all_their_forms(self):
        for activation in (
            "gelu",
            keras.activations.gelu,
            functools.partial(keras.activations.gelu),
        ):
            twin = keras.Sequential([keras.layers.Dense(3, activation)])
            assert from_keras(twin).layers[0].get_config()["activation"] == "gelu"
        for built in (True, False):
            twin = keras.Sequential([keras.layers.Dense(3, keras_gelu)])
            if built:
                twin.build((None, 5))
            config = from_keras(twin).layers[0].get_config()
            assert config["activation"] == {"name": "gelu", "approximate": True}
            assert twin.layers[0].activation is keras_gelu

    def test_shared_names_of_activations(self):
        twin = keras.Sequential(
            [keras.layers.Dense(3, "swish"), keras.layers.Dense(3, "hard_swish")]
        )
        names = [layer.get_config()["activation"] for layer in from_keras(twin).layers]
        assert names == ["silu", "hard_silu"]

    def test_every_activation_of_both(self):
        for name in FORWARD.keys() - {"heaviside"}:
            twin = keras.Sequential([keras.layers.Activation(name)])
            assert from_keras(twin).layers[0].get_config()["activation"] == name

    def test_every_initializer(self):
        for name in initializers.__all__:
            kind = getattr(initializers, name)
            if not isinstance(kind, type) or kind is initializers.Initializer:
                continue
            layer = Dense(3, kernel_initializer=kind())
            again = from_keras(to_keras(Sequential([layer]))).layers[0]
            assert again.get_config() == layer.get_config()
            twin_initializer = getattr(keras.initializers, name)()
            twin = keras.Sequential([keras.layers.Dense(3, kernel_initializer=twin_initializer)])
            assert type(from_keras(twin).layers[0].kernel_initializer) is kind

    def test_unrolling_makes_no_difference(self):
        twin = keras.Sequential([keras.Input((3, 4)), keras.layers.LSTM(5, unroll=True)])
        model, x = from_keras(twin), random_array(2, 3, 4, dtype="float32")
        assert_agrees(model(x), twin(x).numpy(), FORWARD_TOLERANCE["float32"])

    def test_activations_of_recurrent_layers(self):
        inner = keras.layers.LSTM(3, ActivationWithSettings("elu", alpha=0.5), "hard_sigmoid")
        twin = keras.Sequential([keras.Input((3, 4)), keras.layers.Bidirectional(inner)])
        config = from_keras(twin).layers[0].get_config()["layer"]["config"]
        assert config["activation"] == {"name": "elu", "alpha": 0.5}
        assert config["recurrent_activation"] == "hard_sigmoid"
        kept = twin.layers[0].backward_layer.cell
        assert float(kept.activation(-1.0)) == pytest.approx(0.5 * np.expm1(-1))
        assert kept.recurrent_activation is keras.activations.hard_sigmoid

    def test_a_saved_model(self, tmp_path):
        """Keras cannot save a functools.partial; what to_keras makes of one it can."""
        model, x = built("settings"), input_for("settings").astype("float32")
        twin = to_keras(model)
        twin.save(tmp_path / "twin.keras")
        loaded = keras.models.load_model(tmp_path / "twin.keras")
        np.testing.assert_array_equal(loaded(x), twin(x))
        assert configs(from_keras(loaded)) == configs(model)


class _Dense(keras.layers.Dense):
    pass


class _Initializer(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.ones(shape, dtype)

    def get_config(self):
        return {}


def _half_built():
    layer = keras.layers.Dense(3)
    layer.build((None, 5))
    return keras.Sequential([layer, keras.layers.Dense(2)])


def _changed(change):
    twin = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    change(twin)
    return twin


def _of(*made):
    return lambda: keras.Sequential(list(made))


def _recurrent(**arguments):
    return lambda: keras.Sequential([keras.Input((3, 5)), keras.layers.LSTM(3, **arguments)])


def _both_ways(layer, **arguments):
    return _of(keras.layers.Bidirectional(layer, **arguments))


def _dense(**arguments):
    return lambda: keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, **arguments)])


REFUSED = {
    "layer": (lambda: keras.layers.Dense(3), "a Functional keras.Model, got Dense"),
    "scratchnet": (lambda: Sequential([Dense(3)]), "a Functional keras.Model, got Sequential"),
    "convolution": (
        _of(keras.layers.Conv1D(3, 2)),
        "expected layers that both sides have, .*Conv1D",
    ),
    "subclass": (_of(_Dense(3)), "both sides have, .* got _Dense"),
    "regularizer": (_dense(kernel_regularizer="l2"), "expected no kernel_regularizer"),
    "activity regularizer": (_dense(activity_regularizer="l2"), "expected no activity_regularizer"),
    "constraint": (_dense(bias_constraint="non_neg"), "expected no bias_constraint"),
    "embedding's": (
        _of(keras.layers.Embedding(5, 3, embeddings_constraint="unit_norm")),
        "expected no embeddings_constraint",
    ),
    "recurrent regularizer": (_recurrent(recurrent_regularizer="l2"), "no recurrent_regularizer"),
    "recurrent constraint": (_recurrent(recurrent_constraint="non_neg"), "no recurrent_constraint"),
    "recurrent lambda": (
        _recurrent(recurrent_activation=lambda x: x),
        "activation to be one of keras.activations",
    ),
    "frozen recurrence": (_recurrent(trainable=False), "expected weights that train, got frozen"),
    "inner regularizer": (
        _both_ways(keras.layers.GRU(3, bias_regularizer="l2")),
        "layer 'forward_gru.*': expected no bias_regularizer",
    ),
    "inner layer": (
        _of(keras.layers.TimeDistributed(keras.layers.Conv1D(3, 2))),
        "both sides have, .*Conv1D",
    ),
    "inner dtype": (
        _of(keras.layers.TimeDistributed(keras.layers.Dense(3, dtype="float64"))),
        "expected the dtype of its .*, float64, got float32",
    ),
    "backwards first": (
        _both_ways(keras.layers.GRU(3, go_backwards=True), backward_layer=keras.layers.GRU(3)),
        "expected layer to be a recurrent layer that goes forwards",
    ),
    "cells": (
        _of(keras.layers.RNN(keras.layers.LSTMCell(3))),
        "expected layers that both sides have, .*RNN",
    ),
    "lora": (_of(keras.layers.Dense(3, lora_rank=2)), "expected no lora_rank.*got 2"),
    "lora, built": (_dense(lora_rank=2), "expected weights that train, got frozen"),
    "channels first": (
        _of(keras.layers.Flatten("channels_first")),
        "no data_format.*channels_first",
    ),
    "mixed precision": (
        _dense(dtype="mixed_float16"),
        "computation in float16 on weights of float32",
    ),
    "half precision": (_dense(dtype="bfloat16"), "computation in bfloat16 on weights of bfloat16"),
    "frozen layer": (_dense(trainable=False), "expected weights that train, got frozen"),
    "frozen, unbuilt": (_of(keras.layers.Dense(3, trainable=False)), "that train, got frozen"),
    "frozen model": (_changed, lambda twin: setattr(twin, "trainable", False), "got frozen"),
    "frozen kernel": (
        _changed,
        lambda twin: setattr(twin.layers[0].kernel, "trainable", False),
        "got frozen",
    ),
    "quantized": (_changed, lambda twin: twin.layers[0].quantize("int8"), "got quantized"),
    "half built": (_half_built, "expected every layer to be built, or none"),
    "glu": (_dense(activation="glu"), "activation: expected one of .*, got 'glu'"),
    "another axis": (
        _dense(activation=functools.partial(keras.activations.softmax, axis=1)),
        "expected softmax to have no settings, got axis=1",
    ),
    "lambda": (
        _dense(activation=lambda x: x),
        "expected activation to be one of keras.activations",
    ),
    "namesake": (_dense(activation=tf.nn.relu), "one of keras.activations, got <function relu"),
    "activation layer": (
        _dense(activation=keras.layers.LeakyReLU()),
        "of keras.activations, got <Lea",
    ),
    "initializer": (_dense(kernel_initializer=_Initializer()), "expected one of .* '_Initializer'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_from_keras_refuses(name):
    make, *change, reason = REFUSED[name]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation")  # Keras's own, quantizing
        twin = make(*change)
    with pytest.raises(InputError, match=f"^from_keras: .*{reason}") as e:
        from_keras(twin)
    text = message(e)
    if not re.search("expected a keras.Sequential|expected every layer", text):
        assert repr(twin.layers[0].name) in text


class TestToKerasRefuses:
    def test_heaviside(self):
        for layer in (Dense(3, "heaviside"), Activation(activations.heaviside)):
            with pytest.raises(
                InputError, match=r"^to_keras: expected an activation that Keras has"
            ) as e:
                to_keras(Sequential([layer]))
            assert "'heaviside'" in message(e)

    def test_a_subclass(self):
        class Mine(Dense):
            pass

        with pytest.raises(
            InputError, match=r"^to_keras: expected layers that both sides have"
        ) as e:
            to_keras(Sequential([Mine(3)]))
        assert "got Mine (layer 'mine')" in message(e)

    def test_a_half_built_model(self):
        model = Sequential([Dense(3), Dense(2)])
        model.layers[0].build((None, 5))
        with pytest.raises(InputError, match=r"^to_keras: expected every layer to be built") as e:
            to_keras(model)
        message(e)
