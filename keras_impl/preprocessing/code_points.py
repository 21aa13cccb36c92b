"""Python's rules for characters, as a TensorFlow graph can follow them.

``tf.strings.lower`` asks the locale of whoever runs it (in Turkish, "I" becomes "ı") and the
Unicode tables it was built with; TensorFlow's regular expressions know other letters than Python's.
Here the rules are taken from Python itself, as runs of code points with one value.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from scratchnet.backend import Array

CODES = 0x110000
"""Code points that there are."""

CAPITAL_SIGMA, SIGMA, FINAL_SIGMA = map(ord, "Σσς")
DOTTED_CAPITAL_I = "\u0130"  # the one letter that becomes two code points
SPACE = ord(" ")


class Runs(NamedTuple):
    """A value for each code point, kept as the first code point of each run of equal values."""

    starts: Array
    values: Array

    @classmethod
    def of(cls, values: Array) -> Runs:
        """Make it from a value for each code point."""
        starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
        return cls(starts.astype(np.int32), values[starts])

    def __call__(self, codes: Any) -> Any:
        """Return the values of code points, a tensor (N,)."""
        run = tf.searchsorted(tf.constant(self.starts), codes, side="right") - 1
        return tf.gather(tf.constant(self.values), run)


def decoded(text: Any) -> Any:
    """Return the code points of strings (B,), a ragged (B, None)."""
    return tf.strings.unicode_decode(text, "UTF-8")


def lowered(text: Any) -> Any:
    """Return the code points that ``str.lower`` gives of strings (B,), a ragged (B, None)."""
    codes = decoded(tf.strings.regex_replace(text, DOTTED_CAPITAL_I, DOTTED_CAPITAL_I.lower()))
    flat = codes.flat_values
    lower = flat + _lower_offsets()(flat)
    return codes.with_flat_values(tf.where(_ends_a_word(codes), FINAL_SIGMA, lower))


def _ends_a_word(codes: Any) -> Any:
    """Return where in the flat code points there is a Σ with letters before and none behind it."""
    rows = tf.concat([codes, tf.fill((codes.nrows(), 1), SPACE)], axis=1)  # ends where a text ends
    flat = rows.flat_values
    seen = tf.logical_not(_ignorable()(flat))
    cased = tf.concat([[False], tf.boolean_mask(_cased()(flat), seen), [False]], axis=0)
    place = tf.cumsum(tf.cast(seen, tf.int32))  # of a seen one in `cased`
    before = tf.gather(cased, tf.maximum(place - 1, 0))
    behind = tf.gather(cased, place + 1)
    final = (flat == CAPITAL_SIGMA) & before & ~behind
    return rows.with_flat_values(final)[:, :-1].flat_values


def _lower_cased(columns: list[Array]) -> Array:
    """Return the code points of ``str.lower`` on a text of rows, those of the columns given."""
    rows = np.stack(columns, axis=1).astype("<u4")
    rows[rows == ord(DOTTED_CAPITAL_I)] = ord("I")
    text = rows.tobytes().decode("utf-32-le", "surrogatepass").lower()
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").reshape(rows.shape)


@functools.cache
def _lower_offsets() -> Runs:
    codes = np.arange(CODES)
    lower = _lower_cased([np.full(CODES, SPACE), codes])[:, 1]
    return Runs.of((lower.astype(np.int64) - codes).astype(np.int32))


@functools.cache
def _cased() -> Runs:
    """Return which code points make a Σ right behind them a final one."""
    return Runs.of(_makes_final(SPACE))


@functools.cache
def _ignorable() -> Runs:
    """Return which code points are passed over by whoever looks for the letter before a Σ."""
    return Runs.of(_makes_final(ord("A")) & ~_makes_final(SPACE))


def _makes_final(before: int) -> Array:
    columns = [np.full(CODES, code) for code in (SPACE, before, CAPITAL_SIGMA)]
    columns.insert(2, np.arange(CODES))
    return _lower_cased(columns)[:, 3] == FINAL_SIGMA


@functools.cache
def letters() -> Runs:
    r"""Return which code points are letters, digits or marks: ``\w`` without the underscore."""
    found = np.fromiter((chr(code).isalnum() for code in range(CODES)), bool, CODES)
    found[0x300:0x370] = True
    return Runs.of(found)
