"""Finding NaN and infinity: in data before anything is computed, in a network afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from scratchnet.backend import Array, array_module, to_host
from scratchnet.errors import InputError
from scratchnet.layers import Layer

CHUNK = 2**18
"""Elements looked at together, so that a view of many windows is never copied as a whole."""


def expect_finite(owner: str, argument: str, array: Array) -> None:
    """Make sure that data hold neither NaN nor infinity.

    Raises
    ------
    InputError
        If they do; the message has the first index.
    """
    for start, rows in _chunks(array):
        if not is_finite(rows):
            host = to_host(rows)
            first = np.argwhere(~np.isfinite(host))[0]
            index = tuple(map(int, first))
            raise InputError(
                f"{owner}: expected {argument} to be finite, got {host[index]} at index "
                f"{(index[0] + start, *index[1:])}. Remove such samples, or fill in the values."
            )


def is_finite(array: Array) -> bool:
    """Whether an array has neither NaN nor infinity; integers never have."""
    return array.dtype.kind != "f" or bool(array_module(array).isfinite(array).all())


def first_not_finite(layers: Sequence[Layer], x: Array) -> str:
    """Say where NaN or infinity first appears when a batch goes through the layers."""
    if not is_finite(x):
        return "the batch itself is not finite"
    mask = None
    for layer in layers:
        for key, array in layer.params.items():
            if not is_finite(array):
                return f"layer {layer.name!r} has a {key} that is not finite"
        y = layer.forward(x, mask=mask)
        if not is_finite(y):
            return f"the output of layer {layer.name!r} is the first that is not finite"
        mask = layer.compute_mask(x, mask)
        x = y
    return "every layer is finite, the loss itself is not"


def _chunks(array: Array) -> Iterator[tuple[int, Array]]:
    """Yield parts of an array along its first axis, each with where it starts."""
    size = max(1, CHUNK // max(1, math.prod(array.shape[1:])))
    for start in range(0, len(array), size):
        yield start, array[start : start + size]
