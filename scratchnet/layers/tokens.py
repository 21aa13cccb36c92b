"""Token ids as the layers that read them take them."""

from __future__ import annotations

from scratchnet.backend import Array, array_module
from scratchnet.errors import InputError
from scratchnet.queued import may_look


def checked_ids(owner: str, ids: Array, count: int, argument: str) -> Array:
    """Return numbers as integers from 0 to below ``count``, which the layer has as ``argument``.

    In a queued step, where nothing may look, others come back as they are or as -1.

    Raises
    ------
    InputError
        If one is outside, or not whole.
    """
    if ids.size and may_look(ids):
        low, high = ids.min(), ids.max()
        if not (low >= 0 and high < count):  # NaN is neither
            raise InputError(
                f"{owner}: expected token ids x from 0 to {count - 1}, got "
                f"{(high if low >= 0 else low).item()}. Raise {argument}, or map unknown words "
                "to one id."
            )
    if ids.dtype.kind in "iu":
        return ids
    whole = ids.astype("int64")
    if not may_look(ids):
        return array_module(ids).where(whole == ids, whole, -1)
    if bool((whole != ids).any()):
        raise InputError(
            f"{owner}: expected token ids x to be whole numbers, got {ids.dtype} with "
            "fractions. Pass integers."
        )
    return whole
