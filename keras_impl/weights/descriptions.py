"""What a ``.keras`` file says of its model, judged before Keras makes anything of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from keras_impl.weights.chain import OF_MASKS
from keras_impl.weights.layers import ACTIVATIONS, KNOWN, SUPPORTED, from_keras_layer
from keras_impl.weights.refusals import Unsupported, UnsupportedError, refuse_all
from scratchnet.archive import one_line
from scratchnet.errors import CheckpointError, InputError

MODELS = ("Functional", "Model", "Sequential")
OURS = ("scratchnet>ActivationWithSettings", "scratchnet>OneHot")
"""What this project adds to Keras and both sides have, as it is registered."""

MODULES = (
    None,
    "keras",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.layers",
    "keras.regularizers",
    "keras.src.models.functional",
    "keras.src.ops.numpy",
)
"""Where what a description names may be from; other modules are never imported."""

FUNCTIONS = ("function", "__lambda__")
TENSOR = "__keras_tensor__"
SHAPES = ("batch_shape", "build_input_shape", "input_shape", "shape")
LONGEST = 100_000
"""Steps of an input: some of Keras's layers do something for each of them while they are made."""

REMEDY = "Use another copy, or save it again with model.save in this Keras."

Description = Mapping[str, Any]


def check_description(description: Any, left_out: list[str] | None) -> None:
    """Make sure that a model has nothing but layers and settings that scratchnet has too.

    Only layers that are on the list are made, one by one and without weights; Keras is asked for no
    other.

    Raises
    ------
    InputError
        If it has others: all are named.
    CheckpointError
        If it describes no model.
    """
    if not _is_object(description):
        raise CheckpointError(f"expected the description of a model, got none. {REMEDY}")
    if not _is_model(description):
        raise InputError(
            "from_keras: expected a keras.Sequential or a Functional keras.Model, got "
            f"{one_line(description['class_name'])}. Rebuild it as one line of layers."
        )
    errors = []
    for layer in _layers(description):
        try:
            _check_layer(layer, left_out)
        except InputError as error:
            errors.append(error)
    refuse_all("from_keras", SUPPORTED, errors)
    for one in _objects(description):
        if not (_of_keras(one) or one["class_name"] == TENSOR):
            raise CheckpointError(f"expected what Keras saves, got {_called(one)}. {REMEDY}")
    for length in _lengths(description):
        if length > LONGEST:
            raise CheckpointError(
                f"expected inputs of at most {LONGEST} steps, got {length}. Save the model with "
                "None in the place of its number of steps."
            )


def _layers(model: Description) -> Iterator[Description]:
    """Yield the descriptions of a model's layers, those of models inside it too."""
    layers = model["config"].get("layers")
    if not isinstance(layers, list) or not all(map(_is_object, layers)):
        raise CheckpointError(f"expected a model with a list of layers, got none. {REMEDY}")
    for layer in layers:
        if _is_model(layer):
            yield from _layers(layer)
        elif layer["class_name"] not in ("InputLayer", *OF_MASKS) or not _of_keras(layer):
            yield layer


def _check_layer(description: Description, left_out: list[str] | None) -> None:
    name = _name(description)
    if not _is_known(description):
        stranger = Unsupported(one_line(description["class_name"]), name)
        raise UnsupportedError("from_keras", SUPPORTED, [stranger])
    inside = list(_objects(description["config"]))
    strangers = [
        Unsupported(one_line(one["class_name"]), _name(one), name)
        for one in inside
        if _is_layer(one) and not _is_known(one)
    ]
    if strangers:
        raise UnsupportedError("from_keras", SUPPORTED, strangers)
    for one in inside:
        if not _of_keras(one):
            raise InputError(
                f"from_keras: layer {name!r}: expected settings of Keras's own, got "
                f"{_called(one)}. Use one of keras.activations or keras.initializers by its name."
            )
    for function in _activations(description["config"]):
        if not (isinstance(function, str) and hasattr(keras.activations, function)):
            got = (
                f"the function {one_line(function)!r}" if isinstance(function, str) else "a lambda"
            )
            raise InputError(
                f"from_keras: layer {name!r}: expected activation to be one of keras.activations, "
                f"got {got}. Use one by its name."
            )
    unbuilt = {key: description[key] for key in description if key != "build_config"}
    unbuilt = copy.deepcopy(unbuilt)  # Keras takes a wrapper's layer out of it
    try:
        layer = keras.saving.deserialize_keras_object(unbuilt, safe_mode=True)
    except Exception as error:  # Keras answers a wrong description with whatever it runs into
        raise CheckpointError(
            f"layer {name!r}: expected a description that Keras understands, got another "
            f"({reason(error)}). {REMEDY}"
        ) from error
    from_keras_layer(layer, left_out)


def _objects(value: Any) -> Iterator[Description]:
    """Yield the description of every object in a description, the outer before the inner."""
    if isinstance(value, Mapping):
        if _is_object(value):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _activations(value: Any) -> Iterator[Any]:
    """Yield what a description has for activations, but for objects and None."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ACTIVATIONS or _is_object(inner):
                yield from _activations(inner)
            elif inner is not None:
                yield inner


def _lengths(value: Any, shape: bool = False) -> Iterator[int]:
    """Yield the lengths of all axes that a description gives."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _lengths(inner, key in SHAPES)
    elif isinstance(value, list):
        for inner in value:
            yield from _lengths(inner, shape)
    elif shape and isinstance(value, int):
        yield value


def _is_object(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("class_name"), str):
        return False
    return value["class_name"] in FUNCTIONS or isinstance(value.get("config"), Mapping)


def _is_model(one: Description) -> bool:
    return one["class_name"] in MODELS and _of_keras(one)


def _is_known(one: Description) -> bool:
    return one["class_name"] in KNOWN and _of_keras(one)


def _is_layer(one: Description) -> bool:
    config = one["config"]
    return one["class_name"] not in FUNCTIONS and (
        one.get("module") == "keras.layers" or {"name", "trainable"} <= config.keys()
    )


def _of_keras(one: Description) -> bool:
    """Whether an object is Keras's own, or one that this project adds to Keras."""
    registered = one.get("registered_name")
    if registered in OURS:
        return True
    known = one.get("module") in MODULES and one["class_name"] not in FUNCTIONS
    return known and registered in (None, one["class_name"])


def _name(one: Description) -> str:
    config = one["config"]
    return one_line(str(config.get("name", ""))) if isinstance(config, Mapping) else ""


def _called(one: Description) -> str:
    if one["class_name"] not in FUNCTIONS:
        return f"{one_line(one['class_name'])} of {one_line(str(one.get('module')))}"
    config = one.get("config")
    return f"the function {one_line(config)!r}" if isinstance(config, str) else "a lambda"


def reason(error: Exception) -> str:
    """Return the gist of what Keras says, on one line."""
    text = str(error) or repr(error)
    return one_line(text.rpartition("Exception encountered: ")[2])
