"""Both engines on one problem: the same initial weights, the same batches in the same order."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl.models import TWINS
from keras_impl.parity.oracle import ask_twin, keras_floats
from keras_impl.parity.timing import ROUNDS, Timing, measure
from scratchnet import Sequential
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.scores import Scores, scores

FORWARD_TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
GRADIENT_TOLERANCE = {"float64": 1e-12, "float32": 1e-4}
TRAJECTORY_TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
TRAJECTORY_STEPS = 100
PAIRS = 10


@dataclass(frozen=True)
class Agreement:
    """One array, held against Keras's: the largest difference over the largest magnitude."""

    name: str
    difference: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the difference is a number within the tolerance."""
        return self.difference <= self.tolerance


@dataclass
class Comparison:
    """Everything `compare` found."""

    experiment: str
    dtype: str
    seed: int
    epochs: int
    steps: int
    notes: tuple[str, ...]
    outputs: tuple[str, ...]
    """What the network's outputs are called."""
    settings: dict[str, Any]
    """The problem's other arguments."""
    tested_on: str
    """Which rows ``scores`` and ``pairs`` are of."""
    start: list[Agreement] = field(default_factory=list)
    end: list[Agreement] = field(default_factory=list)
    trajectory: list[Agreement] = field(default_factory=list)
    losses: dict[str, list[float]] = field(default_factory=dict)
    weight_difference: float = math.nan
    """The largest |scratch - Keras| of any weight after the last step."""
    scores: dict[str, Scores] = field(default_factory=dict)
    pairs: list[dict[str, list[float]]] = field(default_factory=list)
    """For the first held-out rows the outputs of scratchnet, of Keras, and the expected ones."""
    timings: list[Timing] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the two agree wherever they must."""
        return all(a.ok for a in [*self.start, *self.end, *self.trajectory])

    @property
    def command(self) -> str:
        """The command that repeats this comparison."""
        words = ["scratchnet", "compare", self.experiment, "--epochs", str(self.epochs)]
        words += ["--dtype", self.dtype, "--seed", str(self.seed)]
        for name, value in self.settings.items():
            option = f"--{name.replace('_', '-')}"
            words += [option] if value is True else [option, str(value)]
        return shlex.join(words)

    @property
    def speed_ratio(self) -> float:
        """Time of scratchnet's step over Keras's compiled step."""
        return next(t.ratio for t in self.timings if t.name == "scratchnet")

    def stages(self) -> dict[str, list[Agreement]]:
        """Return the agreements under the moment they were taken at."""
        return {
            "before the first step": self.start,
            "along the way": self.trajectory,
            "from the final weights": self.end,
        }

    def shown_epochs(self) -> list[int]:
        """Return a few epochs, from the first to the last."""
        return sorted({round((self.epochs - 1) * i / 8) for i in range(9)})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        agreements = {
            stage: [{**asdict(a), "ok": a.ok} for a in getattr(self, stage)]
            for stage in ("start", "end", "trajectory")
        }
        rest = {"command": self.command, "speed_ratio": self.speed_ratio}
        found: dict[str, Any] = _finite({"ok": self.ok, **asdict(self), **agreements, **rest})
        return found


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


def compare(problem: Problem, progress: Progress = lambda what, done, total: None) -> Comparison:
    """Train both engines on ``problem`` and return how they agree and how fast they are.

    Outputs and gradients (over the whole training set) are compared before the first step, and
    again from scratchnet's final weights given to both; weights also along the way.
    """
    result = Comparison(
        problem.experiment,
        problem.dtype,
        problem.seed,
        problem.epochs,
        problem.epochs * len(problem.batches(0)),
        problem.notes,
        problem.columns.outputs,
        problem.settings,
        "training rows" if problem.x_test is problem.x_train else "held-out rows",
    )
    with keras_floats(problem.dtype):
        model = problem.build_model()
        build_twin = TWINS[problem.experiment]
        twin = build_twin()
        twin.set_weights(model.get_weights())
        result.start = _agreements(problem, model, twin)
        result.losses = _train(problem, model, twin, result, progress)
        pairs = list(zip(model.get_weights(), twin.get_weights(), strict=True))
        result.weight_difference = max(float(np.abs(a - b).max()) for a, b in pairs)
        _classify(problem, model, twin, result)
        twin.set_weights(model.get_weights())
        result.end = _agreements(problem, model, twin)
        result.timings = _time(problem, build_twin, progress)
    return result


def _agreements(problem: Problem, model: Sequential, twin: keras.Model) -> list[Agreement]:
    x = problem.x_train.astype(problem.dtype)
    loss = keras.losses.get({"class_name": type(model.loss).__name__, "config": {}})
    answer = ask_twin(twin, loss, x, problem.y_train.astype(problem.dtype))
    value, gradients = model.gradients(x, problem.y_train)
    forward, backward = FORWARD_TOLERANCE[problem.dtype], GRADIENT_TOLERANCE[problem.dtype]
    found = [
        Agreement("outputs", _difference(model.forward(x), answer.y), forward),
        Agreement("loss", _difference(value, answer.loss), forward),
    ]
    for layer, ours, theirs in zip(model.layers, gradients, answer.grads, strict=True):
        found += [
            Agreement(f"{layer.name}/{key}", _difference(ours[key], theirs[key]), backward)
            for key in ours
        ]
    return found


def _difference(ours: Any, keras: Any) -> float:
    """Return the largest difference over the largest magnitude; by itself where that is 0."""
    ours, keras = np.asarray(ours, dtype="float64"), np.asarray(keras, dtype="float64")
    largest = np.abs(keras).max()
    return float(np.abs(ours - keras).max() / (largest or 1.0))


def _finite(value: Any) -> Any:
    """Return a value with None for every number that JSON has no way to write."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _train(
    problem: Problem, model: Sequential, twin: keras.Model, result: Comparison, progress: Progress
) -> dict[str, list[float]]:
    twin.make_train_function()
    losses: dict[str, list[float]] = {"scratchnet": [], "Keras": []}
    x, y = (a.astype(problem.dtype) for a in (problem.x_train, problem.y_train))
    steps, exact = 0, problem.dtype == "float64"
    for epoch in range(problem.epochs):
        progress("training both engines", epoch, problem.epochs)
        twin.reset_metrics()
        total = 0.0
        for rows in problem.batches(epoch):
            loss = model.train_on_batch(x[rows], y[rows])
            total += (loss[0] if isinstance(loss, list) else loss) * len(rows)
            logs = twin.train_function(iter([(tf.constant(x[rows]), tf.constant(y[rows]))]))
            steps += 1
            if steps in (1, TRAJECTORY_STEPS) or (exact and steps == result.steps):
                result.trajectory.append(_trajectory(problem, model, twin, steps))
        losses["scratchnet"].append(total / len(x))
        losses["Keras"].append(float(logs["loss"]))
    return losses


def _trajectory(problem: Problem, model: Sequential, twin: keras.Model, steps: int) -> Agreement:
    pairs = zip(model.get_weights(), twin.get_weights(), strict=True)
    worst = max(_difference(ours, theirs) for ours, theirs in pairs)
    name = f"weights after {steps} step{'s' if steps > 1 else ''}"
    return Agreement(name, worst, TRAJECTORY_TOLERANCE[problem.dtype])


def _classify(problem: Problem, model: Sequential, twin: keras.Model, result: Comparison) -> None:
    x = problem.x_test.astype(problem.dtype)
    outputs = {"scratchnet": model.predict(x), "Keras": twin(x, training=False).numpy()}
    if problem.columns.cut_off is not None:
        for engine, y_pred in outputs.items():
            result.scores[engine] = scores(problem.y_test, y_pred, problem.columns.cut_off)
    outputs["expected"] = problem.y_test
    result.pairs = [
        {name: rows[i].tolist() for name, rows in outputs.items()}
        for i in range(min(PAIRS, len(problem.y_test)))
    ]


def _time(
    problem: Problem, build_twin: Callable[..., keras.Model], progress: Progress
) -> list[Timing]:
    x, y = (a.astype(problem.dtype) for a in (problem.x_train, problem.y_train))
    rounds = iter(range(1, ROUNDS + 1))
    return measure(
        problem.build_model,
        build_twin,
        [(x[rows], y[rows]) for rows in problem.batches(0)],
        lambda: progress("timing both engines", next(rounds), ROUNDS),
    )
