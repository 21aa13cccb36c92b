"""What follows what in Nietzsche's text: a Markov chain of characters, or of words.

The figures of section 6, on the lower-cased text at order 1: b follows a 813 times, 39 different
characters follow a, and P(n|a) is 0.2322806826829003.  A chain is also the baseline of the
recurrent networks: its bits a character on held-out text are what they have to beat.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scratchnet import datasets
from scratchnet.text.markov import Counting, MarkovChain
from scratchnet.text.reading import Report, read_texts
from scratchnet.text.transitions import count

CHAIN = "chain.json"
"""The file that a training leaves."""

HELD_OUT = 0.1
"""The share of the text, at its end, that a chain is measured on without having counted it."""

Paths = Sequence[str | os.PathLike[str]]


def read(
    text: Paths | None = None,
    keep_case: bool = False,
    max_lines: int | None = None,
    encoding: str | None = None,
) -> tuple[str, list[Report]]:
    """Return the text to count, Nietzsche's where none is named, and what was read.

    Raises
    ------
    DataError, InputError
        See `read_texts`.
    """
    paths = [datasets.path("nietzsche")] if text is None else text
    content, reports = read_texts(paths, encoding, max_lines)
    return content if keep_case else content.lower(), reports


def fit(
    text: Paths | None = None,
    order: int = 1,
    unit: str = "char",
    keep_case: bool = False,
    max_lines: int | None = None,
    encoding: str | None = None,
) -> MarkovChain:
    """Return the chain of some text files; without arguments, the published one.

    Raises
    ------
    DataError, InputError
        See `read_texts` and `MarkovChain`.
    """
    chain = MarkovChain(order, unit)
    return chain.fit(read(text, keep_case, max_lines, encoding)[0])


def train(
    folder: str | os.PathLike[str],
    text: Paths | None = None,
    order: int = 1,
    unit: str = "char",
    keep_case: bool = False,
    max_lines: int | None = None,
    encoding: str | None = None,
    counting: Counting = count,
) -> dict[str, Any]:
    """Count a text, write ``chain.json`` into a folder and return what was measured.

    Parameters
    ----------
    folder
        Where the chain goes; it is the whole text's.
    text, order, unit, keep_case, max_lines, encoding
        As in `fit`.
    counting
        What counts: NumPy, or ``keras_impl.markov.count``.

    Raises
    ------
    DataError, InputError
        As `fit`.
    """
    chain = MarkovChain(order, unit)
    content, _ = read(text, keep_case, max_lines, encoding)
    chain.fit(content, counting)
    measured = measure(chain, content, counting)
    chain.save(Path(folder) / CHAIN)
    return measured


def size(chain: MarkovChain) -> dict[str, Any]:
    """Return how much a chain has counted."""
    return {
        "order": chain.order,
        "unit": chain.unit,
        "symbols": int(chain.levels[0].totals.sum()),
        "vocabulary": len(chain.vocabulary),
        "contexts": chain.num_contexts,
        "transitions": chain.num_transitions,
    }


def measure(chain: MarkovChain, text: str, counting: Counting = count) -> dict[str, Any]:
    """Return a chain's size and its bits a symbol on the text that it was fitted on.

    ``held_out_bits`` are those on the last tenth of a chain fitted on the rest, None where the
    text is too short to be divided.
    """
    measured = {
        **size(chain),
        "bits": chain.bits(text),
        "held_out_bits": None,
        "held_out_share": HELD_OUT,
    }
    symbols = chain.split(text)
    cut = len(symbols) - round(HELD_OUT * len(symbols))
    if chain.order < cut < len(symbols):
        earlier = MarkovChain(chain.order, chain.unit).fit(chain.join(symbols[:cut]), counting)
        measured["held_out_bits"] = earlier.bits(chain.join(symbols[cut:]))
    return measured
