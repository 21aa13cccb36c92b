"""Token ids as the layers that read them take them."""

from __future__ import annotations

from scratchnet.backend import Array
from scratchnet.errors import InputError


def checked_ids(owner: str, ids: Array, count: int, argument: str) -> Array:
    """Return numbers as integers from 0 to below ``count``, which the layer has as ``argument``.

    Raises
    ------
    InputError
        If one is outside, or not whole.
    """
    if ids.size:
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
    if bool((whole != ids).any()):
        raise InputError(
            f"{owner}: expected token ids x to be whole numbers, got {ids.dtype} with "
            "fractions. Pass integers."
        )
    return whole
