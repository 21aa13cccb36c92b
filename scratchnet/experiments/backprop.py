r"""Backpropagation small enough to check by hand: two published worked examples, step by step.

`mazur_round` is one round of Mazur (2015), "A Step by Step Backpropagation Example": two inputs,
two sigmoid neurons, two sigmoid outputs, :math:`E = \sum \frac12 (target - out)^2`; its biases stay
as they are.  `hmkcode_round` is one of hmkcode (2018), "Backpropagation Step by Step": a linear
2-2-1 network without biases, :math:`E = \frac12 (prediction - actual)^2`.

Mazur's post gives the error after one round as 0.291027924.  Backpropagation gives 0.291027774; the
published figure appears when the hidden layer's gradient goes back through output weights that were
already updated, which the post itself warns of.  The error falls nearly as well that way, so
nothing looks wrong; central differences show it at once: ∂E/∂w1 is 17 % too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations.activations import sigmoid, sigmoid_backward
from scratchnet.equations.dense import dense, dense_backward
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Columns
from scratchnet.layers import Dense
from scratchnet.model import Sequential
from scratchnet.optimizers import SGD

# Mazur: a column of weights a neuron, as everywhere in scratchnet.
X = np.array([[0.05, 0.10]])  # (B, D) = (1, 2)
TARGET = np.array([[0.01, 0.99]])
W_HIDDEN = np.array([[0.15, 0.25], [0.20, 0.30]])  # [[w1, w3], [w2, w4]]
W_OUTPUT = np.array([[0.40, 0.50], [0.45, 0.55]])  # [[w5, w7], [w6, w8]]
B_HIDDEN = np.array([0.35, 0.35])
B_OUTPUT = np.array([0.60, 0.60])
LEARNING_RATE = 0.5
EPOCHS = 1000

# hmkcode
HMK_X = np.array([[2.0, 3.0]])
HMK_TARGET = np.array([[1.0]])
HMK_W_HIDDEN = np.array([[0.11, 0.12], [0.21, 0.08]])  # [[w1, w3], [w2, w4]]
HMK_W_OUTPUT = np.array([[0.14], [0.15]])  # [[w5], [w6]]
HMK_LEARNING_RATE = 0.05

AFTER_ONE_ROUND = "0.291027774"
"""What correct backpropagation makes of Mazur's network; the post prints 0.291027924."""


@dataclass(frozen=True)
class Round:
    """One round of training: forward, backward, update, with every array on the way."""

    out_hidden: Array
    out: Array
    errors: Array
    """Each output's share of the error."""
    dW_hidden: Array
    dW_output: Array
    W_hidden: Array
    """Updated."""
    W_output: Array
    """Updated."""

    @property
    def error(self) -> float:
        """The total error before the update."""
        return float(self.errors.sum())


def mazur_round(
    W_hidden: Array = W_HIDDEN, W_output: Array = W_OUTPUT, through_updated: bool = False
) -> Round:
    """Train Mazur's network for one round.

    Parameters
    ----------
    W_hidden, W_output
        Weights to start from, each (2, 2), one column a neuron.
    through_updated
        Make the mistake: send the gradient back through output weights already updated.
    """
    # Forward.
    net_hidden = dense(X, W_hidden, B_HIDDEN)
    out_hidden = sigmoid(net_hidden)
    net = dense(out_hidden, W_output, B_OUTPUT)
    out = sigmoid(net)
    errors = 0.5 * (TARGET - out) ** 2

    # Backward, from the error to each weight.
    dout = out - TARGET
    dnet = sigmoid_backward(dout, net, out)
    dout_hidden, dW_output, _ = dense_backward(dnet, out_hidden, W_output)
    new_W_output = W_output - LEARNING_RATE * dW_output
    if through_updated:
        dout_hidden, _, _ = dense_backward(dnet, out_hidden, new_W_output)
    dnet_hidden = sigmoid_backward(dout_hidden, net_hidden, out_hidden)
    _, dW_hidden, _ = dense_backward(dnet_hidden, X, W_hidden)
    new_W_hidden = W_hidden - LEARNING_RATE * dW_hidden

    return Round(out_hidden, out, errors, dW_hidden, dW_output, new_W_hidden, new_W_output)


def hmkcode_round(W_hidden: Array = HMK_W_HIDDEN, W_output: Array = HMK_W_OUTPUT) -> Round:
    """Train hmkcode's linear network, which has no biases and no activations, for one round."""
    # Forward.
    out_hidden = dense(HMK_X, W_hidden, None)
    out = dense(out_hidden, W_output, None)
    errors = 0.5 * (out - HMK_TARGET) ** 2

    # Backward.
    dout = out - HMK_TARGET
    dout_hidden, dW_output, _ = dense_backward(dout, out_hidden, W_output)
    _, dW_hidden, _ = dense_backward(dout_hidden, HMK_X, W_hidden)

    new_W_hidden = W_hidden - HMK_LEARNING_RATE * dW_hidden
    new_W_output = W_output - HMK_LEARNING_RATE * dW_output
    return Round(out_hidden, out, errors, dW_hidden, dW_output, new_W_hidden, new_W_output)


@dataclass(frozen=True)
class Number:
    """A computed number next to the one that was published."""

    name: str
    value: float
    published: str
    """As it was printed, so that its digits are known."""

    @property
    def difference(self) -> float:
        """Computed minus published."""
        return self.value - float(self.published)

    @property
    def shown(self) -> str:
        """The computed number with as many decimals as the published one has."""
        return f"{self.value:.{len(self.published.partition('.')[2])}f}"

    @property
    def agrees(self) -> bool:
        """Whether all printed digits are the same."""
        return self.shown == self.published


@dataclass(frozen=True)
class Result:
    """Every number of both examples, and what became of the one that is wrong."""

    mazur: tuple[Number, ...]
    hmkcode: tuple[Number, ...]
    after_one_round: Number
    """Mazur's error after one round of backpropagation, next to the post's figure: not the same."""
    through_updated: Number
    """The same through weights already updated: the post's figure."""
    dw1: float
    dw1_through_updated: float
    dw1_numeric: float
    """∂E/∂w1 by central differences, which decides between the two."""

    @property
    def ok(self) -> bool:
        """Whether every published figure is met and the wrong one explained."""
        return (
            all(number.agrees for number in (*self.mazur, *self.hmkcode, self.through_updated))
            and f"{self.after_one_round.value:.9f}" == AFTER_ONE_ROUND
        )


def run() -> Result:
    """Work both examples and set every number next to its published figure."""
    first = mazur_round()
    mistaken = mazur_round(through_updated=True)
    return Result(
        mazur=_mazur_numbers(first),
        hmkcode=_hmkcode_numbers(hmkcode_round()),
        after_one_round=_second_error("E_total after one round", first),
        through_updated=_second_error("… through updated weights", mistaken),
        dw1=first.dW_hidden.item(0, 0),
        dw1_through_updated=mistaken.dW_hidden.item(0, 0),
        dw1_numeric=_numeric_dw1(),
    )


def _second_error(name: str, first: Round) -> Number:
    return Number(name, mazur_round(first.W_hidden, first.W_output).error, "0.291027924")


def _numeric_dw1(step: float = 1e-5) -> float:
    nudge = np.array([[step, 0.0], [0.0, 0.0]])
    above, below = mazur_round(W_HIDDEN + nudge), mazur_round(W_HIDDEN - nudge)
    return (above.error - below.error) / (2 * step)


def _mazur_numbers(first: Round) -> tuple[Number, ...]:
    return (
        Number("out_h1", first.out_hidden.item(0, 0), "0.593269992"),
        Number("out_h2", first.out_hidden.item(0, 1), "0.596884378"),
        Number("out_o1", first.out.item(0, 0), "0.75136507"),
        Number("out_o2", first.out.item(0, 1), "0.772928465"),
        Number("E_o1", first.errors.item(0, 0), "0.274811083"),
        Number("E_o2", first.errors.item(0, 1), "0.023560026"),
        Number("E_total", first.error, "0.298371109"),
        Number("∂E/∂w5", first.dW_output.item(0, 0), "0.082167041"),
        Number("w5⁺", first.W_output.item(0, 0), "0.35891648"),
        Number("w6⁺", first.W_output.item(1, 0), "0.408666186"),
        Number("w7⁺", first.W_output.item(0, 1), "0.511301270"),
        Number("w8⁺", first.W_output.item(1, 1), "0.561370121"),
        Number("∂E/∂w1", first.dW_hidden.item(0, 0), "0.000438568"),
        Number("w1⁺", first.W_hidden.item(0, 0), "0.149780716"),
        Number("w2⁺", first.W_hidden.item(1, 0), "0.19956143"),
        Number("w3⁺", first.W_hidden.item(0, 1), "0.24975114"),
        Number("w4⁺", first.W_hidden.item(1, 1), "0.29950229"),
    )


def _hmkcode_numbers(first: Round) -> tuple[Number, ...]:
    second = hmkcode_round(first.W_hidden, first.W_output)
    return (
        Number("prediction", first.out.item(), "0.191"),
        Number("prediction after one round", second.out.item(), "0.26"),
    )


def problem(seed: int = 0, dtype: str = "float32", epochs: int | None = None) -> Problem:
    r"""Return Mazur's network for both engines to train; unlike in the post, its biases learn too.

    His :math:`\sum \frac12 (target - out)^2` over two outputs is the mean squared error.
    """

    def build_model() -> Sequential:
        layers = [Dense(2, activation="sigmoid"), Dense(2, activation="sigmoid")]
        model = Sequential(layers, name="backprop", dtype=dtype)
        model.build(X.shape)
        model.set_weights([W_HIDDEN, B_HIDDEN, W_OUTPUT, B_OUTPUT])
        model.compile(optimizer=SGD(LEARNING_RATE), loss="mean_squared_error")
        return model

    return Problem(
        experiment="backprop",
        x_train=X,
        y_train=TARGET,
        x_test=X,
        y_test=TARGET,
        build_model=build_model,
        reader=Columns(("i1", "i2"), ("o1", "o2")),
        batch_size=1,
        epochs=epochs or EPOCHS,
        seed=seed,
        dtype=dtype,
        notes=tuple(lines(run())),
        validation=(X, TARGET),
    )


def lines(result: Result) -> list[str]:
    """Return the whole comparison as plain text."""
    return [
        "Mazur: two inputs, two sigmoid neurons, two sigmoid outputs",
        *map(_line, result.mazur),
        _line(result.after_one_round),
        _line(result.through_updated),
        "The post's 0.291027924 comes from sending the gradient back through w5…w8 after they "
        "were updated.",
        f"∂E/∂w1 is {result.dw1:.9f}; that way it is {result.dw1_through_updated:.9f}; "
        f"central differences say {result.dw1_numeric:.9f}.",
        "hmkcode: two inputs, two linear neurons, one linear output",
        *map(_line, result.hmkcode),
    ]


def _line(number: Number) -> str:
    verdict = "agrees" if number.agrees else f"differs by {number.difference:+.1e}"
    return f"  {number.name:26} {number.shown:>12}   published {number.published:>12}   {verdict}"
