"""A Markov chain as a file: JSON, read as data and checked before it is used.

``symbols`` is the vocabulary.  ``levels`` has an object for contexts of 0, 1, … ``order`` symbols:
``kinds``, how many symbols followed each context; ``ids``, which; ``counts``, how often each did.
A level's contexts are the pairs of context and follower of the level before, in their order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError
from scratchnet.text.json_files import read_json, write_json
from scratchnet.text.transitions import Transitions

KIND = "scratchnet Markov chain 1"

LARGEST_CHAIN = 2**22
"""Transitions, of all lengths of context together, that a file may have."""

LARGEST_FILE = 2**26
"""Bytes, which that many fit into."""

Chain = TypeVar("Chain")
Restore = Callable[[int, str, list[str], list[tuple[Array, Array]]], Chain]


def write(
    path: str | os.PathLike[str],
    order: int,
    unit: str,
    symbols: Sequence[str],
    levels: Sequence[Transitions],
) -> Path:
    """Write a chain, whole or not at all.

    Raises
    ------
    InputError
        If it is larger than `read` accepts.
    """
    size = sum(len(level.codes) for level in levels)
    if size > LARGEST_CHAIN:
        raise InputError(
            f"MarkovChain: expected at most {LARGEST_CHAIN:,} transitions to save, got {size:,} of "
            f"up to {order} symbols. Fit a chain of a smaller order."
        )
    objects = [
        {
            "kinds": level.kinds.tolist(),
            "ids": (level.codes % level.V).tolist(),
            "counts": level.counts.tolist(),
        }
        for level in levels
    ]
    content = {"order": order, "unit": unit, "symbols": list(symbols), "levels": objects}
    return write_json(path, KIND, content)


def read(path: str | os.PathLike[str], restore: Restore[Chain]) -> Chain:
    """Read a chain and hand its order, unit, symbols, and codes with counts to ``restore``.

    Raises
    ------
    DataError
        If there is no such file, or it is not a whole chain.
    """
    content = read_json(path, KIND, LARGEST_FILE)
    try:
        fields: list[Any] = [content.get(name) for name in ("order", "unit", "symbols", "levels")]
        order, unit, symbols, levels = fields
        _require(type(order) is int and isinstance(unit, str), "order, unit", "a number and text")
        _require(
            isinstance(symbols, list) and all(isinstance(one, str) for one in symbols),
            "symbols",
            "a list of text",
        )
        _require(
            isinstance(levels, list) and len(levels) == order + 1,
            "levels",
            "one for each length of context",
        )
        return restore(order, unit, symbols, _pairs(levels, len(symbols)))
    except ValueError as error:
        raise DataError(
            f"{path}: not a Markov chain that was saved whole ({error}). "
            "Fit the chain again, or restore the file."
        ) from error


def _pairs(levels: list[Any], V: int) -> list[tuple[Array, Array]]:
    """Return the codes and counts of each level, known to fit one another."""
    pairs: list[tuple[Array, Array]] = []
    contexts = 1
    for k, level in enumerate(levels):
        _require(isinstance(level, dict), f"levels/{k}", "an object")
        kinds, ids, counts = (
            _integers(level.get(name), f"levels/{k}/{name}", *limits)
            for name, limits in (("kinds", (0, V)), ("ids", (0, V - 1)), ("counts", (1, 2**31)))
        )
        _require(
            len(kinds) == contexts and kinds.sum() == len(ids) == len(counts),
            f"levels/{k}",
            f"kinds of {contexts} contexts, and as many ids and counts as they add up to",
        )
        codes = np.repeat(np.arange(contexts), kinds) * V + ids
        _require(bool((codes[1:] > codes[:-1]).all()), f"levels/{k}/ids", "each context's rising")
        pairs.append((codes, counts))
        contexts = len(codes)
    return pairs


def _integers(values: Any, what: str, lowest: int, highest: int) -> Array:
    """Return a list of whole numbers as an array, known to be in range."""
    _require(
        isinstance(values, list)
        and len(values) > 0
        and all(type(one) is int and lowest <= one <= highest for one in values),
        what,
        f"whole numbers from {lowest} to {highest}",
    )
    return np.array(values, dtype=np.int64)


def _require(fits: bool, what: str, expected: str) -> None:
    if not fits:
        raise ValueError(f"{what}: expected {expected}")
