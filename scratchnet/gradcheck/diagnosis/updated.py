"""Gradients that go back through weights already updated, which Mazur (2015) warns of."""

from __future__ import annotations

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.diagnosis.matching import Matcher
from scratchnet.gradcheck.diagnosis.transforms import close
from scratchnet.gradcheck.diagnosis.trials import Trial, laid_out
from scratchnet.gradcheck.findings import Finding
from scratchnet.gradcheck.graph import Edge
from scratchnet.gradcheck.mistakes.mistake import labels, same


def through_updated_weights(matcher: Matcher) -> Finding | None:
    """Return the finding if some learning rate explains what is wrong, the same in every case.

    Going back through W - r dW in place of W changes the gradient by r times what comes back
    through dW: r is fitted, and what is left must be rounding.
    """
    for edge in labels(matcher.cases[0].built, "input"):
        if edge.t != 0 or matcher.cases[0].built.steps:
            continue
        rates = [_rate(matcher, case, edge) for case in matcher.cases]
        if any(rate is None for rate in rates):
            continue
        rate = rates[0]
        if rate is not None and all(np.isclose(rate, r or 0.0, rtol=1e-4) for r in rates):
            return _finding(matcher, edge.data["weight"], rate)
    return None


def _rate(matcher: Matcher, case: Trial, edge: Edge) -> float | None:
    right, ours = case.right, case.pulled.gradients
    through = _through(matcher, case, edge)
    wrong = [n for n in matcher.names if np.any(through[n])]
    off = np.concatenate([np.ravel(right[n] - ours[n]) for n in wrong]) if wrong else np.zeros(0)
    change = np.concatenate([np.ravel(through[n]) for n in wrong]) if wrong else np.zeros(0)
    square = float(change @ change)
    if square == 0.0:
        return None
    rate = float(off @ change) / square
    explained = all(
        close(
            np.asarray(ours[n], dtype=np.float64), right[n] - rate * through[n], matcher.tolerance
        )
        for n in matcher.names
    )
    return rate if explained and abs(rate) > 1e-6 else None


def _through(matcher: Matcher, case: Trial, edge: Edge) -> dict[str, Array]:
    """Return what comes back through dW where W is meant."""
    dW = case.built.gradients(case.seeds)[edge.data["weight"]]

    def instead(e: Edge, d: Array) -> Array | None:
        return d @ dW.T if same(e, edge) else None

    def without(e: Edge, d: Array) -> Array | None:
        return 0 * e.pull(d) if same(e, edge) else None

    given, rest = (case.built.gradients(case.seeds, edit) for edit in (instead, without))
    change = {name: given[name] - rest[name] for name in given}
    return laid_out(matcher.arrangement, change, case.arrays, matcher.subject.wrt)


def _finding(matcher: Matcher, slot: str, rate: float) -> Finding:
    blocks = matcher.arrangement.blocks.items()
    name = next(name for name, held in blocks if any(b.slot == slot for b in held))
    return Finding(
        "updated-weights",
        array=", ".join(matcher.wrong),
        explanation=f"The gradient goes back through {name} after it was updated: the loss was "
        "computed with the old values.",
        equation="all gradients first, then all updates",
        evidence=f"going back through {name} - {rate:.6g} * d{name} gives your gradients, with the "
        f"same factor in {len(matcher.cases)} random cases",
    )
