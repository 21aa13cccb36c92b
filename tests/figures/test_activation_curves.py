"""The curves are the real functions' values; how they look was checked by eye."""

import inspect

import numpy as np
import pytest

from scratchnet import figures
from scratchnet.equations import activations as functions
from scratchnet.errors import InputError
from tests.figures.reading import line, panels


@pytest.fixture(scope="module")
def every_panel() -> list:
    return panels(figures.activations())


def elementwise_names() -> set[str]:
    return {
        name
        for name, function in inspect.getmembers(functions, inspect.isfunction)
        if hasattr(functions, f"{name}_backward") and not name.endswith("softmax")
    }


class TestActivations:
    def test_every_elementwise_activation_has_a_panel(self, every_panel):
        assert set(figures.TITLES) == elementwise_names()
        assert len(every_panel) == len(figures.TITLES)

    @pytest.mark.parametrize("name", figures.TITLES)
    def test_curves_are_the_real_functions(self, name):
        (axes,) = panels(figures.activations([name]))
        x, y = line(axes, "function").T
        np.testing.assert_array_equal(y, getattr(functions, name)(x))
        assert (x[0], x[-1]) == figures.X_LIMITS
        assert len(x) > 1000
        x, slope = line(axes, "its derivative").T
        backward = getattr(functions, f"{name}_backward")
        np.testing.assert_array_equal(
            slope, backward(np.ones_like(x), x, getattr(functions, name)(x))
        )

    def test_titles_name_the_function_and_keras_name(self):
        titled, _ = panels(figures.activations(["leaky_relu", "heaviside"]))
        assert titled.get_title(loc="left") == "Leaky ReLU"
        assert [text.get_text() for text in titled.texts] == ['"leaky_relu"']

    def test_panels_of_a_kind_share_their_axes(self, every_panel):
        assert {axes.get_xlim() for axes in every_panel} == {figures.X_LIMITS}
        assert {axes.get_ylim() for axes in every_panel} == {figures.BOUNDED, figures.UNBOUNDED}

    @pytest.mark.parametrize(
        ("name", "label", "ends"),
        [
            ("relu", "its derivative", [(0, 0), (0, 1)]),
            ("relu6", "its derivative", [(0, 0), (0, 1), (6, 1), (6, 0)]),
            ("heaviside", "function", [(0, 0), (0, 1)]),
            ("hard_sigmoid", "its derivative", [(-3, 0), (-3, 1 / 6), (3, 1 / 6), (3, 0)]),
            ("hard_shrink", "function", [(-0.5, -0.5), (-0.5, 0), (0.5, 0), (0.5, 0.5)]),
        ],
    )
    def test_curves_break_at_a_kink_with_a_dot_at_each_end(self, name, label, ends):
        (axes,) = panels(figures.activations([name]))
        drawn = [each for each in axes.lines if each.get_label() == label]
        assert np.isnan(drawn[0].get_ydata()).sum() == len(ends) / 2
        dots = axes.lines[axes.lines.index(drawn[0]) + 1]
        np.testing.assert_allclose(dots.get_xydata(), ends, atol=0.011)

    @pytest.mark.parametrize("name", ["sigmoid", "gelu", "exponential", "softsign", "elu"])
    def test_smooth_curves_do_not_break(self, name):
        (axes,) = panels(figures.activations([name]))
        assert not any(np.isnan(drawn.get_ydata()).any() for drawn in axes.lines)

    def test_no_names(self):
        with pytest.raises(InputError, match="at least one name"):
            figures.activations([])

    @pytest.mark.parametrize("name", ["softmax", "swoosh", "relu_backward"])
    def test_unknown_names(self, name):
        with pytest.raises(InputError, match=f"elementwise activations, got '{name}'"):
            figures.activations(["relu", name])
