"""A loss surface in two weights, and the paths of the optimizers over it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import datasets
from scratchnet.backend import Array
from scratchnet.equations.dense import dense
from scratchnet.equations.losses.crossentropy import binary_crossentropy_with_logits
from scratchnet.experiments import wisconsin_data as wisconsin
from scratchnet.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, caption, grid, title
from scratchnet.layers import Dense
from scratchnet.model import Sequential
from scratchnet.optimizers import SGD, Adam, Optimizer, RMSprop

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEATURE = "cell_size_uniformity"
START = (-6.0, 3.5)
"""Weight and bias before the first step."""
STEPS = 80
W_LIMITS, B_LIMITS = (-9.0, 24.0), (-8.5, 6.0)
STOPS = (1, 5, 20, 80)
"""The steps that a dot marks."""


def optimizers() -> dict[str, Optimizer]:
    """Return the optimizers by the name and the learning rate that the picture gives them."""
    return {
        "SGD, 2": SGD(2.0),
        "SGD with momentum 0.9, 2": SGD(2.0, momentum=0.9),
        "RMSprop, 0.4": RMSprop(0.4),
        "Adam, 0.4": Adam(0.4),
    }


@cache
def records() -> tuple[Array, Array]:
    """Return one feature of wisconsin's records, scaled, and their class, both (B, 1)."""
    frame = wisconsin.read(datasets.path("wisconsin"))[[FEATURE, wisconsin.LABEL]].dropna()
    values = frame.to_numpy(dtype=float)
    return values[:, :1] * wisconsin.SCALE, values[:, 1:]


def surface(w: Array, b: Array) -> Array:
    """Return the loss of one sigmoid unit for each pair of a weight and a bias, shape of ``w``."""
    x, y = records()
    logits = dense(x, w.reshape(1, -1), b.ravel())  # (B, pairs): a column a unit
    return binary_crossentropy_with_logits(y[..., None], logits[..., None]).mean(0).reshape(w.shape)


def path(optimizer: Optimizer, steps: int = STEPS) -> Array:
    """Train the unit from `START` on all records at once; return its (w, b), (steps + 1, 2)."""
    x, y = records()
    model = Sequential([Dense(1, activation="sigmoid")], dtype="float64")
    model.build(x.shape)
    model.set_weights([[[START[0]]], [START[1]]])
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    points = [START]
    for _ in range(steps):
        model.train_on_batch(x, y)
        kernel, bias = model.get_weights()
        points.append((kernel.item(), bias.item()))
    return np.array(points)


def descent() -> Figure:
    """Draw a loss surface in two weights with the paths of SGD, momentum, RMSprop and Adam.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    figure, panels = grid(4, columns=2, width=4.6, height=3.7)
    w, b = np.meshgrid(np.linspace(*W_LIMITS, 141), np.linspace(*B_LIMITS, 131))
    losses = surface(w, b)
    lowest = np.unravel_index(losses.argmin(), losses.shape)
    styles = zip(
        panels, optimizers().items(), (ORANGE, BLUE, GREEN, PURPLE), strict=True
    )  # a panel, an optimizer and its colour
    for axes, (name, optimizer), colour in styles:
        points = path(optimizer)
        _surface(axes, w, b, losses)
        axes.plot(w[lowest], b[lowest], "+", color=INK, markersize=11, markeredgewidth=1.8)
        _path(axes, points, colour)
        name, _, rate = name.rpartition(", ")
        end = surface(*points[-1:].T).item()
        title(axes, name, f"learning rate {rate}; loss {end:.3f} after {STEPS} steps")
    for axes in panels[2:]:
        axes.set_xlabel("weight w")
    for axes in panels[::2]:
        axes.set_ylabel("bias b")
    x, _ = records()
    caption(
        figure,
        f"Binary cross-entropy of σ(w x + b), x = {FEATURE.replace('_', ' ')} × 0.1, over all "
        f"{len(x)} of Wisconsin's records; each step sees them all.\n"
        f"Contours: equal loss, a darker blue is lower; +: the lowest, {losses.min():.3f}. Dots: "
        f"the start, and after {', '.join(map(str, STOPS[:-1]))} and {STOPS[-1]} steps.",
    )
    return figure


def _surface(axes: Axes, w: Array, b: Array, losses: Array) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("loss", ["#86b4d6", "#d3e3f0", "#fbfcfe"])
    levels = losses.min() + np.geomspace(0.004, np.ptp(losses), 14)
    heights = np.log(losses - losses.min() + 0.004)
    axes.contourf(w, b, heights, levels=40, cmap=shades)
    axes.contour(w, b, losses, levels=levels, colors=[GREY], linewidths=0.5, alpha=0.6)
    axes.set_xlim(*W_LIMITS)
    axes.set_ylim(*B_LIMITS)


def _path(axes: Axes, points: Array, colour: str) -> None:
    axes.plot(*points.T, color=colour, linewidth=2.0, solid_joinstyle="round")
    axes.plot(*points.T, ".", color=colour, markersize=4)
    axes.plot(
        *points[list(STOPS)].T, "o", color=colour, markersize=7, markeredgecolor="white", zorder=3
    )
    axes.plot(
        *points[0], "o", color="white", markersize=9, markeredgecolor=colour, markeredgewidth=2.2,
        zorder=3,
    )  # fmt: skip
