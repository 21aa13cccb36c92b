"""Options, sizes, values and masks for the recurrent layers' comparison with Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.layers import Bidirectional, Layer
from scratchnet.layers.recurrent import Recurrent
from tests.all_pairs import Row
from tests.layers.cases import RECURRENT, random_array

BOTH = (True, False)

SIZES = {
    "usual": (3, 5, 4, 6),
    "T=1": (3, 1, 4, 6),
    "B=1": (1, 5, 4, 6),
    "H=1": (3, 5, 4, 1),
    "D=1": (3, 5, 1, 6),
    "T=200": (3, 200, 4, 6),
}
"""B, T, D and H."""

MASKS = ("no mask", "left", "right", "holes", "row", "first")

RATES = {
    "no dropout": {},
    "input dropout": {"dropout": 0.25},
    "recurrent dropout": {"recurrent_dropout": 0.375},
    "both dropouts": {"dropout": 0.375, "recurrent_dropout": 0.25},
}

VALUES = ("usual values", "saturated", "huge", "spike")
"""Gates at ±50; inputs of 1e4 on weights of 1e-4; inputs of 1e4 at one step that saturate all."""

FACTORS = {
    "dtype": ("float64", "float32"),
    "page": BOTH,
    "size": tuple(SIZES),
    "values": VALUES,
    "mask": MASKS,
    "rates": tuple(RATES),
    "return_sequences": BOTH,
    "return_state": BOTH,
    "initial_state": BOTH,
    "use_bias": BOTH,
    "go_backwards": BOTH,
    "zero_output_for_mask": BOTH,
}

BIDIRECTIONAL_FACTORS = {
    "layer": tuple(RECURRENT),
    "merge_mode": ("concat", "sum", "mul", "ave", None),
    "dtype": ("float64", "float32"),
    "page": BOTH,
    "size": tuple(size for size in SIZES if size != "T=200"),
    "mask": MASKS,
    "rates": tuple(RATES),
    "return_sequences": BOTH,
    "return_state": BOTH,
    "initial_state": BOTH,
    "use_bias": BOTH,
    "own_backward": BOTH,
}


def impossible(row: Row) -> bool:
    """Whether a combination leaves nothing to compare.

    There is no bias to saturate or to remember with, or all outputs are zero.
    """
    one_row = row.get("size") == "B=1"
    return (
        (row.get("values") == "saturated" and row.get("use_bias") is False)
        or (
            row.get("size") == "T=200"
            and row.get("use_bias") is False
            and row.get("return_sequences") is False
        )
        or (one_row and row.get("mask") == "row")
        or (one_row and row.get("values") == "spike")
        or (
            one_row
            and row.get("mask", "no mask") != "no mask"
            and row.get("zero_output_for_mask") is True
            and row.get("return_sequences") is False
        )
    )


def impossible_for_simple_rnn(row: Row) -> bool:
    """Beside `impossible`: its one gate, saturated, lets nothing through."""
    saturated = row.get("size") == "H=1" and row.get("values") == "saturated"
    return saturated or impossible(row)


def identifier(row: Row) -> str:
    """Return what is unusual in a row, for a test's name."""
    usual = ("usual", "usual values", "no mask", "no dropout")
    words = [str(v) for k, v in row.items() if v not in usual and not isinstance(v, bool)]
    return "-".join([*words, *(k for k, v in row.items() if v is True)])


def mask_of(kind: str, B: int, T: int) -> np.ndarray | None:
    """Return a mask (B, T), different from row to row."""
    if kind == "no mask":
        return None
    mask = np.ones((B, T), bool)
    padding = np.minimum([2, 0, T - 1] * B, T - 1)[:B]
    if kind == "left":
        mask = np.arange(T) >= padding[:, None]
    elif kind == "right":
        mask = np.arange(T)[::-1] >= padding[:, None]
    elif kind == "first":
        mask[: max(1, B - 1), 0] = False
    else:
        mask = np.random.default_rng([3, B, T]).random((B, T)) > 0.4
        mask[:2, [0, -1]] = True
        if kind == "row":
            mask[-1] = False
    return mask


def built(layer: Layer, row: Row, seed: int = 20) -> Layer:
    """Build a layer and give it random distinct weights that fit the row's values."""
    B, T, D, _ = SIZES[row["size"]]
    layer.build((B, T, D))
    weights = layer.get_weights()
    layer.set_weights(
        [random_array(*w.shape, seed=seed + i) / (2 + i % 2) for i, w in enumerate(weights)]
    )
    if T > 100:
        _remembering(layer)
    if row.get("values") == "huge":
        layer.params["kernel"][...] *= 1e-4
    if row.get("values") == "saturated":
        _saturate(layer.params["bias"].reshape(-1, layer.units))
    return layer


def _remembering(layer: Recurrent) -> None:
    """Let a gradient survive 200 steps: anything would agree with one of 1e-66."""
    H, kernel = layer.units, layer.params["recurrent_kernel"]
    if layer.use_bias:
        layer.params["bias"][...] *= 0.01
    if layer.gates == 1:
        kernel[...] = (0.99 * np.eye(H) + 0.0005 * kernel) * (1 - layer.recurrent_dropout)
        return
    kernel[...] *= 0.05
    if layer.use_bias:
        forget = {4: slice(H, 2 * H), 3: slice(0, H)}[layer.gates]  # f of an LSTM, z of a GRU
        layer.params["bias"].reshape(-1, layer.gates * H)[0, forget] += 5


def _saturate(bias: np.ndarray) -> None:
    """Put ±50 on the gates of two units in three; one alone keeps all gates but one."""
    gates, units = bias.shape
    if units == 1:
        bias[1] = 50
        return
    for g, u in np.ndindex(gates, units):
        if u % 3:
            bias[g, u] = 50 if (g + u) % 2 else -50


def input_of(row: Row) -> np.ndarray:
    """Return x (B, T, D) with the row's values."""
    B, T, D, _ = SIZES[row["size"]]
    x = random_array(B, T, D, seed=1) * (0.03 if T > 100 else 1)
    if row.get("values") == "huge":
        x *= 1e4
    if row.get("values") == "spike":
        x[0, T // 2] = 1e4 * np.sign(x[0, T // 2])
    return x.astype(row["dtype"])


def states_of(layer: Layer, B: int, seed: int, scale: float = 0.5) -> tuple[np.ndarray, ...]:
    """Return a random array for each state."""
    if isinstance(layer, Bidirectional):
        return tuple(
            state
            for i, inner in enumerate(layer.inner.values())
            for state in states_of(inner, B, seed + 7 * i, scale)
        )
    shape = (B, layer.units)
    states = [scale * random_array(*shape, seed=seed + i) for i in range(len(layer.state_names))]
    return tuple(state.astype(layer.dtype) for state in states)


def options_of(row: Row) -> dict[str, Any]:
    """Return a recurrent layer's arguments."""
    names = ("return_sequences", "return_state", "use_bias", "go_backwards",
             "zero_output_for_mask", "unit_forget_bias", "page", "dtype")  # fmt: skip
    return {name: row[name] for name in names if name in row} | RATES[row["rates"]]
