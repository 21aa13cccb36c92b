"""Every planted bug is caught, and nearly every one is named."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from scratchnet import gradcheck
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import mask_of_every_kind, states_for
from tests.planted_bugs.learners.library import BUGS as LEARNERS
from tests.planted_bugs.library import BUGS as ENGINE

NAMED = 0.9
"""The share of bugs that must get the right name."""

NEARBY = 2
"""Lines between the one that is named and the one that is wrong."""

SHARES = 6
"""Tests that the bugs in the engine are divided among, so that they run side by side."""


def checked(bug, folder):
    return gradcheck.check_file(bug.target(folder), **bug.code.arguments)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["class", "pair", "cell"])
def test_learners_bugs_are_caught_and_named(style, tmp_path, record_property):
    bugs = [bug for bug in LEARNERS.values() if bug.code.style == style]
    lines, missed, misnamed, located = [], [], [], 0
    for bug in bugs:
        report = checked(bug, tmp_path)
        ids = [finding.id for finding in report.findings]
        named = bool(ids) and ids[0] in (bug.id, *bug.also)
        missed += [bug.name] * (report.status != 1)
        misnamed += [bug.name] * (not named)
        line = report.findings[0].line if ids else None
        located += line is not None and abs(line.number - bug.line) <= NEARBY
        lines.append(f"{'named' if named else 'NOT  '}  {bug.name:75}{', '.join(ids)}")
    share = 1 - len(misnamed) / len(bugs)
    lines.append(
        f"{style}: {len(bugs) - len(missed)} of {len(bugs)} caught, {share:.1%} named, the line "
        f"found to within {NEARBY} in {located / len(bugs):.0%}"
    )
    record_property("table", "\n".join(lines))
    assert not missed
    assert share >= NAMED, misnamed
    assert located >= len(bugs) / 2


@pytest.mark.parametrize("known", sorted(bug.name for bug in LEARNERS.values() if bug.known))
def test_bugs_that_were_really_published_are_named(known, tmp_path):
    """The library's LSTM of the design's section 3, and Mazur's warning."""
    bug = LEARNERS[known]
    report = checked(bug, tmp_path)
    assert [finding.id for finding in report.findings] == [bug.id]
    assert len(report.findings[0].array.split(", ")) == len(bug.arrays)  # all of it explained
    assert report.findings[0].evidence


def test_the_library_covers_what_it_should():
    assert len(LEARNERS) >= 40
    assert min(Counter(bug.code.style for bug in LEARNERS.values()).values()) >= 10
    assert sum(bool(bug.known) for bug in LEARNERS.values()) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_bugs_in_the_engine_are_caught(share, record_property):
    """Planted in the layers' own equations, kernels and loop, and found through `check_layer`."""
    by_line = {(bug.function, bug.right, bug.wrong): bug for bug in ENGINE.values()}
    bugs = list(by_line.values())[share::SHARES]
    found = {bug.name: engine_findings(bug) for bug in bugs}
    missed = [bug.name for bug in bugs if not found[bug.name] and not excused(bug)]
    named = [name for name, ids in found.items() if ids and ids[0] != "unnamed"]
    lines = [f"{name:75}{', '.join(ids)}" for name, ids in found.items()]
    caught = sum(map(bool, found.values()))
    lines.append(f"engine: {caught} of {len(found)} caught, {len(named)} of them with a name")
    record_property("table", "\n".join(lines))
    assert not missed


def engine_findings(bug):
    """Return what is found with whole sequences, or else with a mask, or of the last output."""
    every_kind = mask_of_every_kind(5, 4)
    for mask, return_sequences in ((None, True), (every_kind, True), (None, False)):
        with bug.situation(), bug.plant(), np.errstate(all="ignore"):
            report = gradcheck.check_layer(
                engine_layer(bug, return_sequences), (5, 4, 2), mask=mask, keras=False
            )
        ids = [finding.id for finding in report.findings]
        if report.status == 1 or ids == ["not-repeatable"]:  # memory that nobody wrote to
            return ids
    return []


def engine_layer(bug, return_sequences=True):
    return bug.make_layer(
        *(3, 2), return_sequences=return_sequences, return_state=True, go_backwards=True
    )


def excused(bug):
    """Return whether no gradient need be wrong: a wrong forward pass may well have its own."""

    def outputs():
        layer = engine_layer(bug)
        mask, state = mask_of_every_kind(5, 4), states_for(layer, 5)
        return layer.forward(random_array(5, 4, 2), mask=mask, initial_state=state)

    with bug.situation(), np.errstate(all="ignore"):
        right = outputs()
        with bug.plant():
            wrong = outputs()
    same = all(np.array_equal(a, b) for a, b in zip(right, wrong, strict=True))
    return bug.beyond_check or not same
