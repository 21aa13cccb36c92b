"""What the layers share that hold other layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from scratchnet.backend import Array
from scratchnet.device import device_of
from scratchnet.errors import CheckpointError, InputError
from scratchnet.layers.base import Layer
from scratchnet.layers.parameters import Shape


class Wrapper(Layer):
    """A layer whose parameters are those of the layers in it, under paths: ``forward/kernel``.

    Its dtype is theirs.
    """

    def __init__(self, inner: Mapping[str, Layer], name: str | None, dtype: str | None) -> None:
        first = next(iter(inner.values()))
        for layer in inner.values():
            if not isinstance(layer, Layer):
                raise InputError(
                    f"{type(self).__name__}: expected layer to be a scratchnet layer, got "
                    f"{layer!r}. Pass for instance LSTM(8)."
                )
        super().__init__(name=name, dtype=first.dtype if dtype is None else dtype)
        self.inner = dict(inner)
        self.set_dtype(self.dtype)

    def set_dtype(self, dtype: str) -> None:
        """Compute in another dtype from now on; only before the parameters exist."""
        super().set_dtype(dtype)
        for layer in self.inner.values():
            layer.set_dtype(dtype)

    def to(self, device: str) -> Self:
        """Take the layers inside to ``"cpu"`` or ``"gpu"``; see `Parameters.to`."""
        for layer in self.inner.values():
            layer.to(device)
        self.params, self.grads = {}, {}
        super().to(device)
        self._gather_params()
        self._gather_grads()
        return self

    def restore(self, input_shape: Shape, arrays: Mapping[str, Array]) -> None:
        """Build from stored parameters; see `Parameters.restore`."""
        strange = [key for key in arrays if key.partition("/")[0] not in self.inner]
        if strange:
            raise CheckpointError(f"{self.name}: unexpected arrays {', '.join(strange)}")
        for prefix, layer in self.inner.items():
            below = f"{prefix}/"
            own = {k.removeprefix(below): v for k, v in arrays.items() if k.startswith(below)}
            layer.restore(self._inner_shape(input_shape), own)
        self.build(input_shape)

    def state(self) -> dict[str, Any]:
        """Return the inner layers' states by prefix."""
        return {prefix: layer.state() for prefix, layer in self.inner.items()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        for prefix, layer in self.inner.items():
            layer.set_state(state[prefix])

    def _build(self, input_shape: Shape) -> None:
        for layer in self.inner.values():
            layer.build(self._inner_shape(input_shape))
        self._gather_params()

    def _inner_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape of the layers inside."""
        return input_shape

    def _place(self, x: Array) -> None:
        for layer in self.inner.values():
            layer._place(x)
        if self._device is None:
            self._gather_params()
            self._device = device_of(x)

    def _gather_params(self) -> None:
        self.params = self._paths("params")

    def _gather_grads(self) -> None:
        self.grads = self._paths("grads")

    def _paths(self, kind: str) -> dict[str, Array]:
        return {
            f"{prefix}/{key}": array
            for prefix, layer in self.inner.items()
            for key, array in getattr(layer, kind).items()
        }


def described(layer: Layer) -> dict[str, Any]:
    """Return what `made` takes, as JSON can hold it."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def made(description: Any) -> Layer:
    """Return a layer from its description, or the layer itself."""
    from scratchnet import layers

    if isinstance(description, Layer):
        return description
    if not isinstance(description, Mapping) or "class_name" not in description:
        raise InputError(
            f"layer: expected a scratchnet layer, got {description!r}. Pass for instance LSTM(8)."
        )
    name = description["class_name"]
    if name not in layers.__all__:
        raise InputError(f"layer: expected one of {', '.join(layers.__all__)}, got {name!r}.")
    layer: Layer = getattr(layers, name).from_config(description["config"])
    return layer
