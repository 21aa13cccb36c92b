"""Recurrent layers with random weights, masks of every kind, and options covered pairwise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scratchnet.layers import GRU, LSTM, Layer, SimpleRNN
from tests.layers.cases import random_array, randomised

LAYERS: dict[str, Callable[..., Layer]] = {
    "simple_rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": functools.partial(GRU, reset_after=False),
}
WITH_KERNEL = ("simple_rnn", "lstm", "gru")
"""The reset before the product has the page alone."""

every_layer = pytest.mark.parametrize("name", LAYERS)
every_kernel = pytest.mark.parametrize("name", WITH_KERNEL)
page_and_kernel = pytest.mark.parametrize("page", [True, False], ids=["page", "kernel"])


def recurrent(name: str, units: int, features: int, /, **arguments: Any) -> Any:
    """Make a recurrent layer, float64 unless told otherwise, with random distinct weights."""
    arguments = {"dtype": "float64", **arguments}
    return randomised(LAYERS[name](units, **arguments), (None, None, features))


def states_for(layer: Any, batch: int, seed: int = 50, scale: float = 0.5) -> tuple[Any, ...]:
    """Return a random array for each state, in the layer's dtype."""
    return tuple(
        (scale * random_array(batch, layer.units, seed=seed + i)).astype(layer.dtype)
        for i in range(len(layer.state_names))
    )


def mask_of_every_kind(batch: int, steps: int) -> np.ndarray:
    """Return rows padded left, right, with holes, wholly, and not at all, in turn."""
    mask = np.ones((batch, steps), dtype=bool)
    for row in range(batch):
        kind = row % 5
        if kind == 0:
            mask[row, : (steps + 1) // 2] = False
        elif kind == 1:
            mask[row, 1 - steps :] = steps == 1
        elif kind == 2:
            mask[row, 1 : steps - 1 : 2] = False
        elif kind == 3:
            mask[row] = False
    return mask


def label(options: dict[str, Any]) -> str:
    """Return the options as the name of a test."""
    return ",".join(f"{name}={value}" for name, value in options.items())
