"""Every planted bug is silent, and an ordinary test fails with it and passes without it."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.equations import test_recurrent as on_equations
from tests.kernels import test_buffers as on_buffers
from tests.kernels import test_fading as on_fading
from tests.kernels import test_recurrent_kernels as on_kernels
from tests.layers import test_alike_first as on_beginnings
from tests.layers import test_padding_first as on_padding
from tests.layers import test_recurrent_gradients as on_gradients
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import LAYERS, mask_of_every_kind, states_for
from tests.planted_bugs.library import BUGS
from tests.planted_bugs.planted_bug import PlantedBug

every_bug = pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS.keys())
FAILURES = (AssertionError, ValueError, RuntimeWarning)
"""How an ordinary test fails; NumPy's errors are those of writing to a read-only array, and of
computing with whatever memory held."""


@pytest.fixture(autouse=True)
def nothing_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what agrees in spite of a bug out of the README's table."""
    monkeypatch.delenv("SCRATCHNET_AGREEMENT", raising=False)


def ordinary_tests(bug: PlantedBug) -> Iterator[Callable[[], None]]:
    """Yield the tests that a bug has to pass by, with their parameters, the quickest first."""
    name, page = bug.layer, bug.on_page
    if bug.arrangement == "page":
        yield partial(on_equations.test_against_the_tutorials_form, name, (3, 5, 2))
        yield partial(on_equations.test_against_central_differences, name, (3, 5, 2))
    for masked in (False, True):
        for turned in (False, True):
            settings = (masked, turned, True)
            yield partial(on_gradients.test_two_derivations, name, page, *settings)
    for return_sequences in (True, False):
        written_to = on_buffers.test_arguments_are_never_written_to
        yield partial(written_to, name, page, return_sequences, False)
    if not page:
        yield from those_of_divisions_and_memory(bug)
    for options in on_gradients.OPTIONS:
        if options["page"] == page and options["shape"] == (5, 4, 3, 2):
            yield partial(on_gradients.test_against_central_differences, name, options)


def those_of_divisions_and_memory(bug: PlantedBug) -> Iterator[Callable[[], None]]:
    """Yield the tests of what the page has not: chunks and parts, and memory that is kept."""
    name, kept = bug.layer, on_buffers.TestKeptSweeps()
    for masked in (False, True):
        both = on_kernels.test_both_directions_in_chunks_and_parts
        yield partial(both, name, 65, True, masked)
        padding = on_kernels.test_steps_that_are_padding_for_a_whole_part
        yield partial(padding, name, (1, 4), masked)
        for steps in (None, 7):
            on_sums = on_fading.test_sums_are_those_of_the_page
            yield partial(on_sums, LAYERS[name], masked, 1.0, steps)
    yield partial(
        on_padding.test_numbers_are_those_of_the_shorter_input, name, False, True, (9, 2, 0, 1)
    )
    yield partial(on_beginnings.test_a_models_gradients_are_the_pages, name, False, False)
    yield partial(on_beginnings.test_one_feature_is_not_all, name)
    yield partial(on_beginnings.test_given_states_are_each_rows_own, name)
    yield partial(on_beginnings.test_a_backward_pass_of_its_own_gives_each_row_its_gradient, name)
    yield partial(kept.test_share_no_memory_with_each_other, name, on_buffers.DIVIDED)
    yield partial(on_fading.assert_nothing_comes_back, LAYERS[name])
    yield partial(kept.test_nobody_is_handed_one, name, True, False, False, 5)
    yield partial(kept.test_what_was_handed_out_is_the_users_to_write_into, name, False)
    yield partial(kept.test_inference_in_between_disturbs_nothing, name, 5, 4, 5)
    yield partial(kept.test_shapes_in_turn, name, None)


def fails(test: Callable[[], None]) -> bool:
    try:
        test()
    except FAILURES:
        return True
    return False


@every_bug
def test_an_ordinary_test_fails_with_it_and_passes_without_it(bug):
    with bug.plant():
        finder = next((test for test in ordinary_tests(bug) if fails(test)), None)
    assert finder is not None, f"no test finds {bug.right!r} as {bug.wrong!r}"
    finder()


@every_bug
def test_it_is_silent(bug):
    """A bug that raises, or gives another shape, would need no test of a gradient."""

    def step() -> list[np.ndarray]:
        layer = bug.make_layer(4, 3, return_sequences=True, return_state=True, go_backwards=True)
        outputs = layer.forward(
            random_array(5, 6, 3),
            training=True,
            mask=mask_of_every_kind(5, 6),
            initial_state=states_for(layer, 5),
        )
        dx = layer.backward(random_array(5, 6, 4), states_for(layer, 5, seed=80))
        return [*outputs, dx, *layer.grads.values(), *layer.d_initial_state]

    with bug.situation(), np.errstate(all="ignore"):  # memory that nobody wrote to
        right = step()
        with bug.plant():
            wrong = step()
        assert [array.shape for array in wrong] == [array.shape for array in right]
        for array, reference in zip(step(), right, strict=True):
            np.testing.assert_array_equal(array, reference)


@every_bug
def test_it_knows_its_line(bug):
    line = linecache.getline(inspect.getsourcefile(bug.function), bug.line)
    assert bug.right.partition("\n")[0] in line


def test_planting_what_is_not_there():
    bug: Any = next(iter(BUGS.values()))
    moved = PlantedBug("moved", bug.layer, bug.function, "a line that was rewritten", "")
    with pytest.raises(AssertionError, match=r"moved: the line to get wrong is there 0 times"):
        moved.plant().__enter__()


def test_it_is_taken_out_after_an_error():
    bug = next(iter(BUGS.values()))
    code = bug.function.__code__

    def stumble() -> None:
        with bug.plant():
            assert bug.function.__code__ is not code
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    assert bug.function.__code__ is code
