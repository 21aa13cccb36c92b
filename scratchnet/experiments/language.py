"""A network that learns what comes next in a text: what every text experiment is made of.

Windows of L ids go through OneHot (or Embedding), one or more recurrent layers and a softmax over
the vocabulary; the target is the id behind the window.  Windows are views of one array of ids, and
a target is an id: nothing is ever made into one-hot rows but the batch at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet import optimizers
from scratchnet.arguments import (
    FRACTION_BELOW_1,
    NOT_NEGATIVE,
    POSITIVE,
    positive_integer,
    real,
    whole_number,
)
from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Language
from scratchnet.generation import Writer
from scratchnet.layers import GRU, LSTM, Dense, Embedding, OneHot, SimpleRNN
from scratchnet.model import Sequential
from scratchnet.random import set_random_seed
from scratchnet.text import Vocabulary, read_texts, windows

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": SimpleRNN}
UNKNOWN = "<unknown>"
PROMPTS = 16
"""Passages of the text that a run keeps, to start samples from."""


@dataclass(frozen=True)
class Settings:
    """What can be chosen; the defaults are those of the published character model."""

    text: tuple[str, ...] = ()
    """The user's own files."""
    encoding: str | None = None
    """Of the files; UTF-8 unless a byte order mark says otherwise."""
    max_lines: int | None = None
    """Read this many lines of each file at most."""
    keep_case: bool = False
    unit: str = "char"
    """``char`` or ``word``."""
    window: int = 40
    stride: int = 3
    """Ids from one window's beginning to the next one's."""
    cell: str = "lstm"
    units: int = 128
    layers: int = 1
    embedding: int = 0
    """Numbers that stand for an id; 0 for one-hot rows."""
    hidden: int = 0
    """Units of a relu layer before the softmax; 0 for none."""
    optimizer: str = "rmsprop"
    learning_rate: float = 0.01
    batch_size: int = 128
    validation: float = 0.0
    """Share of the text, its end, that is not trained on but watched."""
    samples: int = 400
    """Characters, or words, written at each temperature after each epoch."""
    temperatures: tuple[float, ...] = (0.2, 0.5, 1.0, 1.2)

    def checked(self) -> Settings:
        """Return the settings once they make sense.

        Raises
        ------
        InputError
            The first that does not is named.
        """
        for name, choices in (
            ("unit", ("char", "word")),
            ("cell", tuple(CELLS)),
            ("optimizer", ("rmsprop", "adam")),
        ):
            if (value := getattr(self, name)) not in choices:
                raise InputError(
                    f"--{name}: expected one of {', '.join(choices)}, got {str(value)[:40]!r}. "
                    "Name one of them."
                )
        for name in ("window", "stride", "units", "layers", "batch_size"):
            positive_integer("settings", name, getattr(self, name))
        for name in ("embedding", "hidden", "samples"):
            whole_number("settings", name, getattr(self, name))
        real("settings", "validation", self.validation, FRACTION_BELOW_1)
        real("settings", "learning_rate", self.learning_rate, POSITIVE)
        for temperature in self.temperatures:
            real("settings", "temperatures", temperature, NOT_NEGATIVE)
        return self


def build_model(
    vocabulary: int,
    window: int,
    cell: str = "lstm",
    units: int = 128,
    layers: int = 1,
    embedding: int = 0,
    hidden: int = 0,
    optimizer: str = "rmsprop",
    learning_rate: float = 0.01,
    *,
    name: str = "language",
    seed: int = 0,
    dtype: str = "float32",
) -> Sequential:
    """Return the network, built and compiled; the seed decides its first weights."""
    set_random_seed(seed)
    model = Sequential(name=name, dtype=dtype)
    model.add(Embedding(vocabulary, embedding) if embedding else OneHot(vocabulary))
    for number in range(layers):
        model.add(CELLS[cell](units, return_sequences=number < layers - 1))
    if hidden:
        model.add(Dense(hidden, activation="relu"))
    model.add(Dense(vocabulary, activation="softmax"))
    model.build((None, window))
    kind = {"rmsprop": optimizers.RMSprop, "adam": optimizers.Adam}[optimizer]
    model.compile(optimizer=kind(learning_rate), loss="sparse_categorical_crossentropy")
    return model


def problem(
    experiment: str,
    text: str,
    settings: Settings,
    seed: int,
    dtype: str,
    epochs: int,
    notes: Sequence[str] = (),
    measure: Callable[[Writer, Language], dict[str, Any]] | None = None,
) -> Problem:
    """Return what both engines are given to learn a text.

    Raises
    ------
    DataError
        If the text is shorter than a window, or has one symbol alone.
    InputError
        If a setting makes no sense.
    """
    settings = settings.checked()
    text = text if settings.keep_case else text.lower()
    unknown = UNKNOWN if settings.unit == "word" else None
    vocabulary = Vocabulary.of(text, settings.unit, unknown=unknown)
    ids = vocabulary.encode(text)
    what = "characters" if settings.unit == "char" else "words"
    _require_enough(ids, len(vocabulary) - (unknown is not None), settings, what)
    kept = len(ids) - round(settings.validation * len(ids))
    train = windows(ids[:kept], settings.window, settings.stride)
    validation = None
    if settings.validation:
        validation = windows(ids[kept:], settings.window, settings.stride)
    reader = Language(
        vocabulary,
        settings.window,
        not settings.keep_case,
        settings.temperatures,
        settings.samples,
        _prompts(vocabulary, train[0], seed),
    )
    architecture = {
        "vocabulary": len(vocabulary),
        **{
            name: getattr(settings, name)
            for name in ("window", "cell", "units", "layers", "embedding", "hidden")
        },
        "optimizer": settings.optimizer,
        "learning_rate": settings.learning_rate,
    }
    held_out = f", {len(validation[0]):,} of its end held out" if validation else ""
    read = (
        f"{len(ids):,} {what}, {len(vocabulary):,} different; {len(train[0]):,} windows of "
        f"{settings.window}{held_out}."
    )
    x_test, y_test = validation or train
    return Problem(
        experiment,
        *train,
        x_test,
        y_test,
        partial(build_model, **architecture, name=experiment, seed=seed, dtype=dtype),
        reader,
        settings.batch_size,
        epochs,
        seed,
        dtype,
        _as_json(settings),
        (*notes, read),
        validation=validation,
        architecture=architecture,
        files=settings.text,
        measure=None if measure is None else lambda writer: measure(writer, reader),
    )


def _as_json(settings: Settings) -> dict[str, Any]:
    """Return the settings that are set, lists in place of tuples."""
    found = {key: value for key, value in asdict(settings).items() if value is not None}
    return {key: list(v) if isinstance(v, tuple) else v for key, v in found.items()}


def chosen(published: Settings, options: dict[str, Any]) -> Settings:
    """Return the published settings with a user's in their place.

    Raises
    ------
    InputError
        If there is no such setting.
    """
    known = {field.name for field in fields(Settings)}
    for name in options.keys() - known:
        raise InputError(f"{name}: expected one of {', '.join(sorted(known))}. Leave it out.")
    merged = asdict(published) | options
    merged["text"] = tuple(str(Path(path).absolute()) for path in merged["text"])
    merged["temperatures"] = tuple(merged["temperatures"])
    return Settings(**merged)


def read(paths: Sequence[str | Path], settings: Settings) -> tuple[str, list[str]]:
    """Return the text of some files, and a sentence on each."""
    text, reports = read_texts(paths, settings.encoding, settings.max_lines)
    return text, [
        f"{one.path}: {one.characters:,} characters in {one.lines:,} "
        f"line{'s' if one.lines != 1 else ''}, {one.encoding}."
        for one in reports
    ]


def _require_enough(ids: Array, different: int, settings: Settings, what: str) -> None:
    """Raise unless there is something to learn, and to hold out, from these ids."""
    if different < 2:
        raise DataError(
            f"text: expected two or more different {what}, got {different}: there is nothing to "
            "predict. Give another text."
        )
    held_out = round(settings.validation * len(ids))
    shortest = min(held_out, len(ids) - held_out) if settings.validation else len(ids)
    if shortest <= settings.window:
        part = "each part of the text" if settings.validation else "a text"
        less = ", or --validation 0" if settings.validation else ""
        raise DataError(
            f"text: expected {part} to be longer than the window, {settings.window} {what}, got "
            f"{shortest}. Give a longer text, or a smaller --window{less}."
        )


def _prompts(vocabulary: Vocabulary, x: Array, seed: int) -> tuple[str, ...]:
    """Return different windows of the text, chosen by the seed."""
    rows = np.random.default_rng(seed).permutation(len(x))[: 4 * PROMPTS]
    found = dict.fromkeys(vocabulary.decode(x[row]) for row in rows)
    return tuple(found)[:PROMPTS]
