"""Diagrams of a neuron, a network with one hidden layer and an unrolled recurrent network."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from scratchnet.figures.pencil import Diagram, box, circle, heading, label, on_paper, wire
from scratchnet.figures.style import BLUE, GREEN, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def neuron() -> Figure:
    """Draw a neuron with its names.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return on_paper([[NEURON]])


def network() -> Figure:
    """Draw a network with one hidden layer, with its names and shapes.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return on_paper([[NETWORK]])


def rnn() -> Figure:
    """Draw a simple recurrent network, folded and unrolled over time.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return on_paper([[RNN]])


def _neuron(axes: Axes) -> None:
    heading(axes, "A neuron", "weighs its inputs, adds them up, and bends the sum")
    total = (6.0, 3.2)
    for k, y in ((1, 5.2), (2, 3.2), (3, 1.2)):
        wire(axes, (1.6, y), _towards((1.6, y), total, 0.62))
        circle(axes, (1.1, y), f"$x_{k}$", GREEN, radius=0.5)
        along = 0.42
        middle = (1.6 + along * (total[0] - 1.6), y + along * (total[1] - y))
        label(axes, middle, f"$W_{k}$", BLUE, size=14)
    wire(axes, (6.0, 5.0), (6.0, 3.82))
    label(axes, (6.0, 5.3), "$b$", BLUE, size=14)
    label(axes, (6.25, 5.3), "the bias", GREY, 11, "left")
    circle(axes, total, "$\\Sigma$", INK, radius=0.6, size=18)
    wire(axes, (6.6, 3.2), (8.5, 3.2))
    label(axes, (7.5, 3.55), "$a$", size=14)
    box(axes, (9.3, 3.2), "$\\varphi$", ORANGE, width=1.6, height=1.1)
    wire(axes, (10.1, 3.2), (12.0, 3.2))
    label(axes, (12.35, 3.2), "$y$", size=15)
    label(axes, (6.0, 1.75), "$a = x\\,W + b$", size=13)
    label(axes, (6.0, 1.25), "the pre-activation", GREY, 11)
    label(axes, (9.3, 1.75), "$y = \\varphi(a)$", size=13)
    label(axes, (9.3, 1.25), "the activation", GREY, 11)
    label(axes, (1.1, 0.35), "inputs", GREY, 11)
    label(axes, (3.4, 0.35), "one weight each", GREY, 11)


def _network(axes: Axes) -> None:
    heading(axes, "A network with one hidden layer", "every unit sees all units of the layer below")
    layers = {
        2.0: [(f"$x_{k}$", y) for k, y in ((1, 5.25), (2, 3.75), (3, 2.25))],
        6.6: [(f"$h_{k}$", y) for k, y in ((1, 5.9), (2, 4.467), (3, 3.033), (4, 1.6))],
        11.2: [(f"$y_{k}$", y) for k, y in ((1, 4.65), (2, 2.85))],
    }
    columns = list(layers)
    for left, right in pairwise(columns):
        for _, a in layers[left]:
            for _, b in layers[right]:
                axes.plot([left, right], [a, b], color="#9aa5b1", linewidth=1.1, zorder=1)
    for (x, units), colour in zip(layers.items(), (GREEN, BLUE, ORANGE), strict=True):
        for name, y in units:
            circle(axes, (x, y), name, colour, radius=0.52)
    label(axes, (4.3, 6.15), "$W_1$  (3, 4)", BLUE)
    label(axes, (8.9, 6.15), "$W_2$  (4, 2)", BLUE)
    for x, name, equation in (
        (2.0, "input layer", "$x$  (B, 3)"),
        (6.6, "hidden layer", "$h = \\varphi(x\\,W_1 + b_1)$  (B, 4)"),
        (11.2, "output layer", "$y = \\varphi(h\\,W_2 + b_2)$  (B, 2)"),
    ):
        label(axes, (x, 0.75), name, GREY, 11)
        label(axes, (x, 0.3), equation, size=12)


def _rnn(axes: Axes) -> None:
    heading(axes, "A recurrent network, unrolled", "the same cell and the same weights at every t")
    _cell(axes, 2.0, "$x_t$", "$h_t$", "RNN")
    wire(
        axes, (2.8, 3.4), (3.5, 3.4), (3.5, 4.75), (0.5, 4.75), (0.5, 3.4), (1.2, 3.4),
        colour=ORANGE,
    )  # fmt: skip
    label(axes, (2.72, 4.75), "$W_h$", ORANGE)
    label(axes, (4.5, 3.4), "=", size=24)
    columns = (6.9, 9.9, 12.9)
    wire(axes, (5.65, 3.4), (6.1, 3.4), colour=ORANGE)
    label(axes, (5.4, 3.4), "$h_0$")
    for t, x in enumerate(columns, start=1):
        _cell(axes, x, f"$x_{t}$", f"$h_{t}$", "RNN")
        end = x + 2.2 if t < 3 else x + 1.7
        wire(axes, (x + 0.8, 3.4), (end, 3.4), colour=ORANGE)
        label(axes, (x + 1.45 if t < 3 else x + 1.2, 3.75), "$W_h$", ORANGE)
    label(axes, (15.0, 3.4), "$\\cdots$", size=18)
    label(axes, (15.9, 3.75), "(1)  $a = x\\,W_x + h_{\\mathrm{prev}}W_h + b$", align="left")
    label(axes, (15.9, 3.05), "(2)  $h = \\tanh(a)$", align="left")


def _cell(axes: Axes, x: float, below: str, above: str, name: str) -> None:
    wire(axes, (x, 1.35), (x, 2.9), colour=BLUE)
    wire(axes, (x, 3.9), (x, 5.35))
    label(axes, (x + 0.42, 2.1), "$W_x$", BLUE)
    box(axes, (x, 3.4), name, GREY, width=1.6, height=1.0)
    label(axes, (x, 1.05), below, GREEN, 15)
    label(axes, (x, 5.65), above, size=15)


def _towards(
    start: tuple[float, float], end: tuple[float, float], gap: float
) -> tuple[float, float]:
    """Return the point on the way to ``end`` that is ``gap`` before it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    share = 1 - gap / (dx * dx + dy * dy) ** 0.5
    return start[0] + share * dx, start[1] + share * dy


NEURON = Diagram(_neuron, 13.2, 7.2)
NETWORK = Diagram(_network, 14.2, 8.0)
RNN = Diagram(_rnn, 19.8, 7.4)
