"""Random inputs for a whole model: numbers or ids, with padding where it masks some."""

from __future__ import annotations

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.own_shared import forget, innermost, random_numbers
from scratchnet.model import Sequential

BATCH, TIME = 3, 6


def random_input(
    path: str,
    model: Sequential,
    rng: np.random.Generator,
    *,
    batch: int = BATCH,
    time: int | None = None,
    option: str = "--time",
) -> Array:
    """Return a random input of few examples and, where the model takes any number, few steps.

    Some steps are padding where the model masks padding.

    Raises
    ------
    InputError
        If the model has no steps, or takes another number of them.
    """
    shape = model.layers[0].input_shape
    assert shape is not None  # the model is built
    ids = ids_below(model)
    if len(shape) < 3 and ids is None:
        if time is not None:
            raise InputError(
                f"{option}: is for sequences, and {path} takes rows of {shape[-1]}: leave it out."
            )
        return filled(model, (batch, *(n or 1 for n in shape[1:])), rng)
    rest = tuple(n or TIME for n in shape[2:])
    few = time or min(TIME, shape[1] or TIME)
    for steps in (few,) if time else dict.fromkeys((few, shape[1] or few)):
        x = filled(model, (batch, steps, *rest), rng)
        try:
            model.forward(x)
        except (InputError, ValueError):
            continue
        finally:
            forget_states(model)
        return x
    raise InputError(f"{option}: expected {shape[1]}, which {path} needs, got {few}. Leave it out.")


def filled(model: Sequential, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return numbers, or ids, of a shape; with padding where the model's first layer masks it."""
    first, below = model.layers[0], ids_below(model)
    padding = getattr(first, "mask_value", 0 if getattr(first, "mask_zero", False) else None)
    if below is None:
        x = random_numbers(shape, rng, first.dtype).astype(first.dtype)
    else:
        x = rng.integers(1 if below > 1 and padding == 0 else 0, below, size=shape)
    if padding is not None:
        # Never the first step: the zeros that come of it may lie on a later layer's kink.
        x[0, 1 : shape[1] - 1 : 2] = padding
        for row in range(1, min(shape[:2])):
            x[row, -row:] = padding
    return x


def ids_below(model: Sequential) -> int | None:
    """Return what the ids that a model takes are below; None if it takes numbers."""
    first = innermost(model.layers[0])
    return getattr(first, "num_tokens", getattr(first, "input_dim", None))


def forget_states(model: Sequential) -> None:
    """Let stateful layers start from zeros."""
    for layer in model.layers:
        forget(layer)
