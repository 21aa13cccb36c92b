"""The curves of training."""

import numpy as np
import pytest

from scratchnet import figures
from scratchnet.errors import InputError
from tests.figures.reading import line, panels


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
