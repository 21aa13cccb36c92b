"""What the kernels keep from one training step to the next, and what new memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest


def kept_arrays(layer: Any) -> list[np.ndarray]:
    """Return the memory that the next training step of a recurrent layer will use again."""
    return [array for sweep in layer._sweeps.values() for array in sweep._arrays]


def poison(layer: Any) -> None:
    """Write NaN into everything that a layer keeps for the next call."""
    arrays = kept_arrays(layer)
    assert arrays
    for array in arrays:
        array[...] = np.nan


def empty(shape: Any, dtype: Any = float) -> np.ndarray:
    """Return NaN, or bytes that are NaN once they are taken for floating-point numbers."""
    return np.full(shape, 255 if dtype == np.uint8 else np.nan, dtype)


@contextmanager
def new_memory_holds_nan() -> Iterator[None]:
    """Have NaN in arrays that are made to be written to, which may hold anything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "empty", empty)
        patch.setattr(np, "empty_like", lambda array: np.full_like(array, np.nan))
        yield
