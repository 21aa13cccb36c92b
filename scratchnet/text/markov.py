r"""Markov chains: the next symbol, from counts of what followed the last few.

A chain of order :math:`m` looks back at :math:`m` symbols, characters or words:

.. math::
    P(s \mid c) = \frac{n_{c,s}}{\sum_{s'} n_{c,s'}}

Source: A. A. Markov (1913), who counted vowels and consonants in Pushkin's *Eugene Onegin*.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.arguments import positive_integer, whole_number
from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError
from scratchnet.text import chain_file, transitions, witten_bell
from scratchnet.text.sampling import Sampler
from scratchnet.text.tokens import join_words, split_characters, split_words
from scratchnet.text.transitions import NEVER, Transitions
from scratchnet.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

UNITS = {"char": "character", "word": "word"}

LONGEST_ORDER = 20
"""Beyond it a chain recites its text; each order keeps one more table of contexts."""

LARGEST_TABLE = 2**24
"""Cells of a table of contexts by followers; as int64 they take 134 MB."""

NAMED = 10
"""How many unknown symbols a message lists."""

UNKNOWN = "<unknown>"
"""What all symbols outside the vocabulary are called, where they have a share of probability."""

Counting = Callable[[Array, int, int], list[tuple[Array, Array]]]


class MarkovChain:
    """A chain of order 1 or more over characters or words.

    Parameters
    ----------
    order : int
        How many symbols back the chain looks, 1 to 20.
    unit : str
        ``"char"`` or ``"word"``; words are those of `scratchnet.text.tokens.split_words`.

    Raises
    ------
    InputError
        For another order or unit; all methods raise it before `fit`.

    Examples
    --------
    >>> chain = MarkovChain(order=1).fit("abracadabra")
    >>> int(chain.counts.loc["a", "b"])
    2
    """

    def __init__(self, order: int = 1, unit: str = "char") -> None:
        self.order = positive_integer("MarkovChain", "order", order)
        if self.order > LONGEST_ORDER:
            raise InputError(
                f"MarkovChain: expected order to be at most {LONGEST_ORDER}, got {order}. "
                "A shorter context occurs more often; pass a smaller order."
            )
        if unit not in UNITS:
            raise InputError(
                f"MarkovChain: expected unit to be {' or '.join(UNITS)}, got {unit!r}. "
                "Use one of those."
            )
        self.unit = unit
        self._vocabulary: Vocabulary | None = None
        self._levels: list[Transitions] = []

    def __repr__(self) -> str:
        return f"MarkovChain(order={self.order}, unit={self.unit!r})"

    def fit(self, text: str, counting: Counting = transitions.count) -> MarkovChain:
        """Count the transitions of a text, those of an earlier one forgotten; return the chain.

        Parameters
        ----------
        text
            More symbols than the order.
        counting
            What counts; an engine other than NumPy has the same function.

        Raises
        ------
        DataError
            If the text is empty or too short.
        InputError
            If it is not a string.
        """
        vocabulary = Vocabulary.of(text, self.unit)
        ids = vocabulary.encode(text)
        if len(ids) <= self.order:
            raise DataError(
                f"MarkovChain: expected a text of at least {self._amount(self.order + 1)} for "
                f"order {self.order}, got {len(ids)}. Give a longer text, or a smaller order."
            )
        self._set(vocabulary, counting(ids, self.order, len(vocabulary)))
        return self

    def split(self, text: str) -> list[str]:
        """Return the symbols of a text: its characters, or its words."""
        return split_words(text) if self.unit == "word" else split_characters(text)

    def join(self, symbols: Sequence[str]) -> str:
        """Return symbols as a text."""
        return join_words(symbols) if self.unit == "word" else "".join(symbols)

    def _set(self, vocabulary: Vocabulary, pairs: list[tuple[Array, Array]]) -> None:
        self._vocabulary = vocabulary
        self._levels = transitions.levels_of(pairs, len(vocabulary))

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols of the text."""
        if self._vocabulary is None:
            raise InputError("MarkovChain: expected a fitted chain, got a new one. Call fit(text).")
        return self._vocabulary

    @property
    def levels(self) -> list[Transitions]:
        """The transitions of contexts of 0, 1, … ``order`` symbols."""
        _ = self.vocabulary
        return self._levels

    @property
    def num_contexts(self) -> int:
        """How many different contexts of ``order`` symbols were followed by something."""
        return int(np.count_nonzero(self.levels[-1].totals))

    @property
    def num_transitions(self) -> int:
        """How many different pairs of such a context and its follower there are."""
        return len(self.levels[-1].codes)

    @property
    def counts(self) -> pd.DataFrame:
        """How often each symbol (column) followed each context (row), int64.

        A context is the string of its characters, or its words with a space between them.

        Raises
        ------
        InputError
            If the table would have more than 16,777,216 cells; `followers` always has its row.
        """
        import pandas as pd

        vocabulary, level = self.vocabulary, self.levels[-1]
        V, symbols = len(vocabulary), vocabulary.symbols
        if self.num_contexts * V > LARGEST_TABLE:
            raise InputError(
                f"MarkovChain: expected a table of at most {LARGEST_TABLE:,} cells, got "
                f"{self.num_contexts:,} contexts × {V:,} symbols. Take one row with "
                "followers(context), or a smaller order."
            )
        table = np.zeros(level.contexts * V, dtype=np.int64)
        table[level.codes] = level.counts
        followed = level.totals > 0
        space = " " if self.unit == "word" else ""
        ids = transitions.symbols_of(self.levels, self.order)[followed]
        contexts = [space.join(map(symbols.__getitem__, row)) for row in ids.tolist()]
        return pd.DataFrame(table.reshape(-1, V)[followed], index=contexts, columns=list(symbols))

    @property
    def probabilities(self) -> pd.DataFrame:
        """The relative frequencies: `counts`, each row divided by its sum."""
        counts = self.counts
        return counts.div(counts.sum(axis=1), axis=0)

    def followers(self, context: str) -> pd.Series[int]:
        """Return how often each symbol followed a context, the most frequent first.

        Parameters
        ----------
        context
            At most ``order`` symbols; the empty string gives the frequencies of all symbols.

        Raises
        ------
        InputError
            If the context is longer, has symbols unknown to the chain, or nothing followed it.
        """
        import pandas as pd

        ids = self._encode("context", context)
        if len(ids) > self.order:
            raise InputError(
                f"MarkovChain: expected a context of at most {self._amount(self.order)}, got "
                f"{len(ids)}. Shorten it, or fit a chain of that order."
            )
        symbols = self.vocabulary.symbols
        length, following, counts = self._longest(ids)
        if length < len(ids):
            end = self.join([symbols[i] for i in ids[len(ids) - length :]])
            raise InputError(
                f"MarkovChain: expected a context that the text follows with something, got "
                f"{context!r}. Its longest end that it does is {end!r}; take that."
            )
        falling = np.argsort(-counts, kind="stable")
        names = [symbols[i] for i in following[falling]]
        return pd.Series(counts[falling], index=names, name="count", dtype="int64")

    def distribution(self, context: str) -> pd.Series[float]:
        """Return the smoothed probability of each symbol after any context; they add up to 1.

        The last entry, ``<unknown>``, is the share of all symbols outside the vocabulary.  See
        `scratchnet.text.witten_bell` for the equation; only the last ``order`` symbols count.
        """
        import pandas as pd

        p = witten_bell.distribution(self.levels, self._scored(context)[-self.order :].tolist())
        return pd.Series(p, index=[*self.vocabulary.symbols, UNKNOWN], name="probability")

    def bits(self, text: str) -> float:
        """Return the cross-entropy on a text: the mean of −log₂ P, in bits a symbol.

        P is the smoothed probability of `distribution`, so that a transition never seen costs a
        finite number of bits; a symbol outside the vocabulary costs what ``<unknown>`` does.

        Raises
        ------
        DataError
            If the text has no symbol.
        """
        ids = self._scored(text)
        if not len(ids):
            raise DataError(
                f"MarkovChain: expected a text of at least one {UNITS[self.unit]} to score, "
                "got none. Give a longer text."
            )
        return float(-np.log2(witten_bell.probabilities(self.levels, ids)).mean())

    def perplexity(self, text: str) -> float:
        """Return 2 to the power of `bits`: among how many equally likely symbols it is to choose.

        Raises
        ------
        DataError
            If the text has no symbol.
        """
        return math.exp2(self.bits(text))

    def generate(
        self,
        length: int,
        prompt: str | None = None,
        temperature: float = 1.0,
        seed: int = 0,
        top_k: int | None = None,
    ) -> str:
        """Return a sample of ``length`` symbols that continues the prompt, which is not repeated.

        Parameters
        ----------
        length
            Characters or words, whichever the chain counts.
        prompt
            What to continue; without one the first symbol is drawn by its frequency in the text.
        temperature, top_k, seed
            As in `scratchnet.text.sampling.Sampler`; temperature 0 takes the likeliest.

        Notes
        -----
        A symbol is drawn from the relative frequencies after the last ``order`` symbols.  Where
        those never occurred, or there are fewer, it is drawn after the longest end of them that
        did occur.

        Raises
        ------
        InputError
            If an argument is out of range, or the prompt has symbols unknown to the chain.
        """
        return "".join(self.stream(length, prompt, temperature, seed, top_k))

    def stream(
        self,
        length: int,
        prompt: str | None = None,
        temperature: float = 1.0,
        seed: int = 0,
        top_k: int | None = None,
    ) -> Iterator[str]:
        """Return an iterator over the pieces of what `generate` returns, one a symbol."""
        length = whole_number("MarkovChain", "length", length)
        sampler = Sampler(temperature=temperature, top_k=top_k, seed=seed)
        return self._pieces(length, self._encode("prompt", prompt or "").tolist(), sampler)

    def _pieces(self, length: int, context: list[int], sampler: Sampler) -> Iterator[str]:
        symbols = self.vocabulary.symbols
        context = context[-self.order :]
        for _ in range(length):
            _, ids, counts = self._longest(context)
            drawn = int(ids[sampler(np.log(counts))])
            before = [symbols[i] for i in context[-1:]]  # a word is joined to the one before it
            yield self.join([*before, symbols[drawn]])[len(self.join(before)) :]
            context = [*context, drawn][-self.order :]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the chain as JSON, whole or not at all.

        Raises
        ------
        InputError
            If the chain is too large for `load` to accept.
        OSError
            If the file cannot be written.
        """
        return chain_file.write(path, self.order, self.unit, self.vocabulary.symbols, self.levels)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MarkovChain:
        """Read a chain that `save` wrote.

        Raises
        ------
        DataError
            If there is no such file, or it is not a whole chain.
        """
        return chain_file.read(path, cls._restored)

    @classmethod
    def _restored(
        cls, order: int, unit: str, symbols: list[str], pairs: list[tuple[Array, Array]]
    ) -> MarkovChain:
        chain = cls(order, unit)
        chain._set(Vocabulary(symbols, unit), pairs)
        return chain

    def _longest(self, context: list[int] | Array) -> tuple[int, Array, Array]:
        """Return the length of the context's longest end that occurred, and what followed it."""
        for length in range(len(context), 0, -1):
            number = transitions.number_of(self.levels, context[len(context) - length :])
            if number != NEVER and self.levels[length].kinds[number]:
                return length, *self.levels[length].followers(number)
        return 0, *self.levels[0].followers(0)

    def _encode(self, name: str, text: str) -> Array:
        """Return a text's ids; symbols outside the vocabulary are refused by name."""
        unknown = [one for one in dict.fromkeys(self.split(text)) if one not in self.vocabulary]
        if unknown:
            more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
            raise InputError(
                f"MarkovChain: expected a {name} of {UNITS[self.unit]}s that the text has, got "
                f"{', '.join(map(repr, unknown[:NAMED]))}{more}. Leave them out."
            )
        return self._scored(text)

    def _scored(self, text: str) -> Array:
        """Return a text's ids; a symbol outside the vocabulary is `NEVER`."""
        ids = self.vocabulary.ids
        return np.array([ids.get(symbol, NEVER) for symbol in self.split(text)], dtype=np.int64)

    def _amount(self, number: int) -> str:
        return f"{number} {UNITS[self.unit]}{'s' * (number != 1)}"
