"""The small real runs that ``scratchnet step NAME`` shows.

The functions are those of `passes` and, about text, of `lessons`; what they call is the page,
`scratchnet.equations`, or the layers' loop over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet.arguments import positive_integer
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.experiments import backprop
from scratchnet.layers import GRU, LSTM, SimpleRNN
from scratchnet.model import Sequential
from scratchnet.optimizers import Adam
from scratchnet.stepper.cases import lessons, passes
from scratchnet.stepper.record import step
from scratchnet.stepper.recording import Recording
from scratchnet.text import sampling

TEXT = "the cat sat on the mat"
BATCH, FEATURES = 2, 3
MOST_PARAMETERS = 10_000
"""Of a model of somebody's; every array is on the page."""


@dataclass(frozen=True)
class Case:
    """One run to step through."""

    title: str
    explanation: str
    """One sentence."""
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of `step`."""

    def record(self) -> Recording:
        """Run it and return the recording."""
        recording = step(self.function, *self.arguments, title=self.title, **self.options)
        recording.explanation = self.explanation
        return recording


def case(name: str, *, time: int = 6, units: int = 4, seed: int = 0) -> Case:
    """Return one of `cases`.

    Raises
    ------
    InputError
        If there is none of this name, or a size is not a positive whole number.
    """
    every = cases(time=time, units=units, seed=seed)
    if name not in every:
        raise InputError(f"step: expected one of {', '.join(every)}, got {name!r}")
    return every[name]


def cases(*, time: int = 6, units: int = 4, seed: int = 0) -> dict[str, Case]:
    """Return every case by its name.

    Parameters
    ----------
    time
        Time steps of the recurrent ones; characters, draws or steps of others.
    units
        Units of the layers.
    seed
        Of the weights and inputs, which are the same whichever case is asked for.
    """
    T = positive_integer("step", "time", time)
    H = positive_integer("step", "units", units)

    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    return {
        "onehot": _onehot(T),
        "windows": _windows(T),
        "perceptron": _perceptron(rng()),
        "dense": _dense(H, rng()),
        "backprop": _backprop(),
        "rnn": _recurrent(SimpleRNN, "A simple recurrent network", T, H, rng()),
        "lstm": _recurrent(LSTM, "A long short-term memory", T, H, rng()),
        "gru": _recurrent(GRU, "A gated recurrent unit", T, H, rng()),
        "softmax": _softmax(H, rng()),
        "sample": _sample(T, rng()),
        "adam": _adam(T),
        "markov": _markov(T),
    }


def of_model(model: Sequential, x: Array, rng: np.random.Generator, title: str) -> Case:
    """Return one way through a built model and back, from a random gradient of its output.

    Raises
    ------
    InputError
        If its arrays are too many to be shown.
    """
    count = model.count_params()
    if count > MOST_PARAMETERS:
        biggest = max(model.layers, key=lambda layer: layer.count_params())
        raise InputError(
            f"step: expected a model of at most {MOST_PARAMETERS:,} parameters, which a page can "
            f"show, got {count:,}, of which {biggest.name!r} has {biggest.count_params():,}. Step "
            "through one of the same layers with fewer units, or a smaller vocabulary."
        )
    shape: Any = x.shape
    for layer in model.layers:
        shape = layer.compute_output_shape(shape)
    names = ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in model.layers)
    return Case(
        title,
        f"One way forward and back through {names}, with the model's own weights.",
        passes.model_pass,
        (model.layers, x, rng.standard_normal(shape).astype(model.dtype)),
    )


def _onehot(T: int) -> Case:
    return Case(
        "Text to one-hot rows",
        "A network sees no letters: every character becomes the number of its place in the "
        "vocabulary, and then a row that is 1 in that place and 0 elsewhere.",
        lessons.one_hot,
        (_text(T),),
    )


def _windows(T: int) -> Case:
    ids, _ = _ids(_text(T + 6))
    return Case(
        "A sequence cut into windows",
        "To learn what comes next, a sequence is cut into overlapping windows, each with the one "
        "id that follows it.",
        lessons.windows,
        (ids, T // 2 + 1, 2),
    )


def _perceptron(rng: np.random.Generator) -> Case:
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Case(
        "A perceptron learns AND",
        "Right answers change nothing; a wrong one moves the boundary towards its example.",
        passes.perceptron_epochs,
        (X, np.array([0.0, 0.0, 0.0, 1.0]), rng.normal(0, 0.01, 2), 0.0, 1.0),
    )


def _dense(H: int, rng: np.random.Generator) -> Case:
    x, W = rng.standard_normal((BATCH, FEATURES)), rng.standard_normal((FEATURES, H))
    return Case(
        "A dense layer, there and back",
        "Every unit weighs all inputs, adds its bias and bends the sum; going back, the same "
        "weights hand the blame to the inputs.",
        passes.dense_pass,
        (x, W, rng.standard_normal(H), rng.standard_normal((BATCH, H))),
    )


def _backprop() -> Case:
    return Case(
        "One round of backpropagation, in Mazur's numbers",
        "Two inputs, two hidden and two output neurons: the error goes back through both layers "
        "before any weight moves.",
        passes.mazur_round,
        (
            backprop.X,
            backprop.TARGET,
            backprop.W_HIDDEN,
            backprop.B_HIDDEN,
            backprop.W_OUTPUT,
            backprop.B_OUTPUT,
            backprop.LEARNING_RATE,
        ),
    )


def _recurrent(
    kind: Callable[..., Any], title: str, T: int, H: int, rng: np.random.Generator
) -> Case:
    x = rng.standard_normal((BATCH, T, FEATURES))
    layer = kind(H, return_sequences=True, page=True, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    return Case(
        f"{title} over {T} time steps",
        "One step's equations run for every time step, from the first to the last, and their "
        "backward from the last to the first.",
        passes.recurrent_pass,
        (layer, x, rng.standard_normal((BATCH, T, H))),
    )


def _softmax(H: int, rng: np.random.Generator) -> Case:
    y_true = np.eye(H)[rng.integers(H, size=BATCH)]
    return Case(
        "Softmax and cross-entropy",
        "Any numbers become probabilities that add up to 1; with the cross-entropy behind it, the "
        "gradient is no more than what was said minus what is true.",
        passes.softmax_pass,
        (rng.standard_normal((BATCH, H)), y_true),
    )


def _sample(T: int, rng: np.random.Generator) -> Case:
    logits = np.array([2.0, 1.0, 0.2, -1.0])
    us = [round(u, 4) for u in rng.random(T).tolist()]
    return Case(
        "Sampling at three temperatures",
        "The same random numbers pick the likely id nearly always when it is cold, and almost "
        "anything when it is hot.",
        lessons.sample_at_temperatures,
        (logits, [0.2, 1.0, 5.0], us),
        options={"modules": (lessons.__name__, sampling.__name__)},
    )


def _adam(T: int) -> Case:
    return Case(
        "Adam on a valley a hundred times steeper one way",
        "Each weight's step is its mean gradient over the root of its mean square, so the steep "
        "and the flat direction move alike.",
        passes.descend,
        (Adam(0.1), np.array([1.0, 1.0]), np.array([100.0, 1.0]), T),
        options={"modules": (passes.__name__, "scratchnet.optimizers.adam")},
    )


def _markov(T: int) -> Case:
    ids, V = _ids(_text(T + 6))
    return Case(
        "A Markov chain of characters",
        "Count what followed each character; a row of counts over its sum says how likely each "
        "next character is.",
        lessons.markov,
        (ids, 1, V),
    )


def _text(length: int) -> str:
    return (TEXT * (length // len(TEXT) + 1))[:length]


def _ids(text: str) -> tuple[Array, int]:
    vocabulary = sorted(set(text))
    return np.array([vocabulary.index(character) for character in text]), len(vocabulary)
