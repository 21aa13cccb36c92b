"""How someone's arrays map to a reference's: which block of which array is what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.references import Built

View = Callable[[Array], Array]
"""From an array as the user lays it out to the canonical layout; a NumPy view, never a copy."""


@dataclass(frozen=True)
class Block:
    """A part of a user's array, and the canonical array that it is (a share of)."""

    slot: str
    view: View

    @property
    def gate(self) -> str:
        return self.slot.partition(".")[2]


@dataclass
class Arrangement:
    """A user's forward pass, recognised.

    Attributes
    ----------
    kind : str
        ``"lstm"``, ``"gru"``, ``"simple_rnn"``, ``"dense"``, ``"embedding"``.
    build : function
        Makes the reference's graph from canonical arrays.
    blocks : dict of str to list of Block
        Of every array of the user's that the reference knows.  Where several blocks have the same
        slot the canonical array is their sum (two biases).
    outputs : dict of str to Block
        Of the user's outputs; an output that is not here is none of the reference's.
    notes : list of str
        What was found, in words.
    """

    kind: str
    build: Callable[[Mapping[str, Array]], Built]
    blocks: dict[str, list[Block]]
    outputs: dict[str, Block] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def canonical(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return the reference's arrays from the user's."""
        found: dict[str, Array] = {}
        for name, blocks in self.blocks.items():
            for block in blocks:
                part = np.asarray(block.view(arrays[name]))
                if part.dtype.kind == "f":
                    part = part.astype(np.float64)
                found[block.slot] = found[block.slot] + part if block.slot in found else part
        return found

    def upstream(self, upstream: Mapping[str, Array]) -> dict[str, Array]:
        """Return gradients of the reference's outputs from those of the user's."""
        found: dict[str, Array] = {}
        for name, block in self.outputs.items():
            if name in upstream:
                part = np.asarray(block.view(np.asarray(upstream[name])), dtype=np.float64)
                found[block.slot] = found[block.slot] + part if block.slot in found else part
        return found

    def only_known(self, upstream: Mapping[str, Array]) -> dict[str, Array]:
        """Return the user's upstream gradients, zero wherever no output of the reference is."""
        known = {
            name: np.zeros_like(np.asarray(d, dtype=np.float64)) for name, d in upstream.items()
        }
        for name, block in self.outputs.items():
            block.view(known[name])[...] = block.view(np.asarray(upstream[name]))
        return known

    def gradient(self, gradients: Mapping[str, Array], name: str, like: Array) -> Array:
        """Return the gradient of a user's array, in its layout, from those of the reference's."""
        laid_out = np.zeros(np.shape(like))
        for block in self.blocks[name]:
            block.view(laid_out)[...] = gradients[block.slot]
        return laid_out
