"""Two LSTMs learn to go on with Shakespeare, word by word.

207,859 words, windows of 50 at every place; Embedding 50 → LSTM 50 → LSTM 50 → Dense 100 relu →
softmax over the vocabulary, Adam, batches of 10, 20 epochs; then the likeliest continuation by 20
words.  The published notebook makes a one-hot matrix of its targets, 10 GB, and runs out of memory;
here a target is an id.
"""

from __future__ import annotations

from typing import Any

from scratchnet import datasets
from scratchnet.experiments import language
from scratchnet.experiments.language import Settings
from scratchnet.experiments.problem import Problem

PUBLISHED = Settings(
    unit="word",
    window=50,
    stride=1,
    units=50,
    layers=2,
    embedding=50,
    hidden=100,
    optimizer="adam",
    learning_rate=0.001,
    batch_size=10,
    samples=20,
    temperatures=(0.0,),
)
EPOCHS = 20


def problem(
    seed: int = 0, dtype: str = "float32", epochs: int | None = None, **options: Any
) -> Problem:
    """Return what both engines are given; options are those of `Settings`.

    Raises
    ------
    InputError, DataError
        See `language.problem`.
    """
    settings = language.chosen(PUBLISHED, options)
    files = settings.text or [datasets.path("shakespeare")]
    text, notes = language.read(files, settings)
    return language.problem("shakespeare", text, settings, seed, dtype, epochs or EPOCHS, notes)
