"""The gates of a trained LSTM over a sentence of text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchnet.backend import Array
from scratchnet.equations.lstm import lstm_step
from scratchnet.figures.style import BLUE, GREY, INK, ORANGE, blank, caption, title
from scratchnet.initializers import GlorotUniform, Orthogonal
from scratchnet.layers import LSTM, Dense
from scratchnet.model import Sequential
from scratchnet.optimizers import Adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXT = (
    "the rain falls on the hill, and the hill gives it to the stream. the stream runs to the "
    "river, and the river runs to the sea. the sun warms the sea, and the sea gives it to the "
    "cloud. the wind takes the cloud to the hill, and the rain falls again. "
)
SENTENCE = "the stream runs to the river, and the river runs to the sea."
UNITS = 12
WINDOW, EPOCHS = 24, 16
SEED = 0


class Trained(NamedTuple):
    """A small model of `TEXT`, character by character."""

    lstm: LSTM
    vocabulary: str
    loss: float
    """Cross-entropy of the next character after training, in nats."""


@cache
def train() -> Trained:
    """Train an LSTM to predict the next character of `TEXT`: under a second."""
    vocabulary = "".join(sorted(set(TEXT)))
    ids = np.array([vocabulary.index(character) for character in TEXT])
    windows = np.lib.stride_tricks.sliding_window_view(ids, WINDOW + 1)
    x, y = np.eye(len(vocabulary))[windows[:, :-1]], windows[:, 1:]
    lstm = LSTM(
        UNITS,
        return_sequences=True,
        kernel_initializer=GlorotUniform(seed=SEED),
        recurrent_initializer=Orthogonal(seed=SEED),
    )
    output = Dense(
        len(vocabulary), activation="softmax", kernel_initializer=GlorotUniform(seed=SEED)
    )
    model = Sequential([lstm, output], dtype="float64")
    model.compile(optimizer=Adam(0.01), loss="sparse_categorical_crossentropy")
    order = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(x))
        for batch in np.array_split(shuffled, len(x) // 16):
            model.train_on_batch(x[batch], y[batch])
    return Trained(lstm, vocabulary, float(model.evaluate(x, y)))


def gate_activations(sentence: str = SENTENCE) -> dict[str, Array]:
    """Return i, f, g, o and the states c and h over a sentence, each (characters, units).

    The units are in the order of how much they forget, the one that keeps most first.
    """
    lstm, vocabulary, _ = train()
    weights = lstm.get_weights()
    h = c = np.zeros((1, UNITS))
    rows: dict[str, list[Array]] = {name: [] for name in ("i", "f", "g", "o", "c", "h")}
    for x in np.eye(len(vocabulary))[[vocabulary.index(character) for character in sentence]]:
        h, c, cache = lstm_step(x[np.newaxis], h, c, *weights)
        i, f, g, o = cache[5][4:]
        for name, value in {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}.items():
            rows[name].append(value[0])
    order = np.argsort(-np.mean(rows["f"], axis=0))
    return {name: np.array(values)[:, order] for name, values in rows.items()}


TITLES = {
    "i": ("i, input gate", "how much of the candidate is written"),
    "f": ("f, forget gate", "how much of the cell state is kept"),
    "g": ("g, candidate", "what would be written, from −1 to 1"),
    "o": ("o, output gate", "how much of the cell state is shown"),
}


def gates() -> Figure:
    """Draw the gates of an LSTM over a sentence: characters across, units down.

    The model is trained on a short text first, which takes under a second.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    """
    figure = blank(12.5, 8.6)
    from matplotlib.colors import LinearSegmentedColormap

    open_shut = LinearSegmentedColormap.from_list("gate", ["#ffffff", "#7fb3d5", BLUE, "#003c5f"])
    signed = LinearSegmentedColormap.from_list("candidate", [ORANGE, "#ffffff", BLUE])
    activations = gate_activations()
    panels = figure.subplots(4, 1, sharex=True)
    for axes, (name, said) in zip(panels, TITLES.items(), strict=True):
        limits, colours = ((-1, 1), signed) if name == "g" else ((0, 1), open_shut)
        image = axes.imshow(
            activations[name].T, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto",
            interpolation="nearest",
        )  # fmt: skip
        title(axes, *said)
        axes.set_yticks([0, UNITS - 1], ["1", str(UNITS)])
        axes.set_ylabel("unit", color=GREY)
        axes.set_xticks(range(len(SENTENCE)), [_shown(character) for character in SENTENCE])
        axes.tick_params(length=0, labelbottom=True, labelsize=8, colors=GREY)
        axes.tick_params(axis="x", labelsize=11, labelcolor=INK, pad=2)
        axes.spines[:].set_visible(False)
        for i, character in enumerate(SENTENCE):
            if character == " ":
                axes.axvline(i + 0.5, color=GREY, linewidth=0.6, alpha=0.6)
        bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=9, ticks=[*limits, sum(limits) / 2])
        bar.ax.tick_params(labelsize=8, colors=GREY, length=0)
        bar.outline.set_visible(False)
    trained = train()
    caption(
        figure,
        f"One LSTM of {UNITS} units, trained for {EPOCHS} epochs on a text of {len(TEXT)} "
        f"characters to predict the next one (loss {trained.loss:.2f}); the sentence is from that "
        "text.\nUnits are in the order of how much they keep, on average; ␣ is the space.",
    )
    return figure


def _shown(character: str) -> str:
    return "␣" if character == " " else character
