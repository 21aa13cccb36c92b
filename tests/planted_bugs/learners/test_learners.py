"""Every learner's file is right as it stands, and silently wrong with any of its bugs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from scratchnet.gradcheck.findings import TITLES
from tests.planted_bugs.learners.calling import Case
from tests.planted_bugs.learners.learner_code import FOLDER, LearnerBug
from tests.planted_bugs.learners.library import BUGS, CODES

every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
every_bug = pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS.keys())
NOT_SILENT = {"missing", "wrong-shape", "not-finite"}
NOT_ONE_LINE_OF_BACKWARD = {"not-repeatable", "forward-differs", "unnamed"}
VISIBLE = 1e-3


def relative(gradient, reference) -> float:
    return np.abs(gradient - reference).max() / np.abs(reference).max()


@every_code
def test_it_is_right(code):
    case = Case(code)
    gradients = case.gradients()
    assert gradients.keys() == case.arrays.keys()
    step, tolerance = (1e-2, 1e-3) if code.dtype == "float32" else (1e-5, 1e-7)
    for name, gradient in gradients.items():
        reference = case.differences(name, step)
        assert np.shape(gradient) == reference.shape
        assert np.abs(reference).max() > 1e-3
        assert relative(gradient, reference) < tolerance, name


@every_code
def test_it_is_right_with_one_of_everything_and_with_many(code):
    for size, width in ((1, 1), (7, 33)):
        small = code.at(**{letter: width if letter in "DHOV" else size for letter in code.sizes})
        for name, gradient in Case(small, seed=1).gradients().items():
            assert np.isfinite(gradient).all(), name


@every_code
def test_it_leaves_nothing_behind(code):
    case = Case(code)
    gradients = case.gradients()
    assert all(map(np.array_equal, case.upstream_afterwards(), case.upstream))
    again = [case.gradients_of_the_second_call()]
    if code.key != "mlp_train_step":  # whose backward pass updates the weights
        again.append(case.gradients_of_the_second_backward())
    for others in again:
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(others[name], gradient)


@every_code
def test_a_class_built_with_no_arguments_has_the_sizes_stated(code):
    if code.style == "class":
        plain, given = getattr(code.module(code.path), code.names)(), code.load()()
        case = Case(code)
        shapes = {name: array.shape for name, array in case.parameters(plain).items()}
        assert shapes == {name: array.shape for name, array in case.parameters(given).items()}


@every_bug
def test_it_is_silent_and_shows_where_it_says(bug, tmp_path):
    right, wrong = Case(bug.code), Case(bug.code, bug.write(tmp_path))
    reference, gradients = right.gradients(), wrong.gradients()
    assert {n: np.shape(g) for n, g in gradients.items()} == {
        n: np.shape(g) for n, g in reference.items()
    }
    if bug.shows == "upstream":
        assert not all(map(np.array_equal, wrong.upstream_afterwards(), wrong.upstream))
    elif bug.shows == "second call":
        gradients = wrong.gradients_of_the_second_call()
    elif bug.shows == "second backward":
        gradients = wrong.gradients_of_the_second_backward()
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())
    shows = tuple(n for n in reference if relative(gradients[n], reference[n]) > VISIBLE)
    assert shows == bug.arrays
    assert shows or bug.shows == "upstream"


@every_bug
def test_it_knows_its_line_and_its_name(bug):
    wrong, right = bug.source.splitlines(), bug.code.source.splitlines()
    assert wrong[: bug.line - 1] == right[: bug.line - 1]
    assert wrong[bug.line - 1] != right[bug.line - 1]
    assert {bug.id, *bug.also} <= TITLES.keys()
    assert bug.gate in ("", *"ifgozrn")


def test_the_text_to_get_wrong_has_to_be_there():
    bug = next(iter(BUGS.values()))
    moved = LearnerBug("moved", bug.code, bug.id, "", "a line that was rewritten", "")
    with pytest.raises(AssertionError, match="the text to get wrong is there 0 times"):
        _ = moved.source


def test_there_are_enough_of_every_kind():
    assert {code.path.name for code in CODES.values()} == {p.name for p in FOLDER.glob("*.py")}
    assert {bug.code.key for bug in BUGS.values()} == CODES.keys()
    styles = Counter(bug.code.style for bug in BUGS.values())
    assert min(styles[style] for style in ("class", "pair", "cell")) >= 20
    assert TITLES.keys() - {bug.id for bug in BUGS.values()} == (
        NOT_SILENT | NOT_ONE_LINE_OF_BACKWARD
    )
    assert sum(bool(bug.known) for bug in BUGS.values()) == 4
