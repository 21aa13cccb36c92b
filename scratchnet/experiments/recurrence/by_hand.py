r"""Backpropagation through time small enough for a pocket calculator: one LSTM or GRU unit.

What Mazur's worked example is for dense layers (`scratchnet.experiments.backprop`): one unit, one
input, three steps, :math:`L = \sum_t \frac12 (h_t - target_t)^2`, forward, backward and one update
of the weights.  Every number is what the real step of `scratchnet.equations` had in its variable of
that name; the equation beside it is that step's line for a single unit.  Numbers are kept exact and
printed with four decimals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scratchnet.errors import InputError
from scratchnet.experiments.recurrence import equations as page
from scratchnet.experiments.recurrence.runs import UNITS, Numbers, Run, Unit, run

LEARNING_RATE = 0.5


@dataclass(frozen=True)
class Line:
    """One equation, with the numbers that go in and the one that comes out."""

    number: str
    """Of the equation in the page's docstring, as in ``(4')``; empty where it has none."""
    name: str
    expression: str
    """The right-hand side, in names, as a Python expression."""
    operands: Mapping[str, float]
    """The value of each name in the expression."""
    value: float
    """What the real step computed."""

    @property
    def numbers(self) -> str:
        """The expression with the printed operands in place of their names."""
        filled = re.sub(
            r"[A-Za-z_]\w*",
            lambda found: (
                _operand(self.operands[found[0]]) if found[0] in self.operands else found[0]
            ),
            self.expression,
        )
        return re.sub(r"\((\(-[\d.]+\))\)", r"\1", filled)  # sigmoid((-0.3)) needs one pair

    @property
    def shown(self) -> str:
        """The result as it is printed."""
        return four(self.value)


@dataclass(frozen=True)
class Section:
    """Some equations under one title."""

    title: str
    remark: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class WorkedExample:
    """Three steps forward, three back and one update of one recurrent unit.

    ``text()`` is for a terminal, ``html()`` a page of its own that needs no network.
    """

    kind: str
    """``lstm`` or ``gru``."""
    x: tuple[float, ...]
    target: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]
    """Initial weights, gate by gate, by the names of the equations."""
    gradients: Mapping[str, tuple[float, ...]]
    sections: tuple[Section, ...]
    losses: tuple[float, float]
    """Before and after the update."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """All equations in the order in which they are computed."""
        return tuple(line for section in self.sections for line in section.lines)

    def text(self) -> str:
        """Return the example as plain text."""
        from scratchnet.experiments.recurrence.pages import text

        return text(self)

    def html(self) -> str:
        """Return the example as a self-contained page."""
        from scratchnet.experiments.recurrence.pages import html

        return html(self)


def four(value: float) -> str:
    """Return a number with four decimals; what rounds to zero has no sign."""
    shown = f"{value:.4f}"
    return "0.0000" if shown == "-0.0000" else shown


def _operand(value: float) -> str:
    shown = four(value)
    return f"({shown})" if shown.startswith("-") else shown


def worked_example(kind: str) -> WorkedExample:
    """Work one LSTM or GRU unit through three steps.

    Parameters
    ----------
    kind
        ``lstm`` or ``gru`` (with the reset gate after the product).

    Raises
    ------
    InputError
        If it is another one.
    """
    if kind not in UNITS:
        raise InputError(
            f"worked_example: expected one of {', '.join(UNITS)}, got {kind!r}. Choose one."
        )
    unit = UNITS[kind]
    first = run(unit, unit.weights)
    updated = {
        name: tuple(
            w - LEARNING_RATE * dw for w, dw in zip(row, first.gradients[name], strict=True)
        )
        for name, row in unit.weights.items()
    }
    second = run(unit, updated)
    return WorkedExample(
        kind, unit.x, unit.target, unit.weights, first.gradients,
        tuple(_sections(unit, first, updated, second.loss)), (first.loss, second.loss),
    )  # fmt: skip


def _sections(
    unit: Unit, found: Run, updated: Mapping[str, tuple[float, ...]], loss_after: float
) -> list[Section]:
    sections = []
    steps = range(1, len(unit.x) + 1)
    for t, numbers in zip(steps, found.forward, strict=True):
        loss = page.LOSS._replace(name=f"L_{t}")
        lines = [_line(equation, numbers) for equation in (*unit.forward_lines, loss)]
        given = f"x = {four(unit.x[t - 1])}, target = {four(unit.target[t - 1])}; " + page.BEFORE[
            "first" if t == 1 else "later"
        ][len(unit.states) - 1].format(t=t - 1)
        sections.append(Section(f"Forward, step {t}", given, tuple(lines)))
    losses = {f"L_{t}": numbers["L"] for t, numbers in zip(steps, found.forward, strict=True)}
    total = Line("", "L", " + ".join(losses), losses, found.loss)
    sections.append(Section("The loss", "The sum over the steps.", (total,)))

    for t in reversed(steps):
        numbers = {**found.forward[t - 1], **found.backward[t - 1]}
        lines = [_line(equation, numbers) for equation in unit.backward_lines]
        remark = page.ARRIVING["last" if t == len(unit.x) else "earlier"][len(unit.states) - 1]
        sections.append(Section(f"Backward, step {t}", remark.format(t=t + 1), tuple(lines)))

    gate = unit.gates[0]
    sections.append(
        Section(
            "The gradients of the weights",
            "The same weights were used at every step, so their gradients add up; "
            f"da_{gate}_2 is step 2's da_{gate}.",
            tuple(_gradient_lines(unit, found)),
        )
    )
    sections.append(
        Section(
            "One step of gradient descent",
            f"With learning rate {LEARNING_RATE:g}. The loss falls from {four(found.loss)} to "
            f"{four(loss_after)}: work through the three steps again with the new weights.",
            tuple(_update_lines(unit, found, updated)),
        )
    )
    return sections


def _line(equation: page.Equation, numbers: Numbers) -> Line:
    names = set(re.findall(r"[A-Za-z_]\w*", equation.expression)) - page.FUNCTIONS
    operands = {name: numbers[name] for name in sorted(names)}
    value = numbers[equation.value or equation.name]
    return Line(equation.number, equation.name, equation.expression, operands, value)


def _gradient_lines(unit: Unit, found: Run) -> list[Line]:
    lines = []
    for name, (number, dname, factor) in unit.weight_lines.items():
        for k, gate in enumerate(unit.gates):
            gradient = page.GATE_GRADIENTS.get((dname, gate), f"{dname}_{gate}")
            terms, operands = [], {}
            for t, (forward, backward) in enumerate(
                zip(found.forward, found.backward, strict=True), start=1
            ):
                operands[f"{gradient}_{t}"] = backward[gradient]
                terms.append(f"{gradient}_{t}")
                if factor:
                    held = f"{factor}_{t}"
                    operands[held] = forward[factor]
                    terms[-1] += f" * {held}"
            lines.append(
                Line(
                    number, f"d{name}_{gate}", " + ".join(terms), operands,
                    found.gradients[name][k],
                )
            )  # fmt: skip
    return lines


def _update_lines(unit: Unit, found: Run, updated: Mapping[str, tuple[float, ...]]) -> list[Line]:
    lines = []
    for name, row in unit.weights.items():
        for k, gate in enumerate(unit.gates):
            operands = {
                f"{name}_{gate}": row[k], "rate": LEARNING_RATE,
                f"d{name}_{gate}": found.gradients[name][k],
            }  # fmt: skip
            expression = f"{name}_{gate} - rate * d{name}_{gate}"
            lines.append(Line("", f"new {name}_{gate}", expression, operands, updated[name][k]))
    return lines
