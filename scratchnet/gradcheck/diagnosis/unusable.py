"""What is wrong before any number can be compared: no gradient, another shape, other answers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scratchnet.arguments import snake_case
from scratchnet.backend import Array
from scratchnet.gradcheck.findings import Finding
from scratchnet.gradcheck.subject import Arrays, Subject

REPEATED = {"float64": 1e-11, "float32": 1e-4}
"""How far two answers may be apart, over the largest magnitude: sums in another order."""


def not_repeatable(subject: Subject, what: str, once: Arrays, again: Arrays) -> Finding | None:
    """Return the finding if two calls with the same arguments gave different arrays."""
    apart = {
        name: float(np.max(np.abs(array - again[name])) / (np.max(np.abs(array)) or 1.0))
        for name, array in once.items()
        if name in again and np.shape(array) == np.shape(again[name]) and np.size(array)
    }
    changed = {name: off for name, off in apart.items() if off > REPEATED[subject.dtype]}
    if not changed:
        return None
    name = max(changed, key=lambda n: changed[n])
    called = name if what == "forward" else f"d{name}"
    return Finding(
        "not-repeatable",
        array=", ".join(changed),
        explanation=f"The {what} pass gives different answers for the same arguments, so there is "
        "nothing to hold a gradient against: make random numbers (dropout's, noise) anew from one "
        "fixed seed in every forward pass, or hand them in.",
        equation=f"{what}(x) == {what}(x)",
        evidence=f"{called} differs by {changed[name]:.0e} of its magnitude between two calls",
    )


def added_up(once: Arrays, again: Arrays, third: Arrays) -> Finding | None:
    """Return the finding if every call adds the same to the gradients: a buffer outside the code.

    What the arrays were after each of three calls says so.
    """
    kept = [
        name
        for name, array in once.items()
        if np.any(array - again[name])
        and np.allclose(again[name] - array, third[name] - again[name], rtol=1e-6)
    ]
    return stale(kept, "every further call with the same arguments adds as much") if kept else None


def stale(names: Iterable[str], evidence: str) -> Finding:
    """Return the finding that gradients go on from those of the call before."""
    return Finding(
        "stale",
        array=", ".join(names),
        explanation="What an earlier call left is still in the gradient: it is never set to zero.",
        equation="dW = 0 when the backward pass begins, then dW += … at every use",
        evidence=evidence,
    )


def missing(name: str, given: Iterable[str]) -> Finding:
    """Return the finding that there is no gradient of an array."""
    return Finding(
        "missing",
        array=name,
        explanation=f"The backward pass gives no gradient for {name}: neither does it return one, "
        f"nor is there one in grads or in an attribute such as d{name}.",
        equation=f"d{name} has the shape of {name}",
        evidence=f"gradients came for {', '.join(given) or 'nothing'}",
    )


def wrong_shape(name: str, gradient: Array, array: Array) -> Finding:
    """Return the finding that a gradient has not its array's shape."""
    shapes = f"{np.shape(gradient)} where {name} is {np.shape(array)}"
    flipped = np.shape(gradient) == np.shape(array)[::-1] and np.ndim(array) == 2
    return Finding(
        "wrong-shape",
        array=name,
        explanation=f"d{name} is {shapes}: "
        + ("it is transposed." if flipped else "compare axes."),
        equation=f"d{name} has the shape of {name}",
        evidence="shapes are compared before numbers",
    )


def not_finite(name: str, gradient: Array) -> Finding:
    """Return the finding that a gradient has entries that are no numbers."""
    bad = ~np.isfinite(np.asarray(gradient, dtype=np.float64))
    entry = tuple(int(k) for k in np.argwhere(bad)[0])
    return Finding(
        "not-finite",
        array=name,
        entry=entry,
        explanation=f"d{name} is not a number, or infinite, at {int(bad.sum())} of {bad.size} "
        "entries.",
        evidence="the inputs are random numbers of ordinary size",
    )


def forward_differs(like: str) -> Finding:
    """Return the finding that the forward pass is not what it is said to be."""
    return Finding(
        "forward-differs",
        explanation=f"The forward pass is no {like}, in any order of gates and any layout known "
        "here.",
        equation=f"see scratchnet/equations/{snake_case(like)}.py",
        evidence="every order of gates, layout and variant was tried with your numbers",
    )
