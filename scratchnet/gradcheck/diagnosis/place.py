"""Where the error is: which array, gate, time step, batch row and entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.diagnosis.case import Case
from scratchnet.gradcheck.findings import Finding


def placed(case: Case, finding: Finding) -> Finding:
    """Return the finding with the place of the largest error filled in."""
    names = [name for name in finding.array.split(", ") if name in case.wrong]
    if not names:
        return finding
    name = max(names, key=lambda n: _relative(case, n))
    error = _error(case, name)
    entry = tuple(int(k) for k in np.unravel_index(int(np.nanargmax(error)), error.shape))
    axes = case.subject.axes.get(name, ())
    step = finding.step
    if step is None and "T" in axes:
        step = entry[axes.index("T")]
    row = entry[axes.index("B")] if "B" in axes else None
    gate = finding.gate or (_gate(case, name, error) if finding.id == "unnamed" else "")
    worst = f"{name}[{', '.join(map(str, entry))}]"
    return replace(finding, entry=entry, step=step, row=row, gate=gate, worst=worst)


def _error(case: Case, name: str) -> Array:
    return np.abs(np.asarray(case.pulled.gradients[name], dtype=np.float64) - case.right[name])


def _relative(case: Case, name: str) -> float:
    scale = float(np.nanmax(np.abs(case.right[name]), initial=0.0)) or 1.0
    return float(np.nanmax(_error(case, name), initial=0.0)) / scale


def _gate(case: Case, name: str, error: Array) -> str:
    """Return the gate in whose block all of the error is, if it is in one."""
    if case.arrangement is None or name not in case.arrangement.blocks:
        return ""
    scale = float(np.nanmax(np.abs(case.right[name]), initial=0.0)) or 1.0
    off = {
        block.gate
        for block in case.arrangement.blocks[name]
        if block.gate and np.nanmax(block.view(error), initial=0.0) > 1e-6 * scale
    }
    return off.pop() if len(off) == 1 else ""
