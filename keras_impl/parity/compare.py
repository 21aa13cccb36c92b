"""Both engines on one problem: the same initial weights, the same batches in the same order."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_impl.bench import race
from keras_impl.bench.race import Timing
from keras_impl.bench.works.engines import (
    KERAS_STEP,
    SCRATCH,
    ScratchSteps,
    candidate,
    keras_candidates,
    one_graph,
)
from keras_impl.models import TWINS
from keras_impl.optimizers import densify
from keras_impl.parity.oracle import ask_twin, keras_floats
from keras_impl.pipelines import as_keras_takes_it
from scratchnet import Sequential
from scratchnet.arguments import positive_integer
from scratchnet.backend import Array
from scratchnet.experiments import get
from scratchnet.experiments.problem import Problem
from scratchnet.experiments.readers import Columns
from scratchnet.experiments.scores import Scores, scores

FORWARD_TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
GRADIENT_TOLERANCE = {"float64": 1e-12, "float32": 1e-4}
TRAJECTORY_TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
ROUNDED_TRAJECTORY_TOLERANCE = 1e-5
"""In float64, where Keras rounds the optimizer's betas or momentum to float32."""
TRAJECTORY_STEPS = 100
PAIRS = 10
AVERAGES = ("beta_1", "beta_2", "momentum")
ROUNDED = (
    "Both optimizers have the betas that float32 holds, 0.9 as 0.89999998: Keras rounds its own in "
    "one place, and over hundreds of time steps a difference in the eighth digit grows to one in "
    "the first."
)
DENSIFIED = (
    "Keras is given the embedding's gradient as one array: of an id that is repeated in a batch it "
    "would square the slices one by one, and not their sum."
)


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
    """Training steps that were made."""
    by_step: bool
    """Whether ``losses`` has one for each step; else there is one for each epoch."""
    compared_on: str
    """What outputs, loss and gradients are of."""
    notes: tuple[str, ...]
    outputs: tuple[str, ...]
    """What the network's outputs are called; none where they are too many to show."""
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
        length = ["--steps", self.steps] if self.by_step else ["--epochs", self.epochs]
        words = ["scratchnet", "compare", self.experiment, *length]
        words += ["--dtype", self.dtype, "--seed", self.seed]
        usual = _usual_settings(self.experiment)
        for name, value in self.settings.items():
            values = tuple(value) if isinstance(value, list | tuple) else value
            if values is not None and values is not False and values != usual.get(name):
                option = f"--{name.replace('_', '-')}"
                for one in values if isinstance(values, tuple) else (values,):
                    words += [option] if one is True else [option, one]
        return shlex.join(map(str, words))

    @property
    def speed_ratio(self) -> float:
        """Time of scratchnet's step over Keras's compiled step."""
        return next(t.ratio for t in self.timings if t.name == SCRATCH)

    def stages(self) -> dict[str, list[Agreement]]:
        """Return the agreements under the moment they were taken at."""
        return {
            "before the first step": self.start,
            "along the way": self.trajectory,
            "from the final weights": self.end,
        }

    @property
    def unit(self) -> str:
        """What ``losses`` has a number for: an ``epoch`` or a ``step``."""
        return "step" if self.by_step else "epoch"

    def shown(self) -> list[int]:
        """Return a few places in ``losses``, from the first to the last."""
        last = len(self.losses["Keras"]) - 1
        return sorted({round(last * i / 8) for i in range(9)})

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


def compare(
    problem: Problem,
    progress: Progress = lambda what, done, total: None,
    steps: int | None = None,
) -> Comparison:
    """Train both engines on ``problem`` and return how they agree and how fast they are.

    Outputs and gradients are compared before the first step, and again from scratchnet's final
    weights given to both; weights also along the way.  For a table they are those of the whole
    training set, for texts and reviews those of the first batch.

    Parameters
    ----------
    steps : int, optional
        Train for so many steps, and keep the loss of each.  A table is trained for the problem's
        epochs otherwise, anything else for 100 steps.
    """
    table = isinstance(problem.reader, Columns)
    if steps is None and not table:
        steps = TRAJECTORY_STEPS
    by_step = steps is not None
    if steps is None:
        steps = problem.epochs * len(problem.batches(0))
    result = Comparison(
        problem.experiment,
        problem.dtype,
        problem.seed,
        problem.epochs,
        positive_integer("compare", "steps", steps),
        by_step,
        "the whole training set" if table else "the first batch",
        problem.notes,
        problem.reader.outputs if isinstance(problem.reader, Columns) else (),
        problem.settings,
        "held-out rows" if problem.held_out else "training rows",
    )
    with keras_floats(problem.dtype):
        model = problem.build_model()
        build_twin = functools.partial(TWINS[problem.experiment], **problem.architecture)
        twin = build_twin()
        densify(twin.optimizer)
        if any(isinstance(layer, keras.layers.Embedding) for layer in twin.layers):
            result.notes += (DENSIFIED,)
        tolerance = _trajectory_tolerance(problem, twin)
        if tolerance == ROUNDED_TRAJECTORY_TOLERANCE:
            _round_averages(model.optimizer, twin.optimizer)
            result.notes += (ROUNDED,)
        twin.set_weights(model.get_weights())
        compared = _batch(problem, slice(None) if table else problem.batches(0)[0])
        result.start = agreements(model, twin, *compared)
        _train(problem, model, twin, result, progress, tolerance)
        pairs = list(zip(model.get_weights(), twin.get_weights(), strict=True))
        result.weight_difference = max(float(np.abs(a - b).max()) for a, b in pairs)
        if isinstance(problem.reader, Columns):
            _classify(problem, problem.reader, model, twin, result)
        twin.set_weights(model.get_weights())
        result.end = agreements(model, twin, *compared)
        result.timings = _time(problem, build_twin, progress, table)
    return result


def _usual_settings(experiment: str) -> dict[str, Any]:
    """Return what an experiment's settings are where nobody chooses."""
    module = get(experiment).module()
    parameters = inspect.signature(module.problem).parameters.values()
    published = vars(module.PUBLISHED) if hasattr(module, "PUBLISHED") else {}
    return {one.name: one.default for one in parameters} | published


def _batch(problem: Problem, rows: Any) -> tuple[Array, Array]:
    """Return inputs and targets as both engines take them: ids stay integers."""
    x, y = problem.x_train[rows], problem.y_train[rows]
    return as_keras_takes_it(x, problem.dtype), as_keras_takes_it(y, problem.dtype)


def agreements(model: Sequential, twin: keras.Model, x: Array, y: Array) -> list[Agreement]:
    """Return how outputs, loss and gradients of both engines agree on a batch.

    The caller sets `keras_floats` to the model's dtype, and gives both the same weights.
    """
    loss = keras.losses.get({"class_name": type(model.loss).__name__, "config": {}})
    answer = ask_twin(twin, loss, x, y)
    value, gradients = model.gradients(x, y)
    forward, backward = FORWARD_TOLERANCE[model.dtype], GRADIENT_TOLERANCE[model.dtype]
    found = [
        Agreement("outputs", difference(model.forward(x), answer.y), forward),
        Agreement("loss", difference(value, answer.loss), forward),
    ]
    for layer, ours, theirs in zip(model.layers, gradients, answer.grads, strict=True):
        found += [
            Agreement(f"{layer.name}/{key}", difference(ours[key], theirs[key]), backward)
            for key in ours
        ]
    return found


def difference(ours: Any, keras: Any) -> float:
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
    problem: Problem,
    model: Sequential,
    twin: keras.Model,
    result: Comparison,
    progress: Progress,
    tolerance: float,
) -> None:
    """Make all steps in both engines; keep the losses, and how far weights are apart."""
    twin.make_train_function()
    result.losses = {"scratchnet": [], "Keras": []}
    batches = ((e, rows) for e in itertools.count() for rows in problem.batches(e))
    compared_at = _compared_at(problem, result)
    total, samples, last = 0.0, 0, len(problem.batches(0))
    twin.reset_metrics()
    for step, (epoch, rows) in enumerate(itertools.islice(batches, result.steps), 1):
        x, y = _batch(problem, rows)
        loss = model.train_on_batch(x, y)
        total += (loss[0] if isinstance(loss, list) else loss) * len(rows)
        samples += len(rows)
        logs = twin.train_function(iter([(tf.constant(x), tf.constant(y))]))
        if step in compared_at:
            result.trajectory.append(_trajectory(model, twin, step, tolerance))
        if result.by_step or step % last == 0:
            result.losses["scratchnet"].append(total / samples)
            result.losses["Keras"].append(float(logs["loss"]))
            total, samples = 0.0, 0
            twin.reset_metrics()
            if result.by_step:
                progress("training both engines", step, result.steps)
            else:
                progress("training both engines", epoch + 1, problem.epochs)
    if result.by_step:
        ours, theirs = (curve[:TRAJECTORY_STEPS] for curve in result.losses.values())
        name = f"losses of the first {len(ours)} steps" if len(ours) > 1 else "loss of the step"
        result.trajectory.append(Agreement(name, difference(ours, theirs), tolerance))


def _compared_at(problem: Problem, result: Comparison) -> set[int]:
    """Return the steps after which weights are compared.

    Rounding grows from step to step: after more than a hundred, only a small network in float64 is
    held to the tolerance.
    """
    to_the_end = problem.dtype == "float64" and not result.by_step
    if result.steps < TRAJECTORY_STEPS and result.by_step:
        to_the_end = True
    return {1, TRAJECTORY_STEPS, *([result.steps] if to_the_end else [])}


def _round_averages(*optimizers: Any) -> None:
    """Give both optimizers the numbers that float32 has for what Keras rounds in one place only."""
    for optimizer in optimizers:
        for name in AVERAGES:
            if hasattr(optimizer, name):
                setattr(optimizer, name, float(np.float32(getattr(optimizer, name))))


def _trajectory_tolerance(problem: Problem, twin: keras.Model) -> float:
    kept = [getattr(twin.optimizer, name, 0.0) for name in AVERAGES]
    if problem.dtype == "float64" and any(float(np.float32(value)) != value for value in kept):
        return ROUNDED_TRAJECTORY_TOLERANCE
    return TRAJECTORY_TOLERANCE[problem.dtype]


def _trajectory(model: Sequential, twin: keras.Model, steps: int, tolerance: float) -> Agreement:
    pairs = zip(model.get_weights(), twin.get_weights(), strict=True)
    worst = max(difference(ours, theirs) for ours, theirs in pairs)
    name = f"weights after {steps} step{'s' if steps > 1 else ''}"
    return Agreement(name, worst, tolerance)


def _classify(
    problem: Problem, columns: Columns, model: Sequential, twin: keras.Model, result: Comparison
) -> None:
    x = problem.x_test.astype(problem.dtype)
    outputs = {"scratchnet": model.predict(x), "Keras": twin(x, training=False).numpy()}
    if columns.cut_off is not None:
        for engine, y_pred in outputs.items():
            result.scores[engine] = scores(problem.y_test, y_pred, columns.cut_off)
    outputs["expected"] = problem.y_test
    result.pairs = [
        {name: rows[i].tolist() for name, rows in outputs.items()}
        for i in range(min(PAIRS, len(problem.y_test)))
    ]


def _time(
    problem: Problem, build_twin: Callable[..., keras.Model], progress: Progress, table: bool
) -> list[Timing]:
    """Race every way of running a step; where steps are short, several at once too."""
    units = race.MOST_UNITS if table else race.FEWEST_UNITS
    batches = [_batch(problem, rows) for rows in problem.batches(0)[: race.WARM_UP + units]]
    batches = [batch for batch in batches if len(batch[0]) == len(batches[0][0])]
    candidates = keras_candidates(build_twin, batches, units, several_at_once=units if table else 0)
    if table:
        candidates.append(one_graph(build_twin, batches, units))
    scratch = ScratchSteps(problem.build_model())
    candidates.append(candidate(scratch, SCRATCH, batches, units))
    return race.race(
        candidates,
        KERAS_STEP,
        seconds=race.SECONDS,
        progress=lambda done, total: progress("timing both engines", done, total),
    )
