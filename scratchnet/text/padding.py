"""Sequences of different length in one array: padded, or grouped by length first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import positive_integer, whole_number
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.text.windows import whole_numbers

SIDES = ("pre", "post")


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    *,
    padding: str = "pre",
    truncating: str = "pre",
    value: int = 0,
) -> Array:
    """Return sequences of ids as the rows of one array, int32 of shape (N, maxlen).

    The same as ``keras.utils.pad_sequences`` for sequences of whole numbers.

    Parameters
    ----------
    sequences
        Of whole numbers; each may have its own length, 0 too.
    maxlen
        Columns; None means as many as the longest sequence has.
    padding
        Where a shorter one is filled up: ``"pre"``, so that it ends with the row, or ``"post"``.
    truncating
        Where a longer one is cut: ``"pre"`` keeps its end, ``"post"`` its beginning.
    value
        What it is filled up with.

    Raises
    ------
    InputError
        If there is no sequence to take ``maxlen`` from, one is not a row of whole numbers that
        int32 can hold, or another argument is not what it should be.
    """
    _check_side("padding", padding)
    _check_side("truncating", truncating)
    rows = [_row(n, sequence) for n, sequence in enumerate(sequences)]
    if maxlen is not None:
        L = positive_integer("pad_sequences", "maxlen", maxlen)
    elif rows:
        L = max(map(len, rows))
    else:
        raise InputError("pad_sequences: expected sequences or maxlen, got neither. Give one.")
    padded = np.full((len(rows), L), _row(None, [value])[0], dtype=np.int32)
    for n, row in enumerate(rows):
        kept = row[:L] if truncating == "post" else row[max(len(row) - L, 0) :]
        start = L - len(kept) if padding == "pre" else 0
        padded[n, start : start + len(kept)] = kept
    return padded


def buckets(lengths: Any, batch_size: int, width: int, seed: int | None = None) -> list[Array]:
    r"""Return batches of indices of sequences whose lengths are near each other.

    The bucket of a length :math:`l` is :math:`\lceil l / w \rceil`: what a batch is padded to is
    at most :math:`w - 1` longer than its shortest sequence.  Every index comes once; only a
    bucket's last batch may be smaller than the others.

    Parameters
    ----------
    lengths
        Of the sequences, shape (N,).
    batch_size
        Sequences in a batch.
    width
        Of a bucket, :math:`w`, in steps.
    seed
        Shuffles each bucket, and the batches.  None keeps the given order within a bucket, and the
        shorter before the longer.

    Raises
    ------
    InputError
        If the lengths are not whole numbers of 0 or more, or another argument is not what it
        should be.
    """
    size = positive_integer("buckets", "batch_size", batch_size)
    w = positive_integer("buckets", "width", width)
    lengths = whole_numbers("buckets", "lengths", lengths)
    if lengths.size and lengths.min() < 0:
        raise InputError(
            f"buckets: expected lengths of 0 or more, got {lengths.min()}. Pass len() of each."
        )
    rng = None if seed is None else np.random.default_rng(whole_number("buckets", "seed", seed))
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    bucket = -(-lengths[order].astype(np.int64) // w)
    order, bucket = order[by := np.argsort(bucket, kind="stable")], bucket[by]
    ends = np.flatnonzero(np.diff(bucket)) + 1
    batches = [
        group[start : start + size]
        for group in np.split(order, ends)
        for start in range(0, len(group), size)
    ]
    return batches if rng is None else [batches[k] for k in rng.permutation(len(batches))]


def _row(n: int | None, sequence: Any) -> Array:
    """Return one sequence, or the padding value, as numbers that int32 holds."""
    name = "value" if n is None else f"sequences[{n}]"
    row = whole_numbers("pad_sequences", name, sequence)
    limits = np.iinfo(np.int32)
    if row.size and not limits.min <= row.min() <= row.max() <= limits.max:
        raise InputError(
            f"pad_sequences: expected {name} to fit int32, got numbers from {row.min()} to "
            f"{row.max()}. Encode with a vocabulary."
        )
    return row


def _check_side(name: str, side: object) -> None:
    if side not in SIDES:
        raise InputError(
            f"pad_sequences: expected {name} to be {' or '.join(map(repr, SIDES))}, got {side!r}. "
            "Use one of those."
        )
