"""Saying what is wrong with a gradient, with the evidence.

Three kinds of evidence, in this order:

1. how the code behaves when it is called twice (`behaviour`);
2. how the wrong gradient of each array looks beside the right one (`transforms`);
3. which mistake, made on purpose in a graph of the layer that the forward pass was recognised as,
   gives the same wrong gradients to rounding, in several random cases (`matching`).

A mistake is named only if it gives the numbers that the code gives.  Where two that differ do, both
are shown; where none does, the finding says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.diagnosis.behaviour import (
    behaviour_findings,
    ignores_upstream,
    only_one_step,
)
from scratchnet.gradcheck.diagnosis.case import Case, gradients_of
from scratchnet.gradcheck.diagnosis.matching import Match, Matcher
from scratchnet.gradcheck.diagnosis.place import placed
from scratchnet.gradcheck.diagnosis.shortened import shortened
from scratchnet.gradcheck.diagnosis.source import with_line
from scratchnet.gradcheck.diagnosis.transforms import CLOSE, Transform, transforms
from scratchnet.gradcheck.diagnosis.trials import Trial, trials
from scratchnet.gradcheck.diagnosis.updated import through_updated_weights
from scratchnet.gradcheck.findings import Finding
from scratchnet.gradcheck.mistakes import Mistake, all_mistakes
from scratchnet.gradcheck.mistakes.values import wrong_values

__all__ = ["Case", "diagnose", "gradients_of"]


def diagnose(case: Case) -> list[Finding]:
    """Return what is wrong, the mistake that explains the most first."""
    short = shortened(case) if case.wrong else case
    found = [with_line(short, finding, []) for finding in behaviour_findings(case)]
    if not case.wrong:
        return found
    values = [with_line(short, placed(case, f), v) for f, v in _value_findings(case, short)]
    if values[0].id == "updated-weights":  # the update is what was written
        return values
    return found + values


Explained = tuple[Finding, Sequence[Array]]
"""A finding, and what the wrong quantity is at every step where that is known."""


def _value_findings(case: Case, short: Case) -> list[Explained]:
    """Return what explains the wrong numbers; what takes many calls is tried on the short case."""
    ignored = ignores_upstream(case, same_only=True)
    if ignored:
        rest = [n for n in case.wrong if n not in ignored.array.split(", ")]
        return _bare([ignored, *_unnamed(rest)])
    plain = _transformed(case)
    if case.arrangement is None:
        return _bare(plain or _whole(short))
    cases = trials(short.subject, case.arrangement, short.upstream, case.rng)
    matcher = Matcher(short.subject, case.arrangement, cases)
    if not matcher.wrong:  # the reference has these gradients too
        return _bare(plain or _whole(case))
    updated = through_updated_weights(matcher)
    if updated:
        return _bare([updated])
    mistakes = list(all_mistakes(cases[0].built))
    matches = matcher.full(mistakes)
    if plain is not None and not _explains_more(plain, matches):
        others = {m.mistake.id for m in matches if m.mistake} - {f.id for f in plain}
        return _bare(replace(f, alternatives=(*f.alternatives, *sorted(others))) for f in plain)
    if not matches:
        matches = matcher.combined(mistakes)
    if not matches:
        matches = matcher.partial(mistakes)
        if not matches or set(matches[0].arrays) != set(matcher.wrong):
            whole = ignores_upstream(case) or only_one_step(short)
            if whole:
                return _bare([whole])
    if not matches:
        return _bare(_unnamed(case.wrong))
    return _from_matches(case, matches, cases[0])


def _bare(findings: Iterable[Finding]) -> list[Explained]:
    return [(finding, ()) for finding in findings]


IN_THE_LOOP = ("last-use-only", "first-step-skipped", "last-step-skipped")
"""Mistakes that say more than that a gradient is zero."""


def _explains_more(plain: Sequence[Finding], matches: Sequence[Match]) -> bool:
    """Return whether a mistake of the reference's tells more than how the numbers changed."""
    ids = {m.mistake.id for m in matches if m.mistake}
    if len({f.id for f in plain}) > 1:
        return bool(ids)
    return plain[0].id == "all-zero" and bool(ids) and ids <= set(IN_THE_LOOP)


def _transformed(case: Case) -> list[Finding] | None:
    """Return one finding for each way in which arrays are changed as a whole, or None.

    None unless every wrong array is the right one changed in some way.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    kept: dict[tuple[str, str], Transform] = {}
    others: dict[tuple[str, str], set[str]] = {}
    for name in case.wrong:
        found = list(_transforms_of(case, name))
        if not found:
            return None
        first = found[0]
        key = (first.id, f"{first.factor:.6g}")
        groups.setdefault(key, []).append(name)
        kept[key] = first
        others.setdefault(key, set()).update(t.id for t in found[1:] if t.id != first.id)
    return [
        _transform_finding(kept[key], tuple(names), tuple(sorted(others[key])))
        for key, names in groups.items()
    ]


def _transforms_of(case: Case, name: str) -> list[Transform]:
    ours = np.asarray(case.pulled.gradients[name], dtype=np.float64)
    right = case.right[name]
    parameter = np.asarray(case.arrays[name], dtype=np.float64)
    known = ~np.isnan(right)
    if not known.all():  # a sample: what needs the whole array cannot be told
        ours, right, parameter = ours[known], right[known], parameter[known]
    sizes = {
        words: n
        for words, axis in (("batch size", "B"), ("number of time steps", "T"))
        if (n := case.subject.size(axis)) and n > 1
    }
    return list(transforms(ours, right, parameter, sizes, CLOSE[case.subject.dtype]))


EQUATIONS = {
    "wrong-sign": "the sign of every step of the chain rule, multiplied",
    "constant-factor": "a sum over the batch stays a sum, a mean divides once, a square gives 2",
    "transposed": "the gradient has its array's own layout",
    "plus-parameter": "dW starts at zero",
    "gates-swapped": "the blocks of da in the order of the blocks of W and b",
    "all-zero": "dW += …",
}


def _transform_finding(
    transform: Transform, names: tuple[str, ...], others: tuple[str, ...]
) -> Finding:
    written = " and ".join(f"d{name}" for name in names)
    words = transform.words.format(d=written)
    if len(names) > 1:
        words = words.replace(" is ", " are ", 1).replace(" has ", " have ", 1)
        words = words.replace(
            " holds the parameter itself on top of its",
            " hold the parameters themselves on top of their",
        )
    return Finding(
        transform.id,
        array=", ".join(names),
        explanation=f"{words[0].upper() if not words.startswith('d') else 'd'}{words[1:]}.",
        equation=EQUATIONS.get(transform.id, ""),
        evidence=transform.evidence,
        alternatives=others,
    )


def _from_matches(case: Case, matches: Sequence[Match], first: Trial) -> list[Explained]:
    """Return the findings of the best match, with those of other kinds that fit as well."""
    best = matches[0]
    same = [m for m in matches if m.arrays == best.arrays]
    ids = dict.fromkeys(m.mistake.id for m in same if m.mistake is not None)
    found: list[Explained] = []
    if best.mistake is not None:
        others = tuple(key for key in ids if key != best.mistake.id)
        values = wrong_values(best.mistake, first.built, first.seeds)
        found.append((_match_finding(best, best.mistake, others), values))
    for name, transform in best.rest.items():
        found.append((_transform_finding(transform, (name,), ()), ()))
    explained = {*best.arrays, *best.rest}
    return found + _bare(_unnamed([name for name in case.wrong if name not in explained]))


def _match_finding(match: Match, mistake: Mistake, others: tuple[str, ...]) -> Finding:
    count = len(match.arrays)
    evidence = (
        f"code with this mistake gives the same gradient{'s' if count > 1 else ''} as yours, of "
        f"{', '.join(match.arrays)}, to {match.difference:.0e}, in 3 random cases"
    )
    return Finding(
        mistake.id,
        array=", ".join(match.arrays),
        gate=mistake.gate,
        explanation=mistake.explanation,
        equation=mistake.equation,
        evidence=evidence,
        step=mistake.step,
        alternatives=others,
    )


def _whole(case: Case) -> list[Finding]:
    """Return what can be said of code that nothing matches."""
    whole = ignores_upstream(case) or only_one_step(case)
    return [whole] if whole else _unnamed(case.wrong)


def _unnamed(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    return [
        Finding(
            "unnamed",
            array=", ".join(names),
            explanation="None of the known mistakes gives these numbers.",
            evidence="every known mistake was made on purpose and compared",
        )
    ]
