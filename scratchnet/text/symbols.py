"""The symbols of a vocabulary: found in a text, checked, and looked up by code point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from scratchnet.arguments import positive_integer
from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError
from scratchnet.text.tokens import checked_text, split_words

UNITS = ("char", "word")


def checked_unit(owner: str, unit: object) -> str:
    """Return what a symbol is, once it is known to be ``"char"`` or ``"word"``.

    Raises
    ------
    InputError
        Otherwise.
    """
    for known in UNITS:
        if unit == known:
            return known
    raise InputError(
        f"{owner}: expected unit to be {' or '.join(map(repr, UNITS))}, got {unit!r}. "
        "Use one of those."
    )


def symbols_of(text: str, unit: str, size: int | None, unknown: str | None) -> list[str]:
    """Return a text's symbols as `Vocabulary.of` orders them.

    Raises
    ------
    DataError
        If there is none.
    InputError
        If an argument is not what it should be.
    """
    owner = "Vocabulary.of"
    text, unit = checked_text(owner, text), checked_unit(owner, unit)
    room = None if size is None else positive_integer(owner, "size", size) - (unknown is not None)
    found: Iterable[str] = split_words(text) if unit == "word" else text
    if unit == "word" or room is not None:
        counts = Counter(found)
        counts.pop(unknown or "", None)
        # Equal counts stay in the order of first occurrence: sorting is stable.
        found = sorted(counts, key=counts.__getitem__, reverse=True)[:room]
    symbols = sorted(set(found)) if unit == "char" else list(found)
    if not text or (not symbols and room != 0):
        raise DataError(
            f"{owner}: expected a text with at least one {unit}, got {text[:20]!r}. "
            "Give a text that is not empty."
        )
    return symbols if unknown is None else [unknown, *(s for s in symbols if s != unknown)]


def checked_symbols(symbols: Iterable[str], unit: str, unknown: str | None) -> tuple[str, ...]:
    """Return the symbols once they are known to be what `Vocabulary` promises.

    Raises
    ------
    InputError
        Otherwise.
    """
    checked = tuple(symbols)
    what = "a character" if unit == "char" else "a word"
    for symbol in checked:
        right = isinstance(symbol, str) and symbol and (unit == "word" or len(symbol) == 1)
        if not right or any("\ud800" <= character <= "\udfff" for character in symbol):
            raise InputError(
                f"Vocabulary: expected each symbol to be {what} that UTF-8 can write, got "
                f"{symbol!r}. Leave it out, or read the text in the encoding it was written in."
            )
    if not checked:
        raise InputError("Vocabulary: expected at least one symbol, got none. Give a text's.")
    symbol, count = Counter(checked).most_common(1)[0]
    if count > 1:
        raise InputError(f"Vocabulary: expected symbols once, got {symbol!r} {count} times.")
    if unknown is not None and unknown != checked[0]:
        raise InputError(
            f"Vocabulary: expected the unknown symbol to be the first, {checked[0]!r}, got "
            f"{unknown!r}. Put it before the others."
        )
    return checked


def code_table(characters: Sequence[str]) -> Array:
    """Return the place of each code point among the characters, -1 where it has none.

    The table ends behind the highest one, with a -1 that stands for all above.
    """
    codes = np.array([ord(character) for character in characters])
    table = np.full(codes.max() + 2, -1, dtype=np.int32)
    table[codes] = np.arange(len(codes), dtype=np.int32)
    return table


def code_points(text: str) -> Array:
    """Return the code point of each character, uint32 of shape (T,), surrogates too."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
