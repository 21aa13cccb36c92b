"""The diagrams carry the letters and the numbers of the pages."""

import re

import pytest
from matplotlib.text import Text

from scratchnet import figures
from scratchnet.equations import gru, lstm, simple_rnn


def written(name: str) -> list[str]:
    """Every text of a diagram, as plain letters."""
    figure = getattr(figures, name)()
    return [re.sub(r"[${}\\]|mathrm|quad", "", text.get_text()) for text in figure.findobj(Text)]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("neuron", ["x_1", "x_2", "x_3", "W_1", "W_2", "W_3", "b", "Sigma", "a", "varphi", "y"]),
        ("network", ["x_3", "h_4", "y_2"]),
        ("rnn", ["x_t", "h_t", "h_0", "x_1", "h_1", "W_x", "W_h"]),
        ("lstm", ["i", "f", "g", "o", "c_prev", "h_prev", "x", "c", "h", "tanh_c"]),
        ("gru", ["z", "r", "n", "h_prev", "x", "h", "u", "v", "u_n", "v_n", "1 - z"]),
    ],
)
def test_letters(name, letters):
    assert set(letters) <= set(written(name))


@pytest.mark.parametrize(("name", "page"), [("lstm", lstm), ("gru", gru), ("rnn", simple_rnn)])
def test_the_equations_have_the_pages_numbers(name, page):
    numbers = set(re.findall(r"\\text\{\((\d)", page.__doc__))
    beside = {text[1] for text in written(name) if re.match(r"\(\d\)  ", text)}
    assert beside == numbers


def test_the_sheet_has_all_five():
    sheet = set(written("diagrams"))
    for name in ("neuron", "network", "rnn", "lstm", "gru"):
        assert set(written(name)) <= sheet
