"""The one source of chance: initial weights, dropout and shuffling draw from it.

`set_random_seed` makes a whole program repeatable; without it every run differs.
"""

from __future__ import annotations

import numpy as np

from scratchnet.arguments import whole_number

_generator: np.random.Generator | None = None  # made when asked for: numpy.random loads slowly


def generator() -> np.random.Generator:
    """Return the process-wide generator; ask again each time, since seeding replaces it."""
    global _generator
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator


def set_random_seed(seed: int) -> None:
    """Start the process-wide generator anew from ``seed``, a whole number of 0 or more.

    Raises
    ------
    InputError
        If ``seed`` is anything else.
    """
    global _generator
    _generator = np.random.default_rng(whole_number("set_random_seed", "seed", seed))
