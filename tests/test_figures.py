"""The pictures show the real functions' numbers; how they look was checked by eye."""

import inspect
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from scratchnet import figures
from scratchnet.equations import activations as functions
from scratchnet.errors import InputError, MissingExtraError
from scratchnet.experiments import perceptron as experiment
from tests.strict_array import to_strict


def panels(figure: Figure) -> list:
    return figure.axes


@pytest.fixture(scope="module")
def every_panel() -> list:
    return panels(figures.activations())


def line(axes, label: str) -> np.ndarray:
    """The points of the one line with that label, without the gaps, as rows (x, y)."""
    (found,) = [drawn for drawn in axes.lines if drawn.get_label() == label]
    points = found.get_xydata()
    return points[~np.isnan(points).any(axis=1)]


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


class TestPerceptron:
    @pytest.mark.parametrize("name", experiment.LABELS)
    def test_draws_every_boundary_and_every_example(self, name):
        gate = experiment.learn(name)
        boundaries = gate.perceptron.boundaries
        (axes,) = panels(figures.perceptron(boundaries, gate.X, gate.y))
        lines = [drawn for drawn in axes.lines if type(drawn).__name__ == "AxLine"]
        assert len(lines) == len(boundaries)
        w, b = boundaries[-1]
        (last,) = [drawn for drawn in lines if drawn.get_label() == "at the end"]
        for point in (last.get_xy1(), last.get_xy2()):
            assert np.dot(w, point) + b == pytest.approx(0, abs=1e-12)
        for label in (0, 1):
            np.testing.assert_array_equal(line(axes, f"class {label}"), gate.X[gate.y == label])

    @pytest.mark.parametrize(
        ("name", "remark"),
        [
            ("AND", "11 corrections, every example on its side"),
            ("XOR", "398 corrections, 2 of 4 on the wrong side"),
        ],
    )
    def test_says_how_it_ended(self, name, remark):
        gate = experiment.learn(name)
        (axes,) = panels(figures.perceptron(gate.perceptron.boundaries, gate.X, gate.y))
        assert axes.texts[0].get_text() == remark

    def test_sides_have_the_colours_of_their_classes(self):
        gate = experiment.learn("OR")
        (axes,) = panels(figures.perceptron(gate.perceptron.boundaries, gate.X, gate.y))
        (sides,) = axes.collections
        assert [tuple(np.round(colour, 3)) for colour in sides.get_facecolor()] == [
            (0.835, 0.369, 0.0, 0.1),
            (0.0, 0.447, 0.698, 0.1),
        ]

    def test_weights_of_zero_have_no_line(self):
        X, y = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([0, 1])
        (axes,) = panels(figures.perceptron([(np.zeros(2), 0.0)], X, y))
        assert not [drawn for drawn in axes.lines if type(drawn).__name__ == "AxLine"]

    def test_takes_arrays_from_a_device(self):
        gate = experiment.learn("AND")
        boundaries = [(to_strict(w), b) for w, b in gate.perceptron.boundaries]
        figures.perceptron(boundaries, to_strict(gate.X), to_strict(gate.y))

    def test_only_two_features_can_be_drawn(self):
        with pytest.raises(InputError, match=r"\(examples, 2\), got \(4, 3\)"):
            figures.perceptron([(np.ones(3), 0.0)], np.zeros((4, 3)), np.zeros(4))

    def test_no_boundary(self):
        with pytest.raises(InputError, match="at least one boundary"):
            figures.perceptron([], np.zeros((4, 2)), np.zeros(4))


class TestHistograms:
    frame = pd.DataFrame(
        {"a_b": [1, 1, 4, 2, 10], "c": [3, np.nan, 3, np.nan, 7], "kind": [0, 0, 0, 1, 1]}
    )

    def test_shares_of_each_class(self):
        first, second = panels(figures.histograms_by_class(self.frame, "kind"))
        heights = [bars(drawn) for axes in (first, second) for drawn in axes.patches]
        thirds = {1: pytest.approx(200 / 3), 4: pytest.approx(100 / 3)}
        assert heights == [thirds, {2: 50, 10: 50}, {3: 100}, {7: 100}]

    def test_panels_titles_and_classes(self):
        figure = figures.histograms_by_class(self.frame, "kind")
        assert [axes.get_title(loc="left") for axes in panels(figure)] == ["a b", "c (2 missing)"]
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == [
            "kind = 0 (3 rows)",
            "kind = 1 (2 rows)",
        ]

    @pytest.mark.parametrize("value", [1e12, -1e200, 10.6])
    def test_values_that_are_no_grade_are_counted_and_not_drawn(self, value):
        frame = pd.DataFrame({"a": [1, 3, 3, value], "b": [1, 10, 3, np.nan], "kind": [0, 0, 0, 0]})
        first, second = panels(figures.histograms_by_class(frame, "kind"))
        assert first.get_title(loc="left") == "a (1 outside 1–10)"
        assert second.get_title(loc="left") == "b (1 missing)"
        assert bars(first.patches[0]) == {1: 25, 3: 50}
        assert first.get_xlim() == pytest.approx((0.4, 10.6))

    def test_other_grades(self):
        (axes,) = panels(figures.histograms_by_class(self.frame[["a_b", "kind"]], "kind", range(3)))
        assert axes.get_title(loc="left") == "a b (2 outside 0–2)"
        assert axes.get_xlim() == pytest.approx((-0.6, 2.6))

    def test_one_row_is_one_row(self):
        (legend,) = figures.histograms_by_class(self.frame[2:], "kind").legends
        assert legend.get_texts()[0].get_text() == "kind = 0 (1 row)"

    def test_panels_share_bins_and_heights(self):
        first, second = panels(figures.histograms_by_class(self.frame, "kind"))
        assert first.get_xlim() == second.get_xlim() == pytest.approx((0.4, 10.6))
        assert first.get_ylim() == second.get_ylim() == (0, 100)

    def test_a_class_without_values_is_empty(self):
        frame = pd.DataFrame({"a": [1.0, np.nan], "kind": [0, 1]})
        (axes,) = panels(figures.histograms_by_class(frame, "kind"))
        assert [bars(drawn) for drawn in axes.patches] == [{1: 100}, {}]

    def test_wrong_tables(self):
        with pytest.raises(InputError, match="one of a_b, c, kind, got 'class'"):
            figures.histograms_by_class(self.frame, "class")
        with pytest.raises(InputError, match="empty table"):
            figures.histograms_by_class(self.frame[["kind"]], "kind")
        with pytest.raises(InputError, match="empty table"):
            figures.histograms_by_class(self.frame[:0], "kind")


def bars(drawn) -> dict[float, float]:
    """The bars of a histogram that have a height, by the middle of their bin."""
    heights, edges, _ = drawn.get_data()
    return {
        (left + right) / 2: height
        for height, left, right in zip(heights, edges[:-1], edges[1:], strict=True)
        if height
    }


class TestTrainingCurves:
    curves = {"ours": [0.7, 0.4, 0.2], "theirs": [0.6, 0.5]}  # noqa: RUF012

    def test_each_epochs_loss(self):
        (axes,) = panels(figures.training_curves(self.curves))
        for label, losses in self.curves.items():
            expected = list(enumerate(losses, start=1))
            np.testing.assert_array_equal(line(axes, label), expected)

    def test_curves_that_coincide_are_both_visible(self):
        (axes,) = panels(figures.training_curves({"a": [2, 1], "b": [2, 1]}))
        below, above = axes.lines
        assert below.get_linewidth() > above.get_linewidth()
        assert below.get_color() != above.get_color()
        assert above.get_linestyle() == "--"

    def test_axis_starts_at_zero_and_counts_whole_epochs(self):
        (axes,) = panels(figures.training_curves(self.curves))
        assert axes.get_ylim()[0] == 0
        assert all(tick == int(tick) for tick in axes.get_xticks())

    def test_one_epoch_is_a_dot(self):
        (axes,) = panels(figures.training_curves({"a": [0.5]}))
        assert axes.lines[0].get_marker() == "o"

    @pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [1.0], "b": []}])
    def test_nothing_to_draw(self, curves):
        with pytest.raises(InputError, match="at least one epoch"):
            figures.training_curves(curves)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.activations(["relu", "tanh"]),
        lambda: figures.perceptron([(np.ones(2), 0.0)], np.eye(2), np.array([0, 1])),
        lambda: figures.histograms_by_class(TestHistograms.frame, "kind"),
        lambda: figures.training_curves({"a": [1.0]}),
    ],
    ids=["activations", "perceptron", "histograms_by_class", "training_curves"],
)
class TestAll:
    def test_without_matplotlib_says_what_to_install(self, draw, monkeypatch):
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=r'pip install "scratchnet\[plots\]"'):
            draw()

    def test_is_written_as_png(self, draw, tmp_path):
        draw().savefig(tmp_path / "picture.png", dpi=20)
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")

    def test_leaves_pyplot_alone(self, draw, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        draw()
