"""Gradients beside numeric derivatives: entry by entry, by the complex step, along directions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck import numeric
from scratchnet.gradcheck.compare import (
    COMPLEX_TOLERANCE,
    against_differences,
    against_directions,
    against_exact,
)
from scratchnet.gradcheck.diagnosis.case import gradients_of
from scratchnet.gradcheck.differences import KINK, NOT_FINITE, STEP
from scratchnet.gradcheck.report import WRONG, Row
from scratchnet.gradcheck.subject import Pulled, Subject

ONE_HOT = 48
"""Outputs up to which each is pulled alone as well, which makes the check a full Jacobian's."""

NEARBY = 0.02
"""How far away, in relation, a wrong gradient is looked at once more."""

MOST_CONFIRMING = 12
"""Entries that are differentiated there."""

DIRECTIONS = 3
"""Random directions on top, where not every entry is looked at."""


@dataclass
class NumericRows:
    """What numeric derivatives say of the gradients of some arrays.

    Attributes
    ----------
    rows : list of Row
    right : dict of str to array
        The right gradients, NaN at entries that were not looked at.
    jacobian : Columns or None
        Of the entries that were looked at.
    """

    subject: Subject
    pulled: Pulled
    upstream: dict[str, Array]
    names: list[str]
    precision: str
    rng: np.random.Generator
    rows: list[Row] = field(default_factory=list)
    right: dict[str, Array] = field(default_factory=dict)
    jacobian: numeric.Columns | None = None

    def __post_init__(self) -> None:
        if self.names:
            self._fill()

    def _fill(self) -> None:
        subject, arrays, outputs = self.subject, self.subject.arrays, self.pulled.outputs
        limit = numeric.affordable(arrays, outputs)
        chosen, complete = numeric.choose(arrays, self.names, limit, self.rng)
        columns = numeric.columns(subject.run, arrays, chosen, self.precision)
        pulls = [(self.upstream, self.pulled.gradients)]
        size = sum(np.size(y) for y in outputs.values())
        if complete and size <= ONE_HOT and "upstream" not in self.pulled.changed:
            pulls += [(d, subject.pull(arrays, d).gradients) for d in self._one_hots()]
        rows = against_differences(columns, pulls, arrays, self.names, subject.dtype)
        self.rows = [self._confirmed(row) if row.verdict == WRONG else row for row in rows]
        self.right = gradients_of(columns, arrays, numeric.flatten(self.upstream))
        self.jacobian = columns
        if self.precision == "float64":
            self._hold_against_complex_step(columns)
        if not complete:
            self.rows += self._along_directions()

    def _hold_against_complex_step(self, columns: numeric.Columns) -> None:
        subject, chosen = self.subject, columns.coordinates
        exact = numeric.complex_columns(subject.run, subject.arrays, chosen, columns)
        if exact is None:
            return
        broken = [reason in (KINK, STEP, NOT_FINITE) for reason in columns.reasons]
        exact[:, broken] = np.nan  # the complex step sees one side of them
        precise = numeric.Columns(
            chosen, exact, np.zeros_like(exact), np.ones_like(columns.judged), columns.reasons
        )
        self.right = gradients_of(precise, subject.arrays, numeric.flatten(self.upstream))
        tolerance = COMPLEX_TOLERANCE[subject.dtype]
        self.rows += against_exact("complex step", self.right, self.pulled.gradients, tolerance)

    def _confirmed(self, row: Row) -> Row:
        """Return the row, unless the gradient is right at a point nearby: then the row of that.

        Differences misjudge their own error once in a thousand entries; code that is wrong is wrong
        everywhere.
        """
        subject, name = self.subject, row.array
        arrays = dict(subject.arrays)
        for key in subject.wrt:
            jitter = 1 + NEARBY * self.rng.standard_normal(arrays[key].shape)
            arrays[key] = (arrays[key] * jitter).astype(arrays[key].dtype)
        limit = min(MOST_CONFIRMING, numeric.affordable(arrays, self.pulled.outputs))
        chosen, _ = numeric.choose(arrays, [name], limit, self.rng)
        some = [(name, row.worst), *chosen[:: max(1, len(chosen) // MOST_CONFIRMING)]]
        columns = numeric.columns(subject.run, arrays, list(dict.fromkeys(some)), self.precision)
        pulls = [(self.upstream, subject.pull(arrays, self.upstream).gradients)]
        (again,) = against_differences(columns, pulls, arrays, [name], subject.dtype)
        return row if again.verdict == WRONG else again

    def _one_hots(self) -> list[dict[str, Array]]:
        found = []
        for name, y in self.pulled.outputs.items():
            for index in np.ndindex(np.shape(y)):
                d = {n: np.zeros(np.shape(array)) for n, array in self.pulled.outputs.items()}
                d[name][index] = 1.0
                found.append(d)
        return found

    def _along_directions(self) -> list[Row]:
        """Compare along random directions too, so that no entry goes unseen."""
        subject, flat = self.subject, numeric.flatten(self.upstream)
        directions = [
            {name: self.rng.standard_normal(subject.arrays[name].shape)}
            for name in self.names
            for _ in range(DIRECTIONS)
        ]
        columns = numeric.directional(subject.run, subject.arrays, directions, self.precision)
        differences, errors = flat @ columns.values, np.abs(flat) @ columns.errors
        rows = []
        for k, name in enumerate(self.names):
            at = slice(k * DIRECTIONS, (k + 1) * DIRECTIONS)
            ours = [float(np.vdot(self.pulled.gradients[name], d[name])) for d in directions[at]]
            rows.append(
                against_directions(
                    *(name, subject.arrays[name], ours, differences[at], errors[at], subject.dtype)
                )
            )
        return rows
