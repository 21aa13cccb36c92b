"""Masking of padded time steps."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import real
from scratchnet.backend import Array, array_module
from scratchnet.layers.base import Layer


class Masking(Layer):
    r"""Mask the steps all of whose features are ``mask_value``, for the layers that follow.

    :math:`m_{bt} = 1` where some feature differs, else 0; :math:`y = m \odot x`.

    Parameters
    ----------
    mask_value : float
        What padding is made of.
    """

    min_rank = max_rank = 3
    input_axes = "(batch, time, features)"

    def __init__(
        self, mask_value: float = 0.0, *, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.mask_value = real("Masking", "mask_value", mask_value)

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        live = self._live(x)[..., None]
        return x * live, live

    def _backward(self, dy: Array, cache: Array) -> Array:
        return dy * cache

    def compute_mask(self, x: Array, mask: Array | None = None) -> Array:
        """Return True where a step is not padding, (B, T)."""
        return self._live(self._cast(x))

    def _live(self, x: Array) -> Array:
        return array_module(x).any(x != self.mask_value, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {**super().get_config(), "mask_value": self.mask_value}
