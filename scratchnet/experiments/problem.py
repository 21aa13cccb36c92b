"""What an experiment hands to whoever trains it, the same for both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scratchnet.backend import Array
from scratchnet.experiments.readers import Reader
from scratchnet.generation import Writer
from scratchnet.model import Sequential
from scratchnet.samples import Samples


@dataclass(frozen=True)
class Problem:
    """Data, a compiled model and how long to train it."""

    experiment: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    """The same as ``y_train`` where nothing is held out."""
    build_model: Callable[[], Sequential]
    """Returns the built and compiled network; the same weights every time."""
    reader: Reader
    """How what a user gives becomes the network's input."""
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
    validation: tuple[Array, Array] | None = None
    """Inputs and targets that the loss is watched on after each epoch."""
    architecture: dict[str, Any] = field(default_factory=dict)
    """The arguments that describe the network, to the engine's builder and to Keras's."""
    files: tuple[str, ...] = ()
    """The user's own files among the settings, as absolute paths."""
    choose_by: str | None = None
    """The validation figure, such as ``val_accuracy``, whose best epoch's weights are kept."""
    measure: Callable[[Writer], dict[str, Any]] | None = None
    """What else is asked of the trained network, by letting it write."""

    @property
    def held_out(self) -> bool:
        """Whether the test rows are others than those it learns from."""
        return self.x_test is not self.x_train

    def batches(self, epoch: int) -> list[Array]:
        """Return the rows of each batch of an epoch, in the order that `Sequential.fit` takes."""
        order = Samples(self.x_train, self.y_train).shuffled_order(self.seed, epoch)
        return [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]
