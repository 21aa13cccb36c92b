"""The measurement as pictures: who is how fast; how cost grows is in `curves_chart`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_impl.bench.report.curves_chart import COLOURS, draw_curves, write
from keras_impl.bench.report.results import SCRATCH, Measured, Results
from scratchnet.errors import InputError
from scratchnet.figures.style import (
    BLUE,
    FAINT,
    GREY,
    INK,
    ORANGE,
    blank,
    caption,
    dress,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from keras_impl.bench.race import Timing

__all__ = ["draw_curves", "draw_race"]

MARKERS = {SCRATCH: "o", "Keras": "o", "PyTorch": "^", "JAX": "D"}
FLOOR = "floor: the matrix products alone"
WAYS = (
    ("in one XLA graph", "*", "Keras, many steps in one XLA graph"),
    ("steps_per_execution", "s", "Keras, several steps a call"),
    ("XLA", "x", "Keras with XLA"),
    ("tf.data", "+", "Keras fed by tf.data"),
    ("", ".", "another way"),
)
"""Of doing the work: what its name contains, its mark, what the legend calls it."""
LIMITS = (0.01, 10.0)
"""Ratios beyond them are arrows at the frame; the table has their numbers."""
ROOM = 1.6
"""Factor between the outermost mark and the frame."""
LANE = 0.27
"""How far below its work the other ways of doing it stand."""
COLUMNS = (62, 122, 184)
"""Points from the frame to the right edge of each column of figures."""


def draw_race(results: Results, path: Path) -> None:
    """Write a picture with a line for each work; by its ending PNG, SVG or PDF.

    Times are shown over the baseline's, on a logarithmic axis: works of a tenth of a millisecond
    stand beside works of a hundred.

    Raises
    ------
    InputError
        If nothing was measured.
    MissingExtraError
        Without matplotlib.
    """
    if not results.works:
        raise InputError("draw_race: expected one work that was measured, got none. Measure first.")
    figure = blank(11, 1.9 + 0.7 * len(results.works))
    axes = figure.add_subplot()
    dress(axes)
    axes.set_xscale("log")
    frame = _frame(results)
    for row, work in enumerate(results.works):
        axes.axhline(row, color=FAINT, linewidth=0.8, zorder=0)
        _engines(axes, row, work, frame)
        _targets(axes, row, work)
        floor = _floor(results, work)
        if floor > frame[0]:
            _mark(axes, floor, row, frame, "|", FLOOR, color=INK, markersize=17, markeredgewidth=2)
        _others(axes, row, work, frame)
        _words(axes, row, work)
    _columns(axes)
    axes.axvline(1, color=ORANGE, linewidth=1, zorder=0)
    axes.set_xlim(frame)
    axes.set_ylim(len(results.works) - 0.4, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("time over the baseline's, logarithmic: further left is faster")
    _legend_once(figure, axes)
    threads = results.threads
    caption(
        figure,
        f"{results.machine['cpu']}, {threads} thread{'' if threads == 1 else 's'} for everyone. "
        "Least disturbed of alternating blocks; the thin line spans the quartiles of all rounds.\n"
        "Baseline: Keras's compiled step; model.predict where the work says so.",
    )
    write(figure, path)


def _frame(results: Results) -> tuple[float, float]:
    """Return where the axis begins and ends."""
    ratios = [one.ratio for work in results.works for one in work.timings]
    ratios += [work.aimed for work in results.works if work.aimed is not None]
    ratios += [_floor(results, work) for work in results.works]
    return max(min(ratios), LIMITS[0]) / ROOM, min(max(ratios), LIMITS[1]) * ROOM


def _floor(results: Results, work: Measured) -> float:
    return results.floor(work) / work.reference.seconds


def _mark(
    axes: Axes,
    ratio: float,
    height: float,
    frame: tuple[float, float],
    mark: str,
    said: str,
    **look: Any,
) -> None:
    """Put a mark where a ratio is, or an arrow at the frame that points to it."""
    left, right = frame
    if left <= ratio <= right:
        axes.plot(ratio, height, mark, label=said, linestyle="", **{"zorder": 4, **look})
    else:
        arrow, at = ("<", left) if ratio < left else (">", right)
        size = look["markersize"]
        axes.plot(at, height, arrow, color=look["color"], markersize=size, clip_on=False, zorder=6)


def _engines(axes: Axes, row: int, work: Measured, frame: tuple[float, float]) -> None:
    ours = work.ours
    _mark(axes, ours.ratio, row, frame, "o", SCRATCH, color=BLUE, markersize=9, zorder=5)
    axes.plot(ours.spread, [row, row], color=BLUE, linewidth=1.4)
    axes.plot(1, row, "o", color=ORANGE, markersize=9, label="Keras, the baseline", zorder=4)


def _targets(axes: Axes, row: int, work: Measured) -> None:
    if work.required is not None and work.aimed is not None:
        axes.plot(
            [work.aimed, work.required], [row, row], color=BLUE, alpha=0.16, linewidth=13,
            solid_capstyle="butt", label="from aimed at to required", zorder=1,
        )  # fmt: skip


def _others(axes: Axes, row: int, work: Measured, frame: tuple[float, float]) -> None:
    for timing in work.timings:
        if timing.name not in (SCRATCH, work.baseline):
            mark, said = _way(timing)
            look = {"color": COLOURS[timing.engine], "markersize": 5.5, "alpha": 0.8}
            _mark(axes, timing.ratio, row + LANE, frame, mark, said, **look)


def _way(timing: Timing) -> tuple[str, str]:
    """Return the mark of a way of doing the work, and what the legend calls it."""
    if timing.engine == timing.name:
        return MARKERS[timing.engine], timing.engine
    mark, said = next((mark, said) for part, mark, said in WAYS if part in timing.name)
    return mark, said if mark != "." else f"{timing.engine}, {said}"


def _words(axes: Axes, row: int, work: Measured) -> None:
    """Write the work on the left of its line, and times and ratio on the right."""
    name, _, sizes = work.title.partition(", ")
    if not sizes:
        name, *rest = textwrap.wrap(name, 32)
        sizes = " ".join(rest)
    across = axes.get_yaxis_transform()
    for text, above, size, colour in ((name, 7, 9, INK), (sizes, -7, 7.5, GREY)):
        axes.annotate(
            text, (0, row), xycoords=across, xytext=(-8, above if sizes else 0),
            textcoords="offset points", ha="right", va="center", fontsize=size, color=colour,
        )  # fmt: skip
    ours, reference = work.ours, work.reference
    shown = (
        (milliseconds(ours.seconds), BLUE, "normal"),
        (milliseconds(reference.seconds), ORANGE, "normal"),
        (f"{ours.ratio:.2g}×" if ours.ratio < 0.1 else f"{ours.ratio:.2f}×", INK, "bold"),
    )
    for (text, colour, weight), right in zip(shown, COLUMNS, strict=True):
        axes.annotate(
            text, (1, row), xycoords=across, xytext=(right, 0), textcoords="offset points",
            ha="right", va="center", fontsize=9, color=colour, fontweight=weight,
        )  # fmt: skip


def _columns(axes: Axes) -> None:
    for text, right in zip((SCRATCH, "Keras", "ratio"), COLUMNS, strict=True):
        axes.annotate(
            text, (1, 1), xycoords="axes fraction", xytext=(right, 2), textcoords="offset points",
            ha="right", va="bottom", fontsize=8, color=GREY,
        )  # fmt: skip


def milliseconds(seconds: float) -> str:
    """Return a time to three figures, with its unit."""
    milli = seconds * 1e3
    if milli < 0.1:
        return f"{milli * 1e3:.3g} µs"
    return f"{milli:,.0f} ms" if milli >= 100 else f"{milli:.3g} ms"


def _legend_once(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(
        once.values(), once.keys(), loc="outside upper left", ncols=4, frameon=False, fontsize=8.5
    )
