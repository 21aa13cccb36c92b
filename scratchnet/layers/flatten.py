"""Flattening."""

from __future__ import annotations

import math
from typing import Any

from scratchnet.backend import Array
from scratchnet.layers.base import Layer
from scratchnet.layers.parameters import Shape


class Flatten(Layer):
    """Reshape (B, n₁, n₂, …) to (B, n₁·n₂·…); the gradient is reshaped back."""

    min_rank = 1
    input_axes = "(batch, …)"

    def _forward(self, x: Array, training: bool, mask: Array | None) -> tuple[Array, Any]:
        return x.reshape(x.shape[0], math.prod(x.shape[1:])), x.shape

    def _backward(self, dy: Array, cache: Any) -> Array:
        return dy.reshape(cache)

    def compute_mask(self, x: Array, mask: Array | None = None) -> None:
        """A flattened sequence has no time steps left to mask."""
        return

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, product of the rest)."""
        rest = input_shape[1:]
        sizes = [n for n in rest if n is not None]
        return (input_shape[0], math.prod(sizes) if len(sizes) == len(rest) else None)
