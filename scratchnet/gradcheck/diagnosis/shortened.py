"""The same case with few rows and time steps, where a hundred mistakes are soon tried."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from scratchnet.gradcheck.diagnosis.case import Case
from scratchnet.gradcheck.diagnosis.transforms import CLOSE, close
from scratchnet.gradcheck.subject import random_upstream

ROWS, STEPS = 3, 5
"""What is left of a longer case."""

MOST_NUMBERS = 20_000
"""Numbers in all arrays and outputs up to which a case stays as it is."""


def shortened(case: Case) -> Case:
    """Return the case cut to few rows and steps, or itself where another gradient is wrong then."""
    subject = case.subject
    numbers = sum(np.size(a) for a in (*case.arrays.values(), *case.outputs.values()))
    sizes = {axis: n for axis, n in (("B", ROWS), ("T", STEPS)) if (subject.size(axis) or 0) > n}
    if numbers <= MOST_NUMBERS or not sizes or case.arrangement is None:
        return case
    shorter = copy.copy(subject)
    shorter.arrays = subject.sliced(case.arrays, **sizes)
    try:
        outputs = shorter.run(shorter.arrays)
        upstream = random_upstream(outputs, case.rng)
        pulled = shorter.pull(shorter.arrays, upstream)
    except Exception:  # someone's code may take no other sizes
        return case
    cut = replace(
        case,
        subject=shorter,
        arrays=shorter.arrays,
        outputs=outputs,
        upstream=upstream,
        pulled=pulled,
        jacobian=None,
    )
    names = [name for name in case.right if name in pulled.gradients]
    cut.right = cut.right_of(cut.arrays, upstream, names)
    tolerance = CLOSE[subject.dtype]
    wrong = [n for n in names if not close(pulled.gradients[n], cut.right[n], tolerance)]
    return cut if set(wrong) == set(case.wrong) else case
