"""What all pictures share: colours, panels, titles and the legend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scratchnet.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
"""Told apart by the colour-blind too (Okabe & Ito 2008)."""
INK, GREY, FAINT = "#1f2328", "#6e7781", "#d8dee4"


def blank(width: float, height: float) -> Figure:
    """Return a figure without panels, sizes in inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            'drawing needs matplotlib: pip install "scratchnet[plots]"'
        ) from None
    return Figure((width, height), dpi=150, layout="constrained")


def grid(panels: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with that many panels in rows, sizes in inches a panel."""
    columns = min(columns, panels)
    rows = math.ceil(panels / columns)
    figure = blank(columns * width, rows * height + 0.4)
    found = [figure.add_subplot(rows, columns, i + 1) for i in range(panels)]
    for axes in found:
        dress(axes)
    return figure, found


def dress(axes: Axes) -> None:
    """Leave of a panel's frame what is read: two quiet axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=GREY, labelsize=8, length=3)
    axes.xaxis.label.set_color(GREY)
    axes.yaxis.label.set_color(GREY)


def caption(figure: Figure, text: str) -> None:
    """Say below everything what the numbers come from."""
    figure.supxlabel(text, x=0.012, ha="left", fontsize=8, color=GREY)


def whole_ticks(axes: Axes) -> None:
    """Number the x axis at whole numbers alone."""
    locator: Any = axes.xaxis.get_major_locator()
    locator.set_params(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)


def title(axes: Axes, title: str, remark: str = "") -> None:
    """Write a bold title and, in grey below it, a remark."""
    axes.set_title(
        title, loc="left", fontsize=10, color=INK, fontweight="bold", pad=17 if remark else 6
    )
    axes.annotate(
        remark, (0, 1), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=8, color=GREY,
    )  # fmt: skip


def legend(figure: Figure, axes: Axes, columns: int = 3) -> None:
    """Say once, above everything, what the curves of this panel are in all panels."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=columns, frameon=False, fontsize=9
    )
