"""What holds for every picture."""

import io
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from scratchnet import figures
from scratchnet.cli.plot import PLOTS
from scratchnet.errors import MissingExtraError

pytestmark = pytest.mark.slow

FRAME = pd.DataFrame({"a": [1, 1, 4], "b": [2, 3, np.nan], "kind": [0, 0, 1]})
DRAWN = {
    **{name: getattr(figures, name) for name in PLOTS},
    "activations": lambda: figures.activations(["relu", "tanh"]),
    "perceptron": lambda: figures.perceptron([(np.ones(2), 0.0)], np.eye(2), np.array([0, 1])),
    "histograms_by_class": lambda: figures.histograms_by_class(FRAME, "kind"),
    "training_curves": lambda: figures.training_curves({"a": [1.0]}),
}


@pytest.fixture(scope="module")
def drawn() -> dict:
    """Each picture, drawn once."""
    return {}


def picture(drawn: dict, name: str):
    if name not in drawn:
        drawn[name] = DRAWN[name]()
    return drawn[name]


@pytest.mark.parametrize("name", DRAWN)
class TestAll:
    def test_without_matplotlib_says_what_to_install(self, name, monkeypatch):
        for module in [each for each in sys.modules if each.partition(".")[0] == "matplotlib"]:
            monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtraError, match=r'pip install "scratchnet\[plots\]"'):
            DRAWN[name]()

    def test_is_written_as_png_without_pyplot(self, name, drawn, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        figure, image = picture(drawn, name), io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a glyph that the font has not
            figure.savefig(image, dpi=30)
        assert image.getvalue().startswith(b"\x89PNG")

    def test_nothing_is_cut_off_and_no_text_lies_on_another(self, name, drawn):
        figure = picture(drawn, name)
        boxes = drawn_texts(figure)
        assert len(boxes) > 3
        width, height = figure.get_size_inches() * figure.dpi
        for text, box in boxes:
            assert box.x0 >= -1, f"{text!r} is cut off on the left"
            assert box.y0 >= -1, f"{text!r} is cut off below"
            assert box.x1 <= width + 1, f"{text!r} is cut off on the right"
            assert box.y1 <= height + 1, f"{text!r} is cut off above"
        for i, (text, box) in enumerate(boxes):
            for other, its in boxes[i + 1 :]:
                assert overlap(box, its) < 0.05, f"{text!r} lies on {other!r}"


def drawn_texts(figure) -> list:
    """Every text that is drawn, and the box around its letters."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    seen = []
    draw = Text.draw

    def watch(self, renderer):
        if self.get_visible() and self.get_text().strip():
            seen.append(self)
        draw(self, renderer)

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # arranges the panels
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", watch)
        canvas.draw()
    renderer = canvas.get_renderer()
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in seen]


def overlap(one, other) -> float:
    """The common area over that of the smaller box."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one.width * one.height, other.width * other.height)
