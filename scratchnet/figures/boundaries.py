"""The decision boundary of a perceptron, as it moves while learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.backend import Array, to_host
from scratchnet.errors import InputError
from scratchnet.experiments import perceptron as experiment
from scratchnet.figures.style import BLUE, GREY, INK, ORANGE, caption, grid, legend, title
from scratchnet.perceptron import Perceptron

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Boundaries = Sequence[tuple[Array, float]]


def boundary(seed: int = 0) -> Figure:
    """Draw how a perceptron's boundary moves on AND, OR, XOR and on two clouds of points.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    figure, panels = grid(4, columns=2, width=4.3, height=4.0)
    lessons = [(name, experiment.learn(name, seed)) for name in experiment.LABELS]
    learned = [(name, gate.perceptron, gate.X, gate.y) for name, gate in lessons]
    learned.append(("Two clouds of points", *two_clouds(seed)))
    for axes, (name, unit, X, y) in zip(panels, learned, strict=True):
        _panel(axes, unit.boundaries, X, y)
        title(axes, name, verdict(unit.boundaries, X, y))
    legend(figure, panels[-1], columns=5)
    caption(
        figure,
        f"Rosenblatt's rule from small random weights, seed {seed}. A line is drawn after each "
        "correction, later ones darker. No line separates XOR.",
    )
    return figure


def two_clouds(seed: int = 0, count: int = 30) -> tuple[Perceptron, Array, Array]:
    """Return a perceptron that has learned two clouds of points, the points and their classes."""
    generator = np.random.default_rng(seed)
    y = np.arange(count) % 2
    middles = np.array([[0.3, 0.5], [1.7, 1.7]])
    X = middles[y] + 0.4 * generator.standard_normal((count, 2))
    unit = Perceptron(learning_rate=0.1, seed=seed).fit(X, y)
    return unit, X, y


def perceptron(boundaries: Boundaries, X: Array, y: Array) -> Figure:
    r"""Draw how a perceptron's decision boundary moved while it learned.

    Parameters
    ----------
    boundaries
        :math:`(w, b)` in the order of learning, as `Perceptron.boundaries` keeps them.
    X
        The examples, shape (B, 2).
    y
        Their classes, 0 or 1, shape (B,).

    Raises
    ------
    InputError
        If the examples do not have two features, or there is no boundary.
    MissingExtraError
        Without matplotlib.
    """
    X, y = to_host(X), to_host(y)
    if X.ndim != 2 or X.shape[1] != 2:
        raise InputError(
            f"perceptron: expected X of shape (examples, 2), got {X.shape}. "
            "Only two features can be drawn"
        )
    if not boundaries:
        raise InputError("perceptron: expected at least one boundary, got none. Call fit first")
    figure, (axes,) = grid(1, columns=1, width=5.6, height=5.0)
    _panel(axes, boundaries, X, y)
    title(axes, "Perceptron", verdict(boundaries, X, y))
    legend(figure, axes)
    return figure


def verdict(boundaries: Boundaries, X: Array, y: Array) -> str:
    """Say how many corrections it took and whether the last boundary separates the classes."""
    w, b = to_host(boundaries[-1][0]), float(boundaries[-1][1])
    wrong = int(((X @ w + b >= 0) != y).sum())
    said = "every example on its side" if wrong == 0 else f"{wrong} of {len(X)} on the wrong side"
    changes = len(boundaries) - 1
    return f"{changes} correction{'s' * (changes != 1)}, {said}"


def _panel(axes: Axes, boundaries: Boundaries, X: Array, y: Array) -> None:
    margin = 0.35 * max(*np.ptp(X, axis=0), 1e-6)
    axes.set_xlim(X[:, 0].min() - margin, X[:, 0].max() + margin)
    axes.set_ylim(X[:, 1].min() - margin, X[:, 1].max() + margin)
    axes.set_aspect("equal")
    axes.grid(False)
    lines = [(to_host(w), float(b)) for w, b in boundaries]
    _sides(axes, *lines[-1])
    for i, (w, b) in enumerate(lines[1:-1], start=1):
        age = i / len(lines)
        _line(axes, w, b, color=GREY, linewidth=0.9, alpha=0.25 + 0.55 * age**2)
    if len(lines) > 1:
        _line(axes, *lines[0], color=GREY, linewidth=1.4, linestyle=":", label="at the start")
    if len(lines) > 2:
        axes.plot([], [], color=GREY, linewidth=0.9, label="after each correction")
    _line(axes, *lines[-1], color=INK, linewidth=2.2, label="at the end")
    for label, colour, marker in ((0, ORANGE, "o"), (1, BLUE, "s")):
        of_class = X[y == label]
        axes.plot(
            *of_class.T, marker, color=colour, markersize=9, markeredgecolor="white",
            label=f"class {label}", zorder=3,
        )  # fmt: skip
    axes.set_xlabel("x₁")
    axes.set_ylabel("x₂")


def _line(axes: Axes, w: Array, b: float, **style: Any) -> None:
    """Draw the line w·x + b = 0; weights of zero have none."""
    if np.any(w):
        foot = -b * w / (w @ w)  # the point of the line nearest to the origin
        axes.axline(tuple(foot), tuple(foot + np.array([-w[1], w[0]])), **style)


def _sides(axes: Axes, w: Array, b: float) -> None:
    """Tint the two sides of the last boundary in the colours of the classes."""
    horizontal, vertical = (
        np.linspace(*limits, 400) for limits in (axes.get_xlim(), axes.get_ylim())
    )
    z = w[0] * horizontal + w[1] * vertical[:, np.newaxis] + b
    axes.contourf(
        horizontal, vertical, z >= 0, levels=[-0.5, 0.5, 1.5], colors=[ORANGE, BLUE], alpha=0.1
    )
