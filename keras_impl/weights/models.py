"""How a whole model maps."""

from __future__ import annotations

from pathlib import Path

import keras

from keras_impl.weights.chain import chain, members
from keras_impl.weights.files import load
from keras_impl.weights.layers import SUPPORTED, from_keras_layer, to_keras_layer
from keras_impl.weights.refusals import refuse_all
from scratchnet import Sequential
from scratchnet.backend import to_host
from scratchnet.errors import InputError
from scratchnet.layers import Layer


def to_keras(model: Sequential, batch_size: int | None = None) -> keras.Sequential:
    """Return a Keras model with the same layers, dtype and weights.

    Keras's ``fit`` and ``predict`` round their data to ``keras.config.floatx()``; a float64 model
    wants that set to ``"float64"`` (`keras_impl.parity.oracle.keras_floats` does).

    Parameters
    ----------
    batch_size : int, optional
        Of every batch to come: Keras fixes it where a layer is stateful.  States start from zeros.

    Raises
    ------
    InputError
        If Keras has no such layer or activation (``heaviside``), only some layers are built, or
        there is a stateful one and no ``batch_size``.
    """
    twin = keras.Sequential([to_keras_layer(layer) for layer in model.layers], name=model.name)
    if model.built:
        if batch_size is None and any(getattr(layer, "stateful", False) for layer in model.layers):
            raise InputError(
                "to_keras: expected batch_size, which Keras fixes for a stateful layer, got None. "
                "Call to_keras(model, batch_size=...), or convert with --batch-size."
            )
        input_shape = model.layers[0].input_shape
        assert input_shape is not None  # the model is built
        twin.build((batch_size, *input_shape[1:]))
        for layer, twin_layer in zip(model.layers, twin.layers, strict=True):
            twin_layer.set_weights([to_host(array) for array in layer.get_weights()])
    elif any(layer.params for layer in model.layers):
        raise InputError(
            "to_keras: expected every layer to be built, or none, got some that are not. Call "
            "model.build(input_shape) first."
        )
    return twin


def from_keras(source: keras.Model | str | Path, left_out: list[str] | None = None) -> Sequential:
    """Return a scratchnet model with the same layers, dtype and weights.

    A ``.keras`` file is data: it is size-checked, and nothing of it is run.  A Functional model
    has to be a line of layers; models inside a model are laid out flat.  States of stateful layers
    start from zeros; optimizer and loss stay behind.

    Parameters
    ----------
    source : keras.Model, str or Path
        A ``keras.Sequential`` or Functional model, or the ``.keras`` file of one.
    left_out : list of str, optional
        With one, settings that matter to training or rounding alone (frozen weights, regularizers,
        constraints, reduced precision) are left out, and named in it; otherwise they are refused.

    Raises
    ------
    InputError
        If the model is no such line, or has layers or settings that the engine does not have: all
        of them are named.
    CheckpointError
        If the file is missing, damaged, of another program, or made to harm.
    """
    if isinstance(source, str | Path):
        model = load(source, left_out)
        try:
            return from_keras(model, left_out)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None
    made = _made(members(source), left_out)
    twins = chain(source)
    scratch = Sequential([made[id(twin)] for twin in twins], name=source.name)
    if source.built:
        scratch.build(source.input_shape)
        for layer, twin in zip(scratch.layers, twins, strict=True):
            layer.set_weights([array.astype(layer.dtype) for array in twin.get_weights()])
    elif any(twin.weights for twin in twins):
        raise InputError(
            "from_keras: expected every layer to be built, or none, got some that are not. Call "
            "keras_model.build(input_shape) first."
        )
    return scratch


def _made(twins: list[keras.Layer], left_out: list[str] | None) -> dict[int, Layer]:
    """Return the layer for each Keras layer, by its id, or say of all what the engine has not."""
    made, errors = {}, []
    for twin in twins:
        try:
            layer = made[id(twin)] = from_keras_layer(twin, left_out)
            for part in (layer, *getattr(layer, "inner", {}).values()):
                if getattr(part, "return_state", False):
                    part.return_state = False  # a line has one output: nothing takes the states
        except InputError as error:
            errors.append(error)
    refuse_all("from_keras", SUPPORTED, errors)
    return made
