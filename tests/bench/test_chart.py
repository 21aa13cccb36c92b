"""The charts: what is in them, read back from the figure."""

import io
import sys

import pytest
from matplotlib.figure import Figure

from keras_impl.bench.race import Timing
from keras_impl.bench.report import chart
from keras_impl.bench.report.results import Measured, Results
from keras_impl.bench.works.engines import KERAS_STEP
from scratchnet.errors import InputError, MissingExtraError
from scratchnet.figures.style import BLUE, ORANGE


def timing(name, engine, milliseconds, ratio):
    spread = (0.9 * ratio, 1.2 * ratio)
    return Timing(name, engine, milliseconds / 1e3, 0.1, (milliseconds / 1e3,), ratio, spread)


def work(title, timings, baseline=KERAS_STEP, required=0.85, aimed=0.65):
    return Measured(
        "a work", title, "step", "data", baseline, required, aimed, 10**9, 10**9, 0.1, timings
    )


LSTM = work(
    "char LSTM training step, 128×40×57→128",
    (
        timing(KERAS_STEP, "Keras", 26.0, 1.0),
        timing("scratchnet", "scratchnet", 18.2, 0.7),
        timing(f"{KERAS_STEP}, XLA", "Keras", 33.8, 1.3),
        timing("PyTorch", "PyTorch", 40.0, 1.54),
        timing("JAX", "JAX", 67.6, 2.6),
    ),
)
WINDOW = work(
    "the same against model.predict on the window",
    (
        timing("Keras, model.predict on the window", "Keras", 35.0, 1.0),
        timing("scratchnet", "scratchnet", 0.04, 0.001),
        timing("Keras, in batches of 32", "Keras", 3500.0, 100.0),
    ),
    baseline="Keras, model.predict on the window",
    required=None,
    aimed=None,
)
CURVES = [
    {
        "axis": axis,
        "base": {"B": 128, "H": 64},
        "threads": 1,
        "values": [10, 20, 40],
        "seconds": {"scratchnet": [0.01, 0.02, 0.04], "Keras": [0.02, 0.03, 0.05]},
        "exponents": {"scratchnet": 1.0, "Keras": 0.66},
    }
    for axis in ("T", "B", "V")
]


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Return a function that draws and returns the figure."""
    figures = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, *a, **k: (figures.append(figure), save(figure, *a, **k))
    )

    def draw(function, found):
        path = tmp_path / "chart.png"
        function(found, path)
        assert path.read_bytes().startswith(b"\x89PNG")
        return figures[-1]

    return draw


def results(*works):
    return Results({"cpu": "a processor", "threads": 2}, peak=1e11, works=list(works))


def places(axes, label):
    """Return where the marks of that label are."""
    lines = [line for line in axes.lines if line.get_label() == label]
    return [tuple(line.get_xydata()[0]) for line in lines]


def said(axes):
    return {text.get_text() for text in axes.texts}


def test_every_way_is_marked_at_its_ratio(drawn):
    (axes,) = drawn(chart.draw_race, results(WINDOW, LSTM)).axes
    assert places(axes, "scratchnet") == [(0.7, 1)]  # the other one is beyond the frame
    assert places(axes, "Keras, the baseline") == [(1, 0), (1, 1)]
    assert [x for x, _ in places(axes, "PyTorch")] == [1.54]
    assert [x for x, _ in places(axes, "JAX")] == [2.6]
    assert [x for x, _ in places(axes, "Keras with XLA")] == [1.3]
    assert axes.get_xscale() == "log"


def test_the_floor_is_the_products_time_over_the_baselines(drawn):
    (axes,) = drawn(chart.draw_race, results(LSTM)).axes
    ((x, _),) = places(axes, chart.FLOOR)
    assert x == pytest.approx(0.01 / 0.026)


def test_what_lies_beyond_the_frame_is_an_arrow_at_it(drawn):
    (axes,) = drawn(chart.draw_race, results(WINDOW)).axes
    left, right = axes.get_xlim()
    arrows = {
        (line.get_marker(), line.get_color()): line.get_xydata()[0][0]
        for line in axes.lines
        if line.get_marker() in ("<", ">")
    }
    assert arrows == {("<", BLUE): pytest.approx(left), (">", ORANGE): pytest.approx(right)}
    assert right < 100


def test_times_and_ratio_are_written_beside_the_work(drawn):
    (axes,) = drawn(chart.draw_race, results(LSTM, WINDOW)).axes
    assert said(axes) >= {"18.2 ms", "26 ms", "0.70×", "40 µs", "35 ms", "0.001×"}
    assert said(axes) >= {"char LSTM training step", "128×40×57→128"}


def test_the_targets_are_a_band(drawn):
    (axes,) = drawn(chart.draw_race, results(LSTM, WINDOW)).axes
    (band,) = [line for line in axes.lines if line.get_label().startswith("from aimed")]
    assert band.get_xdata().tolist() == [0.65, 0.85]


def test_everything_of_the_legend_is_there_once(drawn):
    figure = drawn(chart.draw_race, results(LSTM, LSTM))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(names) == len(set(names))
    assert {"scratchnet", "Keras, the baseline", "PyTorch", "JAX", "Keras with XLA"} <= set(names)


def test_curves_have_a_panel_each(drawn):
    figure = drawn(chart.draw_curves, CURVES)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "time steps T",
        "batch B",
        "vocabulary V",
    ]
    for axes in figure.axes:
        ((_, first),) = places(axes, "Keras")
        assert first == pytest.approx(20)  # milliseconds
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_curves_say_the_power_and_the_other_sizes(drawn):
    axes = drawn(chart.draw_curves, CURVES).axes[0]
    assert said(axes) >= {"T$^{1.00}$", "T$^{0.66}$", "B = 128, H = 64"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(4e-5, "40 µs"), (0.0182, "18.2 ms"), (3, "3,000 ms")]
)
def test_times_are_read_at_a_glance(seconds, text):
    assert chart.milliseconds(seconds) == text


def test_nothing_measured_is_refused(tmp_path):
    with pytest.raises(InputError, match="draw_race: expected one work"):
        chart.draw_race(results(), tmp_path / "a.png")
    with pytest.raises(InputError, match="draw_curves: expected one curve"):
        chart.draw_curves([], tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"scratchnet\[plots\]"):
        chart.draw_race(results(LSTM), tmp_path / "a.png")


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_other_formats_by_the_ending(tmp_path, ending):
    path = tmp_path / f"chart.{ending}"
    chart.draw_curves(CURVES, path)
    start = io.BytesIO(path.read_bytes()).read(200)
    assert (b"%PDF" if ending == "pdf" else b"<?xml") in start
