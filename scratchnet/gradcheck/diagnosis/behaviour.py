"""What shows in how code behaves when it is called: twice, with ones, for one time step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchnet.gradcheck.diagnosis.case import Case
from scratchnet.gradcheck.diagnosis.transforms import CLOSE, close, negligible
from scratchnet.gradcheck.diagnosis.unusable import stale
from scratchnet.gradcheck.findings import Finding

MOST_STEPS = 6
"""Time steps up to which a sequence is tried."""


def behaviour_findings(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the code as a whole, whatever it computes."""
    yield from _modified(case)
    yield from _stale(case)


def _modified(case: Case) -> Iterator[Finding]:
    changed = case.pulled.changed
    inputs = [n for n in changed if n in case.subject.wrt and not case.is_parameter(n)]
    if "upstream" in changed:
        yield Finding(
            "upstream-modified",
            explanation="The backward pass changes the gradient it is given: whoever computed it, "
            "and any other layer that gets it, goes on with other numbers.",
            equation="work on a copy: dh = dy + dh_rec, not dy += dh_rec",
            evidence="the upstream gradient differs before and after one call of the backward pass",
        )
    if "cache" in changed or inputs:
        what = " and ".join(["the cache"] * ("cache" in changed) + inputs)
        again = _second_backward(case)
        yield Finding(
            "cache-modified",
            array=", ".join(inputs),
            explanation=f"The backward pass writes into {what}: a second call with the same cache "
            "gives another gradient.",
            equation="work on copies of what the forward pass kept",
            evidence=f"{what} differs before and after one call of the backward pass{again}",
        )


def _second_backward(case: Case) -> str:
    return ", and the gradients with it are wrong" if case.wrong else ""


def _stale(case: Case) -> Iterator[Finding]:
    if any(case.is_parameter(name) for name in case.pulled.changed):
        return  # a step of training in the backward pass: the second call starts elsewhere
    once, tolerance = case.pulled.gradients, CLOSE[case.subject.dtype]
    second = case.subject.pull(case.arrays, case.upstream, times=2)
    if not all(close(second.outputs[n], y, tolerance) for n, y in case.pulled.outputs.items()):
        return  # the forward pass itself goes on from the first: a state, a random generator
    twice = second.gradients
    kept = [
        name for name in once if name in twice and not close(once[name], twice[name], tolerance)
    ]
    if not kept:
        return
    doubled = [n for n in kept if close(np.asarray(twice[n]), 2 * np.asarray(once[n]), tolerance)]
    if doubled == kept:
        evidence = "after two calls in a row with the same arguments it is twice that of one call"
    else:
        evidence = "two calls in a row with the same arguments give different gradients"
    yield stale(kept, evidence)


def ignores_upstream(case: Case, same_only: bool = False) -> Finding | None:
    """Return the finding that the gradient does not depend on what comes from above.

    With ``same_only`` only if it is the same for two different upstream gradients; else also if it
    is right for ones.
    """
    ones = {name: np.ones(np.shape(d)) for name, d in case.upstream.items()}
    with_ones = case.subject.pull(case.arrays, ones).gradients
    tolerance = CLOSE[case.subject.dtype]
    names = [n for n in case.wrong if n in with_ones and np.any(with_ones[n])]
    if not names:
        return None
    same = all(close(with_ones[n], case.pulled.gradients[n], tolerance) for n in names)
    right = case.right_for(ones)
    as_it_should = all(close(np.asarray(with_ones[n]), right[n], tolerance) for n in names)
    if not same and (same_only or not as_it_should or names != case.wrong):
        return None
    return Finding(
        "upstream-ignored",
        array=", ".join(names),
        explanation="The gradient does not depend on the upstream gradient."
        if same
        else "The gradient is right for an upstream gradient of ones and for no other.",
        equation="every term of the backward pass starts from dy",
        evidence=("the same numbers" if same else "wrong")
        + " for a random upstream gradient"
        + (" and for ones" if same else ", right for ones")
        + (", for which they are right" if same and as_it_should else ""),
    )


def only_one_step(case: Case) -> Finding | None:
    """Return the finding that the gradient is right up to some number of time steps."""
    subject = case.subject
    steps = min(subject.size("T") or 1, MOST_STEPS)
    right_up_to = 0
    for T in range(1, steps + 1):
        names = _wrong_for(case, T)
        if names is None or (names and not right_up_to):
            return None
        if names and right_up_to == 1 and _nothing_at_first(case, names):
            return None
        if names:
            return Finding(
                "single-step-only",
                array=", ".join(names),
                explanation=f"The gradient is right for {_count(right_up_to)} and wrong for more: "
                "what the loop does from one step to the next is wrong.",
                equation="dh[t] = dy[t] + dh_prev of step t+1",
                evidence=f"T = {right_up_to}: every gradient is right. T = {T}: wrong",
            )
        right_up_to = T
    return None


def _nothing_at_first(case: Case, names: list[str]) -> bool:
    """Return whether one of the gradients is zero for one step, so that it says nothing there."""
    arrays, upstream = (case.subject.sliced(a, T=1) for a in (case.arrays, case.upstream))
    right = case.right_of(arrays, upstream, names)
    return any(negligible(right[name], right.values()) for name in names)


def _count(steps: int) -> str:
    return "one time step" if steps == 1 else f"{steps} time steps"


def _wrong_for(case: Case, T: int) -> list[str] | None:
    """Return the arrays whose gradient is wrong for the first T steps, None if it cannot be run."""
    subject = case.subject
    arrays = subject.sliced(case.arrays, T=T)
    upstream = subject.sliced(case.upstream, T=T)
    try:
        right = case.right_of(arrays, upstream)
        ours = subject.pull(arrays, upstream).gradients
    except Exception:  # someone's code may take no other length
        return None
    tolerance = CLOSE[subject.dtype]
    return [n for n in right if n in ours and not close(np.asarray(ours[n]), right[n], tolerance)]
