"""How the loss fell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scratchnet.errors import InputError
from scratchnet.figures.style import BLUE, GREEN, ORANGE, PURPLE, grid, legend, whole_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def training_curves(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the loss of each epoch, one curve a label; coinciding curves both stay visible.

    Raises
    ------
    InputError
        If there is no curve, or a curve has no epoch.
    MissingExtraError
        Without matplotlib.
    """
    if not curves or not all(len(losses) for losses in curves.values()):
        raise InputError(
            "training_curves: expected at least one label with at least one epoch, got "
            f"{ {label: len(losses) for label, losses in curves.items()} }"
        )
    figure, (axes,) = grid(1, columns=1, width=6.4, height=3.8)
    for i, (label, losses) in enumerate(curves.items()):
        axes.plot(
            range(1, len(losses) + 1), losses, label=label,
            color=(BLUE, ORANGE, GREEN, PURPLE)[i % 4],
            linestyle=("-", (0, (4, 3)), (0, (1, 1.5)))[i % 3],
            linewidth=max(4 - 2.2 * i, 1.4),
            marker="o" if len(losses) == 1 else None,
        )  # fmt: skip
    whole_ticks(axes)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    legend(figure, axes)
    return figure
