"""How cost grows with the sizes, as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_impl.bench.report.results import SCRATCH
from scratchnet.errors import InputError
from scratchnet.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, caption, grid, legend, title
from scratchnet.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {SCRATCH: BLUE, "Keras": ORANGE, "PyTorch": GREEN, "JAX": PURPLE}
AXES = {
    "T": "time steps T",
    "B": "batch B",
    "H": "units H",
    "V": "vocabulary V",
}


def draw_curves(curves: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a picture of what `keras_impl.bench.curves.measure` found, a panel a size.

    Raises
    ------
    InputError
        If there are no curves.
    MissingExtraError
        Without matplotlib.
    """
    if not curves:
        raise InputError("draw_curves: expected one curve or more, got none. Measure first.")
    figure, panels = grid(len(curves), columns=2, width=4.8, height=3.2)
    for axes, curve in zip(panels, curves, strict=True):
        _curve_panel(axes, curve)
    legend(figure, panels[0])
    threads = curves[0]["threads"]
    caption(
        figure,
        f"Training step of the char LSTM, {threads} thread{'' if threads == 1 else 's'} for "
        "everyone, least disturbed of alternating blocks.\n"
        "Both axes are logarithmic; beside a curve, the power of the size that fits it best.",
    )
    write(figure, path)


def _curve_panel(axes: Axes, curve: Mapping[str, Any]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axis, values = curve["axis"], curve["values"]
    times = {
        engine: [1e3 * seconds for seconds in curve["seconds"][engine]]
        for engine in ("Keras", SCRATCH)
    }
    start = min(found[0] for found in times.values())
    axes.loglog(
        values, [start * value / values[0] for value in values], color=GREY, linewidth=1,
        linestyle=(0, (2, 2)), label="proportional to the size",
    )  # fmt: skip
    slowest = max(times, key=lambda engine: times[engine][-1])
    for engine, found in times.items():
        axes.loglog(values, found, color=COLOURS[engine], marker="o", markersize=4.5, label=engine)
        axes.annotate(
            f"{axis}$^{{{curve['exponents'][engine]:.2f}}}$", (values[-1], found[-1]),
            xytext=(7, 5 if engine == slowest else -5), textcoords="offset points",
            va="center", fontsize=9, color=COLOURS[engine], annotation_clip=False,
        )  # fmt: skip
    axes.xaxis.set_major_locator(FixedLocator(values))
    axes.xaxis.set_minor_locator(NullLocator())
    for one in (axes.xaxis, axes.yaxis):
        one.set_major_formatter(lambda value, _: f"{value:g}")
        one.set_minor_formatter(lambda value, _: "")
    axes.set_xlabel(AXES[axis])
    axes.set_ylabel("milliseconds a step")
    title(axes, AXES[axis], ", ".join(f"{name} = {size}" for name, size in curve["base"].items()))


def write(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; by the file's ending PNG, SVG or PDF."""
    image = io.BytesIO()
    figure.savefig(image, format=path.suffix.lower().lstrip("."), dpi=150)
    write_whole(path, image.getvalue())
