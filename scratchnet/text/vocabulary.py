"""Which symbols there are, and which number stands for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError
from scratchnet.text.json_files import read_json, write_json
from scratchnet.text.symbols import (
    checked_symbols,
    checked_unit,
    code_points,
    code_table,
    symbols_of,
)
from scratchnet.text.tokens import checked_text, join_words, split_characters, split_words
from scratchnet.text.windows import whole_numbers

KIND = "scratchnet vocabulary 1"
"""What a saved vocabulary says it is."""

LARGEST_FILE = 32 * 2**20
"""Bytes of a file that `Vocabulary.load` reads at most."""

NAMED = 10
"""How many unknown symbols a message lists."""


class Vocabulary:
    """Symbols in the order of their ids, from 0.

    Parameters
    ----------
    symbols
        All of them, each once.
    unit
        ``"char"``: a symbol is one character; ``"word"``: a word as `split_words` gives it.
    unknown
        The symbol that stands for every one that is not here; it is the first, with id 0.  Without
        it, encoding what is not here is an error.

    Raises
    ------
    InputError
        If there is no symbol, one comes twice or is not a character or word that UTF-8 can write,
        or ``unknown`` is not the first.

    Notes
    -----
    A single symbol is allowed here, though nothing can be learned from it: who trains on a
    vocabulary looks at its ``len`` first.
    """

    def __init__(
        self, symbols: Iterable[str], unit: str = "char", unknown: str | None = None
    ) -> None:
        self.unit = checked_unit("Vocabulary", unit)
        self.symbols = checked_symbols(symbols, self.unit, unknown)
        self.unknown = unknown

    @classmethod
    def of(
        cls, text: str, unit: str = "char", size: int | None = None, unknown: str | None = None
    ) -> Vocabulary:
        """Return the vocabulary of a text.

        Characters are in the order of their code points; words by falling frequency and, where two
        are equally frequent, by first occurrence.

        Parameters
        ----------
        text
            Its characters are taken as they are; its words are always lower-cased.
        unit
            ``"char"`` or ``"word"``.
        size
            At most this many symbols, ``unknown`` included: the most frequent.  None means all.
        unknown
            The symbol for whatever is not here, with id 0.

        Raises
        ------
        DataError
            If there is no symbol in the text.
        InputError
            If an argument is not what it should be, or the text holds a lone surrogate.
        """
        return cls(symbols_of(text, unit, size, unknown), unit, unknown)

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """The id of each symbol."""
        return MappingProxyType({symbol: k for k, symbol in enumerate(self.symbols)})

    def encode(self, text: str) -> Array:
        """Return the ids of a text's symbols, int32 of shape (T,).

        Raises
        ------
        InputError
            If a symbol is not in the vocabulary and there is no ``unknown``; the message names
            them, at most ten.
        """
        checked_text("Vocabulary.encode", text)
        if self.unit == "char":
            ids = self._code_table.take(code_points(text), mode="clip")
        else:
            known = self.ids
            ids = np.array([known.get(word, -1) for word in split_words(text)], dtype=np.int32)
        missing = ids < 0
        if missing.any():
            if self.unknown is None:
                raise self._not_known(text)
            ids[missing] = 0
        return ids

    def decode(self, ids: Any) -> str:
        """Return the text that ids of shape (T,) stand for: characters as they are, words joined.

        Raises
        ------
        InputError
            If they are not whole numbers in a row, each below the number of symbols.
        """
        ids = whole_numbers("Vocabulary.decode", "ids", ids)
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self):
            wrong = ids[(ids < 0) | (ids >= len(self))][0]
            raise InputError(
                f"Vocabulary.decode: expected ids from 0 to {len(self) - 1}, got {wrong}. "
                "Use the vocabulary that they were encoded with."
            )
        symbols = map(self.symbols.__getitem__, ids.tolist())
        return "".join(symbols) if self.unit == "char" else join_words(symbols)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the vocabulary to a JSON file, whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        content = {"unit": self.unit, "unknown": self.unknown, "symbols": self.symbols}
        return write_json(path, KIND, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Return the vocabulary that `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, too large, or not one that `save` writes.
        """
        content = read_json(path, KIND, LARGEST_FILE)
        symbols, unit = content.get("symbols"), content.get("unit", "")
        try:
            if isinstance(symbols, list):
                return cls(symbols, unit, content.get("unknown"))
        except InputError as error:
            raise DataError(f"{path}: {error}") from error
        raise DataError(
            f"{path}: expected a list of symbols, got {type(symbols).__name__}. "
            "Save the vocabulary again."
        )

    @property
    def unit_name(self) -> str:
        """What a symbol is called: ``character`` or ``word``."""
        return {"char": "character", "word": "word"}[self.unit]

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.symbols[:3])) + ", …" * (len(self) > 3)
        return f"<Vocabulary of {len(self)} {self.unit}s: {shown}>"

    @property
    def _identity(self) -> tuple[str, str | None, tuple[str, ...]]:
        return self.unit, self.unknown, self.symbols

    @cached_property
    def _code_table(self) -> Array:
        return code_table(self.symbols)

    def _not_known(self, text: str) -> InputError:
        split = split_words if self.unit == "word" else split_characters
        unknown = [symbol for symbol in dict.fromkeys(split(text)) if symbol not in self.ids]
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        unit = "character" if self.unit == "char" else "word"
        return InputError(
            f"Vocabulary.encode: expected {unit}s among the {len(self)} known ones, got "
            f"{', '.join(map(repr, unknown[:NAMED]))}{more}. Leave them out, or build the "
            "vocabulary with an unknown symbol."
        )
