"""The lines are the perceptron's own, and the boundary moves as it learned."""

import numpy as np
import pytest

from scratchnet import figures
from scratchnet.errors import InputError
from scratchnet.experiments import perceptron as experiment
from scratchnet.figures import boundaries
from tests.figures.reading import line, panels, remark
from tests.strict_array import to_strict


def lines(axes) -> list:
    return [drawn for drawn in axes.lines if type(drawn).__name__ == "AxLine"]


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


@pytest.fixture(scope="module")
def drawn() -> list:
    return panels(figures.boundary())


class TestBoundary:
    def test_a_panel_for_each_gate_and_one_for_two_clouds(self, drawn):
        titles = [axes.get_title(loc="left") for axes in drawn]
        assert titles == [*experiment.LABELS, "Two clouds of points"]
        assert remark(drawn[2]).endswith("2 of 4 on the wrong side")

    def test_every_correction_has_its_line(self, drawn):
        for axes, name in zip(drawn, experiment.LABELS, strict=False):
            assert len(lines(axes)) == len(experiment.learn(name).perceptron.boundaries)

    def test_the_two_clouds_are_learned_after_some_corrections(self, drawn):
        unit, X, y = boundaries.two_clouds()
        assert unit.converged
        assert 4 <= len(unit.boundaries) - 1 <= 20
        np.testing.assert_array_equal(unit.predict(X), y)
        np.testing.assert_array_equal(line(drawn[3], "class 1"), X[y == 1])

    def test_later_corrections_are_darker(self, drawn):
        alphas = [each.get_alpha() for each in lines(drawn[3]) if each.get_alpha() is not None]
        assert alphas == sorted(alphas)
        assert len(set(alphas)) == len(alphas) > 3
