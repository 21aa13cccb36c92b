r"""How often each symbol followed each context, for every length of context up to an order.

A context of :math:`k+1` symbols is one of :math:`k` symbols and what followed it, so contexts are
numbered by rank, and the numbers stay small however long they grow (:math:`V^{11}` would leave
int64):

.. math::
    code(c, s) = number(c)\, V + s, \qquad number(c\,s) = \text{rank of } code(c, s)

Symbols are their ids 0 … V−1; V is the size of the vocabulary, T the length of the text, G the
number of different pairs of a context and its follower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scratchnet.backend import Array

NEVER = -1
"""The number of what did not occur."""


def count(ids: Array, order: int, V: int) -> list[tuple[Array, Array]]:
    """Return the codes and the counts of every transition, for contexts of 0 … ``order`` symbols.

    =================  ==========  =====================================================
    array              shape       meaning
    =================  ==========  =====================================================
    ``ids``            (T,)        a text as numbers, more than ``order`` of them
    codes              (G,)        the transitions that occurred, in rising order
    counts             (G,)        how often each did
    =================  ==========  =====================================================
    """
    levels = []
    T, rows = len(ids), 1
    grams = np.zeros(T, dtype=np.int64)  # number of the context that starts at each place
    for k in range(order + 1):
        codes, grams, counts = _unique(grams[: T - k] * V + ids[k:], rows * V)
        levels.append((codes, counts))
        rows = len(codes)
    return levels


def _unique(codes: Array, limit: int) -> tuple[Array, Array, Array]:
    """Return the different codes (all below ``limit``), each one's rank, and the counts."""
    if limit > len(codes):
        return np.unique(codes, return_inverse=True, return_counts=True)
    counts = np.bincount(codes, minlength=limit)  # a table no longer than the text: no sorting
    occurred = counts > 0
    return np.flatnonzero(occurred), (np.cumsum(occurred) - 1)[codes], counts[occurred]


@dataclass(frozen=True, eq=False)
class Transitions:
    """What followed each context of one length."""

    codes: Array
    """(G,) int64, rising; a transition's place in it is its number as a longer context."""
    counts: Array
    """(G,) int64, each 1 or more."""
    contexts: int
    """How many contexts are numbered; the text's last one may have been followed by nothing."""
    V: int

    @cached_property
    def totals(self) -> Array:
        """How often each context was followed, (contexts,)."""
        ends = np.concatenate([[0], np.cumsum(self.counts)])
        return ends[self._starts[1:]] - ends[self._starts[:-1]]

    @cached_property
    def kinds(self) -> Array:
        """How many different symbols followed each context, (contexts,)."""
        return np.diff(self._starts)

    @cached_property
    def _starts(self) -> Array:
        return np.searchsorted(self.codes, np.arange(self.contexts + 1) * self.V)

    def numbers(self, contexts: Array, ids: Array) -> Array:
        """Return the number of each pair of context and follower, `NEVER` where it did not occur.

        Contexts and ids that are `NEVER` themselves are allowed.
        """
        codes = contexts * self.V + ids
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        # A context that is NEVER makes the code negative, as none is.
        occurred = (self.codes[places] == codes) & (ids != NEVER)
        return np.where(occurred, places, NEVER)

    def followers(self, context: int) -> tuple[Array, Array]:
        """Return the ids that followed a context, rising, and how often each did."""
        row = slice(self._starts[context], self._starts[context + 1])
        return self.codes[row] - context * self.V, self.counts[row]


def levels_of(pairs: Sequence[tuple[Array, Array]], V: int) -> list[Transitions]:
    """Return what `count` found as one `Transitions` a length of context."""
    rows = [1, *(len(codes) for codes, _ in pairs)]
    return [Transitions(*pair, n, V) for pair, n in zip(pairs, rows, strict=False)]


def number_of(levels: Sequence[Transitions], context: Sequence[int] | Array) -> int:
    """Return the number of a context, `NEVER` if it did not occur."""
    number: Array = np.zeros((), dtype=np.int64)
    for level, symbol in zip(levels, context, strict=False):
        number = level.numbers(number, np.asarray(symbol))
    return int(number)


def symbols_of(levels: Sequence[Transitions], length: int) -> Array:
    """Return the ids that every context of ``length`` symbols consists of, (contexts, length)."""
    numbers = np.arange(levels[length].contexts)
    columns = []
    for level in reversed(levels[:length]):
        numbers, ids = np.divmod(level.codes[numbers], level.V)
        columns.append(ids)
    return np.stack(columns[::-1], axis=1)
