"""What a recording's network looks like, read off the functions that ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.stepper.frame import Frame
from scratchnet.stepper.source_text.sources import Function

_RECURRENT = {
    "lstm_step": ("lstm", ("i", "f", "g", "o"), ("x", "i", "f", "g", "o", "c", "tanh_c", "h")),
    "gru_step": ("gru", ("z", "r", "n"), ("x", "z", "r", "n", "h")),
    "gru_reset_before_step": ("gru", ("z", "r", "n"), ("x", "z", "r", "n", "h")),
    "simple_rnn_step": ("simple_rnn", (), ("x", "a", "h")),
}
_OTHERS = {
    "dense": ("dense", ("x", "W", "b", "a")),
    "perceptron": ("perceptron", ("x", "w", "b", "z")),
}


def network(functions: Sequence[Function], frames: Sequence[Frame]) -> dict[str, Any] | None:
    """Return its kind, number of time steps, gates, and the cells of one step from top to bottom.

    A cell names a variable of the step's function; ``gradient`` names that of the backward.
    """
    names = {function.name: k for k, function in enumerate(functions)}
    for name, (kind, gates, cells) in _RECURRENT.items():
        if name in names or f"{name}_backward" in names:
            steps = {f.t for f in frames if f.t is not None}
            return {
                "kind": kind,
                "T": max(steps) + 1 if steps else 1,
                "gates": list(gates),
                "function": name,
                "cells": [{"name": cell, "gradient": f"d{cell}"} for cell in cells],
            }
    for name, (kind, cells) in _OTHERS.items():
        if name in names or f"{name}_backward" in names:
            return {
                "kind": kind,
                "T": 1,
                "gates": [],
                "function": name,
                "cells": [{"name": cell, "gradient": f"d{cell}"} for cell in cells],
            }
    return None
