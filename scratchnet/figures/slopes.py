"""A slope, a hilltop and a valley: what the gradient does in one dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations.dense import dense, dense_backward
from scratchnet.figures.style import BLUE, GREEN, INK, ORANGE, caption, grid, title
from scratchnet.losses import BinaryCrossentropy, Loss, MeanSquaredError
from scratchnet.optimizers import SGD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ONE = np.array([[1.0]])
"""The one example: input 1, wanted 1."""


class Landscape(NamedTuple):
    """The loss of a model with a single weight, and steps over it."""

    name: str
    model: str
    layers: int
    """How many times the weight is applied."""
    loss: Loss
    limits: tuple[float, float]
    walks: tuple[tuple[float, float, str], ...]
    """Where a walk starts, its learning rate, and what it shows."""
    remarks: str


LANDSCAPES = (
    Landscape(
        "A slope",
        "σ(w), cross-entropy",
        1,
        BinaryCrossentropy(from_logits=True),
        (-3.6, 5.2),
        ((-3.0, 1.0, "rate 1"),),
        "always down, ever more slowly:\nthe gradient goes to 0, no minimum is reached",
    ),
    Landscape(
        "A hilltop",
        "w · w, squared error",
        2,
        MeanSquaredError(),
        (-1.6, 1.6),
        ((0.0, 0.1, "from the very top"), (-0.05, 0.1, "from just beside it")),
        "at the very top the gradient is 0 and nothing\nmoves; beside it, slow steps, then fast",
    ),
    Landscape(
        "A valley",
        "w, squared error",
        1,
        MeanSquaredError(),
        (-1.5, 3.5),
        ((-1.2, 0.1, "rate 0.1"), (3.0, 0.9, "rate 0.9")),
        "towards the bottom from both sides; a rate\ntoo large crosses it at every step",
    ),
)
STEPS = 14


def loss(landscape: Landscape, w: float) -> float:
    """Return the loss at one weight."""
    return float(landscape.loss(ONE, _outputs(landscape, w)[-1]))


def gradient(landscape: Landscape, w: float) -> float:
    """Return the derivative of the loss: the sum over the places where the weight is applied."""
    outputs = _outputs(landscape, w)
    dy, W, total = landscape.loss.gradient(ONE, outputs[-1]), np.array([[w]]), 0.0
    for x in reversed(outputs[:-1]):
        dy, dW, _ = dense_backward(dy, x, W)
        total += dW.item()
    return total


def walk(landscape: Landscape, start: float, rate: float, steps: int = STEPS) -> list[float]:
    """Return the weight before the first step and after each."""
    w, optimizer = np.array([start]), SGD(rate)
    weights = [start]
    for _ in range(steps):
        optimizer.apply([np.array([gradient(landscape, w.item())])], [w])
        weights.append(w.item())
    return weights


def slope() -> Figure:
    """Draw a slope, a hilltop and a valley in one weight, with gradient steps on each.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    figure, panels = grid(len(LANDSCAPES), columns=3, width=3.7, height=3.6)
    for axes, landscape in zip(panels, LANDSCAPES, strict=True):
        _panel(axes, landscape)
    panels[0].set_ylabel("loss")
    caption(
        figure,
        f"Steps of gradient descent, w ← w − rate · dL/dw, {STEPS} from each start; one example, "
        "input 1, wanted output 1. The straight piece at a start is its tangent.",
    )
    return figure


def _panel(axes: Axes, landscape: Landscape) -> None:
    height: Callable[[Array], Array] = np.vectorize(lambda w: loss(landscape, float(w)))
    grid_w = np.linspace(*landscape.limits, 241)
    axes.plot(grid_w, height(grid_w), color=INK, linewidth=1.6)
    span = np.ptp(grid_w)
    for (start, rate, label), colour in zip(landscape.walks, (ORANGE, BLUE, GREEN), strict=False):
        weights = np.array(walk(landscape, start, rate))
        heights = height(weights)
        axes.plot(weights, heights, color=colour, linewidth=1.0, alpha=0.8)
        axes.plot(
            weights, heights, "o", color=colour, markersize=6.5, markeredgecolor="white",
            label=label, zorder=3,
        )  # fmt: skip
        ends = start + 0.09 * span * np.array([-1, 1])
        tangent = heights[0] + gradient(landscape, start) * (ends - start)
        axes.plot(ends, tangent, color=colour, linewidth=2.4, solid_capstyle="round")
    axes.set_xlim(*landscape.limits)
    axes.set_xlabel("weight w")
    axes.legend(frameon=False, fontsize=8, loc="upper center")
    title(axes, landscape.name, landscape.model)
    axes.annotate(
        landscape.remarks, (0, 0), xytext=(0, -34), xycoords="axes fraction",
        textcoords="offset points", fontsize=8, color=INK, va="top",
    )  # fmt: skip


def _outputs(landscape: Landscape, w: float) -> list[Array]:
    """Return the input and what each application of the weight makes of it."""
    outputs = [ONE]
    for _ in range(landscape.layers):
        outputs.append(dense(outputs[-1], np.array([[w]]), None))
    return outputs
