"""The recurrent steps of the page and random arguments for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from scratchnet.equations import gru, lstm, simple_rnn
from scratchnet.equations.activations import Pair
from scratchnet.layers.activation import get_activation


class Step(NamedTuple):
    """A step: its two functions, how many gates it has, and its arrays in their order.

    The backward step gives one gradient for each of these arrays, in the same order.
    """

    forward: Callable[..., tuple[Any, ...]]
    backward: Callable[..., tuple[np.ndarray, ...]]
    gates: int
    arrays: tuple[str, ...]

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(name for name in self.arrays if name.endswith("_prev"))

    def shapes(self, B: int, D: int, H: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each array."""
        G = self.gates
        known = {"x": (B, D), "h_prev": (B, H), "c_prev": (B, H), "Wx": (D, G * H)}
        known |= {"Wh": (H, G * H), "b": (G * H,), "bx": (G * H,), "bh": (G * H,)}
        return {name: known[name] for name in self.arrays}

    def random_arrays(
        self, B: int, D: int, H: int, dtype: str = "float64", seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Return a random array for each name."""
        rng = np.random.default_rng([seed, B, D, H])
        shapes = self.shapes(B, D, H)
        return {name: rng.standard_normal(s).astype(dtype) for name, s in shapes.items()}

    def masks(self, B: int, D: int, H: int) -> dict[str, np.ndarray]:
        """Return dropout masks for x and for h, of one in four."""
        rng = np.random.default_rng([9, B, D, H])
        shapes = {"x_masks": (self.gates, B, D), "h_masks": (self.gates, B, H)}
        return {name: (rng.random(s) >= 0.25) / 0.75 for name, s in shapes.items()}

    def activations(self, activation: str, recurrent_activation: str) -> dict[str, Pair]:
        """Return the keyword arguments for these activations; one gate has no gates' activation."""
        pairs = {"activation": get_activation(activation).pair}
        if self.gates > 1:
            pairs["recurrent_activation"] = get_activation(recurrent_activation).pair
        return pairs


STEPS = {
    "simple_rnn": Step(
        simple_rnn.simple_rnn_step,
        simple_rnn.simple_rnn_step_backward,
        1,
        ("x", "h_prev", "Wx", "Wh", "b"),
    ),
    "lstm": Step(
        lstm.lstm_step,
        lstm.lstm_step_backward,
        4,
        ("x", "h_prev", "c_prev", "Wx", "Wh", "b"),
    ),
    "gru": Step(
        gru.gru_step,
        gru.gru_step_backward,
        3,
        ("x", "h_prev", "Wx", "Wh", "bx", "bh"),
    ),
    "gru_reset_before": Step(
        gru.gru_reset_before_step,
        gru.gru_reset_before_step_backward,
        3,
        ("x", "h_prev", "Wx", "Wh", "bx"),
    ),
}


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def tutorial_matrices(arrays: dict[str, np.ndarray], gates: int) -> list[np.ndarray]:
    """Return the tutorials' matrix W_k of each gate k, for [h, x] as a column, (H, H+D)."""
    H = arrays["h_prev"].shape[1]
    blocks = [slice(k * H, (k + 1) * H) for k in range(gates)]
    return [np.hstack([arrays["Wh"][:, s].T, arrays["Wx"][:, s].T]) for s in blocks]


def samples(
    arrays: dict[str, np.ndarray], gates: int, masks: dict[str, np.ndarray]
) -> Iterator[tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]]:
    """Yield each sample's state, and the x and the h that each of its gates sees."""
    B, D, H = len(arrays["x"]), arrays["x"].shape[1], arrays["h_prev"].shape[1]
    x_masks = masks.get("x_masks", np.ones((gates, B, D)))
    h_masks = masks.get("h_masks", np.ones((gates, B, H)))
    for s, (x, h) in enumerate(zip(arrays["x"], arrays["h_prev"], strict=True)):
        yield h, [x * m for m in x_masks[:, s]], [h * m for m in h_masks[:, s]]


def simple_rnn_by_the_book(
    arrays: dict[str, np.ndarray], **masks: np.ndarray
) -> tuple[list[np.ndarray], ...]:
    """Elman's network, one sample at a time."""
    (W,) = tutorial_matrices(arrays, 1)
    hs = [
        np.tanh(W @ np.concatenate([seen_h[0], seen_x[0]]) + arrays["b"])
        for _, seen_x, seen_h in samples(arrays, 1, masks)
    ]
    return (hs,)


def lstm_by_the_book(
    arrays: dict[str, np.ndarray], **masks: np.ndarray
) -> tuple[list[np.ndarray], ...]:
    """An LSTM in the tutorials' form, one sample at a time, one matrix a gate."""
    W_i, W_f, W_C, W_o = tutorial_matrices(arrays, 4)
    b_i, b_f, b_C, b_o = arrays["b"].reshape(4, -1)
    hs, cs = [], []
    for c, (_, xs, seen_h) in zip(arrays["c_prev"], samples(arrays, 4, masks), strict=True):
        hx_i, hx_f, hx_C, hx_o = map(np.concatenate, zip(seen_h, xs, strict=True))
        forget = sigmoid(W_f @ hx_f + b_f)
        candidate = np.tanh(W_C @ hx_C + b_C)
        cs.append(forget * c + sigmoid(W_i @ hx_i + b_i) * candidate)
        hs.append(sigmoid(W_o @ hx_o + b_o) * np.tanh(cs[-1]))
    return hs, cs


def gru_by_the_book(
    arrays: dict[str, np.ndarray], **masks: np.ndarray
) -> tuple[list[np.ndarray], ...]:
    """Either GRU, one sample at a time; reset after if there are two biases."""
    H = arrays["h_prev"].shape[1]
    W_z, W_r, W_n = tutorial_matrices(arrays, 3)
    b_z, b_r, b_n = arrays["bx"].reshape(3, -1)
    c_z, c_r, c_n = arrays.get("bh", np.zeros(3 * H)).reshape(3, -1)
    hs = []
    for h, (x_z, x_r, x_n), (h_z, h_r, h_n) in samples(arrays, 3, masks):
        update = sigmoid(W_z @ np.concatenate([h_z, x_z]) + b_z + c_z)
        reset = sigmoid(W_r @ np.concatenate([h_r, x_r]) + b_r + c_r)
        after, before = reset * (W_n[:, :H] @ h_n + c_n), W_n[:, :H] @ (reset * h_n)
        candidate = np.tanh(W_n[:, H:] @ x_n + b_n + (after if "bh" in arrays else before))
        hs.append(update * h + (1 - update) * candidate)
    return (hs,)


BY_THE_BOOK = {
    "simple_rnn": simple_rnn_by_the_book,
    "lstm": lstm_by_the_book,
    "gru": gru_by_the_book,
    "gru_reset_before": gru_by_the_book,
}
