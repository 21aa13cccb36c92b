"""The Keras twin of every experiment, as a practitioner writes it.

Each function takes the problem's ``architecture`` and passes its other keywords on to ``compile``:
how to run (``jit_compile``, ``steps_per_execution``), not what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from keras_impl.layers import OneHot
from scratchnet.experiments.imdb import CLIP_NORM

CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}


def wisconsin(**run: Any) -> keras.Model:
    """9 → Dense 9 relu → Dense 12 relu → Dense 1 sigmoid, RMSprop, binary cross-entropy."""
    model = keras.Sequential(
        [
            keras.layers.Input((9,)),
            keras.layers.Dense(9, activation="relu"),
            keras.layers.Dense(12, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="wisconsin",
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.001),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        **run,
    )
    return model


def backprop(**run: Any) -> keras.Model:
    """Mazur's 2-2-2 sigmoid network; his ½Σ(t - o)² over two outputs is the mean squared error."""
    model = keras.Sequential(
        [
            keras.layers.Input((2,)),
            keras.layers.Dense(2, activation="sigmoid"),
            keras.layers.Dense(2, activation="sigmoid"),
        ],
        name="backprop",
    )
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mean_squared_error", **run)
    return model


def language(
    vocabulary: int,
    window: int,
    cell: str = "lstm",
    units: int = 128,
    layers: int = 1,
    embedding: int = 0,
    hidden: int = 0,
    optimizer: str = "rmsprop",
    learning_rate: float = 0.01,
    **run: Any,
) -> keras.Model:
    """Ids → one-hot or Embedding → recurrent layers → (Dense relu →) Dense softmax: what follows.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
    embedding : int
        Length of an id's row; 0 for one-hot rows.
    hidden : int
        Width of the layer before the softmax; 0 for none.
    """
    model = keras.Sequential(name="language")
    model.add(keras.layers.Input((window,), dtype="int32"))
    model.add(keras.layers.Embedding(vocabulary, embedding) if embedding else OneHot(vocabulary))
    for left in reversed(range(layers)):
        model.add(CELLS[cell](units, return_sequences=left > 0))
    if hidden:
        model.add(keras.layers.Dense(hidden, activation="relu"))
    model.add(keras.layers.Dense(vocabulary, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.get(
            {"class_name": optimizer, "config": {"learning_rate": learning_rate}}
        ),
        loss="sparse_categorical_crossentropy",
        **run,
    )
    return model


def imdb(
    vocabulary: int,
    length: int,
    embedding: int = 32,
    units: int = 100,
    masked: bool = False,
    **run: Any,
) -> keras.Model:
    """Ids → Embedding → LSTM → Dense 1 sigmoid; ``masked``, the LSTM passes over padding.

    The masked variant's gradients are clipped, as in `scratchnet.experiments.imdb`.
    """
    model = keras.Sequential(
        [
            keras.layers.Input((length,), dtype="int32"),
            keras.layers.Embedding(vocabulary, embedding, mask_zero=masked),
            keras.layers.LSTM(units),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="imdb",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.001, clipnorm=CLIP_NORM if masked else None),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        **run,
    )
    return model


TWINS: dict[str, Callable[..., keras.Model]] = {
    "backprop": backprop,
    "wisconsin": wisconsin,
    "nietzsche": language,
    "text": language,
    "json": language,
    "shakespeare": language,
    "imdb": imdb,
}
