"""The curves and bars are the norms that the layers' own steps give."""

import numpy as np
import pytest

from scratchnet import figures
from scratchnet.figures import gradient_norms
from scratchnet.stepper.gradient_flow import depth_gradients
from tests.figures.reading import line, panels


@pytest.fixture(scope="module")
def drawn() -> list:
    return panels(figures.gradients())


def test_through_time(drawn):
    flows = gradient_norms.through_time(gradient_norms.LONG, every_step=False)
    assert list(flows) == ["SimpleRNN", "LSTM", "GRU", "LSTM, f open", "GRU, z open"]
    for name, flow in flows.items():
        np.testing.assert_array_equal(line(drawn[0], name)[:, 1], flow.norms()["total"])
        assert not flow.from_output[:, :-1].any()


def test_gradients_vanish_unless_gates_are_open():
    flows = gradient_norms.through_time(gradient_norms.LONG, every_step=False)
    left = {name: flow.norms()["total"][0] for name, flow in flows.items()}
    assert max(left[name] for name in ("SimpleRNN", "LSTM", "GRU")) < 1e-2
    assert min(left["LSTM, f open"], left["GRU, z open"]) > 0.5


def test_all_layers_get_the_same_gradient_from_outside():
    first, *others = gradient_norms.through_time(gradient_norms.SHORT, every_step=True).values()
    for flow in others:
        np.testing.assert_array_equal(flow.from_output, first.from_output)


def test_through_depth(drawn):
    for name in ("sigmoid", "relu"):
        found = depth_gradients(name, gradient_norms.DEPTH, seed=gradient_norms.SEED)
        np.testing.assert_allclose(line(drawn[1], name)[:, 1], 100 * found.shares)


def test_the_two_parts_side_by_side(drawn):
    flows = gradient_norms.through_time(gradient_norms.SHORT, every_step=True)
    for axes, (name, flow) in zip(drawn[2:], flows.items(), strict=True):
        assert axes.get_title(loc="left").endswith(name)
        heights = [bar.get_height() for bar in axes.patches]
        norms = flow.norms()
        np.testing.assert_allclose(heights, [*norms["from_output"], *norms["from_later"]])
        np.testing.assert_allclose(line(axes, "norm of their sum")[:, 1], norms["total"])
