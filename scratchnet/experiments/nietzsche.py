"""An LSTM learns to write like Nietzsche, character by character.

Windows of 40 characters at every third place of a text of 600,893, lower-cased; LSTM 128 → softmax
over 57 characters, RMSprop 0.01, batches of 128.  Published: a loss of about 1.99 after the first
epoch and 1.39 after the tenth (Keras's example ``lstm_text_generation``, and the tutorials on it).
"""

from __future__ import annotations

from typing import Any

from scratchnet import datasets
from scratchnet.experiments import language
from scratchnet.experiments.language import Settings
from scratchnet.experiments.problem import Problem

PUBLISHED = Settings()
EPOCHS = 60


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
    files = settings.text or [datasets.path("nietzsche")]
    text, notes = language.read(files, settings)
    return language.problem("nietzsche", text, settings, seed, dtype, epochs or EPOCHS, notes)
