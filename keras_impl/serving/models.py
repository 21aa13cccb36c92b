"""What a run serves: its network in Keras, and how requests become its input."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_impl.generation import OneStep
from keras_impl.serving.schemas import Prediction
from keras_impl.serving.work import Check
from keras_impl.weights import to_keras
from scratchnet import runs
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.experiments.readers import Chain, Columns, Language, Reviews
from scratchnet.runs.writing import pieces
from scratchnet.text import Sampler, split_words

BATCH = 64
"""Rows that are computed without a look at the clock."""
PROMPT_STEPS = 256
"""Ids of a prompt that are read without one."""


class Predictor:
    """Rows of a table, or texts, to predictions.

    Parameters
    ----------
    twin : keras.Model
        The run's network.
    reader : Columns or Reviews
        The run's, so that what was trained on and what is served are read alike.
    """

    def __init__(self, twin: keras.Model, reader: Columns | Reviews) -> None:
        self.reader = reader
        self._twin = twin
        dtype = "int32" if isinstance(reader, Reviews) else "float64"  # of the reader's inputs
        for count in (1, 2):  # compiled now, for any number of rows
            twin.predict_on_batch(np.zeros((count, *twin.input_shape[1:]), dtype))

    def inputs(self, rows: Sequence[Any]) -> Array:
        """Return the network's input for what a request has.

        Raises
        ------
        InputError
            If a text has no word that the network knows.
        """
        if isinstance(self.reader, Reviews):
            return np.concatenate([_review(self.reader, i, text) for i, text in enumerate(rows)])
        listed = [list(row.values()) if isinstance(row, dict) else row for row in rows]
        names = list(self.reader.features)
        frame = pd.DataFrame(listed, columns=names, dtype="float64")
        needed = frame[[name for name in names if name not in self.reader.fill]]
        for name in needed.columns[needed.isna().any()]:
            raise InputError(f"rows: expected a number for {name} in each, got null. Send one.")
        return self.reader.inputs(frame)

    def predictions(self, x: Array, check: Check) -> Iterator[Prediction]:
        """Yield the prediction of each row of the network's input.

        Raises
        ------
        InputError
            If an output is not finite.
        """
        for start in range(0, len(x), BATCH):
            check()
            outputs = self._twin.predict_on_batch(x[start : start + BATCH])
            for i, row in enumerate(outputs.astype("float64"), start):
                yield self._prediction(i, row)

    def _prediction(self, i: int, row: Array) -> Prediction:
        if not np.isfinite(row).all():
            raise InputError(
                f"rows[{i}]: expected numbers that give a finite output, got others. Send smaller "
                "ones."
            )
        reader = self.reader
        outputs = dict(zip(reader.outputs, row.tolist(), strict=True))
        classes = None
        if reader.cut_off is not None:
            classes = {name: int(value > reader.cut_off) for name, value in outputs.items()}
        return Prediction(outputs=outputs, classes=classes)


class Writers:
    """Networks that write, one for each text that is being written.

    They share their weights; each has states of its own, and is compiled when it is first needed.
    """

    def __init__(self, twin: keras.Model, reader: Language) -> None:
        self.reader = reader
        self._twin = twin
        self._idle: queue.SimpleQueue[OneStep] = queue.SimpleQueue()
        with self._borrowed():
            pass  # the first is ready before anyone asks

    def unknown(self, prompt: str) -> list[str]:
        """Return the words of a prompt that stand for nothing the network knows.

        Raises
        ------
        InputError
            If it has no word, or a character that the network does not know.
        """
        vocabulary, unit = self.reader.vocabulary, self.reader.vocabulary.unit_name
        read = prompt.lower() if self.reader.lower_case else prompt
        symbols = dict.fromkeys(split_words(read) if vocabulary.unit == "word" else read)
        unknown = [symbol for symbol in symbols if symbol not in vocabulary]
        if not symbols or (unknown and vocabulary.unknown is None):
            got = ", ".join(map(repr, unknown[:10])) or "none"
            raise InputError(
                f"prompt: expected one or more {unit}s that the run's text has, got {got}. Leave "
                "out what it does not have."
            )
        return unknown

    def pieces(self, prompt: str, sampler: Sampler, length: int, check: Check) -> Iterator[str]:
        """Yield what follows a prompt, as ``scratchnet generate`` writes it."""
        with self._borrowed() as writer:
            yield from pieces(_Checked(writer, check), self.reader, prompt, sampler, length)

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[OneStep]:
        try:
            writer = self._idle.get_nowait()
        except queue.Empty:
            writer = OneStep(self._twin)
        try:
            yield writer
        finally:
            self._idle.put(writer)


class _Checked:
    """A writer that looks up between its steps whether anyone still reads."""

    def __init__(self, writer: OneStep, check: Check) -> None:
        self._check = check
        self._writer = writer
        self.reset = writer.reset

    def feed(self, ids: Sequence[int]) -> Array:
        """Read ids; return the logits after the last."""
        for start in range(0, len(ids), PROMPT_STEPS):
            self._check()
            logits = self._writer.feed(ids[start : start + PROMPT_STEPS])
        return logits


@dataclass(frozen=True)
class Served:
    """A run that is ready to answer."""

    name: str
    run: runs.Run
    model: Predictor | Writers

    @property
    def path(self) -> str:
        """Where requests go."""
        return "/predict" if isinstance(self.model, Predictor) else "/generate"


def load(folder: str | Path) -> Served:
    """Return what a run serves, whichever engine trained it.

    Raises
    ------
    InputError, DataError, CheckpointError
        If there is no run, it has no model, or it is one that only counted.
    """
    run = runs.read(folder)
    reader = run.reader
    if isinstance(reader, Chain):
        raise InputError(
            f"{folder}: expected a run that trained a network, got one of {run.experiment}. Let a "
            "chain write with scratchnet generate."
        )
    twin = to_keras(runs.load_model(folder, reader))
    model = Writers(twin, reader) if isinstance(reader, Language) else Predictor(twin, reader)
    return Served(Path(folder).resolve().name, run, model)


def _review(reviews: Reviews, i: int, text: str) -> Array:
    try:
        return reviews.inputs([text])
    except InputError as error:
        raise InputError(f"texts[{i}]: {str(error).removeprefix('review: ')}") from None
