"""The bars are the classes' shares."""

import numpy as np
import pandas as pd
import pytest

from scratchnet import figures
from scratchnet.errors import InputError
from tests.figures.reading import panels


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
