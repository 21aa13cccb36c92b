"""Where dropout masks come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scratchnet.arguments import whole_number
from scratchnet.backend import Array, random_generator
from scratchnet.random import generator


class MaskSource:
    """Draws dropout masks; the n-th depends on the seed and n alone.

    A training that is resumed therefore goes on with the masks it would have had.
    """

    def __init__(self, owner: str, seed: int | None) -> None:
        self.owner = owner
        self.seed = None if seed is None else whole_number(owner, "seed", seed)
        self.draws = 0

    def draw(self, shape: tuple[int, ...], rate: float, like: Array) -> Array:
        """Return a mask: 0 with probability ``rate``, otherwise 1/(1 - rate), where ``like`` is."""
        if self.seed is None:
            self.seed = int(generator().integers(2**63))
        rng = random_generator((self.seed, self.draws), like=like)
        self.draws += 1
        keep = (rng.random(shape) >= rate).astype(like.dtype)
        return keep if rate == 1 else keep / (1 - rate)

    def state(self) -> dict[str, Any]:
        """Return the seed in use, None before the first mask, and how many masks were drawn."""
        return {"seed": self.seed, "draws": self.draws}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave: the next mask is the one that would have come next."""
        seed, draws = state["seed"], state["draws"]
        self.seed = None if seed is None else whole_number(self.owner, "seed", seed)
        self.draws = whole_number(self.owner, "draws", draws)
