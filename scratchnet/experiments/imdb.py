"""Good film or bad: the network that reads 500 words of a review.

Embedding 32 → LSTM 100 → Dense 1 sigmoid, trained by Adam on the binary cross-entropy in batches of
64 for 3 epochs, on the 5,000 most frequent words.  Published: 86.79 % of the test reviews right.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from scratchnet.arguments import FRACTION_BELOW_1, positive_integer, real
from scratchnet.backend import Array, to_host
from scratchnet.contributions import contributions
from scratchnet.device import to_device
from scratchnet.errors import InputError
from scratchnet.experiments import imdb_data
from scratchnet.experiments.imdb_archive import Ragged
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Reviews
from scratchnet.layers import LSTM, Dense, Embedding
from scratchnet.model import Sequential
from scratchnet.optimizers import Adam
from scratchnet.random import set_random_seed

VOCABULARY = 5000
LENGTH = 500
EMBEDDING = 32
UNITS = 100
BATCH_SIZE = 64
EPOCHS = 3
MASKED_EPOCHS = 6
MASKED_VALIDATION = 0.1
"""Share of the training reviews on which the masked variant's epoch is chosen."""
CLIP_NORM = 1.0
"""Of the masked variant's gradients, array by array."""
CUT_OFF = 0.5


class Explanation(NamedTuple):
    """What the network makes of a review, and of each of its words."""

    probability: float
    """That the film is called good."""
    words: list[tuple[str, float]]
    """The words that the network was shown, in order, each with its contribution to the logit."""


def build_model(
    vocabulary: int = VOCABULARY,
    length: int = LENGTH,
    embedding: int = EMBEDDING,
    units: int = UNITS,
    masked: bool = False,
    seed: int = 0,
    dtype: str = "float32",
) -> Sequential:
    """Return the network, built and compiled; the seed decides its first weights.

    ``masked`` has the LSTM pass over the padding, which it otherwise reads as words, and limits the
    norm of each gradient: without that an epoch now and then undoes the ones before it.
    """
    set_random_seed(seed)
    model = Sequential(
        [
            Embedding(vocabulary, embedding, mask_zero=masked),
            LSTM(units),
            Dense(1, activation="sigmoid"),
        ],
        name="imdb",
        dtype=dtype,
    )
    model.build((None, length))
    optimizer = Adam(0.001, clipnorm=CLIP_NORM if masked else None)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return model


def problem(
    seed: int = 0,
    dtype: str = "float32",
    epochs: int | None = None,
    masked: bool = False,
    validation: float | None = None,
    vocabulary: int = VOCABULARY,
    length: int = LENGTH,
    embedding: int = EMBEDDING,
    units: int = UNITS,
) -> Problem:
    """Return what both engines are given.

    Parameters
    ----------
    seed
        Of the first weights and of the order in which reviews are shown.
    epochs
        3 by default, 6 if ``masked``.
    masked
        Whether padding is passed over instead of being read as words.
    validation
        Share of the training reviews, at their end, that is not learned from but watched after
        each epoch; by default none, or a tenth if ``masked``.  They come in an order that Keras
        shuffled, so the end is as good a choice as any.
    vocabulary
        Ids; four of them are no words.
    length
        Words of a review that are shown: its last ones, with padding before a shorter one.
    embedding, units
        Widths of the embedding and of the LSTM.

    Raises
    ------
    InputError
        An argument is out of range.
    DataError
        The reviews are nowhere and cannot be downloaded, or are not what they should be.
    """
    share = MASKED_VALIDATION if masked else 0.0
    if validation is not None:
        share = real("imdb", "validation", validation, FRACTION_BELOW_1)
    architecture: dict[str, Any] = {
        "vocabulary": imdb_data.checked_size(vocabulary),
        "length": positive_integer("imdb", "length", length),
        "embedding": positive_integer("imdb", "embedding", embedding),
        "units": positive_integer("imdb", "units", units),
        "masked": bool(masked),
    }
    train, test = imdb_data.load(vocabulary)
    at = len(train) - round(share * len(train))
    if at == 0 or (share > 0 and at == len(train)):
        raise InputError(
            f"imdb: expected a validation share that leaves both sides a review, got {share} of "
            f"{len(train):,}. Choose another, for instance 0.1."
        )
    x, y = inputs(train, length), targets(train)
    return Problem(
        experiment="imdb",
        x_train=x[:at],
        y_train=y[:at],
        x_test=inputs(test, length),
        y_test=targets(test),
        build_model=partial(build_model, **architecture, seed=seed, dtype=dtype),
        reader=Reviews(imdb_data.vocabulary_of(vocabulary), length, cut_off=CUT_OFF),
        batch_size=BATCH_SIZE,
        epochs=epochs or (MASKED_EPOCHS if masked else EPOCHS),
        seed=seed,
        dtype=dtype,
        settings=architecture | ({} if validation is None else {"validation": share}),
        notes=notes(train, test, at, architecture),
        validation=(x[at:], y[at:]) if share else None,
        architecture=architecture,
        choose_by="val_accuracy" if share else None,
    )


def inputs(reviews: Ragged, length: int) -> Array:
    """Return reviews of equal length, ``(N, length)`` int32: cut or padded in front."""
    from scratchnet.text import pad_sequences

    return np.asarray(pad_sequences([reviews[n] for n in range(len(reviews))], maxlen=length))


def targets(reviews: Ragged) -> Array:
    """Return what the network is to answer, ``(N, 1)`` float32: 1 for a good film."""
    return reviews.labels[:, None].astype("float32")


def explain(model: Sequential, reader: Reviews, text: str) -> Explanation:
    """Return the probability that a review in words is a good one, and what each word adds.

    See `scratchnet.contributions.contributions`.  The start marker and the padding have
    contributions too; they are not among the words.

    Raises
    ------
    InputError
        No word of the text is known, or the model does not read words.
    """
    (ids,) = reader.inputs([text])
    shown = imdb_data.split_review(text)[-reader.length :]
    parts = to_host(contributions(model, ids))[-len(shown) :]
    probability = float(model.predict(to_device(ids[None], model.device))[0, 0])
    return Explanation(probability, list(zip(shown, map(float, parts), strict=True)))


def notes(train: Ragged, test: Ragged, at: int, architecture: dict[str, Any]) -> tuple[str, ...]:
    """Return what was done to the reviews."""
    length, positive = architecture["length"], int(train.labels[:at].sum())
    known = {train[n].tobytes() for n in range(at)}
    shared = sum(test[n].tobytes() in known for n in range(len(test)))
    said = [
        f"{at:,} reviews to learn from ({positive:,} of good films), {len(test):,} to test on "
        f"({int(test.labels.sum()):,}), in the order of Keras's load_data. {shared} of the test "
        "reviews also stand, word for word, among those to learn from.",
        f"{architecture['vocabulary']:,} ids: padding, start, unknown, one that is not used, and "
        f"the most frequent words; {(train.tokens == imdb_data.UNKNOWN).mean():.1%} of the words "
        "are unknown.",
        f"Reviews are cut to their last {length} words, the start marker among them "
        f"({(train.lengths > length).mean():.1%} are longer), or padded in front"
        + (", and the padding is masked." if architecture["masked"] else ", and the padding read."),
    ]
    if at < len(train):
        said.append(
            f"{len(train) - at:,} more reviews are not learned from: the epoch is chosen on them, "
            "never on the test reviews."
        )
    return tuple(said)
