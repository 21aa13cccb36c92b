"""The error over time and gates, from pulling one time step's output after the other."""

from __future__ import annotations

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.diagnosis.case import Case
from scratchnet.gradcheck.recognition.arrangement import View
from scratchnet.gradcheck.report import HeatMap


def heat_map(case: Case) -> HeatMap | None:
    """Return how far each gate's block is off for each time step, or None without a time axis."""
    names = [n for n in case.pulled.gradients if n in case.right]
    timed = {n: _axes(case, n).index("T") for n in case.outputs if "T" in _axes(case, n)}
    if not timed or case.subject.size("T") in (None, 1):
        return None
    blocks = [block for name in names for block in _blocks(case, name)]
    columns = []
    for t in range(case.subject.size("T") or 0):
        upstream = {name: np.zeros(np.shape(y)) for name, y in case.upstream.items()}
        for name, axis in timed.items():
            at = (slice(None),) * axis + (t,)
            upstream[name][at] = case.upstream[name][at]
        ours = case.subject.pull(case.arrays, upstream).gradients
        right = case.right_for(upstream)
        columns.append([_error(ours[name], right[name], view) for name, _, view in blocks])
    rows = tuple(f"d{name}" + (f" {gate}" if gate else "") for name, gate, _ in blocks)
    return HeatMap(rows, np.array(columns).T)


def _axes(case: Case, name: str) -> tuple[str, ...]:
    return case.subject.axes.get(name, ())


def _blocks(case: Case, name: str) -> list[tuple[str, str, View | None]]:
    arrangement = case.arrangement
    if arrangement is None or name not in arrangement.blocks:
        return [(name, "", None)]
    gates: list[tuple[str, str, View | None]] = [
        (name, b.gate, b.view) for b in arrangement.blocks[name] if b.gate
    ]
    joint = {gate for _, gate, _ in gates}
    return gates if len(joint) > 1 else [(name, "", None)]


def _error(ours: Array, right: Array, view: View | None) -> float:
    """Return the largest difference in a block over the largest magnitude of the array."""
    scale = float(np.nanmax(np.abs(right), initial=0.0))
    off = np.abs(np.asarray(ours, dtype=np.float64) - right)
    if view is not None:
        off = view(off)
    worst = float(np.nanmax(off, initial=0.0))
    return worst / scale if scale else worst
