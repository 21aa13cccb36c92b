"""The smallest case that fails: few rows, few time steps, one entry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from scratchnet.gradcheck.diagnosis.case import Case
from scratchnet.gradcheck.diagnosis.transforms import CLOSE

MOST_STEPS = 4


def smallest_case(case: Case) -> str:
    """Return in words the smallest case cut from this one that is wrong; empty if there is none."""
    subject = case.subject
    for sizes in _sizes(subject.size("B"), subject.size("T")):
        arrays = subject.sliced(case.arrays, **sizes)
        try:
            outputs = subject.run(arrays)
            upstream = {
                name: np.random.default_rng(k).standard_normal(np.shape(y))
                for k, (name, y) in enumerate(outputs.items())
            }
            ours = subject.pull(arrays, upstream).gradients
        except Exception:  # someone's code may take no other sizes
            continue
        right = case.right_of(arrays, upstream, [n for n in case.wrong if n in ours])
        for name, reference in right.items():
            if np.shape(ours[name]) != reference.shape:
                continue
            off = np.abs(ours[name] - reference)
            scale = float(np.nanmax(np.abs(reference), initial=0.0))
            if np.nanmax(off, initial=0.0) > CLOSE[subject.dtype] * max(scale, 1e-300):
                entry = np.unravel_index(int(np.nanargmax(off)), off.shape)
                index = "".join(f"[{', '.join(str(int(k)) for k in entry)}]" if entry else "")
                return (
                    f"{_words(sizes)}: d{name}{index} should be {reference[entry]:.6g}, the code "
                    f"gives {float(ours[name][entry]):.6g}"
                )
    return ""


def _sizes(B: int | None, T: int | None) -> Iterator[dict[str, int]]:
    """Yield the smaller sizes, the smallest first."""
    rows = sorted({1, min(2, B), B}) if B else [0]
    steps = sorted({*range(1, min(T, MOST_STEPS) + 1), T}) if T else [0]
    for b, t in itertools.product(rows, steps):
        sizes = {axis: n for axis, n in (("B", b), ("T", t)) if n}
        if sizes:
            yield sizes


def _words(sizes: dict[str, int]) -> str:
    names = {"B": "batch row", "T": "time step"}
    return " and ".join(f"{n} {names[axis]}{'s' if n > 1 else ''}" for axis, n in sizes.items())
