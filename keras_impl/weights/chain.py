"""A Keras model as the straight line of layers that scratchnet's `Sequential` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import keras
from keras.src.models.functional import Functional

from scratchnet.errors import InputError

MODELS = (keras.Sequential, Functional)
OF_MASKS = ("NotEqual", "Any")
"""Operations that Keras puts into a graph where a layer makes a mask."""

ONE_LINE = "Rebuild it as one line of layers."


def chain(model: keras.Model) -> list[keras.Layer]:
    """Return the layers that a model's input goes through, those of models inside it included.

    Raises
    ------
    InputError
        If they are no line: they branch, share weights, or get more than the layer below gives.
    """
    layers = _flat(model)
    for position, layer in enumerate(layers):
        if any(layer is other for other in layers[:position]):
            _refuse(layer, "it is called twice", "once")
    return layers


def through(layers: Sequence[keras.Layer], x: Any, *, training: bool = False) -> Any:
    """Return what comes out of the last layer; masks travel as in a model."""
    for layer in layers:
        x = layer(x, training=training) if layer._call_has_training_arg else layer(x)
        if isinstance(x, list | tuple):  # states, which no layer of a line takes
            x = x[0]
    return x


def members(model: keras.Model) -> list[Any]:
    """Return all layers and operations of a model, and of those inside it, line or not.

    Inputs, and what Keras puts between layers to carry masks, are left out.

    Raises
    ------
    InputError
        If it is neither a ``keras.Sequential`` nor a Functional model.
    """
    if type(model) not in MODELS:
        raise InputError(
            "from_keras: expected a keras.Sequential or a Functional keras.Model, got "
            f"{type(model).__name__}. {ONE_LINE}"
        )
    found = []
    for one in model.operations if isinstance(model, Functional) else model.layers:
        if type(one) in MODELS:
            found += members(one)
        elif not isinstance(one, keras.layers.InputLayer) and type(one).__name__ not in OF_MASKS:
            found.append(one)
    return found


def _flat(model: keras.Model) -> list[keras.Layer]:
    own = model.layers if isinstance(model, keras.Sequential) else _line(model)
    return [layer for one in own for layer in (_flat(one) if type(one) in MODELS else [one])]


def _line(model: keras.Model) -> list[keras.Layer]:
    """Return a Functional model's layers from its input to its output."""
    for what, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            raise InputError(
                f"from_keras: expected one {what}, got {len(tensors)} (model {model.name!r}). "
                f"{ONE_LINE}"
            )
    calls: list[Any] = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        operation, node_index, place = tensor._keras_history
        node = operation._inbound_nodes[node_index]
        if type(operation).__name__ in OF_MASKS:
            _refuse(operation, "it compares numbers", "a layer")
        if place:
            _refuse(operation, f"its output {place + 1} is used", "its first alone")
        calls.insert(0, (operation, node))
        tensor = node.arguments.args[0] if node.arguments.args else None
        if not isinstance(tensor, keras.KerasTensor):
            _refuse(operation, "its input is not the layer below", "one tensor")
    masks = _Masks()
    for operation, node in calls:
        masks.check(operation, node)
    return [operation for operation, _ in calls]


class _Masks:
    """Whether the masks that a graph's calls name are those that travel without being named."""

    def __init__(self) -> None:
        self.maker: tuple[Any, Any] | None = None
        """The layer that made the mask, and its input."""

    def check(self, layer: keras.Layer, node: Any) -> None:
        """Refuse a call with more than its input and the mask that comes with that."""
        x, *more = node.arguments.args
        given = {**dict(enumerate(more, 2)), **node.arguments.kwargs}
        for name, value in given.items():
            if value is None or value is False or (name == "mask" and self._travels(value)):
                continue
            _refuse(layer, f"it is called with {name}{'=True' if value is True else ''}", "x alone")
        if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False):
            self.maker = (layer, x)

    def _travels(self, mask: Any) -> bool:
        if self.maker is None or not isinstance(mask, keras.KerasTensor):
            return False
        layer, x = self.maker
        value = 0
        if isinstance(layer, keras.layers.Masking):
            value = layer.mask_value
            name, node, axis = _made_by(mask)
            if name != "Any" or axis not in (-1, [-1], (-1,)):
                return False
            mask = node.arguments.args[0]
        name, node, _ = _made_by(mask)
        compared = node.arguments.args
        return (
            name == "NotEqual" and len(compared) == 2 and compared[0] is x and compared[1] == value
        )


def _made_by(tensor: Any) -> tuple[str, Any, Any]:
    """Return the name of the operation that made a tensor, its call, and its axis."""
    operation, node_index, _ = tensor._keras_history
    node = operation._inbound_nodes[node_index]
    return type(operation).__name__, node, getattr(operation, "axis", None)


def _refuse(layer: Any, got: str, expected: str) -> NoReturn:
    raise InputError(f"from_keras: layer {layer.name!r}: expected {expected}, {got}. {ONE_LINE}")
