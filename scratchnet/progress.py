"""How far a training has got: what a file needs beside weights for a training to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from scratchnet.arguments import real, whole_number
from scratchnet.errors import InputError


@dataclass(frozen=True)
class Progress:
    """A moment between two batches.

    Attributes
    ----------
    epoch : int
        Epochs done.
    batch : int
        Batches of the next epoch done.
    sums : dict of str to list of float
        What loss and metrics have come to in those batches: a sum and what it is divided by.
    """

    epoch: int = 0
    batch: int = 0
    sums: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make it from its fields as JSON held them.

        Raises
        ------
        InputError
            If they are not such fields.
        """
        if not isinstance(config, Mapping) or config.keys() != cls.__dataclass_fields__.keys():
            raise InputError("progress: expected epoch, batch and sums, got others.")
        sums = config["sums"]
        if not isinstance(sums, Mapping) or not all(
            isinstance(pair, list) and len(pair) == 2 for pair in sums.values()
        ):
            raise InputError("progress: expected sums to be pairs of numbers by name, got others.")
        return cls(
            whole_number("progress", "epoch", config["epoch"]),
            whole_number("progress", "batch", config["batch"]),
            {name: [real("progress", name, one) for one in pair] for name, pair in sums.items()},
        )
