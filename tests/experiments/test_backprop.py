"""The published worked examples to every printed digit, and the one figure that is wrong."""

import numpy as np
import pytest

from scratchnet.experiments import backprop
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
    scaled_difference,
)

RESULT = backprop.run()
NUMBERS = {
    f"{example}: {number.name}": number
    for example in ("mazur", "hmkcode")
    for number in getattr(RESULT, example)
}


def numeric_gradients(one_round, W_hidden, W_output):
    """Derivatives of the error a round starts with, weight by weight."""
    W_hidden, W_output = W_hidden.copy(), W_output.copy()

    def error(_: np.ndarray) -> float:
        return one_round(W_hidden, W_output).error

    return [central_differences(error, W) for W in (W_hidden, W_output)]


class TestPublishedFigures:
    @pytest.mark.parametrize("name", NUMBERS)
    def test_every_printed_digit(self, name):
        number = NUMBERS[name]
        assert number.shown == number.published
        decimals = len(number.published.partition(".")[2])
        assert abs(number.difference) <= 0.5 * 10.0**-decimals + 1e-15
        assert number.agrees

    @pytest.mark.parametrize(
        ("name", "published"),
        [
            ("mazur: E_total", "0.298371109"),
            ("mazur: w5⁺", "0.35891648"),
            ("mazur: w1⁺", "0.149780716"),
            ("hmkcode: prediction", "0.191"),
            ("hmkcode: prediction after one round", "0.26"),
        ],
    )
    def test_the_figures_to_meet_are_among_them(self, name, published):
        assert NUMBERS[name].published == published

    def test_a_number_that_is_off_by_one_digit_does_not_agree(self):
        number = backprop.Number("x", 0.1915, "0.191")
        assert not number.agrees
        assert number.difference == pytest.approx(5e-4)
        assert backprop.Number("x", 0.19149, "0.191").agrees

    def test_starting_weights_are_in_the_posts_places(self):
        """w1 and w2 lead to h1: 0.15·0.05 + 0.20·0.10 + 0.35 = 0.3775."""
        net = backprop.X @ backprop.W_HIDDEN + backprop.B_HIDDEN
        np.testing.assert_allclose(net, [[0.3775, 0.3925]])


class TestTheWrongFigure:
    def test_both_are_computed(self):
        assert f"{RESULT.after_one_round.value:.9f}" == "0.291027774"
        assert f"{RESULT.through_updated.value:.9f}" == "0.291027924"
        assert not RESULT.after_one_round.agrees
        assert RESULT.through_updated.agrees
        assert RESULT.ok

    def test_central_differences_tell_which_is_right(self):
        weights = backprop.W_HIDDEN, backprop.W_OUTPUT
        numeric, _ = numeric_gradients(backprop.mazur_round, *weights)
        mistaken = backprop.mazur_round(through_updated=True)
        assert_agrees(backprop.mazur_round().dW_hidden, numeric, DIFFERENCES_TOLERANCE)
        assert scaled_difference(mistaken.dW_hidden, numeric) > 0.1
        assert RESULT.dw1_numeric == pytest.approx(RESULT.dw1, rel=1e-7)
        assert RESULT.dw1_through_updated == pytest.approx(0.832 * RESULT.dw1, rel=1e-3)

    def test_the_mistake_touches_the_hidden_weights_alone(self):
        right, mistaken = backprop.mazur_round(), backprop.mazur_round(through_updated=True)
        np.testing.assert_array_equal(right.W_output, mistaken.W_output)
        assert (right.W_hidden != mistaken.W_hidden).all()

    def test_ten_thousand_rounds_of_the_mistake_end_at_the_posts_outputs(self):
        W_hidden, W_output = backprop.W_HIDDEN, backprop.W_OUTPUT
        for _ in range(10_000):
            last = backprop.mazur_round(W_hidden, W_output, through_updated=True)
            W_hidden, W_output = last.W_hidden, last.W_output
        out = backprop.mazur_round(W_hidden, W_output).out
        np.testing.assert_allclose(out, [[0.015912196, 0.984065734]], atol=5e-10)

    def test_the_summary_shows_both_and_says_why(self):
        text = "\n".join(backprop.lines(RESULT))
        assert "0.291027774   published  0.291027924   differs by -1.5e-07" in text
        assert "0.291027924   published  0.291027924   agrees" in text
        assert "after they were updated" in text
        assert "central differences say 0.000438568" in text


@pytest.mark.parametrize(
    ("one_round", "W_hidden", "W_output"),
    [
        (backprop.mazur_round, backprop.W_HIDDEN, backprop.W_OUTPUT),
        (backprop.hmkcode_round, backprop.HMK_W_HIDDEN, backprop.HMK_W_OUTPUT),
    ],
    ids=["mazur", "hmkcode"],
)
@pytest.mark.parametrize("seed", range(3))
def test_gradients_against_central_differences(one_round, W_hidden, W_output, seed):
    """At the published weights and at others near them."""
    generator = np.random.default_rng(seed)
    weights = [W + seed * generator.standard_normal(W.shape) for W in (W_hidden, W_output)]
    found = one_round(*weights)
    numeric = numeric_gradients(one_round, *weights)
    for actual, reference in zip((found.dW_hidden, found.dW_output), numeric, strict=True):
        assert_not_negligible(reference)
        assert_agrees(actual, reference, DIFFERENCES_TOLERANCE)


def test_a_round_changes_no_weights_it_was_given():
    kept = backprop.W_HIDDEN.copy(), backprop.W_OUTPUT.copy()
    backprop.mazur_round(through_updated=True)
    np.testing.assert_array_equal(backprop.W_HIDDEN, kept[0])
    np.testing.assert_array_equal(backprop.W_OUTPUT, kept[1])
