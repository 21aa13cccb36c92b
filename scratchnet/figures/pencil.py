"""What the diagrams are drawn with: boxes, circles, wires and labels on a sheet of units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.figures.style import BLUE, GREEN, GREY, INK, ORANGE, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Point = tuple[float, float]

INCHES = 0.72
"""Of a unit, so that text keeps its proportion to the drawing."""
PAPER = "#ffffff"
TINTS = {BLUE: "#dcebf6", ORANGE: "#fbe6d8", GREEN: "#d9f0e8", GREY: "#eef1f4", INK: PAPER}
"""What a shape with an outline of that colour is filled with."""


class Diagram(NamedTuple):
    """A drawing, how many units it is wide and high, and where its left edge is."""

    draw: Callable[[Axes], None]
    width: float
    height: float
    left: float = 0.0


def on_paper(rows: Sequence[Sequence[Diagram]]) -> Figure:
    """Return a figure with the diagrams in rows, all to the same scale."""
    width = max(sum(diagram.width for diagram in row) for row in rows)
    height = sum(max(diagram.height for diagram in row) for row in rows)
    figure = blank(width * INCHES, height * INCHES)
    figure.set_layout_engine("none")
    top = height
    for row in rows:
        row_height = max(diagram.height for diagram in row)
        left = (width - sum(diagram.width for diagram in row)) / 2
        for diagram in row:
            bottom = top - diagram.height
            axes = figure.add_axes(
                (left / width, bottom / height, diagram.width / width, diagram.height / height)
            )
            axes.set_xlim(diagram.left, diagram.left + diagram.width)
            axes.set_ylim(0, diagram.height)
            axes.axis("off")
            diagram.draw(axes)
            left += diagram.width
        top -= row_height
    return figure


def heading(axes: Axes, name: str, remark: str) -> None:
    """Write the diagram's name at the top left, and a remark below it."""
    left, top = axes.get_xlim()[0] + 0.3, axes.get_ylim()[1]
    axes.text(left, top - 0.5, name, fontsize=15, fontweight="bold", color=INK, va="center")
    axes.text(left, top - 1.0, remark, fontsize=11, color=GREY, va="center")


def label(
    axes: Axes,
    where: Point,
    text: str,
    colour: str = INK,
    size: float = 13,
    align: str = "center",
) -> None:
    """Write a short text, centred on its height, on a patch of paper."""
    axes.text(
        *where, text, fontsize=size, color=colour, ha=align, va="center", zorder=5,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def box(
    axes: Axes, middle: Point, text: str, colour: str, width: float = 1.3, height: float = 0.85
) -> None:
    """Draw a rounded box around a text."""
    from matplotlib.patches import FancyBboxPatch

    x, y = middle
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height,
            boxstyle="round,pad=0,rounding_size=0.15", facecolor=TINTS[colour], edgecolor=colour,
            linewidth=1.8, zorder=3,
        )
    )  # fmt: skip
    axes.text(x, y, text, fontsize=13, color=INK, ha="center", va="center", zorder=4)


def circle(
    axes: Axes, middle: Point, text: str, colour: str = INK, radius: float = 0.33, size: float = 15
) -> None:
    """Draw a circle around a text."""
    from matplotlib.patches import Circle

    axes.add_patch(
        Circle(middle, radius, facecolor=TINTS[colour], edgecolor=colour, linewidth=1.8, zorder=3)
    )
    axes.text(*middle, text, fontsize=size, color=INK, ha="center", va="center_baseline", zorder=4)


def frame(axes: Axes, corner: Point, width: float, height: float) -> None:
    """Draw the outline of a cell."""
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            corner, width, height, boxstyle="round,pad=0,rounding_size=0.35", facecolor="#f7f9fb",
            edgecolor="#b6bfc9", linewidth=1.4, zorder=0,
        )
    )  # fmt: skip


def wire(axes: Axes, *points: Point, colour: str = INK, arrow: bool = True) -> None:
    """Draw a line through points, with a head at its end; it passes over earlier ones."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    path = Path(points)
    axes.plot(*zip(*points, strict=True), color="#f7f9fb", linewidth=6, zorder=1)
    axes.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="-|>" if arrow else "-", mutation_scale=14, color=colour,
            linewidth=1.9, shrinkA=0, shrinkB=0, zorder=2, joinstyle="round", capstyle="round",
        )
    )  # fmt: skip


def joint(axes: Axes, where: Point, colour: str = INK) -> None:
    """Mark that wires meet here, and do not merely cross."""
    axes.plot(*where, "o", color=colour, markersize=5.5, zorder=3)
