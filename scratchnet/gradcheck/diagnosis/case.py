"""The case that went wrong, with everything that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck import numeric
from scratchnet.gradcheck.recognition import Arrangement
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject

MOST_ENTRIES = 200
"""Entries that are differentiated by in another case than the one at hand."""


@dataclass
class Case:
    """One run of the code under test whose gradients are wrong.

    Attributes
    ----------
    subject : Subject
    arrays, upstream : dict of str to array
    outputs : dict of str to array
    pulled : Pulled
    right : dict of str to array
        The right gradients, NaN where they were not computed.
    wrong : list of str
        The arrays whose gradient is wrong.
    rng : Generator
    arrangement : Arrangement or None
        What the forward pass was recognised as.
    jacobian : Columns or None
        Of the entries that were looked at.
    """

    subject: Subject
    arrays: dict[str, Array]
    outputs: dict[str, Array]
    upstream: dict[str, Array]
    pulled: Pulled
    right: dict[str, Array]
    wrong: list[str]
    rng: np.random.Generator
    arrangement: Arrangement | None = None
    jacobian: numeric.Columns | None = None

    def is_parameter(self, name: str) -> bool:
        """Return whether an array is something that learns."""
        return name in self.subject.parameters

    def right_for(self, upstream: Arrays) -> dict[str, Array]:
        """Return the right gradients for other gradients of the outputs."""
        if self.jacobian is None:
            return self.right_of(self.arrays, upstream)
        return gradients_of(self.jacobian, self.arrays, numeric.flatten(upstream))

    def right_of(
        self, arrays: dict[str, Array], upstream: Arrays, names: Sequence[str] = ()
    ) -> dict[str, Array]:
        """Return the right gradients of another case, by differences; of all arrays or some."""
        names = names or [n for n in self.subject.wrt if n in self.pulled.gradients]
        limit = min(MOST_ENTRIES, numeric.affordable(arrays, upstream))
        coordinates, _ = numeric.choose(arrays, names, limit, self.rng)
        columns = numeric.columns(self.subject.run, arrays, coordinates, self.subject.dtype)
        return gradients_of(columns, arrays, numeric.flatten(upstream))


def gradients_of(columns: numeric.Columns, arrays: Arrays, upstream: Array) -> dict[str, Array]:
    """Return gradients from Jacobian columns, NaN at entries that have none."""
    found: dict[str, Array] = {}
    for (name, index), share in zip(columns.coordinates, upstream @ columns.values, strict=True):
        if name not in found:
            found[name] = np.full(np.shape(arrays[name]), np.nan)
        found[name][index] = share
    return found
