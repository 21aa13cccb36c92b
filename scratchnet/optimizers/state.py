"""An optimizer's memory as a flat dict of host arrays, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import NOT_NEGATIVE, real
from scratchnet.backend import Array, array_module, to_host, to_like
from scratchnet.errors import InputError

Slots = list[dict[str, Array]]
"""For each weight array, by position, the arrays kept beside it, by name."""


def initial(variables: Sequence[Array], slot_values: Mapping[str, float]) -> Slots:
    """Return slots of the weights' shapes, types and device, filled with their first values."""
    return [
        {name: array_module(v).full_like(v, value) for name, value in slot_values.items()}
        for v in variables
    ]


def pack(scalars: Mapping[str, float], slots: Slots) -> dict[str, Array]:
    """Return copies under the names ``iterations``, …, ``velocity_0``, ``velocity_1``, …."""
    packed = {name: np.asarray(value) for name, value in scalars.items()}
    for i, kept in enumerate(slots):
        packed |= {f"{name}_{i}": to_host(array).copy() for name, array in kept.items()}
    return packed


def unpack(
    owner: str, state: Mapping[str, Any], scalars: Iterable[str], slot_names: Sequence[str]
) -> tuple[dict[str, float], Slots]:
    """Return the scalars and the slots (copies) of what `pack` gave.

    Raises
    ------
    InputError
        If a name is missing or unknown, or a scalar is not a number of 0 or more.
    """
    arrays = {name: np.array(value) for name, value in state.items()}
    scalars = list(scalars)
    count = (len(arrays) - len(scalars)) // max(len(slot_names), 1)
    slot_keys = [{name: f"{name}_{i}" for name in slot_names} for i in range(count)]
    expected = {*scalars, *(key for keys in slot_keys for key in keys.values())}
    if arrays.keys() != expected:
        raise InputError(
            f"{owner}: expected a state with {', '.join(scalars)} and for each weight array "
            f"{', '.join(slot_names) or 'nothing'}, got {', '.join(arrays) or 'nothing'}. "
            "Restore into an optimizer made with the arguments of the one that was saved."
        )
    values = {
        name: real(owner, f"state[{name!r}]", arrays[name].tolist(), NOT_NEGATIVE)
        for name in scalars
    }
    return values, [{name: arrays[key] for name, key in keys.items()} for keys in slot_keys]


def copied_into(slots: Slots, others: Slots) -> None:
    """Copy other slots into the arrays of these, which packs and recorded steps know."""
    for kept, other in zip(slots, others, strict=True):
        for name, array in kept.items():
            array[...] = other[name]


def fitted(owner: str, slots: Slots, likes: Sequence[Array]) -> Slots:
    """Return restored slots where their weight arrays are, having compared shapes and types.

    Raises
    ------
    InputError
        If there are more or fewer of them, or one differs in shape or dtype.
    """
    if len(slots) != len(likes):
        raise InputError(
            f"{owner}: expected a state for {len(likes)} weight arrays, got one for {len(slots)}. "
            "Restore the state that was saved with this model."
        )
    for i, (kept, like) in enumerate(zip(slots, likes, strict=True)):
        for name, array in kept.items():
            if (array.shape, array.dtype) != (like.shape, like.dtype):
                raise InputError(
                    f"{owner}: expected state['{name}_{i}'] to be {like.dtype} of shape "
                    f"{like.shape}, got {array.dtype} of shape {array.shape}. "
                    "Restore the state that was saved with this model."
                )
    return [
        {
            name: array if type(array) is type(like) else to_like(to_host(array), like)
            for name, array in kept.items()
        }
        for kept, like in zip(slots, likes, strict=True)
    ]
