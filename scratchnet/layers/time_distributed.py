"""One layer at every time step."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import numeric
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.layers.parameters import Shape
from scratchnet.layers.wrapper import Wrapper, described, made


class TimeDistributed(Wrapper):
    """Apply a layer to every time step alike: (B, T, …) is treated as a batch of B·T.

    Parameters
    ----------
    layer : Layer
        Its parameters are ``layer/kernel`` and so on here.
    """

    min_rank = 3
    input_axes = "(batch, time, …)"

    def __init__(self, layer: Any, *, name: str | None = None, dtype: str | None = None) -> None:
        self.layer = made(layer)
        super().__init__({"layer": self.layer}, name, dtype)

    def _cast(self, x: Any) -> Array:
        return self.layer._cast(numeric("TimeDistributed", "x", x))

    def _inner_shape(self, input_shape: Shape) -> Shape:
        return (None, *input_shape[2:])

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        B, T = x.shape[:2]
        y = self.layer.forward(x.reshape(B * T, *x.shape[2:]), training=training)
        if isinstance(y, tuple):
            raise InputError(
                f"{self.name}: expected layer to return one array, got {len(y)}. "
                "Leave out return_state."
            )
        return y.reshape(B, T, *y.shape[1:]), x.shape

    def _backward(self, dy: Array, cache: Any) -> Array | None:
        dx = self.layer.backward(dy.reshape(-1, *dy.shape[2:]))
        self._gather_grads()
        return None if dx is None else dx.reshape(cache)

    def _backward_to_params(self, dy: Array, cache: Any) -> None:
        self.layer.backward(dy.reshape(-1, *dy.shape[2:]), needs_dx=False)
        self._gather_grads()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (B, T) and the layer's own output shape without its batch axis."""
        inner = self.layer.compute_output_shape(self._inner_shape(input_shape))
        return (*input_shape[:2], *inner[1:])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "layer": described(self.layer)}
