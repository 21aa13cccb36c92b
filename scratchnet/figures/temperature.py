"""What the temperature does to a softmax."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scratchnet.backend import Array
from scratchnet.figures.gate_maps import TEXT
from scratchnet.figures.style import BLUE, GREY, INK, caption, grid, title
from scratchnet.text.sampling import softmax_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
AFTER = " "
"""The character whose successors are shown: a space, before the first letter of a word."""


def logits(shown: int = 8) -> tuple[list[str], Array]:
    """Return the likeliest characters after `AFTER` in `TEXT` and the logarithms of their counts.

    Their softmax at temperature 1 is each one's share of the counts.
    """
    counts = Counter(b for a, b in pairwise(TEXT) if a == AFTER)
    found = counts.most_common(shown)
    return [character for character, _ in found], np.log([float(count) for _, count in found])


def softmax() -> Figure:
    r"""Draw :math:`\mathrm{softmax}(x / \tau)` at four temperatures.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    figure, panels = grid(len(TEMPERATURES), columns=4, width=3.1, height=3.0)
    characters, x = logits()
    for axes, temperature in zip(panels, TEMPERATURES, strict=True):
        p = softmax_at(x, temperature)
        bars = axes.bar(characters, p, color=BLUE, width=0.7)
        axes.bar_label(bars, [_percent(share) for share in p], fontsize=7.5, color=INK, padding=2)
        axes.set_ylim(0, 1.12)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
        axes.tick_params(axis="x", labelsize=10, labelcolor=INK, length=0)
        axes.grid(axis="y", color="#eef1f4", linewidth=0.8)
        axes.set_axisbelow(True)
        title(axes, f"temperature {temperature}", _REMARKS[temperature])
        if axes is not panels[0]:
            axes.set_yticklabels([])
    panels[0].set_ylabel("probability", color=GREY)
    caption(
        figure,
        "softmax(x / temperature) of the same logits x: the logarithm of how many words of a short "
        "text begin with the letter.",
    )
    return figure


_REMARKS = {
    0.2: "nearly always the likeliest",
    0.5: "the likely ones likelier",
    1.0: "the shares as they are",
    1.2: "nearer to each other",
}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "0"
