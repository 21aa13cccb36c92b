"""Raw inputs that an exported model is asked, and scratchnet's answers to them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd

from scratchnet import runs
from scratchnet.backend import Array
from scratchnet.experiments.imdb_data import MARKERS
from scratchnet.experiments.readers import Chain, Columns, Language, Reader, Reviews
from scratchnet.model import Sequential

Raw: TypeAlias = "Array | list[str]"
"""Rows (B, D), or texts."""

COUNT = 16


def samples(model: Sequential, reader: Reader, seed: int = 0) -> tuple[Raw, Array]:
    """Return raw inputs, gaps and long and short texts among them, and the answer to each."""
    rng = np.random.default_rng(seed)
    assert not isinstance(reader, Chain)  # which has no model
    if isinstance(reader, Columns):
        rows = _rows(reader, rng)
        frame = pd.DataFrame(rows, columns=list(reader.features))
        return rows, runs.predict(model, reader.inputs(frame))
    if isinstance(reader, Reviews):
        reviews = _reviews(reader, rng)
        return reviews, runs.predict(model, reader.inputs(reviews))
    texts = _texts(reader, rng)
    shown = [reader.inputs(text)[None, -reader.window :] for text in texts]
    return texts, np.concatenate([runs.predict(model, ids) for ids in shown])


def _rows(columns: Columns, rng: np.random.Generator) -> Array:
    """Return rows around 0.5 once they are scaled, with gaps where gaps are filled."""
    rows = rng.uniform(0, 1 / (columns.scale or 1), (COUNT, len(columns.features)))
    for number, feature in enumerate(columns.features):
        if feature in columns.fill:
            rows[number % COUNT, number] = np.nan
    return rows


def _reviews(reviews: Reviews, rng: np.random.Generator) -> list[str]:
    words = [*reviews.vocabulary.symbols[len(MARKERS) :], "xyzzy", "<br />"]
    return [
        f"{words[number % (len(words) - 2)].title()}, {' '.join(rng.choice(words, length))}!"
        for number, length in enumerate(rng.integers(1, 2 * reviews.length, COUNT))
    ]


def _texts(language: Language, rng: np.random.Generator) -> list[str]:
    vocabulary, window = language.vocabulary, language.window
    lengths = [1, 2, window, window + 1, *rng.integers(1, 2 * window + 1, COUNT - 4)]
    ids = (rng.integers(len(vocabulary), size=length) for length in lengths)
    texts = [*map(vocabulary.decode, ids), *language.prompts[:4]]
    return [
        text.upper() if language.lower_case and text.isascii() and number % 2 else text
        for number, text in enumerate(texts)
    ]
