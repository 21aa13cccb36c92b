"""The bars are the real softmax of the same logits."""

import numpy as np
import pytest

from scratchnet import figures
from scratchnet.figures.gate_maps import TEXT
from scratchnet.figures.temperature import TEMPERATURES, logits
from tests.figures.reading import panels


def test_the_four_temperatures():
    assert TEMPERATURES == (0.2, 0.5, 1.0, 1.2)


def test_bars_are_the_powers_of_the_counts():
    letters, x = logits()
    counts = np.exp(x)
    for letter, count in zip(letters, counts, strict=True):
        assert count == pytest.approx(TEXT.count(" " + letter))
    for axes, temperature in zip(panels(figures.softmax()), TEMPERATURES, strict=True):
        heights = [bar.get_height() for bar in axes.patches]
        powers = counts ** (1 / temperature)
        np.testing.assert_allclose(heights, powers / powers.sum(), rtol=1e-12)
        assert [label.get_text() for label in axes.get_xticklabels()] == letters
