"""Everything of ours that has a gradient, small: what ``scratchnet verify --all`` goes through."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet import losses
from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Subject
from scratchnet.gradcheck.subjects.own_layer import LayerSubject
from scratchnet.gradcheck.subjects.own_loss import LossSubject
from scratchnet.gradcheck.subjects.own_model import ModelSubject
from scratchnet.gradcheck.subjects.own_shared import random_numbers
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    Masking,
    SimpleRNN,
    TimeDistributed,
)
from scratchnet.layers.activation import FORWARD
from scratchnet.model import Sequential

B, T, D, H = 5, 4, 2, 3
"""Batch, time, features, units: all different, and a row for every kind of mask."""

BOTH = (True, False)
RECURRENT: dict[str, Callable[..., Layer]] = {
    "SimpleRNN": SimpleRNN,
    "LSTM": LSTM,
    "GRU": GRU,
    "GRU, reset before": functools.partial(GRU, reset_after=False),
}
DROPOUT: dict[str, dict[str, float]] = {
    "": {},
    "dropout": {"dropout": 0.3},
    "recurrent_dropout": {"recurrent_dropout": 0.3},
    "both dropouts": {"dropout": 0.3, "recurrent_dropout": 0.4},
}
RECURRENT_FACTORS: dict[str, Sequence[Any]] = {
    "dtype": ("float64", "float32"),
    "page": BOTH,
    "masked": BOTH,
    "rates": tuple(DROPOUT),
    "return_sequences": BOTH,
    "return_state": BOTH,
    "initial_state": BOTH,
    "use_bias": BOTH,
    "go_backwards": BOTH,
    "stateful": BOTH,
    "zero_output_for_mask": BOTH,
}
BIDIRECTIONAL_FACTORS: dict[str, Sequence[Any]] = {
    "layer": tuple(RECURRENT),
    "merge_mode": ("concat", "sum", "mul", "ave", None),
    "page": BOTH,
    "masked": BOTH,
    "return_sequences": BOTH,
    "return_state": BOTH,
    "initial_state": BOTH,
}
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None)
LOSSES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((name, {}) for name in losses.__all__ if name not in ("Loss", "get")),
    ("Huber", {"delta": 0.3}),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"axis": 1}),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}),
)


@dataclass(frozen=True)
class Case:
    """Something to check.

    Attributes
    ----------
    name : str
        The layer, activation, loss or model.
    label : str
        Its options.
    make : function of no arguments
        Returns the subject.
    """

    name: str
    label: str
    make: Callable[[], Subject]


def everything() -> Iterator[Case]:
    """Yield every layer with its options in pairs, every activation, every loss, some models."""
    yield from _plain_layers()
    for name in RECURRENT:
        yield from _recurrent(name)
    for row in pairwise(BIDIRECTIONAL_FACTORS):
        yield Case("Bidirectional", label(row), functools.partial(_bidirectional, row))
    for name in FORWARD:
        yield from _activation(name)
    for name, options in LOSSES:
        yield from _loss(name, options)
    yield from _models()


def pairwise(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return rows of options, always the same, in which every pair of two options' values is."""
    names = list(factors)
    missing = {
        pair
        for (i, one), (j, other) in itertools.combinations(enumerate(names), 2)
        for pair in itertools.product(
            [(i, value) for value in factors[one]], [(j, value) for value in factors[other]]
        )
    }
    rng = np.random.default_rng(0)
    rows = []
    while missing:
        drawn = [
            [values[int(rng.integers(len(values)))] for values in factors.values()]
            for _ in range(200)
        ]
        covered = [set(itertools.combinations(enumerate(row), 2)) & missing for row in drawn]
        best = max(range(len(drawn)), key=lambda i: len(covered[i]))
        if covered[best]:
            rows.append(dict(zip(names, drawn[best], strict=True)))
            missing -= covered[best]
    return rows


def label(options: Mapping[str, Any]) -> str:
    """Return options in one line: those that are on, and the values of the others."""
    words = [key for key, value in options.items() if value is True]
    words += [f"{value}" for value in options.values() if isinstance(value, str) and value]
    words += [
        f"{key}={value}" for key, value in options.items() if not isinstance(value, (bool, str))
    ]
    return ", ".join(words)


def mask() -> Array:
    """Return a mask (B, T): rows padded left and right, with holes, wholly, and not at all."""
    rows = [[0, 0, 1, 1], [1, 1, 1, 0], [1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]]
    return np.array(rows, bool)


def _plain_layers() -> Iterator[Case]:
    for dtype in ("float64", "float32"):
        for layer, shape, what in (
            (Dense(H, dtype=dtype), (B, D), ""),
            (Dense(H, "tanh", use_bias=False, dtype=dtype), (B, T, D), "tanh, no bias, sequences"),
            (Dense(H, "softmax", dtype=dtype), (B, D), "softmax"),
            (Embedding(6, H, dtype=dtype), (B, T), ""),
            (Embedding(6, H, mask_zero=True, dtype=dtype), (B, T), "mask_zero"),
            (Dropout(0.4, seed=3, dtype=dtype), (B, D), ""),
            (Dropout(0.4, (None, 1, None), 3, dtype=dtype), (B, T, D), "noise_shape"),
            (Flatten(dtype=dtype), (B, T, D), ""),
            (Masking(dtype=dtype), (B, T, D), ""),
            (TimeDistributed(Dense(H, "tanh", dtype=dtype)), (B, T, D), "Dense"),
            (TimeDistributed(LSTM(H, dtype=dtype)), (3, 2, T, D), "LSTM"),
            (TimeDistributed(Embedding(6, H, dtype=dtype)), (B, T, D), "Embedding"),
            (TimeDistributed(Dropout(0.4, seed=3, dtype=dtype)), (B, T, D), "Dropout"),
        ):
            words = ", ".join(word for word in (what, dtype) if word)
            make = functools.partial(LayerSubject, layer, shape)
            yield Case(type(layer).__name__, words, make)


def _recurrent(name: str) -> Iterator[Case]:
    for row in pairwise(RECURRENT_FACTORS):
        options = {key: row[key] for key in row if key not in ("masked", "rates", "initial_state")}
        options |= {**DROPOUT[row["rates"]], "seed": 3}
        make = functools.partial(_sequence_subject, RECURRENT[name], options, row)
        yield Case(name, label(row), make)


def _sequence_subject(
    make: Callable[..., Layer], options: Mapping[str, Any], row: Mapping[str, Any]
) -> Subject:
    live = mask() if row["masked"] else None
    layer = make(H, **options)
    return LayerSubject(layer, (B, T, D), mask=live, initial_state=row["initial_state"])


def _bidirectional(row: Mapping[str, Any]) -> Subject:
    own = {key: row[key] for key in ("page", "return_sequences", "return_state")}
    layer = Bidirectional(RECURRENT[row["layer"]](2, dtype="float64", **own), row["merge_mode"])
    live = mask()[1:4] if row["masked"] else None
    return LayerSubject(layer, (3, T, 1), mask=live, initial_state=row["initial_state"])


def _activation(name: str) -> Iterator[Case]:
    for dtype in ("float64", "float32"):
        make = functools.partial(LayerSubject, Activation(name, dtype=dtype), (B, H))
        yield Case(f"Activation {name}", dtype, make)


def _loss(name: str, options: Mapping[str, Any]) -> Iterator[Case]:
    for reduction in REDUCTIONS:
        loss = getattr(losses, name)(**options, reduction=reduction)
        words = label({**options, "reduction": reduction})
        make = functools.partial(LossSubject, loss, (B, T, D + 1))
        yield Case(name, words, make)


def _models() -> Iterator[Case]:
    classes = 4
    stacked: dict[str, Any] = {"return_sequences": True}
    for what, loss, layers, shape in (
        ("Dense", "binary_crossentropy", [Dense(4, "tanh"), Dense(1, "sigmoid")], (B, D)),
        ("softmax", "categorical_crossentropy", [Dense(classes, "softmax")], (B, D)),
        (
            "stacked LSTM",
            "sparse_categorical_crossentropy",
            [
                Embedding(6, D, mask_zero=True),
                LSTM(H, dropout=0.3, seed=3, **stacked),
                Dropout(0.3, seed=4),
                LSTM(2),
                Dense(classes, "softmax"),
            ],
            (B, T),
        ),
        (
            "Bidirectional GRU",
            "mse",
            [
                Masking(),
                Bidirectional(GRU(H, **stacked)),
                TimeDistributed(Dense(2, "tanh")),
            ],
            (B, T, D),
        ),
        ("Flatten", "mse", [Flatten(), Dense(H, "elu"), Dense(1)], (B, T, D)),
        ("SimpleRNN", "mse", [SimpleRNN(H, **stacked), SimpleRNN(2, **stacked)], (B, T, D)),
    ):
        make = functools.partial(_model, layers, shape, loss)
        yield Case("Model", what, make)


def _model(layers: Sequence[Layer], shape: tuple[int, ...], loss: str) -> Subject:
    x: Any = shape
    if isinstance(layers[0], Masking):
        x = random_numbers(shape, np.random.default_rng(0)) * mask()[:, :, np.newaxis]
    return ModelSubject(Sequential(layers, dtype="float64"), x, loss=loss)
