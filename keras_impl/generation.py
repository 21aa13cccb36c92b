"""What follows a text, id by id: the trained twin, compiled once for a single step.

``model.predict`` for every character spends its time on everything but the network.  What writes
here has the methods of `scratchnet.generation`: ``reset()`` forgets, ``feed(ids)`` reads ids and
returns the logits of what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl.layers import OneHot
from keras_impl.weights import to_keras
from scratchnet import Sequential
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.generation import SlidingWindow

RECURRENT = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)


class OneStep:
    """Carries the states from id to id: the whole past counts, and an id costs one step.

    Parameters
    ----------
    twin : keras.Model
        Ids → one-hot or Embedding → recurrent layers → Dense layers, the last one a softmax's.
        Its weights are used where they are: training it further is seen here.

    Raises
    ------
    InputError
        If it has other layers.
    """

    def __init__(self, twin: keras.Model) -> None:
        self._vocabulary = _checked(twin)
        recurrent = [layer for layer in twin.layers if isinstance(layer, RECURRENT)]
        self._states = [
            [tf.Variable(tf.zeros((1, size), layer.compute_dtype)) for size in _sizes(layer)]
            for layer in recurrent
        ]

        def step(ids: Any) -> Any:
            x, states = twin.layers[0](ids), iter(self._states)
            for layer in twin.layers[1:-1]:
                if layer in recurrent:
                    kept = next(states)
                    x, new = layer.cell(x, [state.value() for state in kept], training=False)
                    for state, value in zip(kept, new, strict=True):
                        state.assign(value)
                else:
                    x = layer(x)
            return _logits(twin.layers[-1], x)[0]

        self._step = _compiled(step, (1,), jit_compile=True)

    def reset(self) -> None:
        """Forget what was fed: all states are zero again."""
        for states in self._states:
            for state in states:
                state.assign(tf.zeros_like(state))

    def feed(self, ids: Sequence[int] | Array) -> Array:
        """Go on by these ids; return the logits (V,) after the last.

        Raises
        ------
        InputError
            If there are none, or one is not in the vocabulary; nothing was fed then.
        """
        array = np.asarray(ids)
        _check_ids(array, self._vocabulary)
        for one in array.tolist():
            logits = self._step(tf.constant([one]))
        return logits.numpy()


def following() -> Callable[[Sequential], OneStep]:
    """Return what makes a scratchnet model write in Keras, again and again while it is trained.

    The twin is made, and compiled, the first time; after that it is given the model's weights.
    """
    made: list[tuple[keras.Model, OneStep]] = []

    def writer(model: Sequential) -> OneStep:
        if not made:
            twin = to_keras(model)
            made.append((twin, OneStep(twin)))
        twin, step = made[0]
        twin.set_weights(model.get_weights())
        return step

    return writer


def sliding_window(twin: keras.Model, window: int) -> SlidingWindow:
    """Return the published scripts' way of writing: the last ids from zero states at every step.

    Fewer ids than a window are shown as they are, without padding.

    Raises
    ------
    InputError
        If it is not a model as `OneStep` takes it.
    """
    vocabulary = _checked(twin)

    def run(ids: Any) -> Any:
        for layer in twin.layers[:-1]:
            ids = layer(ids)
        return _logits(twin.layers[-1], ids)

    whole = _compiled(run, (1, window), jit_compile=True)
    fewer = _compiled(run, (1, None), jit_compile=False)

    def forward(ids: Array) -> Array:
        _check_ids(ids, vocabulary)
        chosen = whole if ids.shape[1] == window else fewer
        return chosen(tf.constant(ids, tf.int32)).numpy()

    return SlidingWindow(forward, window)


def _checked(twin: keras.Model) -> int:
    """Return the number of ids that a language model knows."""
    first, *middle, last = twin.layers
    kinds = [type(layer) for layer in middle]
    depth = sum(issubclass(kind, RECURRENT) for kind in kinds)
    if (
        not isinstance(first, (OneHot, keras.layers.Embedding))
        or getattr(first, "mask_zero", False)
        or depth == 0
        or not all(issubclass(kind, RECURRENT) for kind in kinds[:depth])
        or any(layer.go_backwards for layer in middle[:depth])
        or not all(kind is keras.layers.Dense for kind in [*kinds[depth:], type(last)])
        or last.activation is not keras.activations.softmax
    ):
        raise InputError(
            "generation: expected a model of ids, recurrent layers and Dense ones up to a softmax, "
            f"got {', '.join(type(layer).__name__ for layer in twin.layers)}. Train a language "
            "model."
        )
    return int(last.units)


def _check_ids(ids: Array, vocabulary: int) -> None:
    if not ids.size or ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= vocabulary:
        raise InputError(
            f"feed: expected one or more ids from 0 to {vocabulary - 1}, got "
            f"{np.array2string(ids.ravel(), threshold=8)}. Encode a text with the run's vocabulary."
        )


def _sizes(layer: keras.Layer) -> list[int]:
    size = layer.cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def _logits(layer: keras.layers.Dense, x: Any) -> Any:
    """Return what a Dense layer's activation is given."""
    return keras.ops.matmul(x, layer.kernel) + (layer.bias if layer.use_bias else 0)


def _compiled(function: Any, shape: tuple[int | None, ...], jit_compile: bool) -> Any:
    """Return a function of ids of one shape, traced now: calling it does nothing but compute."""
    signature = [tf.TensorSpec(shape, tf.int32)]
    wrapped = tf.function(
        function, input_signature=signature, jit_compile=jit_compile, autograph=False
    )
    return wrapped.get_concrete_function()
