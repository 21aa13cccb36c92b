"""A sequence cut into examples of "this came, then that", without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.arguments import numeric, positive_integer
from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError


def windows(ids: Any, length: int, stride: int = 1) -> tuple[Array, Array]:
    r"""Return every window of ``length`` ids and the id that comes right after each.

    .. math::
        x_n = [id_{ns}, \dots, id_{ns + L - 1}], \qquad y_n = id_{ns + L}, \qquad
        N = \left\lceil \frac{T - L}{s} \right\rceil

    =========  ==========  ==========================================
    array      shape       meaning
    =========  ==========  ==========================================
    ``ids``    (T,)        a text as numbers
    ``x``      (N, L)      windows of it
    ``y``      (N,)        what came next, one a window
    =========  ==========  ==========================================

    Both are read-only views of ``ids``: a million windows take no more memory than one.

    Parameters
    ----------
    ids
        Whole numbers.
    length
        Of a window, :math:`L`.
    stride
        Steps from one window's start to the next one's, :math:`s`.

    Raises
    ------
    DataError
        If the text is too short for one window and what follows it.
    InputError
        If ``ids`` are not whole numbers in a row, or a size is not a positive integer.
    """
    L = positive_integer("windows", "length", length)
    s = positive_integer("windows", "stride", stride)
    ids = whole_numbers("windows", "ids", ids)
    if len(ids) <= L:
        raise DataError(
            f"windows: expected more ids than the length of a window, {L}, so that one follows it, "
            f"got {len(ids)}. Give a longer text or a shorter window."
        )
    x = np.lib.stride_tricks.sliding_window_view(ids[:-1], L)[::s]  # (N, L)
    y = ids[L::s]  # (N,)
    y.flags.writeable = False
    return x, y


def whole_numbers(owner: str, name: str, value: Any) -> Array:
    """Return a one-dimensional array of integers; an array comes back as it is, or as a view.

    Raises
    ------
    InputError
        If it has another shape or holds anything else.
    """
    array = numeric(owner, name, value)
    if array.ndim == 1 and (array.dtype.kind in "iu" or array.size == 0):
        return array
    raise InputError(
        f"{owner}: expected {name} to be whole numbers in one dimension, got {array.dtype} of "
        f"shape {array.shape}. Encode a text with Vocabulary.encode."
    )
