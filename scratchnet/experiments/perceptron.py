"""Rosenblatt's perceptron on the truth tables: AND and OR are learned, XOR cannot be.

The figure of section 6: a line separates the ones from the zeros of AND and of OR, and none does
for XOR (Minsky & Papert 1969), which is what hidden layers are for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Columns
from scratchnet.layers import Dense
from scratchnet.model import Sequential
from scratchnet.perceptron import Perceptron

INPUTS = ((0, 0), (0, 1), (1, 0), (1, 1))
LABELS = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "XOR": (0, 1, 1, 0)}

LEARNING_RATE = 0.1
EPOCHS = 100

NO_LINE = (
    "no line separates the ones of XOR from its zeros. (0,0) needs b < 0; (0,1) and (1,0) need "
    "w2 + b >= 0 and w1 + b >= 0; added up, w1 + w2 + b >= -b > 0, so (1,1) is given 1, not 0"
)


@dataclass(frozen=True)
class Gate:
    """A truth table, and the perceptron that tried to learn it."""

    name: str
    X: Array
    """The four pairs of bits, (4, 2)."""
    y: Array
    """What the gate makes of each, (4,)."""
    perceptron: Perceptron

    @property
    def predictions(self) -> Array:
        """What the perceptron makes of each pair, (4,)."""
        return self.perceptron.predict(self.X)

    @property
    def learned(self) -> bool:
        """Whether all four answers are right."""
        return bool((self.predictions == self.y).all())


def run(seed: int | None = 0, epochs: int = EPOCHS) -> dict[str, Gate]:
    """Train one perceptron a gate, from small random weights, and return the gates by name."""
    return {name: learn(name, seed, epochs) for name in LABELS}


def learn(name: str, seed: int | None = 0, epochs: int = EPOCHS) -> Gate:
    """Train a perceptron on the truth table of AND, OR or XOR."""
    X, y = np.array(INPUTS, dtype=float), np.array(LABELS[name])
    unit = Perceptron(learning_rate=LEARNING_RATE, seed=seed).fit(X, y, epochs=epochs)
    return Gate(name, X, y, unit)


def problem(seed: int = 0, dtype: str = "float32", epochs: int | None = None) -> Problem:
    """Return the three gates as one problem, an output a gate; there is no gradient to follow."""
    gates = run(seed, epochs or EPOCHS)
    X = np.array(INPUTS, dtype=float)
    y = np.array(list(LABELS.values()), dtype=float).T

    def build_model() -> Sequential:
        model = Sequential([Dense(len(gates), activation="heaviside")], dtype=dtype)
        model.build(X.shape)
        units = [gate.perceptron for gate in gates.values()]
        weights = np.stack([unit.weights for unit in units], axis=1)
        model.set_weights([weights, np.array([unit.bias for unit in units])])
        return model

    return Problem(
        experiment="perceptron",
        x_train=X,
        y_train=y,
        x_test=X,
        y_test=y,
        build_model=build_model,
        reader=Columns(("x1", "x2"), tuple(LABELS), cut_off=0.5),
        batch_size=1,
        epochs=epochs or EPOCHS,
        seed=seed,
        dtype=dtype,
        notes=tuple(lines(gates)),
        trained=True,
    )


def lines(gates: dict[str, Gate]) -> list[str]:
    """Return what happened, a line a gate and the reason for XOR, as plain text."""
    return [*map(_line, gates.values()), f"Why: {NO_LINE}."]


def _line(gate: Gate) -> str:
    unit = gate.perceptron
    answers = " ".join(str(answer) for answer in gate.predictions)
    effort = f"{sum(unit.mistakes)} corrections, {unit.epochs_run} epochs"
    if not gate.learned:
        return f"{gate.name:3}  {answers}  NOT learned ({effort})"
    (w1, w2), b = unit.weights, unit.bias
    return f"{gate.name:3}  {answers}  learned ({effort}): {w1:.3f} x1 {w2:+.3f} x2 {b:+.3f} >= 0"
