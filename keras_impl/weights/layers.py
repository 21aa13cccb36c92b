"""How one layer maps: its configuration makes its twin."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from keras_impl import layers as own_layers
from keras_impl.weights.activations import from_keras_activation, to_keras_activation
from keras_impl.weights.precision import TRAINING_ONLY, checked_dtype, checked_training
from keras_impl.weights.refusals import Unsupported, UnsupportedError
from scratchnet import layers as scratch_layers
from scratchnet.errors import InputError
from scratchnet.layers import Layer
from scratchnet.layers.wrapper import made

SUPPORTED = (
    "Activation",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRU",
    "LSTM",
    "Masking",
    "OneHot",
    "SimpleRNN",
    "TimeDistributed",
)

KERAS_LAYERS = {
    name: getattr(own_layers if hasattr(own_layers, name) else keras.layers, name)
    for name in SUPPORTED
}
SCRATCH_LAYERS = {name: getattr(scratch_layers, name) for name in SUPPORTED}

ACTIVATIONS = ("activation", "recurrent_activation")
"""Arguments that name a function."""

INNER = ("layer", "backward_layer")
"""Arguments that are layers themselves."""

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "trainable": (True, False),  # `checked_training` has looked at it
    "data_format": ("channels_last",),
    "unroll": (False, True),
}
"""Keras settings without a counterpart here, and the values at which that makes no difference."""

RENAMED = ("ELU", "LeakyReLU", "ReLU", "SpatialDropout1D")
"""Keras layers that are one of `SUPPORTED` under another name."""

KNOWN = {*SUPPORTED, *RENAMED}


def to_keras_layer(layer: Layer) -> keras.Layer:
    """Return the unbuilt Keras twin of a layer.

    Raises
    ------
    InputError
        If Keras has no such layer or activation.
    """
    name = _supported("to_keras", layer, SCRATCH_LAYERS)
    config = layer.get_config()
    for key in config.keys() & ACTIVATIONS:
        config[key] = to_keras_activation(config[key])
    for key in config.keys() & INNER:
        config[key] = to_keras_layer(made(config[key]))
    return KERAS_LAYERS[name](**config)


def from_keras_layer(twin: keras.Layer, left_out: list[str] | None = None) -> Layer:
    """Return the unbuilt scratchnet twin of a Keras layer.

    Parameters
    ----------
    left_out : list of str, optional
        As `keras_impl.weights.from_keras` takes it.

    Raises
    ------
    InputError
        If the engine has no such layer, setting or activation.
    """
    twin = _renamed(twin)
    name = _supported("from_keras", twin, KERAS_LAYERS)
    cls = SCRATCH_LAYERS[name]
    where = f"layer {twin.name!r}"
    try:
        dtype = checked_dtype(twin, where, left_out)
        checked_training(twin, where, left_out)
        config = {**_described(twin, left_out), "dtype": dtype}
        known = inspect.signature(cls).parameters
        for key in [key for key in config if key not in known]:
            value = config.pop(key)
            if value in NEUTRAL.get(key, (None, False)):
                continue
            if left_out is None or not key.endswith(TRAINING_ONLY):
                raise InputError(
                    f"expected no {key}, which scratchnet's {name} does not have, got {value!r}. "
                    "Rebuild it without."
                )
            left_out.append(f"{where}: its {key}")
        return cls(**config)
    except UnsupportedError as error:
        inside = [one._replace(wrapper=one.wrapper or twin.name) for one in error.found]
        raise UnsupportedError("from_keras", SUPPORTED, inside) from None
    except InputError as error:
        said = str(error).removeprefix("from_keras: ")
        raise InputError(f"from_keras: {where}: {said}") from None


def weight_keys(twin: keras.Layer) -> list[str]:
    """Return the keys that a Keras layer's trainable weights have here, in their order."""
    if isinstance(twin, keras.layers.Bidirectional):
        inner = {"forward": twin.forward_layer, "backward": twin.backward_layer}
    elif isinstance(twin, keras.layers.TimeDistributed):
        inner = {"layer": twin.layer}
    else:
        return [weight.name for weight in twin.trainable_weights]
    return [f"{prefix}/{key}" for prefix, layer in inner.items() for key in weight_keys(layer)]


def _renamed(twin: keras.Layer) -> keras.Layer:
    """Return what a layer is under the name that both sides have; itself if it is none of those."""
    kind = type(twin)
    common = {"name": twin.name, "dtype": twin.dtype_policy, "trainable": twin.trainable}
    if kind is keras.layers.ELU:
        return _activation("elu", common, alpha=twin.alpha)
    if kind is keras.layers.LeakyReLU:
        return _activation("leaky_relu", common, negative_slope=twin.negative_slope)
    if (
        kind is keras.layers.ReLU
        and twin.max_value == 6
        and not twin.negative_slope + twin.threshold
    ):
        return _activation("relu6", common)
    if kind is keras.layers.ReLU:
        plain = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}
        set_apart = {k: v for k, default in plain.items() if (v := getattr(twin, k)) != default}
        return _activation("relu", common, **set_apart)
    if kind is keras.layers.SpatialDropout1D:
        return keras.layers.Dropout(twin.rate, (None, 1, None), twin.seed, **common)
    return twin


def _activation(name: str, common: dict[str, Any], **settings: Any) -> keras.Layer:
    function = to_keras_activation({"name": name, **settings})
    return keras.layers.Activation(function, **common)


def _supported(caller: str, layer: Any, classes: dict[str, Any]) -> str:
    name = type(layer).__name__
    if type(layer) is not classes.get(name):
        raise UnsupportedError(caller, SUPPORTED, [Unsupported(name, layer.name)])
    return name


def _described(twin: keras.Layer, left_out: list[str] | None) -> dict[str, Any]:
    """Return the layer's configuration, with what Keras cannot describe or forgets to."""
    if isinstance(twin, keras.layers.Bidirectional):
        both = _both_directions(twin, left_out)
        return {"name": twin.name, "merge_mode": twin.merge_mode, **both}
    if isinstance(twin, keras.layers.TimeDistributed):
        return {"name": twin.name, "layer": _inner(twin, twin.layer, left_out)}
    owner = getattr(twin, "cell", twin)  # where a recurrent layer keeps its activations
    functions = {key: f for key in ACTIVATIONS if (f := getattr(owner, key, None)) is not None}
    described = {key: from_keras_activation(f) for key, f in functions.items()}
    try:
        for key in functions:
            setattr(owner, key, keras.activations.linear)
        config = {**twin.get_config(), **described}
        if owner is not twin:
            config["seed"] = owner.seed  # which Keras's SimpleRNN forgets
    finally:
        for key, function in functions.items():
            setattr(owner, key, function)
    for key in config:
        initializer = getattr(twin, key) if key.endswith("_initializer") else None
        if isinstance(initializer, keras.initializers.Identity):
            config[key] = {"class_name": "Identity", "config": {"gain": initializer.gain}}
    return config


def _inner(twin: keras.Layer, inner: keras.Layer, left_out: list[str] | None) -> Layer:
    """Return the scratchnet twin of a layer inside a wrapper, which takes its dtype from it."""
    layer = from_keras_layer(inner, left_out)
    dtype = checked_dtype(twin, f"layer {twin.name!r}", None if left_out is None else [])
    if layer.dtype != dtype:
        raise InputError(
            f"expected the dtype of its {inner.name!r}, {layer.dtype}, got {dtype}. "
            "Rebuild both with one."
        )
    return layer


def _both_directions(
    twin: keras.layers.Bidirectional, left_out: list[str] | None
) -> dict[str, Layer]:
    """Return the layer of both directions, and that of the way back where it has its own."""
    layer = _inner(twin, twin.forward_layer, left_out)
    way_back = _inner(twin, twin.backward_layer, left_out)
    layer.name = layer.name.removeprefix("forward_")
    usual = {"name": f"backward_{layer.name}", "go_backwards": True}
    if way_back.get_config() == {**layer.get_config(), **usual}:
        return {"layer": layer}
    return {"layer": layer, "backward_layer": way_back}
