"""How what a user gives becomes a network's input: rows of a table, a text, a review in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from scratchnet.backend import Array

if TYPE_CHECKING:
    import pandas as pd

    from scratchnet.text import Vocabulary


@dataclass(frozen=True)
class Columns:
    """How rows of a file become the network's input, and what its outputs are called."""

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    label: str | None = None
    """Name of the class column, which a file to predict from may leave out."""
    scale: float = 1.0
    fill: dict[str, float] = field(default_factory=dict)
    """What to write where a feature is missing."""
    cut_off: float | None = None
    """Above which output a row is called 1, where the outputs are classes."""

    def inputs(self, frame: pd.DataFrame) -> Array:
        """Return the network's input, ``(B, D)``."""
        filled = frame[list(self.features)].fillna(self.fill)
        return self.scale * filled.to_numpy(dtype="float64")


@dataclass(frozen=True)
class Language:
    """How a text becomes the ids that a network continues."""

    vocabulary: Vocabulary
    window: int
    """Ids that the network was shown at a time."""
    lower_case: bool
    temperatures: tuple[float, ...]
    """At which a sample is written after each epoch."""
    sample_length: int
    """Ids of such a sample."""
    prompts: tuple[str, ...]
    """Passages to start from where a user names none."""

    def inputs(self, text: str) -> Array:
        """Return the ids of a text, ``(T,)``."""
        return self.vocabulary.encode(text.lower() if self.lower_case else text)


@dataclass(frozen=True)
class Reviews:
    """How reviews in words become the network's input, and what its output means."""

    vocabulary: Vocabulary
    length: int
    """Words that the network is shown: the last ones, or padding in front."""
    outputs: tuple[str, ...] = ("positive",)
    cut_off: float = 0.5

    def inputs(self, texts: Sequence[str]) -> Array:
        """Return the ids of reviews, ``(B, length)``."""
        from scratchnet.experiments.imdb_data import review_ids
        from scratchnet.text import pad_sequences

        ids = [review_ids(text, self.vocabulary) for text in texts]
        return np.asarray(pad_sequences(ids, maxlen=self.length))


@dataclass(frozen=True)
class Chain:
    """How a text is read before its transitions are counted; the chain knows the rest."""

    lower_case: bool


Reader: TypeAlias = Chain | Columns | Language | Reviews
