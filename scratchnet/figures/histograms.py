"""Histograms of the features of a table, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchnet.errors import InputError
from scratchnet.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    grid,
    legend,
    title,
    whole_ticks,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def histograms_by_class(frame: pd.DataFrame, label: str, grades: range = range(1, 11)) -> Figure:
    """Draw a histogram of each feature, the classes one over the other.

    The heights are shares of the class, so that classes of different size can be compared; missing
    values are left out and counted in the panel's title, as are those outside the grades.

    Parameters
    ----------
    frame
        One column a feature, whole numbers, and the class column.
    label
        Name of the class column.
    grades
        The whole numbers that have a bar, without gaps.

    Raises
    ------
    InputError
        If there is no such column, no feature or no row.
    MissingExtraError
        Without matplotlib.
    """
    if label not in frame.columns:
        raise InputError(
            f"histograms_by_class: expected label to be one of {', '.join(map(str, frame.columns))}"
            f", got {label!r}"
        )
    features = frame.drop(columns=label)
    if features.empty:
        raise InputError("histograms_by_class: expected rows and features, got an empty table")
    figure, panels = grid(features.shape[1], columns=3, width=3.1, height=2.3)
    bins = [grade - 0.5 for grade in (*grades, grades.stop)]
    classes = sorted(frame[label].unique())
    for axes, name in zip(panels, features.columns, strict=True):
        for value, colour in zip(classes, (BLUE, ORANGE, GREEN, PURPLE), strict=False):
            of_class = features.loc[frame[label] == value, name].dropna().to_numpy()
            shares = 100 * np.histogram(of_class, bins)[0] / max(len(of_class), 1)
            axes.stairs(
                shares, bins, fill=True, facecolor=(colour, 0.35), edgecolor=colour, linewidth=1.4,
                label=f"{label} = {value} ({_rows(int((frame[label] == value).sum()))})",
            )  # fmt: skip
        missing = int(features[name].isna().sum())
        outside = int(((features[name] < bins[0]) | (features[name] > bins[-1])).sum())
        counts = {"missing": missing, f"outside {grades[0]}–{grades[-1]}": outside}
        remark = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        title(axes, str(name).replace("_", " ") + (f" ({remark})" if remark else ""))
        axes.set_xlim(bins[0] - 0.1, bins[-1] + 0.1)
        whole_ticks(axes)
        axes.set_ylim(0, 100)
        axes.set_yticks([0, 25, 50, 75, 100])
    figure.supylabel("share of the class (%)", color=GREY, fontsize=9)
    legend(figure, panels[0], columns=min(len(panels), 3))
    return figure


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"
