"""Outputs and gradients from TensorFlow's tape, with the same weights and the same dropout masks.

Everything here runs inside `keras_floats`, because Keras takes its dtype from two places:
``floatx`` (constants, learning rates, loss computations) and the dtype policy (weights,
activations).  Set one without the other and float64 results carry float32 rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl.weights import to_keras, to_keras_layer, weight_keys
from scratchnet import Sequential
from scratchnet.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    Layer,
    OneHot,
    TimeDistributed,
)
from scratchnet.layers.recurrent import Recurrent
from scratchnet.layers.wrapper import Wrapper


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
    states: tuple[Any, ...] = ()
    """Final states, of a layer with ``return_state``."""
    d_initial_state: tuple[Any, ...] = ()
    """Of a recurrent layer."""


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


LONG = 50
"""Time steps from which compiling Keras's loop takes less time than running it eagerly."""


class LayerTwin:
    """The Keras twin of a built layer, with its weights; a stateful one is asked again and again.

    Parameters
    ----------
    layer : Layer
    input_shape : tuple of int
        Batch included.
    """

    def __init__(self, layer: Layer, input_shape: tuple[int, ...]) -> None:
        self.layer = layer
        with keras_floats(layer.dtype):
            self.twin = to_keras_layer(layer)
            self.twin.build(input_shape)
            self.twin.set_weights(layer.get_weights())

    def ask(
        self,
        x: Any,
        dy: Any,
        *,
        training: bool = False,
        mask: Any = None,
        initial_state: Sequence[Any] | None = None,
        d_state: Sequence[Any] = (),
    ) -> Answer:
        """Return Keras's outputs, and the gradients for upstream ones on all of them.

        With ``training``, the dropout masks of the layer's latest training forward are used.

        Parameters
        ----------
        dy : array, or tuple of array where y is one
        d_state : sequence of array
            One for each final state, of a layer with ``return_state``.
        """
        layer, twin = self.layer, self.twin
        with keras_floats(layer.dtype), _dropout([layer], training, len(x)):
            inputs = _input(layer, x)
            given, states = self._first_states(len(x), initial_state)
            options = {"initial_state": given} if given else {}
            if mask is not None:
                options["mask"] = tf.convert_to_tensor(mask)
            upstream = [tf.convert_to_tensor(d, layer.dtype) for d in (*_several(dy), *d_state)]

            def there_and_back() -> tuple[list[Any], list[Any]]:
                sources = [inputs, *states, *_tensors(twin)]
                with tf.GradientTape() as tape:
                    _watch(tape, inputs, *states)
                    outputs = _several(twin(inputs, training=training, **options))
                return outputs, tape.gradient(outputs, sources, output_gradients=upstream)

            if np.ndim(x) > 2 and np.shape(x)[1] > LONG:
                there_and_back = tf.function(there_and_back)
            outputs, gradients = there_and_back()
            dx, *rest = map(_array, gradients)
            grads = dict(zip(layer.params, rest[len(states) :], strict=True))
            arrays = [output.numpy() for output in outputs]
        count = len(_several(dy))
        return Answer(
            y=tuple(arrays[:count]) if count > 1 else arrays[0],
            dx=dx,
            grads=[grads],
            states=tuple(arrays[count:]),
            d_initial_state=tuple(rest[: len(states)]),
        )

    def _first_states(self, batch: int, given: Sequence[Any] | None) -> tuple[list[Any], list[Any]]:
        """Return what to give Keras as initial states, and the tensors that it starts from."""
        if given is None and getattr(self.layer, "stateful", False):
            return [], [state.value for state in self.twin.states]
        arrays = given or [np.zeros((batch, size)) for size in _state_sizes(self.layer)]
        tensors = [tf.convert_to_tensor(array, self.layer.dtype) for array in arrays]
        return tensors, tensors


def ask_layer(layer: Layer, x: Any, dy: Any, **options: Any) -> Answer:
    """Return what a new `LayerTwin` says, asked once."""
    return LayerTwin(layer, np.shape(x)).ask(x, dy, **options)


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
    with keras_floats(model.dtype), _dropout(model.layers, training, len(x)):
        inputs = _input(model.layers[0], x)
        twin = to_keras(model, batch_size=len(x))
        return ask_twin(twin, loss, inputs, y, sample_weight, training=training)


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
    tensors = [tensor for layer in twin.layers for tensor in _tensors(layer)]
    dx, *dweights = tape.gradient(value, [inputs, *tensors])
    rest = iter(dweights)
    grads = [{key: _array(next(rest)) for key in weight_keys(layer)} for layer in twin.layers]
    return Answer(output.numpy(), _array(dx), grads, float(value))


def _dropout(layers: Sequence[Layer], training: bool, batch: int) -> AbstractContextManager[None]:
    """Give Keras our masks; in inference it draws some too, and uses none."""
    if not training:
        return nullcontext()
    return injected_dropout([mask for layer in layers for mask in _masks(layer, batch)])


def _masks(layer: Layer, batch: int) -> list[Any]:
    """Return the masks of a layer's latest training forward in the order in which Keras draws."""
    if isinstance(layer, Dropout):
        return [layer.dropout_mask] if layer.rate > 0 else []
    if isinstance(layer, TimeDistributed):  # Keras draws at every step
        masks = [m.reshape(batch, -1, *m.shape[1:]) for m in _masks(layer.layer, batch)]
        steps = masks[0].shape[1] if masks else 0
        return [mask[:, t] for t in range(steps) for mask in masks]
    if isinstance(layer, Wrapper):
        return [mask for inner in layer.inner.values() for mask in _masks(inner, batch)]
    if isinstance(layer, Recurrent):  # a mask for all gates, or one for each
        drawn = [masks for masks in layer.dropout_masks if masks is not None]
        return [mask for masks in drawn for mask in (masks if masks.ndim == 3 else [masks])]
    return []


def _state_sizes(layer: Layer) -> list[int]:
    if isinstance(layer, Bidirectional):
        return [size for inner in layer.inner.values() for size in _state_sizes(inner)]
    return [layer.units] * len(layer.state_names) if isinstance(layer, Recurrent) else []


def _input(layer: Layer, x: Any) -> Any:
    """Return a tensor in the layer's dtype; token ids as they are."""
    while isinstance(layer, TimeDistributed):
        layer = layer.layer
    return tf.convert_to_tensor(
        x if isinstance(layer, (Embedding, OneHot)) else np.asarray(x, layer.dtype)
    )


def _watch(tape: tf.GradientTape, *inputs: Any) -> None:
    for tensor in inputs:
        if tensor.dtype.is_floating:  # ids have no gradient
            tape.watch(tensor)


def _several(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]


def _tensors(twin: keras.Layer) -> list[Any]:
    return [variable.value for variable in twin.trainable_weights]


def _array(gradient: Any) -> Any:
    return None if gradient is None else tf.convert_to_tensor(gradient).numpy()
