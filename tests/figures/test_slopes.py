"""The steps are gradient steps on real losses."""

import numpy as np
import pytest

from scratchnet import figures
from scratchnet.figures.slopes import LANDSCAPES, gradient, loss, walk
from tests.figures.reading import line, panels
from tests.helpers import DIFFERENCES_TOLERANCE, assert_agrees, central_differences

BY_NAME = {landscape.name: landscape for landscape in LANDSCAPES}


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("w", [-1.1, 0.3, 1.4])
def test_the_gradient_is_the_slope(name, w):
    numeric = central_differences(lambda x: loss(BY_NAME[name], x.item()), np.array([w]))
    assert_agrees([gradient(BY_NAME[name], w)], numeric, DIFFERENCES_TOLERANCE)


def test_at_the_very_top_nothing_moves_and_beside_it_the_weight_rolls_down():
    hilltop = BY_NAME["A hilltop"]
    assert set(walk(hilltop, 0.0, 0.1)) == {0.0}
    weights = walk(hilltop, -0.05, 0.1)
    assert abs(weights[1] - weights[0]) < 0.25 * abs(weights[7] - weights[6])
    assert weights[-1] == pytest.approx(-1, abs=0.01)


def test_on_the_slope_steps_grow_shorter_and_never_turn():
    steps = np.diff(walk(BY_NAME["A slope"], -3.0, 1.0))
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()


def test_a_rate_too_large_crosses_the_valley_at_every_step():
    sides = np.sign(np.array(walk(BY_NAME["A valley"], 3.0, 0.9)) - 1)
    np.testing.assert_array_equal(sides[1:], -sides[:-1])


def test_every_walk_is_drawn():
    for axes, landscape in zip(panels(figures.slope()), LANDSCAPES, strict=True):
        assert axes.get_title(loc="left") == landscape.name
        for start, rate, label in landscape.walks:
            weights = walk(landscape, start, rate)
            expected = [(w, loss(landscape, w)) for w in weights]
            np.testing.assert_allclose(line(axes, label), expected, rtol=1e-12)
