"""Which of a reference's outputs someone's outputs are, and how they are laid out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.recognition.arrangement import Arrangement, Block, View

CLOSE = {"float64": 1e-9, "float32": 1e-4}
"""How far outputs may be apart, over the largest magnitude, to count as the same."""


Samples = Sequence[tuple[Mapping[str, Array], Mapping[str, Array]]]
"""Arrays and the outputs for them: more than one, or relu passes for linear."""


def matched(arrangement: Arrangement, samples: Samples, dtype: str) -> dict[str, Block] | None:
    """Return what each output is, or None if the first of them is none of the reference's."""
    found: dict[str, Block] | None = None
    for arrays, outputs in samples:
        again = _matched_once(arrangement, arrays, outputs, dtype)
        if again is None or (found is not None and set(again) != set(found)):
            return None
        found = found or again
    return found


def _matched_once(
    arrangement: Arrangement,
    arrays: Mapping[str, Array],
    outputs: Mapping[str, Array],
    dtype: str,
) -> dict[str, Block] | None:
    try:
        built = arrangement.build(arrangement.canonical(arrays))
    except (ValueError, IndexError, KeyError, StopIteration):
        return None
    values = built.values()
    last = {name[0]: values[name][:, -1] for name in ("hs", "cs") if name in values}
    values = {**last, **values} if built.steps == 1 else {**values, **last}
    found: dict[str, Block] = {}
    for name, output in outputs.items():
        block = _find(np.asarray(output, dtype=np.float64), values, CLOSE[dtype])
        if block is not None:
            found[name] = block
        elif not found:
            return None
    return found


def _find(output: Array, values: Mapping[str, Array], close: float) -> Block | None:
    for slot, value in values.items():
        for view in _views(output.shape, np.shape(value)):
            seen = view(output)
            if seen.shape == np.shape(value) and _equal(seen, value, close):
                return Block(slot, view)
    return None


def _equal(a: Array, b: Array, close: float) -> bool:
    scale = max(float(np.abs(b).max(initial=0.0)), 1e-300)
    with np.errstate(all="ignore"):
        return bool(np.abs(a - b).max(initial=0.0) <= close * scale)


def _views(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Iterator[View]:
    """Yield the ways in which an array of one shape can be read as one of another."""
    if shape == wanted:
        yield lambda a: a
    extra = [k for k, n in enumerate(wanted) if n == 1]
    if len(shape) == len(wanted) and len(shape) > 1:
        for axes in itertools.permutations(range(len(shape))):
            yield lambda a, axes=axes: a.transpose(axes)  # type: ignore[misc]
            if len(wanted) == 3 and shape[axes[1]] == wanted[1] + 1:  # row 0 is the initial state
                yield lambda a, axes=axes: a.transpose(axes)[:, 1:]  # type: ignore[misc]
    if len(shape) == len(wanted) - 1 and extra:
        for axis in extra:
            yield lambda a, axis=axis: np.expand_dims(a, axis)  # type: ignore[misc]
            if len(shape) == 2:
                yield lambda a, axis=axis: np.expand_dims(a.T, axis)  # type: ignore[misc]
    if len(shape) == len(wanted) + 1 and 1 in shape:
        for axis in (k for k, n in enumerate(shape) if n == 1):
            yield lambda a, axis=axis: a.squeeze(axis)  # type: ignore[misc]
            yield lambda a, axis=axis: a.squeeze(axis).T  # type: ignore[misc]
