"""A character model learns nested JSON, and how much of what it writes holds up.

The text is the project's own, orders of a tea shop (`scratchnet.experiments.json_documents`), so
nothing is downloaded.  After the training the network writes documents at temperature 0.5: how many
of them parse, and how many fit the schema, is measured.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scratchnet.errors import InputError
from scratchnet.experiments import json_documents, language
from scratchnet.experiments.language import Settings
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Language
from scratchnet.generation import Writer, continuation
from scratchnet.text import Sampler

DOCUMENTS = 1000
SEED = 0
"""Of the documents; the seed of a training decides the rest."""
PUBLISHED = Settings(
    keep_case=True,
    window=60,
    learning_rate=0.004,
    validation=0.05,
    temperatures=(0.2, 0.5, 1.0),
)
EPOCHS = 5
TEMPERATURE = 0.5
STREAMS, LENGTH = 36, 3000
"""How often the network begins anew to be measured, and how many characters it writes then."""


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
    if settings.text:
        raise InputError("--text: json writes its own. Use train text for yours.")
    if settings.unit != "char":
        raise InputError("--unit: json is written by characters; words have no brackets.")
    text = json_documents.generate(DOCUMENTS, SEED)
    documents = f"{DOCUMENTS:,} documents"
    if settings.max_lines is not None:
        documents = f"The first {settings.max_lines:,} lines of {documents}"
        text = "".join(text.splitlines(keepends=True)[: settings.max_lines])
    notes = [f"{documents}, each an order of a tea shop."]
    return language.problem("json", text, settings, seed, dtype, epochs or EPOCHS, notes, measure)


def measure(writer: Writer, language: Language) -> dict[str, Any]:
    """Return how many of the documents that are written parse, and fit, at temperature 0.5."""
    vocabulary = language.vocabulary
    counted = json_documents.Shares(0, 0, 0)
    for seed in range(STREAMS):
        prompt = language.prompts[seed % len(language.prompts)]
        before = vocabulary.encode(prompt).tolist()
        ids = continuation(writer, before, Sampler(TEMPERATURE, seed=seed), LENGTH)
        counted += json_documents.shares(vocabulary.decode(list(ids)))
    return {"shares": {**asdict(counted), "parse": counted.parse, "fit": counted.fit}}
