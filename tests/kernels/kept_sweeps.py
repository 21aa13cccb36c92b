"""What the kernels keep from one training step to the next, and what new memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest


def kept_arrays(layer: Any) -> list[np.ndarray]:
    """Return the memory that the next training step of a recurrent layer will use again.

    They are the arrays that a sweep has, but for views and for those made anew on the way back.
    """
    return [
        array
        for sweep in layer._sweeps.values()
        for name in vars(type(sweep)(sweep.shape))
        if isinstance(array := getattr(sweep, name), np.ndarray) and array.base is None
    ]


def poison(layer: Any) -> None:
    """Write NaN into everything that a layer keeps for the next call."""
    arrays = kept_arrays(layer)
    assert arrays
    for array in arrays:
        array[...] = np.nan


@contextmanager
def new_memory_holds_nan() -> Iterator[None]:
    """Have NaN in arrays that are made to be written to, which may hold anything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
        patch.setattr(np, "empty_like", lambda array: np.full_like(array, np.nan))
        yield
