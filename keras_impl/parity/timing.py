"""Seconds a training step, scratchnet beside every way Keras has of running it.

All candidates run in one process on the same prepared batches, in turns of a whole block of steps:
alternating single steps would slow TensorFlow down and flatter us.  The first steps of a block warm
up and do not count; the least disturbed block of each is compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from scratchnet import Sequential
from scratchnet.backend import Array

WARM_UP = 3
ROUNDS = 15
"""At most; there are fewer where steps are long."""
FEWEST_ROUNDS = 3
SECONDS = 60.0
"""After which no further round begins."""
MOST_STEPS = 60
FEWEST_STEPS = 15


@dataclass(frozen=True)
class Timing:
    """One way of running a training step."""

    name: str
    seconds: float
    """A step's time in the least disturbed block."""
    median: float
    """The same in the median block: far above ``seconds`` on a busy machine."""
    ratio: float
    """``seconds`` over those of Keras's compiled step."""


Block = Callable[[], float]
"""Runs a block of steps; returns the seconds of one."""


def measure(
    build_model: Callable[[], Sequential],
    build_twin: Callable[..., keras.Model],
    batches: list[tuple[Array, Array]],
    progress: Callable[[], None] = lambda: None,
    rounds: int = ROUNDS,
    several_at_once: bool = True,
) -> list[Timing]:
    """Time scratchnet and Keras on full batches of one size; Keras's compiled step comes first.

    Call inside `keras_floats`; ``build_twin`` returns a compiled twin.

    Parameters
    ----------
    several_at_once : bool
        Whether Keras's ways of running several steps at once take part: they pay where a step is
        short.
    """
    size = len(batches[0][0])
    batches = [batch for batch in batches if len(batch[0]) == size][:MOST_STEPS]
    while len(batches) < FEWEST_STEPS:
        batches = batches * 2
    n = len(batches)
    candidates = {
        "Keras, compiled step": _keras_steps(build_twin(jit_compile=False), batches),
        "Keras, compiled step, tf.data": _keras_data(build_twin(jit_compile=False), batches),
        "Keras, compiled step, XLA": _keras_steps(build_twin(jit_compile=True), batches),
    }
    if several_at_once:
        twin = build_twin(jit_compile=False, steps_per_execution=n)
        candidates[f"Keras, steps_per_execution={n}"] = _keras_execution(twin, batches)
        candidates[f"Keras, {n} steps in one XLA graph"] = _keras_graph(build_twin(), batches)
    candidates["scratchnet"] = _scratch_steps(build_model(), batches)
    blocks: dict[str, list[float]] = {name: [] for name in candidates}
    begun = time.perf_counter()
    for done in range(rounds):
        if done >= FEWEST_ROUNDS and time.perf_counter() - begun > SECONDS:
            break
        for name, block in candidates.items():
            blocks[name].append(block())
        progress()
    baseline = min(blocks["Keras, compiled step"])
    return [
        Timing(name, min(times), statistics.median(times), min(times) / baseline)
        for name, times in blocks.items()
    ]


def _scratch_steps(model: Sequential, batches: list[tuple[Array, Array]]) -> Block:
    return _stepwise(model.train_on_batch, batches)


def _keras_steps(twin: keras.Model, batches: list[tuple[Array, Array]]) -> Block:
    """Keras's own compiled train step, as ``fit`` calls it, fed tensors that exist already."""
    twin.make_train_function()
    tensors = [(tf.constant(x), tf.constant(y)) for x, y in batches]
    return _stepwise(lambda x, y: twin.train_function(iter(((x, y),))), tensors)


def _stepwise(step: Callable[[Any, Any], Any], batches: list[tuple[Any, Any]]) -> Block:
    def block() -> float:
        for x, y in batches[:WARM_UP]:
            step(x, y)
        start = time.perf_counter()
        for x, y in batches[WARM_UP:]:
            step(x, y)
        return (time.perf_counter() - start) / (len(batches) - WARM_UP)

    return block


def _keras_data(twin: keras.Model, batches: list[tuple[Array, Array]]) -> Block:
    """The same step fed from a data set in memory, which is what ``fit`` makes of arrays."""
    twin.make_train_function()
    iterator = iter(tf.data.Dataset.from_tensor_slices(_stacked(batches)).cache().repeat())
    return _stepwise(lambda x, y: twin.train_function(iterator), batches)


def _keras_execution(twin: keras.Model, batches: list[tuple[Array, Array]]) -> Block:
    """Keras's train step for several batches at once, which takes them from a data set."""
    twin.make_train_function()
    iterator = iter(tf.data.Dataset.from_tensor_slices(_stacked(batches)).cache().repeat())
    return _whole(lambda: twin.train_function(iterator), len(batches))


def _keras_graph(twin: keras.Model, batches: list[tuple[Array, Array]]) -> Block:
    twin.optimizer.build(twin.trainable_variables)
    xs, ys = (tf.constant(stack) for stack in _stacked(batches))

    @tf.function(jit_compile=True, autograph=False)
    def graph(xs: Any, ys: Any) -> Any:
        def body(i: Any) -> Any:
            twin.train_step((xs[i], ys[i]))
            return (i + 1,)

        return tf.while_loop(lambda i: i < len(batches), body, (tf.constant(0),))

    return _whole(lambda: graph(xs, ys), len(batches))


def _whole(run: Callable[[], Any], steps: int) -> Block:
    def block() -> float:
        run()
        start = time.perf_counter()
        run()
        return (time.perf_counter() - start) / steps

    return block


def _stacked(batches: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    return np.stack([x for x, _ in batches]), np.stack([y for _, y in batches])
