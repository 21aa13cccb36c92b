"""The only place that knows how layers and weights map between scratchnet and Keras.

Both sides use Keras's argument names, weight order and layout, so most of the map is the identity:
a layer's configuration makes its twin, and ``get_weights`` goes into ``set_weights``.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self

import keras

from keras_impl import layers as own_layers
from scratchnet import Sequential
from scratchnet import layers as scratch_layers
from scratchnet.arguments import DTYPES
from scratchnet.backend import to_host
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
    "trainable": (True,),
    "data_format": ("channels_last",),
    "unroll": (False, True),
}
"""Keras settings without a counterpart here, and the values at which that makes no difference."""


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
                "Call to_keras(model, batch_size=...)."
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


def from_keras(keras_model: keras.Sequential) -> Sequential:
    """Return a scratchnet model with the same layers, dtype and weights.

    Raises
    ------
    InputError
        If the model is not a ``keras.Sequential`` or has a layer or a setting (a regularizer, a
        constraint, mixed precision, frozen weights) that the engine does not have.
    """
    if not isinstance(keras_model, keras.Sequential):
        raise InputError(
            f"from_keras: expected a keras.Sequential, got {type(keras_model).__name__}. "
            "Rebuild it as a stack of layers."
        )
    twins = keras_model.layers
    model = Sequential([from_keras_layer(twin) for twin in twins], name=keras_model.name)
    if keras_model.built:
        model.build(keras_model.input_shape)
        for layer, twin in zip(model.layers, twins, strict=True):
            layer.set_weights(twin.get_weights())
    elif any(twin.weights for twin in twins):
        raise InputError(
            "from_keras: expected every layer to be built, or none, got some that are not. Call "
            "keras_model.build(input_shape) first."
        )
    return model


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
        config[key] = _to_keras_activation(config[key])
    for key in config.keys() & INNER:
        config[key] = to_keras_layer(made(config[key]))
    return KERAS_LAYERS[name](**config)


def from_keras_layer(twin: keras.Layer) -> Layer:
    """Return the unbuilt scratchnet twin of a Keras layer.

    Raises
    ------
    InputError
        If the engine has no such layer, setting or activation.
    """
    name = _supported("from_keras", twin, KERAS_LAYERS)
    cls = SCRATCH_LAYERS[name]
    where = f"from_keras: layer {twin.name!r}"
    if {twin.compute_dtype, twin.variable_dtype} not in ({dtype} for dtype in DTYPES):
        raise InputError(
            f"{where}: expected one dtype, {' or '.join(DTYPES)}, got computation in "
            f"{twin.compute_dtype} on weights of {twin.variable_dtype}. Rebuild it with one."
        )
    quantized = getattr(twin.dtype_policy, "quantization_mode", None)
    if quantized or not twin.trainable or twin.non_trainable_weights:
        raise InputError(
            f"{where}: expected weights that train, got {'quantized' if quantized else 'frozen'} "
            "ones. Set trainable=True, or rebuild it."
        )
    try:
        config = {**_described(twin), "dtype": twin.compute_dtype}
        known = inspect.signature(cls).parameters
        for key in [key for key in config if key not in known]:
            value = config.pop(key)
            if value not in NEUTRAL.get(key, (None, False)):
                raise InputError(
                    f"expected no {key}, which scratchnet's {name} does not have, got {value!r}. "
                    "Rebuild it without."
                )
        return cls(**config)
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix('from_keras: ')}") from None


def weight_keys(twin: keras.Layer) -> list[str]:
    """Return the keys that a Keras layer's trainable weights have here, in their order."""
    if isinstance(twin, keras.layers.Bidirectional):
        inner = {"forward": twin.forward_layer, "backward": twin.backward_layer}
    elif isinstance(twin, keras.layers.TimeDistributed):
        inner = {"layer": twin.layer}
    else:
        return [weight.name for weight in twin.trainable_weights]
    return [f"{prefix}/{key}" for prefix, layer in inner.items() for key in weight_keys(layer)]


def _supported(caller: str, layer: Any, classes: dict[str, Any]) -> str:
    name = type(layer).__name__
    if type(layer) is not classes.get(name):
        raise InputError(
            f"{caller}: expected layers that both sides have, {', '.join(SUPPORTED)}, got "
            f"{name} (layer {layer.name!r}). Leave it out."
        )
    return name


def _described(twin: keras.Layer) -> dict[str, Any]:
    """Return the layer's configuration, with what Keras cannot describe or forgets to."""
    if isinstance(twin, keras.layers.Bidirectional):
        return {"name": twin.name, "merge_mode": twin.merge_mode, **_both_directions(twin)}
    if isinstance(twin, keras.layers.TimeDistributed):
        return {"name": twin.name, "layer": _inner(twin, twin.layer)}
    owner = getattr(twin, "cell", twin)  # where a recurrent layer keeps its activations
    functions = {key: f for key in ACTIVATIONS if (f := getattr(owner, key, None)) is not None}
    described = {key: _from_keras_activation(f) for key, f in functions.items()}
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


def _inner(twin: keras.Layer, inner: keras.Layer) -> Layer:
    """Return the scratchnet twin of a layer inside a wrapper, which takes its dtype from it."""
    layer = from_keras_layer(inner)
    if layer.dtype != twin.compute_dtype:
        raise InputError(
            f"expected the dtype of its {inner.name!r}, {layer.dtype}, got {twin.compute_dtype}. "
            "Rebuild both with one."
        )
    return layer


def _both_directions(twin: keras.layers.Bidirectional) -> dict[str, Layer]:
    """Return the layer of both directions, and that of the way back where it has its own."""
    layer, way_back = _inner(twin, twin.forward_layer), _inner(twin, twin.backward_layer)
    layer.name = layer.name.removeprefix("forward_")
    usual = {"name": f"backward_{layer.name}", "go_backwards": True}
    if way_back.get_config() == {**layer.get_config(), **usual}:
        return {"layer": layer}
    return {"layer": layer, "backward_layer": way_back}


@keras.saving.register_keras_serializable("scratchnet")
class ActivationWithSettings:
    """A Keras activation with settings; unlike a ``functools.partial``, Keras can save it."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name = name
        self.settings = settings

    def __call__(self, x: Any) -> Any:
        return getattr(keras.activations, self.name)(x, **self.settings)

    def get_config(self) -> dict[str, Any]:
        """Return what makes this activation again, here and in scratchnet."""
        return {"name": self.name, **self.settings}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make it from `get_config`'s answer."""
        return cls(**config)


def _to_keras_activation(config: str | dict[str, Any]) -> Any:
    settings = dict(config) if isinstance(config, dict) else {"name": config}
    name = settings.pop("name")
    function = getattr(keras.activations, name, None)
    if function is None:
        raise InputError(
            f"to_keras: expected an activation that Keras has, got {name!r}. Choose another."
        )
    return ActivationWithSettings(name, **settings) if settings else function


def _from_keras_activation(activation: Any) -> Any:
    if isinstance(activation, ActivationWithSettings):
        return activation.get_config()
    settings = {}
    if isinstance(activation, functools.partial) and not activation.args:
        settings, activation = activation.keywords, activation.func
    name = getattr(activation, "__name__", type(activation).__name__)
    if getattr(keras.activations, name, None) is not activation:
        raise InputError(
            f"expected activation to be one of keras.activations, got {activation!r}. "
            "Use one by its name."
        )
    return {"name": name, **settings} if settings else name
