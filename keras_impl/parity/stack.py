"""Outputs and gradients of a user's own Keras layers, one after the other, from the tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_impl.parity.oracle import _array, _dropout, _input, _watch, keras_floats
from keras_impl.weights.chain import through
from scratchnet import Sequential
from scratchnet.backend import Array


def float64_twin(twins: Sequence[keras.Layer]) -> Callable[..., dict[str, Array]]:
    """Return a function that asks these layers, made again in float64, for their gradients.

    It takes a scratchnet model after a training forward, whose weights and dropout masks the layers
    get, the input and the gradient of the output; it returns gradients by scratchnet's names.
    """

    def ask(model: Sequential, x: Array, dy: Array) -> dict[str, Array]:
        with keras_floats("float64"), _dropout(model.layers, True, len(x)):
            made = [_in_float64(twin) for twin in twins]
            inputs = _input(model.layers[0], x)
            shape = x.shape
            for twin, layer in zip(made, model.layers, strict=True):
                twin.build(shape)
                twin.set_weights(layer.get_weights())
                shape = layer.compute_output_shape(shape)
            variables = [variable.value for twin in made for variable in twin.weights]
            with tf.GradientTape() as tape:
                _watch(tape, inputs, *variables)
                y = through(made, inputs, training=True)
            found = tape.gradient(y, [inputs, *variables], tf.convert_to_tensor(dy))
        names = [f"{layer.name}/{key}" for layer in model.layers for key in layer.params]
        arrays = zip(["x", *names], map(_array, found), strict=True)
        return {name: array for name, array in arrays if array is not None}

    return ask


def _in_float64(twin: keras.Layer) -> keras.Layer:
    """Return an unbuilt layer of the same description that computes in float64 and trains."""
    config = _changed(twin.get_config())
    return type(twin).from_config(config)


def _changed(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return {**value, "config": {"name": "float64"}}
        changed = {key: _changed(inner) for key, inner in value.items()}
        return {**changed, "dtype": "float64"} if "dtype" in value else changed
    return value
