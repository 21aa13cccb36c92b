"""A worked example as plain text and as a page of its own."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from scratchnet.experiments.recurrence.equations import FUNCTIONS
from scratchnet.pages import templates

if TYPE_CHECKING:
    from scratchnet.experiments.recurrence.by_hand import WorkedExample

WIDTH = 80
"""Of a paragraph in a terminal."""
NAMES = {"lstm": "LSTM", "gru": "GRU"}
GATES = {
    "lstm": {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"},
    "gru": {"z": "update gate", "r": "reset gate", "n": "candidate"},
}
INTRODUCTION = (
    "One unit, one input, three time steps: forward, back through time, and one update of the "
    "weights. The loss of a step is half the squared error of its h; L is their sum.",
    "sigmoid(a) = 1 / (1 + exp(-a)), and dfoo is the derivative of L with respect to foo.",
    "The numbers are what scratchnet.equations.{kind} computes; they are kept exact and printed "
    "with four decimals. With the printed numbers a calculator may differ by one in the last "
    "digit.",
)


def title(example: WorkedExample) -> str:
    """Return the page's title."""
    return f"One {NAMES[example.kind]} unit by hand"


def introduction(example: WorkedExample) -> list[str]:
    """Return what is said before the first number."""
    return [paragraph.format(kind=example.kind) for paragraph in INTRODUCTION]


def check(example: WorkedExample) -> str:
    """Return a program that has the layer compute the same gradients."""
    name = NAMES[example.kind]
    weights = example.weights
    bias = (
        f"[{list(weights['bx'])}, {list(weights['bh'])}]" if "bx" in weights else list(weights["b"])
    )
    return "\n".join(
        (
            "import numpy as np",
            f"from scratchnet.layers import {name}",
            "",
            f'layer = {name}(1, return_sequences=True, dtype="float64")',
            f"x = np.array({list(example.x)}).reshape(1, 3, 1)",
            f"target = np.array({list(example.target)}).reshape(1, 3, 1)",
            "layer.build(x.shape)",
            f"layer.set_weights([[{list(weights['Wx'])}], [{list(weights['Wh'])}], {bias}])",
            "h = layer.forward(x, training=True)",
            "dx = layer.backward(h - target)",
            "np.set_printoptions(precision=4, suppress=True)",
            "print(h.ravel(), dx.ravel(), *layer.grads.values(), sep='\\n')",
        )
    )


def weight_rows(example: WorkedExample) -> list[tuple[str, str, list[str]]]:
    """Return, for each gate, its letter, its name and its weights."""
    from scratchnet.experiments.recurrence.by_hand import four

    return [
        (gate, said, [four(row[k]) for row in example.weights.values()])
        for k, (gate, said) in enumerate(GATES[example.kind].items())
    ]


def text(example: WorkedExample) -> str:
    """Return the example as plain text."""
    found = [title(example), "=" * len(title(example)), ""]
    for paragraph in introduction(example):
        found += [*textwrap.wrap(paragraph, WIDTH), ""]
    found.append(" " * 18 + "".join(f"{name:>10}" for name in example.weights))
    for gate, said, values in weight_rows(example):
        found.append(f"{gate}, {said:15}" + "".join(f"{value:>10}" for value in values))
    for section in example.sections:
        found += ["", section.title, "-" * len(section.title)]
        found += textwrap.wrap(section.remark, WIDTH)
        name = max(len(line.name) for line in section.lines)
        names = max(len(line.expression) for line in section.lines)
        for line in section.lines:
            left = f"{line.number:5}{line.name:>{name}} = {line.expression:<{names}}"
            found.append(left.rstrip())
            found.append(" " * (5 + name) + f" = {line.numbers} = {line.shown}")
    found += ["", "The layer computes the same:", "", check(example), ""]
    return "\n".join(found)


def html(example: WorkedExample) -> str:
    """Return the example as a self-contained page, light and dark."""
    return (
        templates("scratchnet.experiments.recurrence")
        .get_template("by_hand.html.j2")
        .render(
            example=example,
            title=title(example),
            introduction=introduction(example),
            weight_rows=weight_rows(example),
            check=check(example),
            coloured=coloured,
        )
    )


def coloured(expression: str) -> list[tuple[str, str]]:
    """Split an expression into pieces, each with its kind, for the style sheet."""
    pieces = re.findall(r"[A-Za-z_]\w*|\(-\d+\.\d+\)|\d+\.\d+|\d+|\s+|.", expression)
    return [(piece, _kind(piece)) for piece in pieces]


def _kind(piece: str) -> str:
    if piece in FUNCTIONS:
        return "function"
    if re.match(r"d[a-zA-Z]", piece):
        return "gradient"
    return "plain"
