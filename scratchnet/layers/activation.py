"""The activation layer, and how an activation is named, found and kept."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scratchnet.arguments import real
from scratchnet.backend import Array
from scratchnet.equations import activations
from scratchnet.equations.activations import Pair
from scratchnet.errors import InputError
from scratchnet.kernels.device import has_kernels
from scratchnet.kernels.device.rows.kernel import by_rows
from scratchnet.kernels.device.tracing.pointwise import fused
from scratchnet.layers.base import Layer

FORWARD: dict[str, Callable[..., Array]] = {
    name: function
    for name, function in inspect.getmembers(activations, inspect.isfunction)
    if function.__module__ == activations.__name__ and hasattr(activations, f"{name}_backward")
}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu", None: "linear"}
ALONG_ROWS = (
    *(activations.softmax, activations.softmax_backward),
    *(activations.log_softmax, activations.log_softmax_backward),
)
"""What no kernel with one thread for each element can do."""

Identifier = str | Callable[..., Array] | dict[str, Any] | None


class ActivationFunction(NamedTuple):
    """An activation with its backward and its settings, ready to be called."""

    name: str
    forward: Callable[[Array], Array]
    backward: Callable[[Array, Array, Array], Array]
    settings: dict[str, Any]

    @property
    def pair(self) -> Pair:
        """Forward and backward, as the recurrent equations take them."""
        return Pair(self.forward, self.backward)

    def apply(self, x: Array) -> Array:
        """Return y; on a device from one kernel."""
        return self.forward(x) if type(x) is np.ndarray else _applied(self.forward, x)

    def apply_backward(self, dy: Array, x: Array, y: Array) -> Array:
        """Return dx; on a device from one kernel."""
        if type(dy) is np.ndarray:
            return self.backward(dy, x, y)
        return _applied(self.backward, dy, x, y)

    def config(self) -> str | dict[str, Any]:
        """Return what `get_activation` takes, as JSON can hold it."""
        return {"name": self.name, **self.settings} if self.settings else self.name


def _applied(function: Callable[..., Array], *arrays: Array) -> Array:
    if not has_kernels(arrays[0]):
        return function(*arrays)
    if function in (activations.linear, activations.linear_backward):
        return function(*arrays)
    return by_rows(function, *arrays) if function in ALONG_ROWS else fused(function, *arrays)


def get_activation(identifier: Identifier) -> ActivationFunction:
    """Return an activation by Keras's name, or from one of our functions.

    ``"gelu"``, ``gelu``, ``functools.partial(gelu, approximate=True)`` and
    ``{"name": "gelu", "approximate": True}`` are understood; None is linear.

    Raises
    ------
    InputError
        If there is no such activation (near matches are given), or it has no such setting.
    """
    settings: dict[str, Any] = {}
    if isinstance(identifier, functools.partial) and not identifier.args:
        settings, identifier = dict(identifier.keywords), identifier.func
    elif isinstance(identifier, dict) and "name" in identifier:
        settings = {key: value for key, value in identifier.items() if key != "name"}
        identifier = identifier["name"]
    name = next((n for n, function in FORWARD.items() if function is identifier), identifier)
    if name is None or isinstance(name, str):
        name = ALIASES.get(name, name)
    if not isinstance(name, str) or name not in FORWARD:
        near = difflib.get_close_matches(str(name), FORWARD, n=3)
        raise InputError(
            f"activation: expected one of {', '.join(FORWARD)}, got {name!r}. "
            + (f"Did you mean {' or '.join(near)}?" if near else "Use one of those.")
        )
    settings = {key: _setting(name, key, value) for key, value in settings.items()}
    forward, backward = FORWARD[name], getattr(activations, f"{name}_backward")
    if settings:
        forward = functools.partial(forward, **settings)
        backward = functools.partial(backward, **settings)
    return ActivationFunction(name, forward, backward, settings)


def _setting(name: str, key: str, value: object) -> bool | float:
    """Return the value of an activation's setting, which is a number, or on or off."""
    _, *settings = inspect.signature(FORWARD[name]).parameters.values()  # the first is x
    defaults = {setting.name: setting.default for setting in settings}
    if key not in defaults:
        raise InputError(
            f"activation: expected {name} to have {' and '.join(defaults) or 'no settings'}, got "
            f"{key}={value!r}. Leave it out."
        )
    if not isinstance(defaults[key], bool):
        return real("activation", f"{key} of {name}", value)
    if not isinstance(value, bool):
        raise InputError(
            f"activation: expected {key} of {name} to be True or False, got {value!r}. "
            "Use one of those."
        )
    return value


class ActivatedLayer(Layer):
    r"""A layer that ends in an activation: :math:`y = f(a)`.

    A softmax or sigmoid followed by cross-entropy is one function of ``a``, the logits, whose
    gradient is short and exact where the two taken one after the other lose everything below the
    clip at 1e-7.  The model therefore asks its last layer for ``a`` beside ``y`` and starts the
    backward pass from ``da``.
    """

    activation: ActivationFunction

    def forward_with_logits(
        self, x: Array, training: bool = False, mask: Array | None = None
    ) -> tuple[Array, Array]:
        """Return ``(a, y)``: the pre-activations and the output."""
        x = self._ready(x)
        a, cache = self._pre_activation(x)
        y = self.activation.apply(a)
        if training:
            self._remember((cache, a, y), y)
        return a, y

    def pre_activation(self, x: Array) -> Array:
        """Return ``a`` alone, for inference."""
        return self._pre_activation(self._ready(x))[0]

    def forward_to_logits(self, x: Array, mask: Array | None = None) -> Array:
        """Return ``a`` alone, in training: `backward_from_logits` is then the only way back."""
        x = self._ready(x)
        a, cache = self._pre_activation(x)
        self._remember((cache, a, None), a)
        return a

    def backward_from_logits(self, da: Array, *, needs_dx: bool = True) -> Array | None:
        """Return ``dx`` from the gradient with respect to the pre-activations; see `backward`."""
        (cache, _, _), da = self._recall(da)
        if needs_dx:
            return self._pre_activation_backward(da, cache)
        self._pre_activation_backward_to_params(da, cache)
        return None

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        a, cache = self._pre_activation(x)
        y = self.activation.apply(a)
        return y, (cache, a, y)

    def _backward(self, dy: Array, cache: Any) -> Array | None:
        inner, a, y = cache
        da = self.activation.apply_backward(dy, a, y)
        return self._pre_activation_backward(da, inner)

    def _backward_to_params(self, dy: Array, cache: Any) -> None:
        inner, a, y = cache
        self._pre_activation_backward_to_params(self.activation.apply_backward(dy, a, y), inner)

    def _pre_activation(self, x: Array) -> tuple[Array, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no _pre_activation")

    def _pre_activation_backward(self, da: Array, cache: Any) -> Array | None:
        raise NotImplementedError(f"{type(self).__name__} has no _pre_activation_backward")

    def _pre_activation_backward_to_params(self, da: Array, cache: Any) -> None:
        self._pre_activation_backward(da, cache)


class Activation(ActivatedLayer):
    """Apply an activation: ``y = f(x)``.

    Parameters
    ----------
    activation : str or function
        One of `scratchnet.equations.activations`, by Keras's name or itself.
    """

    min_rank = 1
    input_axes = "(batch, …)"

    def __init__(
        self, activation: Identifier, *, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.activation = get_activation(activation)

    def _pre_activation(self, x: Array) -> tuple[Array, None]:
        return x, None

    def _pre_activation_backward(self, da: Array, cache: None) -> Array:
        return da

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "activation": self.activation.config()}
