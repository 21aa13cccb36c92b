"""Outputs and gradients from TensorFlow's tape, with the same weights and the same dropout masks.

Everything here runs inside `keras_floats`, because Keras takes its dtype from two places:
``floatx`` (constants, learning rates, loss computations) and the dtype policy (weights,
activations).  Set one without the other and float64 results carry float32 rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl.weights import to_keras, to_keras_layer
from scratchnet import Sequential
from scratchnet.layers import Dropout, Embedding, Layer


@contextmanager
def keras_floats(dtype: str) -> Iterator[None]:
    """Make Keras compute in ``dtype`` throughout; restore what was set before."""
    floatx = keras.config.floatx()
    policy = keras.config.dtype_policy()
    try:
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


@dataclass(frozen=True)
class Answer:
    """What Keras and the tape say; keys and shapes are scratchnet's."""

    y: Any
    dx: Any
    grads: list[dict[str, Any]]
    """Layer by layer (one entry for a layer asked alone)."""
    loss: float | None = None


@contextmanager
def injected_dropout(masks: Sequence[Any]) -> Iterator[None]:
    """Make Keras's dropout use these masks (with their scale), one a call, in order."""
    queue = list(masks)
    real = keras.src.backend.random.dropout

    def from_queue(inputs: Any, *_: Any, **__: Any) -> Any:
        if not queue:
            raise RuntimeError("Keras drew more dropout masks than were given")
        return inputs * tf.convert_to_tensor(queue.pop(0), dtype=inputs.dtype)

    keras.src.backend.random.dropout = from_queue
    try:
        yield
        if queue:
            raise RuntimeError(f"{len(queue)} dropout masks were not used by Keras")
    finally:
        keras.src.backend.random.dropout = real


def ask_layer(layer: Layer, x: Any, dy: Any, *, training: bool = False) -> Answer:
    """Return Keras's output and gradients for a built layer, its input and an upstream gradient.

    With ``training``, a dropout layer's latest ``dropout_mask`` is used.
    """
    with keras_floats(layer.dtype), injected_dropout(_masks([layer], training)):
        twin = to_keras_layer(layer)
        inputs = _input(layer, x)
        twin.build(inputs.shape)
        twin.set_weights(layer.get_weights())
        with tf.GradientTape() as tape:
            _watch(tape, inputs)
            y = twin(inputs, training=training)
        dx, *dweights = tape.gradient(
            y, [inputs, *_tensors(twin)], output_gradients=tf.convert_to_tensor(dy, layer.dtype)
        )
        grads = {key: _array(g) for key, g in zip(layer.params, dweights, strict=True)}
        return Answer(y.numpy(), _array(dx), [grads])


def ask_model(
    model: Sequential,
    loss: Any,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    training: bool = True,
) -> Answer:
    """Return Keras's output, loss and gradients for a built model and a batch.

    ``loss`` is a ``keras.losses`` object made inside `keras_floats`; as in Keras's own training,
    cross-entropy after a softmax or sigmoid goes through the logits.
    """
    with keras_floats(model.dtype), injected_dropout(_masks(model.layers, training)):
        inputs = _input(model.layers[0], x)
        answer = ask_twin(to_keras(model), loss, inputs, y, sample_weight, training=training)
    grads = [
        dict(zip(layer.params, own.values(), strict=True))
        for layer, own in zip(model.layers, answer.grads, strict=True)
    ]
    return replace(answer, grads=grads)


def ask_twin(
    twin: keras.Model,
    loss: Any,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    training: bool = True,
) -> Answer:
    """Return a Keras model's own output, loss and gradients; the caller sets `keras_floats`."""
    inputs = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        _watch(tape, inputs)
        output = twin(inputs, training=training)
        value = loss(y, output, sample_weight)
    variables = [layer.trainable_weights for layer in twin.layers]
    tensors = [tensor for layer in twin.layers for tensor in _tensors(layer)]
    dx, *dweights = tape.gradient(value, [inputs, *tensors])
    rest = iter(dweights)
    grads = [{variable.name: _array(next(rest)) for variable in own} for own in variables]
    return Answer(output.numpy(), _array(dx), grads, float(value))


def _masks(layers: Sequence[Layer], training: bool) -> list[Any]:
    used = [layer for layer in layers if isinstance(layer, Dropout) and layer.rate > 0]
    return [layer.dropout_mask for layer in used] if training else []


def _input(layer: Layer, x: Any) -> Any:
    """Return a tensor in the layer's dtype; token ids as they are."""
    return tf.convert_to_tensor(x if isinstance(layer, Embedding) else np.asarray(x, layer.dtype))


def _watch(tape: tf.GradientTape, inputs: Any) -> None:
    if inputs.dtype.is_floating:  # ids have no gradient
        tape.watch(inputs)


def _tensors(twin: keras.Layer) -> list[Any]:
    return [variable.value for variable in twin.trainable_weights]


def _array(gradient: Any) -> Any:
    return None if gradient is None else tf.convert_to_tensor(gradient).numpy()
