"""Where dropout masks come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.arguments import whole_number
from scratchnet.backend import Array, array_module
from scratchnet.kernels.device.philox import dropout_mask
from scratchnet.queued import changing
from scratchnet.random import generator


class MaskSource:
    """Draws dropout masks; the n-th depends on the seed and n alone, on every device.

    A training that is resumed, or goes on elsewhere, has the masks it would have had.
    """

    def __init__(self, owner: str, seed: int | None) -> None:
        self.owner = owner
        self.seed = None if seed is None else whole_number(owner, "seed", seed)
        self.draws = 0

    def draw(self, shape: tuple[int, ...], rate: float, like: Array) -> Array:
        """Return a mask: 0 with probability ``rate``, otherwise 1/(1 - rate), where ``like`` is."""
        if self.seed is None:
            self.seed = int(generator().integers(2**63))
        seed = self.seed % 2**64
        if array_module(like) is not np:
            return dropout_mask(seed, changing(self._next), shape, rate, like)
        rng = np.random.Generator(np.random.Philox(key=seed | self._next() << 64))
        keep = (rng.random(shape, dtype=like.dtype) >= rate).astype(like.dtype)
        return keep if rate == 1 else keep * (1 / (1 - rate))

    def _next(self) -> int:
        """Return the number of the mask that is drawn now."""
        self.draws += 1
        return self.draws - 1

    def state(self) -> dict[str, Any]:
        """Return the seed in use, None before the first mask, and how many masks were drawn."""
        return {"seed": self.seed, "draws": self.draws}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave: the next mask is the one that would have come next."""
        seed, draws = state["seed"], state["draws"]
        self.seed = None if seed is None else whole_number(self.owner, "seed", seed)
        self.draws = whole_number(self.owner, "draws", draws)
