"""Arrays as a loss or a metric wants them: floats, matching ranks, weights that fit."""

from __future__ import annotations

from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.device import device_of, expect_beside
from scratchnet.errors import InputError

FLOATS = "fd"
"""NumPy's characters for float32 and float64."""


def floats(owner: str, argument: str, array: Any, dtype: Any = None, like: Any = None) -> Array:
    """Return ``array`` in ``dtype``, or in its own if that is float32 or float64, else float32.

    Raises
    ------
    InputError
        If it is ragged, not numeric, or an array that is not where ``like`` is; the message begins
        with ``owner`` and names ``argument``.
    """
    own = getattr(array, "dtype", None)
    if dtype is None and own is not None and own.char in FLOATS:
        dtype = own
    if own is dtype is not None and (like is None or type(array) is type(like)):
        return array
    if like is not None and own is not None:  # lists and numbers go where they are wanted
        expect_beside(owner, argument, array, device_of(like), "y_pred is")
    xp = array_module(array if like is None else like)
    dtype = xp.float32 if dtype is None else dtype
    try:
        return xp.asarray(array, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{owner}: expected {argument} to be a numeric array, got one that is not ({error}). "
            "Make its rows equally long and its cells numbers"
        ) from None


def match_ranks(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Add or drop a last axis of length 1 where the ranks differ by one, as Keras does.

    (B,) beside (B, 1) becomes (B, 1); with more axes the longer shape loses its last one.
    """
    if y_true.ndim == y_pred.ndim:
        return y_true, y_pred
    if y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    return y_true, y_pred


def same_shape(owner: str, y_true: Any, y_pred: Array, remedy: str) -> tuple[Array, Array]:
    """Return targets in the dtype of the predictions, and both in one shape.

    Raises
    ------
    InputError
        If the shapes differ by more than a last axis of length 1.
    """
    if type(y_true) is type(y_pred) and y_true.dtype is y_pred.dtype:
        if y_true.shape == y_pred.shape:
            return y_true, y_pred
    else:
        y_true = floats(owner, "y_true", y_true, y_pred.dtype, like=y_pred)
    y_true, y_pred = match_ranks(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise InputError(
            f"{owner}: expected y_true of y_pred's shape {y_pred.shape}, got {y_true.shape}. "
            + remedy
        )
    return y_true, y_pred


def rows_shape(owner: str, labels: Array, y_pred: Array) -> Array:
    """Return labels of shape ``y_pred.shape[:-1]``; a last axis of length 1 may go.

    Raises
    ------
    InputError
        If they have another shape.
    """
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != y_pred.shape[:-1]:
        raise InputError(
            f"{owner}: expected y_true of shape {y_pred.shape[:-1]}, one label for each row "
            f"of y_pred, got {labels.shape}. One-hot targets want a loss or metric without Sparse "
            "in its name"
        )
    return labels


def fit(owner: str, argument: str, weights: Array, shape: tuple[int, ...]) -> Array:
    """Return weights that broadcast with values of ``shape``; a last axis of length 1 may go.

    Raises
    ------
    InputError
        If they have another rank, or a length that is neither 1 nor that of ``shape``.
    """
    if weights.shape == shape:
        return weights
    if weights.shape == (*shape, 1):
        return weights[..., 0]
    if weights.ndim == 0:
        return weights
    if weights.ndim == len(shape) and all(
        length in (1, whole) for length, whole in zip(weights.shape, shape, strict=True)
    ):
        return weights
    remedy = "Give one for each loss value"
    if weights.ndim == 1 and len(shape) == 2 and weights.shape[0] == shape[0]:
        remedy += f", or one a row: {argument}[:, np.newaxis]"
    raise InputError(
        f"{owner}: expected {argument} of shape {shape}, got {weights.shape}. {remedy}"
    )


def spread(owner: str, argument: str, weights: Array, shape: tuple[int, ...]) -> Array:
    """Return weights for the leading axes of ``shape``, repeated along the others.

    Raises
    ------
    InputError
        If they have another shape.
    """
    xp = array_module(weights)
    if weights.shape == (*shape, 1):
        weights = weights[..., 0]
    if weights.shape != shape[: weights.ndim]:
        raise InputError(
            f"{owner}: expected {argument} of shape {shape} or of its leading axes, "
            f"got {weights.shape}. Give one for each sample"
        )
    trailing = (1,) * (len(shape) - weights.ndim)
    return xp.broadcast_to(xp.reshape(weights, weights.shape + trailing), shape)
