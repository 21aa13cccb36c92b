"""What Keras and TensorFlow's tape say of a gradient, where they are installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from scratchnet.arguments import snake_case
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subject import Arrays, Subject
from scratchnet.gradcheck.subjects.own_layer import LayerSubject
from scratchnet.gradcheck.subjects.own_loss import LossSubject
from scratchnet.gradcheck.subjects.own_model import ModelSubject
from scratchnet.gradcheck.subjects.own_shared import initial_state_names, parts
from scratchnet.gradcheck.subjects.own_stack import StackSubject
from scratchnet.layers import Layer

TOLERANCE = {"float64": 1e-12, "float32": 1e-4}
ROUNDED = {"gelu", "leaky_relu", "log_cosh"}
"""Activations and losses with a constant that TensorFlow rounds to float32."""


def tolerance_of(subject: Subject) -> float:
    """Return what the relative difference from Keras may be."""
    allowed = TOLERANCE[subject.dtype]
    return max(allowed, 1e-7) if ROUNDED & set(_functions(subject)) else allowed


def _functions(subject: Subject) -> Iterator[str]:
    """Yield the names of a subject's activations and loss."""
    layers: list[Layer] = []
    if isinstance(subject, LayerSubject):
        layers = [subject.layer]
    elif isinstance(subject, StackSubject):
        layers = subject.model.layers
    elif isinstance(subject, ModelSubject):
        layers = subject.model.layers
        yield snake_case(type(subject.model.loss).__name__)
    elif isinstance(subject, LossSubject):
        yield snake_case(type(subject.loss).__name__)
    for part in (part for layer in layers for part in parts(layer)):
        for option in ("activation", "recurrent_activation"):
            if hasattr(part, option):
                yield getattr(part, option).name


def keras_installed() -> bool:
    """Return whether Keras can be asked, without importing it."""
    return find_spec("keras") is not None and find_spec("tensorflow") is not None


def keras_of(subject: Subject, arrays: Arrays, upstream: Arrays) -> dict[str, Array] | None:
    """Return Keras's gradients for a subject, by the names it has for its arrays.

    None where Keras is not installed or has no twin.
    """
    if not keras_installed():
        return None
    if isinstance(subject, LayerSubject):
        layer = subject.trained(arrays)
        dy, d_state = subject.upstream_of(upstream)
        states = tuple(arrays[name] for name in subject.state_names) or None
        return keras_gradients(
            layer, arrays["x"], dy, mask=arrays.get("mask"), initial_state=states, d_state=d_state
        )
    if isinstance(subject, LossSubject):
        return _loss_gradients(subject, arrays, upstream)
    if isinstance(subject, ModelSubject):
        return _model_gradients(subject, arrays, upstream)
    if isinstance(subject, StackSubject):
        return subject.asked(arrays, upstream)
    return None


def keras_gradients(
    layer: Layer,
    x: Array,
    dy: Any,
    *,
    mask: Array | None = None,
    initial_state: Sequence[Array] | None = None,
    d_state: Sequence[Array] | None = None,
) -> dict[str, Array] | None:
    """Return the gradients of a built layer's Keras twin, or None where there is none.

    Parameters
    ----------
    layer : Layer
        After a training forward on ``x``, whose dropout masks Keras gets.
    x, dy : array
        ``dy`` is a tuple where y is one.
    mask, initial_state, d_state
        As the layer takes them.

    Returns
    -------
    dict of str to array, or None
        ``x``, initial states as `initial_state_names` calls them, and the keys of ``params``.
    """
    if not keras_installed():
        return None
    from keras_impl.parity.oracle import ask_layer

    try:
        answer = ask_layer(
            layer, x, dy, training=True, mask=mask, initial_state=initial_state,
            d_state=d_state or (),
        )  # fmt: skip
    except InputError:  # Keras has no such layer or activation
        return None
    (grads,) = answer.grads
    gradients = {} if answer.dx is None else {"x": answer.dx}
    if initial_state is not None:
        gradients |= dict(zip(initial_state_names(layer), answer.d_initial_state, strict=True))
    return {name: array for name, array in {**gradients, **grads}.items() if array is not None}


def _loss_gradients(
    subject: LossSubject, arrays: Arrays, upstream: Arrays
) -> dict[str, Array] | None:
    import keras
    import tensorflow as tf

    from keras_impl.parity.oracle import keras_floats

    with keras_floats(subject.dtype):
        loss = _keras_loss(keras, subject.loss)
        if loss is None:
            return None
        y_pred = tf.constant(arrays["y_pred"].astype(subject.dtype))
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            weight = arrays.get("sample_weight")
            value = loss(arrays["y_true"], y_pred, sample_weight=weight)
        gradient = tape.gradient(value, y_pred).numpy()
    return {"y_pred": gradient * np.asarray(upstream["loss"], subject.dtype)}


def _model_gradients(
    subject: ModelSubject, arrays: Arrays, upstream: Arrays
) -> dict[str, Array] | None:
    import keras

    from keras_impl.parity.oracle import ask_model, keras_floats

    model = subject.trained(arrays)
    try:
        with keras_floats(subject.dtype):
            loss = _keras_loss(keras, subject.model.loss)
        if loss is None:
            return None
        answer = ask_model(model, loss, arrays["x"], arrays["y_true"])
    except InputError:  # Keras has no such layer or activation
        return None
    scale = np.asarray(upstream["loss"], subject.dtype)
    return {
        f"{layer.name}/{key}": scale * gradient
        for layer, grads in zip(model.layers, answer.grads, strict=True)
        for key, gradient in grads.items()
        if gradient is not None
    }


def _keras_loss(keras: Any, loss: Any) -> Any:
    """Return the Keras loss with a loss's arguments, or None where there is none."""
    twin = getattr(keras.losses, type(loss).__name__, None)
    if twin is None or not type(loss).__module__.startswith("scratchnet."):
        return None
    return twin(**loss.get_config())
