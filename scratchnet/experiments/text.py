"""The character model on a user's own files, one or many: see `scratchnet.experiments.nietzsche`.

The last twentieth of the text is held out, so that every epoch says how well the rest has taught.
"""

from __future__ import annotations

from typing import Any

from scratchnet.errors import InputError
from scratchnet.experiments import language
from scratchnet.experiments.language import Settings
from scratchnet.experiments.problem import Problem

PUBLISHED = Settings(validation=0.05)
EPOCHS = 20


def problem(
    seed: int = 0, dtype: str = "float32", epochs: int | None = None, **options: Any
) -> Problem:
    """Return what both engines are given; options are those of `Settings`.

    Raises
    ------
    InputError, DataError
        See `language.problem`; also if no file is named.
    """
    settings = language.chosen(PUBLISHED, options)
    if not settings.text:
        raise InputError("--text: expected one or more files, got none. Name one: --text book.txt.")
    text, notes = language.read(settings.text, settings)
    return language.problem("text", text, settings, seed, dtype, epochs or EPOCHS, notes)
