"""What the pictures' tests read off a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure


def panels(figure: Figure) -> list[Any]:
    return figure.axes


def line(axes: Any, label: str) -> np.ndarray:
    """The points of the one line with that label, without the gaps, as rows (x, y)."""
    (found,) = [drawn for drawn in axes.lines if drawn.get_label() == label]
    points = found.get_xydata()
    return points[~np.isnan(points).any(axis=1)]


def remark(axes: Any) -> str:
    """What is written in grey below a panel's title."""
    return axes.texts[0].get_text()


def caption(figure: Figure) -> str:
    """What is written below the whole picture."""
    return figure.get_supxlabel()
