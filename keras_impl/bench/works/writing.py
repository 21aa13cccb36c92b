"""A character written by the char LSTM, as works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl import generation
from keras_impl.bench.floor import Product
from keras_impl.bench.race import FEWEST_UNITS, MOST_UNITS, Candidate, stepwise
from keras_impl.bench.works.engines import SCRATCH
from keras_impl.bench.works.work import DTYPE, Work
from keras_impl.parity.compare import FORWARD_TOLERANCE, Agreement, difference
from keras_impl.parity.oracle import keras_floats
from keras_impl.weights import to_keras
from scratchnet import Sequential
from scratchnet.backend import Array
from scratchnet.experiments import language
from scratchnet.generation import OneStep, Writer

VOCABULARY = 57
UNITS = 128
WINDOW = 40
CHARACTERS = 300
"""Written in a block, states carried."""
ONE_STEP = "Keras, one compiled step"
WHOLE_WINDOW = "Keras, model.predict on the window"
NO_DATA = "no data: the untrained network goes on with what it has written"


class PredictedWindow:
    """The published scripts' way of writing: ``model.predict`` on the last ids, every time."""

    def __init__(self, model: Sequential) -> None:
        self._twin = to_keras(model)
        self.reset()

    def reset(self) -> None:
        """Begin with a window of the first id."""
        self._window = np.zeros((1, WINDOW), dtype="int32")

    def feed(self, ids: Sequence[int]) -> Array:
        """Return log-probabilities (V,) of what follows: as good as logits to choose by."""
        self._window = np.append(self._window, np.array([ids], "int32"), axis=1)[:, -WINDOW:]
        return np.log(self._twin.predict(self._window, verbose=0)[0])


class StatefulModel:
    """A model made for one id at a time, whose layers keep their states: compiled, not by XLA."""

    def __init__(self, model: Sequential) -> None:
        self._twin = keras.Sequential([keras.Input(batch_shape=(1, 1), dtype="int32")])
        for layer in to_keras(model).layers:
            stateful = {"stateful": True} if isinstance(layer, generation.RECURRENT) else {}
            self._twin.add(type(layer).from_config({**layer.get_config(), **stateful}))
        self._twin.set_weights(model.get_weights())
        self._run = tf.function(
            lambda ids: self._twin(ids, training=False),
            input_signature=[tf.TensorSpec((1, 1), tf.int32)],
            autograph=False,
        ).get_concrete_function()

    def reset(self) -> None:
        """Set all states to zero again."""
        self._twin.reset_states()

    def feed(self, ids: Sequence[int]) -> Array:
        """Return log-probabilities (V,) of what follows."""
        for one in ids:
            probabilities = self._run(tf.constant([[one]]))
        return np.log(probabilities[0].numpy())


def _one_step(model: Sequential) -> Writer:
    return generation.OneStep(to_keras(model))


def _compiled_window(model: Sequential) -> Writer:
    return generation.sliding_window(to_keras(model), WINDOW)


Ways = dict[str, tuple[Callable[[Sequential], Writer], int]]
"""By name: what makes the writer, and the characters of a block."""

CARRIED: Ways = {
    ONE_STEP: (_one_step, CHARACTERS),
    SCRATCH: (OneStep, CHARACTERS),
    "Keras, a stateful model compiled": (StatefulModel, CHARACTERS),
}
SHOWN_AFRESH: Ways = {
    WHOLE_WINDOW: (PredictedWindow, FEWEST_UNITS),
    SCRATCH: (OneStep, CHARACTERS),
    "Keras, the window compiled": (_compiled_window, MOST_UNITS),
}


def generate() -> Work:
    """One character, the states carried from one to the next."""
    title = "one character of the char LSTM, state carried"
    return _writing("generate", title, CARRIED, ONE_STEP, (0.5, 0.2))


def generate_window() -> Work:
    """One character against what the tutorials do: the whole window, by ``model.predict``."""
    title = "the same against model.predict on the window of 40"
    return _writing("generate-window", title, SHOWN_AFRESH, WHOLE_WINDOW, (0.01, 0.003))


def _writing(name: str, title: str, ways: Ways, baseline: str, wanted: tuple[float, float]) -> Work:
    def build() -> Sequential:
        return language.build_model(VOCABULARY, WINDOW, units=UNITS)

    return Work(
        name,
        title,
        "character",
        *wanted,
        [Product(1, UNITS, 4 * UNITS), Product(1, UNITS, VOCABULARY)],
        lambda threads, peers: _writing_candidates(build(), ways),
        lambda threads, peers: _writing_agreement(build(), ways),
        baseline,
        NO_DATA,
    )


def _writing_candidates(model: Sequential, ways: Ways) -> list[Candidate]:
    found = []
    for name, (make, characters) in ways.items():
        with keras_floats(DTYPE):
            writer = make(model)
        block = stepwise(_following(writer), [(None, None)], characters)
        found.append(Candidate(name, _engine(name), block))
    return found


def _following(writer: Writer) -> Callable[[Any, Any], None]:
    """Return a step that writes the likeliest character after all before it."""
    last = 0

    def step(x: Any, y: Any) -> None:
        nonlocal last
        last = int(np.argmax(writer.feed([last])))

    return step


def _writing_agreement(model: Sequential, ways: Ways) -> list[Agreement]:
    """Hold what each way says after a window of random ids against scratchnet's whole window."""
    ids = np.random.default_rng(0).integers(0, VOCABULARY, WINDOW).tolist()
    reference = _log_probabilities(model.forward_with_logits(np.array([ids]))[0][0])
    found = []
    for name, (make, _) in ways.items():
        with keras_floats(DTYPE):
            said = _log_probabilities(make(model).feed(ids))
        what = f"{name}, log-probabilities after {WINDOW} characters"
        found.append(Agreement(what, difference(said, reference), FORWARD_TOLERANCE[DTYPE]))
    return found


def _log_probabilities(logits: Array) -> Array:
    logits = logits.astype("float64")
    return logits - np.logaddexp.reduce(logits)


def _engine(name: str) -> str:
    return name if name == SCRATCH else "Keras"
