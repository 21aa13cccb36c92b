"""One LSTM or GRU unit run by the real steps, every variable of theirs kept by its name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.equations.gru import gru_step, gru_step_backward
from scratchnet.equations.lstm import lstm_step, lstm_step_backward
from scratchnet.experiments.recurrence import equations as page

Numbers = dict[str, float]


@dataclass(frozen=True)
class Unit:
    """What tells the two kinds apart."""

    gates: str
    """Their letters, in the order of the blocks."""
    states: tuple[str, ...]
    x: tuple[float, ...]
    target: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]
    """Gate by gate."""
    step: Callable[..., tuple[Any, ...]]
    backward: Callable[..., tuple[Any, ...]]
    forward_lines: tuple[page.Equation, ...]
    backward_lines: tuple[page.Equation, ...]
    weight_lines: Mapping[str, tuple[str, str, str]]
    """For each array of weights its gradient's equation, what is summed over the steps (without
    the gate), and what that is multiplied by (nothing for a bias)."""


# Numbers of one decimal, chosen so that the four printed decimals tell a lot: none is lost to a
# gradient near zero, and a calculator fed with the printed ones agrees nearly everywhere.
UNITS = {
    "lstm": Unit(
        gates="ifgo",
        states=("h", "c"),
        x=(0.2, -0.9, 0.9),
        target=(-0.9, 0.3, -0.8),
        weights={
            "Wx": (1.2, -0.3, 0.2, 0.1),
            "Wh": (0.5, -0.2, 0.2, 0.6),
            "b": (0.2, 1.0, 0.3, -0.1),
        },
        step=lstm_step,
        backward=lstm_step_backward,
        forward_lines=page.LSTM_FORWARD,
        backward_lines=page.LSTM_BACKWARD,
        weight_lines=page.LSTM_GRADIENTS,
    ),
    "gru": Unit(
        gates="zrn",
        states=("h",),
        x=(-0.5, -0.6, 0.9),
        target=(0.1, -0.1, 0.4),
        weights={
            "Wx": (0.8, -0.8, -0.2),
            "Wh": (-0.8, 0.5, -0.2),
            "bx": (0.3, -0.2, -0.5),
            "bh": (-0.3, -0.2, 0.3),
        },
        step=gru_step,
        backward=gru_step_backward,
        forward_lines=page.GRU_FORWARD,
        backward_lines=page.GRU_BACKWARD,
        weight_lines=page.GRU_GRADIENTS,
    ),
}


@dataclass(frozen=True)
class Run:
    """Every variable of every step, by name; the first step's come first."""

    forward: tuple[Numbers, ...]
    backward: tuple[Numbers, ...]
    gradients: Mapping[str, tuple[float, ...]]
    loss: float


def run(unit: Unit, weights: Mapping[str, tuple[float, ...]]) -> Run:
    """Run a unit's real steps forward and back, from these weights, and read their variables."""
    arrays = {name: np.array(row) for name, row in weights.items()}
    for name in ("Wx", "Wh"):
        arrays[name] = arrays[name][np.newaxis]
    named = {
        f"{name}_{gate}": value
        for name, row in weights.items()
        for gate, value in zip(unit.gates, row, strict=True)
    }
    states = [np.zeros((1, 1)) for _ in unit.states]
    forward, caches = [], []
    for x, target in zip(unit.x, unit.target, strict=True):
        (*states, cache), found = variables(unit.step, np.array([[x]]), *states, *arrays.values())
        caches.append(cache)
        error = states[0].item() - target
        forward.append({**found, **named, "target": target, "L": 0.5 * error**2})

    dstates = [np.zeros((1, 1)) for _ in unit.states]
    backward: list[Numbers] = []
    totals = {name: np.zeros(len(unit.gates)) for name in weights}
    for numbers, cache in zip(reversed(forward), reversed(caches), strict=True):
        dy = numbers["h"] - numbers["target"]
        recurrent = {f"d{s}_rec": d.item() for s, d in zip(unit.states, dstates, strict=True)}
        dstates[0] = dstates[0] + dy
        answer, found = variables(unit.backward, *dstates, cache)
        dstates = list(answer[1 : 1 + len(unit.states)])
        for name, dweight in zip(weights, answer[1 + len(unit.states) :], strict=True):
            totals[name] += dweight.ravel()
        backward.insert(0, {**found, **recurrent, "dy": dy})
    gradients = {name: tuple(map(float, total)) for name, total in totals.items()}
    return Run(tuple(forward), tuple(backward), gradients, sum(each["L"] for each in forward))


def variables(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Numbers]:
    """Call a function; return what it returns and the single numbers its variables held last."""
    held: Numbers = {}

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is function.__code__:
            for name, value in frame.f_locals.items():
                if isinstance(value, np.ndarray) and value.size == 1:
                    held[name] = value.item()

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        answer = function(*arguments)
    finally:
        sys.setprofile(before)
    return answer, held
