"""Gradients beside what an oracle says, array by array: how far off, and what may be said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.numeric import Columns, flatten
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG, Row
from scratchnet.gradcheck.subject import Arrays

DIFFERENCES_TOLERANCE = {"float64": 1e-7, "float32": 1e-3}
"""What a gradient may differ from differences by, over the largest magnitude."""

COMPLEX_TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
"""The same from the complex step, which is exact to rounding: the code's own rounding is left."""

TRUST = 5.0
"""How many of its estimated errors a difference may be off by."""

Pull = tuple[Arrays, Arrays]
"""Gradients of the outputs, and the gradients that the code under test gave for them."""


def against_differences(
    columns: Columns,
    pulls: Sequence[Pull],
    arrays: Arrays,
    names: Sequence[str],
    dtype: str,
) -> list[Row]:
    """Return a row an array: the worst entry over all gradients of the outputs that were tried."""
    rows = []
    for name in names:
        at = [k for k, (array, _) in enumerate(columns.coordinates) if array == name]
        entries = [columns.coordinates[k][1] for k in at]
        judged: Array | None = None  # by the first pull, which all outputs are part of
        worst = _Worst(name, np.shape(arrays[name]), DIFFERENCES_TOLERANCE[dtype])
        largest = 0.0
        for upstream, gradients in pulls:
            d = flatten(upstream)
            values, errors = d @ columns.values[:, at], np.zeros(len(at))
            used = d != 0
            errors = np.abs(d[used]) @ np.nan_to_num(columns.errors[:, at][used], posinf=np.inf)
            ours = np.array([np.asarray(gradients[name])[entry] for entry in entries], dtype=float)
            scale = float(np.abs(values).max(initial=0.0))
            largest = max(largest, scale)
            overall = float(np.abs(d @ columns.values).max(initial=0.0))
            judged_there = columns.judged[:, at][used].all(axis=0)
            unmoved = (values == 0) & ((errors <= worst.tolerance * overall) | judged_there)
            reliable = (errors <= worst.tolerance * scale) | unmoved
            judged = reliable if judged is None else judged
            worst.look(ours, values, errors, reliable, scale, entries)
        judged = np.zeros(len(at), dtype=bool) if judged is None else judged
        reasons = [columns.reasons[k] for k, known in zip(at, judged, strict=True) if not known]
        rows.append(worst.row("differences", len(at), int(judged.sum()), reasons))
    return rows


class _Worst:
    """The worst entry seen so far of one array."""

    def __init__(self, name: str, shape: tuple[int, ...], tolerance: float) -> None:
        self.name, self.shape, self.tolerance = name, shape, tolerance
        self.wrong = False
        self.absolute = self.relative = self.ours = self.reference = 0.0
        self.entry: tuple[int, ...] = ()

    def look(
        self,
        ours: Array,
        values: Array,
        errors: Array,
        reliable: Array,
        scale: float,
        entries: Sequence[tuple[int, ...]],
    ) -> None:
        """Take in the entries of one pull."""
        off = np.abs(ours - values)
        with np.errstate(invalid="ignore"):
            wrong = off > self.tolerance * scale + TRUST * errors
        wrong &= np.isfinite(errors)
        if not (wrong.any() or reliable.any()):
            return
        seen = np.where(wrong | reliable, off, -1.0)
        k = int(np.argmax(seen))
        relative = float(off[k]) / scale if scale else float(off[k] > 0)
        if wrong.any() > self.wrong or (wrong.any() == self.wrong and relative > self.relative):
            self.absolute, self.relative, self.entry = float(off[k]), relative, entries[k]
            self.ours, self.reference = float(ours[k]), float(values[k])
        elif not self.entry and entries:
            self.entry, self.ours, self.reference = entries[k], float(ours[k]), float(values[k])
        self.wrong |= bool(wrong.any())

    def row(self, oracle: str, entries: int, judged: int, reasons: Sequence[str]) -> Row:
        """Return what was seen: right if at least half of the entries could be judged."""
        verdict = WRONG if self.wrong else RIGHT if 2 * judged >= entries else UNJUDGED
        reason = ", ".join(sorted({r for r in reasons if r})) or "the gradient is too small"
        return Row(
            *(self.name, oracle, self.shape, self.absolute, self.relative, self.tolerance, verdict),
            *(entries, judged, self.entry, self.ours, self.reference),
            reason if judged < entries else "",
        )


def against_exact(oracle: str, reference: Arrays, gradients: Arrays, tolerance: float) -> list[Row]:
    """Return a row for every array that an oracle without error estimates knows.

    Entries that it does not know are NaN.
    """
    rows = []
    for name, right in reference.items():
        if name not in gradients:
            continue
        known = ~np.isnan(right)
        if not known.any():
            continue
        worst = _Worst(name, np.shape(right), tolerance)
        values = np.asarray(right, dtype=np.float64)[known]
        ours = np.asarray(gradients[name], dtype=np.float64)[known]
        entries = [tuple(int(k) for k in index) for index in np.argwhere(known)]
        scale = float(np.abs(values).max(initial=0.0))
        if entries:
            nothing = np.zeros(len(values))
            worst.look(ours, values, nothing, nothing == 0, scale, entries)
        rows.append(worst.row(oracle, len(entries), len(entries), []))
    return rows


def against_directions(
    name: str,
    array: Array,
    ours: Sequence[float],
    differences: Array,
    errors: Array,
    dtype: str,
) -> Row:
    """Return the row of one array along random directions."""
    worst = _Worst(name, np.shape(array), DIFFERENCES_TOLERANCE[dtype])
    scale = float(np.abs(differences).max(initial=0.0))
    reliable = errors <= worst.tolerance * scale
    entries = [(k,) for k in range(len(differences))]
    worst.look(np.array(ours), differences, errors, reliable, scale, entries)
    return worst.row("directions", len(entries), int(reliable.sum()), [])
