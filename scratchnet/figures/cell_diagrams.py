"""Diagrams of an LSTM cell and a GRU cell, with the letters of the equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scratchnet.figures.network_diagrams import NETWORK, NEURON, RNN
from scratchnet.figures.pencil import (
    Diagram,
    box,
    circle,
    frame,
    heading,
    joint,
    label,
    on_paper,
    wire,
)
from scratchnet.figures.style import BLUE, GREEN, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def lstm() -> Figure:
    """Draw an LSTM cell with the letters of `scratchnet.equations.lstm`.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return on_paper([[LSTM]])


def gru() -> Figure:
    """Draw a GRU cell, the reset gate after the product, as in `scratchnet.equations.gru`.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return on_paper([[GRU]])


def diagrams() -> Figure:
    """Draw all diagrams on one sheet: neuron, network, unrolled RNN, LSTM cell, GRU cell.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    return on_paper([[NEURON, NETWORK], [RNN], [LSTM, GRU]])


def _lstm(axes: Axes) -> None:
    heading(axes, "An LSTM cell", "the cell state c runs straight through; three gates guard it")
    frame(axes, (1.1, 3.0), 11.2, 6.1)
    y_c, y_h, y_gate = 8.2, 3.7, 5.2
    f, i, g, o, out = 2.9, 4.9, 6.7, 8.5, 10.9
    # the two states and the input
    wire(axes, (0.75, y_h), (o, y_h), (o, y_gate - 0.43))
    wire(axes, (1.9, 2.5), (1.9, y_h), colour=GREEN, arrow=False)
    joint(axes, (1.9, y_h))
    for x in (f, i, g):
        wire(axes, (x, y_h), (x, y_gate - 0.43))
        joint(axes, (x, y_h))
    wire(axes, (0.75, y_c), (f - 0.33, y_c))
    wire(axes, (f + 0.33, y_c), (g - 0.33, y_c))
    wire(axes, (g + 0.33, y_c), (12.7, y_c))
    # what the gates do
    wire(axes, (f, y_gate + 0.43), (f, y_c - 0.33))
    wire(axes, (i, y_gate + 0.43), (i, 6.75), (g - 0.33, 6.75))
    wire(axes, (g, y_gate + 0.43), (g, 6.42))
    wire(axes, (g, 7.08), (g, y_c - 0.33))
    wire(axes, (out, y_c), (out, 6.2))
    joint(axes, (out, y_c))
    wire(axes, (o, y_gate + 0.43), (o, 5.87), (out - 0.33, 5.87))
    wire(axes, (out, 5.54), (out, y_h), (12.7, y_h))
    box(axes, (out, 7.25), "$\\tanh$", INK, width=1.1, height=0.62)
    for x, text, colour in (
        (f, "$\\sigma(a_f)$", BLUE),
        (i, "$\\sigma(a_i)$", BLUE),
        (g, "$\\tanh(a_g)$", ORANGE),
        (o, "$\\sigma(a_o)$", BLUE),
    ):
        box(axes, (x, y_gate), text, colour, width=1.5)
    circle(axes, (f, y_c), "×")
    circle(axes, (g, y_c), "+")
    circle(axes, (g, 6.75), "×")
    circle(axes, (out, 5.87), "×")
    _on_frame(axes, (f + 0.3, 6.6), "$f$")
    _on_frame(axes, (i + 0.3, 6.2), "$i$")
    _on_frame(axes, (g + 0.3, 6.05), "$g$")
    _on_frame(axes, (o + 0.95, 6.15), "$o$")
    _on_frame(axes, (out + 0.55, 6.6), "$\\tanh_c$")
    for where, number in (
        ((f - 0.1, y_c + 0.55), "(4)"),
        ((g, y_c + 0.55), "(4)"),
        ((g + 0.65, 6.75), "(4)"),
        ((out - 0.95, 7.25), "(5)"),
        ((out + 0.65, 5.87), "(6)"),
    ):
        _on_frame(axes, where, number, GREY, 10)
    label(axes, (0.65, y_c), "$c_{\\mathrm{prev}}$", size=15, align="right")
    label(axes, (0.65, y_h), "$h_{\\mathrm{prev}}$", size=15, align="right")
    label(axes, (1.9, 2.3), "$x$", GREEN, 15)
    label(axes, (12.85, y_c), "$c$", size=15, align="left")
    label(axes, (12.85, y_h), "$h$", size=15, align="left")
    _equations(
        axes,
        (
            "(1)  $a = x\\,W_x + h_{\\mathrm{prev}}W_h + b = [a_i, a_f, a_g, a_o]$",
            "(2)  $i, f, o = \\sigma(a_i),\\; \\sigma(a_f),\\; \\sigma(a_o)$",
            "(3)  $g = \\tanh(a_g)$",
        ),
        (
            "(4)  $c = f \\odot c_{\\mathrm{prev}} + i \\odot g$",
            "(5)  $\\tanh_c = \\tanh(c)$",
            "(6)  $h = o \\odot \\tanh_c$",
        ),
        "Box: every entry by itself, colour: after a product with weights, (1). "
        "Circle: two arrays, entry by entry. Dot: wires meet.",
    )


def _gru(axes: Axes) -> None:
    heading(axes, "A GRU cell", "z chooses between the old state and the candidate n")
    frame(axes, (1.1, 2.7), 11.2, 6.4)
    y_h, y_mix, y_gate, y_v, y_u = 8.2, 6.8, 5.55, 4.25, 3.25
    z, r, times, n = 5.1, 7.0, 8.45, 10.5
    wire(axes, (0.75, y_h), (z - 0.33, y_h))
    wire(axes, (z + 0.33, y_h), (n - 0.33, y_h))
    wire(axes, (n + 0.33, y_h), (12.7, y_h))
    # the two products
    wire(axes, (2.65, y_h), (2.65, y_v + 0.35))
    joint(axes, (2.65, y_h))
    wire(axes, (3.8, y_v), (times, y_v), (times, y_gate - 0.33))
    wire(axes, (0.75, y_u), (1.5, y_u), colour=GREEN)
    wire(axes, (3.8, y_u), (n, y_u), (n, y_gate - 0.43))
    for x in (z, r):
        wire(axes, (x - 0.3, y_v), (x - 0.3, y_gate - 0.43))
        joint(axes, (x - 0.3, y_v))
        wire(axes, (x + 0.3, y_u), (x + 0.3, y_gate - 0.43))
        joint(axes, (x + 0.3, y_u))
    # what the gates do
    wire(axes, (z, y_gate + 0.43), (z, y_h - 0.33))
    wire(axes, (z, y_mix), (7.0 - 0.4, y_mix))
    joint(axes, (z, y_mix))
    wire(axes, (7.4, y_mix), (n - 0.33, y_mix))
    wire(axes, (r + 0.7, y_gate), (times - 0.33, y_gate))
    wire(axes, (times + 0.33, y_gate), (n - 1.25, y_gate))
    wire(axes, (n, y_gate + 0.43), (n, y_mix - 0.33))
    wire(axes, (n, y_mix + 0.33), (n, y_h - 0.33))
    box(axes, (2.65, y_v), "$h_{\\mathrm{prev}}W_h + b_h$", GREY, width=2.3, height=0.7)
    box(axes, (2.65, y_u), "$x\\,W_x + b_x$", GREY, width=2.3, height=0.7)
    box(axes, (z, y_gate), "$\\sigma(a_z)$", BLUE, width=1.4)
    box(axes, (r, y_gate), "$\\sigma(a_r)$", BLUE, width=1.4)
    box(axes, (n, y_gate), "$\\tanh(u_n + r \\odot v_n)$", ORANGE, width=2.5)
    circle(axes, (z, y_h), "×")
    circle(axes, (n, y_h), "+")
    circle(axes, (times, y_gate), "×")
    circle(axes, (n, y_mix), "×")
    circle(axes, (7.0, y_mix), "1−", radius=0.4, size=12)
    _on_frame(axes, (z - 0.3, 7.4), "$z$")
    _on_frame(axes, (8.45, y_mix + 0.3), "$1 - z$")
    _on_frame(axes, (r + 0.93, y_gate + 0.3), "$r$")
    _on_frame(axes, (n + 0.3, 6.2), "$n$")
    _on_frame(axes, (times + 0.4, 4.65), "$v_n$")
    _on_frame(axes, (n + 0.4, 4.4), "$u_n$")
    _on_frame(axes, (4.2, y_v + 0.27), "$v$")
    _on_frame(axes, (4.2, y_u - 0.26), "$u$")
    for where, number in (
        ((1.75, y_v + 0.57), "(2)"),
        ((1.75, y_u + 0.5), "(1)"),
        ((z - 0.95, y_gate), "(3)"),
        ((r - 0.95, y_gate), "(4)"),
        ((n + 1.45, y_gate - 0.62), "(5)"),
        ((z, y_h + 0.55), "(6)"),
        ((n, y_h + 0.55), "(6)"),
        ((n + 0.65, y_mix), "(6)"),
    ):
        _on_frame(axes, where, number, GREY, 10)
    label(axes, (0.65, y_h), "$h_{\\mathrm{prev}}$", size=15, align="right")
    label(axes, (0.65, y_u), "$x$", GREEN, 15, align="right")
    label(axes, (12.85, y_h), "$h$", size=15, align="left")
    _equations(
        axes,
        (
            "(1)  $u = x\\,W_x + b_x = [u_z, u_r, u_n]$",
            "(2)  $v = h_{\\mathrm{prev}}W_h + b_h = [v_z, v_r, v_n]$",
            "(3)  $z = \\sigma(a_z), \\quad a_z = u_z + v_z$",
        ),
        (
            "(4)  $r = \\sigma(a_r), \\quad a_r = u_r + v_r$",
            "(5)  $n = \\tanh(u_n + r \\odot v_n)$",
            "(6)  $h = z \\odot h_{\\mathrm{prev}} + (1 - z) \\odot n$",
        ),
        "Grey box: a product with weights. Coloured box: every entry by itself. "
        "Circle: entry by entry. Dot: wires meet.",
    )


def _on_frame(
    axes: Axes, where: tuple[float, float], text: str, colour: str = INK, size: float = 14
) -> None:
    """Write a wire's letter inside the cell."""
    axes.text(*where, text, fontsize=size, color=colour, ha="center", va="center", zorder=5)


def _equations(axes: Axes, left: tuple[str, ...], right: tuple[str, ...], key: str) -> None:
    """Write the equations below the cell, and the key to its shapes."""
    for x, column in ((-0.4, left), (7.6, right)):
        for row, equation in enumerate(column):
            label(axes, (x, 1.75 - 0.52 * row), equation, size=12, align="left")
    label(axes, (-0.4, 0.2), key, GREY, 10, "left")


LSTM = Diagram(_lstm, 14.2, 10.4, -0.7)
GRU = Diagram(_gru, 14.2, 10.4, -0.7)
