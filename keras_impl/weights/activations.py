"""How activations map: by name, with settings where they have some."""

from __future__ import annotations

import functools
from typing import Any, Self

import keras

from scratchnet.errors import InputError


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


def to_keras_activation(config: str | dict[str, Any]) -> Any:
    """Return what Keras calls for an activation of scratchnet's, given as `get_config` does."""
    settings = dict(config) if isinstance(config, dict) else {"name": config}
    name = settings.pop("name")
    function = getattr(keras.activations, name, None)
    if function is None:
        raise InputError(
            f"to_keras: expected an activation that Keras has, got {name!r}. Choose another."
        )
    return ActivationWithSettings(name, **settings) if settings else function


def from_keras_activation(activation: Any) -> Any:
    """Return what scratchnet calls one of Keras's activations."""
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
