"""What a training in a process of its own is given: real data where they are, else random ones."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet import datasets, experiments
from scratchnet.experiments import imdb, language
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Reviews
from scratchnet.text import Vocabulary

TRAININGS: dict[str, tuple[str, dict[str, Any]]] = {
    "wisconsin": ("wisconsin", {}),
    "nietzsche": ("nietzsche", {}),
    "nietzsche-gru": ("nietzsche", {"cell": "gru"}),
    "imdb": ("imdb", {}),
    "shakespeare": ("shakespeare", {"batch_size": 128}),
}
"""By the name of a work: the experiment, and what is chosen differently in it."""
TEXTS = {"nietzsche": (600_893, 57, "char"), "shakespeare": (207_859, 11_635, "word")}
"""Symbols of the published text, and how many are different."""


def maker(name: str) -> Callable[[], Problem]:
    """Return what makes a training's problem; random data where its own are not here."""
    experiment, settings = TRAININGS[name]
    module = experiments.get(experiment).module()
    if experiment == "wisconsin":
        importlib.import_module("pandas")  # which reads tables, and imports itself when it does
    here = {"imdb": ("imdb", "imdb-keras")}.get(experiment, (experiment,))
    if any(datasets.find(one) for one in here):
        return functools.partial(module.problem, **settings)
    if experiment == "imdb":
        return _random_reviews
    return functools.partial(_random_text, experiment, module.PUBLISHED, settings)


def _random_text(experiment: str, published: Any, settings: dict[str, Any]) -> Problem:
    symbols, different, unit = TEXTS[experiment]
    ids = np.random.default_rng(0).integers(0, different, symbols).tolist()
    texts = {"char": "".join(chr(0x4E00 + n) for n in ids), "word": " ".join(f"w{n}" for n in ids)}
    chosen = language.chosen(published, settings)
    return language.problem(experiment, texts[unit], chosen, 0, "float32", 1)


def _random_reviews() -> Problem:
    rng = np.random.default_rng(0)
    x = rng.integers(1, imdb.VOCABULARY, (25_000, imdb.LENGTH), dtype="int32")
    y = rng.integers(0, 2, (len(x), 1)).astype("float32")
    words = (f"w{n}" for n in range(imdb.VOCABULARY))
    architecture: dict[str, Any] = {"vocabulary": imdb.VOCABULARY, "length": imdb.LENGTH}
    return Problem(
        "imdb",
        x,
        y,
        x,
        y,
        functools.partial(imdb.build_model, **architecture),
        Reviews(Vocabulary(words, "word"), imdb.LENGTH),
        imdb.BATCH_SIZE,
        1,
        0,
        "float32",
        architecture=architecture,
    )
