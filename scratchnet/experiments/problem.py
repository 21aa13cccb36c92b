"""What an experiment hands to whoever trains it, the same for both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scratchnet.backend import Array
from scratchnet.model import Sequential
from scratchnet.samples import Samples

if TYPE_CHECKING:
    import pandas as pd


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
class Problem:
    """Data, a compiled model and how long to train it."""

    experiment: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    build_model: Callable[[], Sequential]
    """Returns the built and compiled network; the same weights every time."""
    columns: Columns
    batch_size: int
    epochs: int
    seed: int
    dtype: str
    settings: dict[str, Any] = field(default_factory=dict)
    """The arguments that make this problem again."""
    notes: tuple[str, ...] = ()
    """What was done to the data, a sentence each, for whoever reads the results."""
    trained: bool = False
    """Whether ``build_model`` returns a model that has learned already, by a rule of its own."""

    def batches(self, epoch: int) -> list[Array]:
        """Return the rows of each batch of an epoch, in the order that `Sequential.fit` takes."""
        order = Samples(self.x_train, self.y_train).shuffled_order(self.seed, epoch)
        return [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]
