"""The ways of running a training step that race each other.

All are given the same batches, prepared before the clock starts: what is measured is the step.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from keras_impl.bench.race import Block, Candidate, repeated, stepwise
from scratchnet import Sequential
from scratchnet.backend import Array

SCRATCH = "scratchnet"
KERAS_STEP = "Keras, compiled step"
"""The baseline of every training step."""

Batches = Sequence[tuple[Array, Array]]

PEERS = {
    "PyTorch": ("torch", "keras_impl.bench.peers.torch_peer", "TorchSteps"),
    "JAX": ("jax", "keras_impl.bench.peers.jax_peer", "JaxSteps"),
}
"""By engine: what has to be installed, and the module and class that run it."""


class Engine(Protocol):
    """One way of running a training step."""

    name: str

    def prepare(self, x: Array, y: Array) -> tuple[Any, Any]:
        """Return what `step` takes for a batch in the host's memory; this is not timed."""
        ...

    def step(self, x: Any, y: Any) -> Any:
        """Make one training step, finished on return; return the loss, which ``float`` reads."""
        ...


class ScratchSteps:
    """`Sequential.train_on_batch`.

    Parameters
    ----------
    model : Sequential
        Built and compiled.
    """

    name = SCRATCH

    def __init__(self, model: Sequential) -> None:
        self._model = model

    def prepare(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return the arrays as they are."""
        return x, y

    def step(self, x: Array, y: Array) -> float:
        """Train; the loss comes with the metrics."""
        result = self._model.train_on_batch(x, y)
        return result[0] if isinstance(result, list) else result


class KerasSteps:
    """Keras's own compiled train step, as ``fit`` calls it, fed tensors that exist already.

    Parameters
    ----------
    twin : keras.Model
        Compiled.
    """

    def __init__(self, twin: keras.Model, name: str = KERAS_STEP) -> None:
        self.name = name
        self._twin = twin
        twin.make_train_function()

    def prepare(self, x: Array, y: Array) -> tuple[Any, Any]:
        """Return tensors."""
        return tf.constant(x), tf.constant(y)

    def step(self, x: Any, y: Any) -> Any:
        """Train; the loss is Keras's mean over the steps since `forget`."""
        return self._twin.train_function(iter(((x, y),)))["loss"]

    def forget(self) -> None:
        """Let the mean of the losses begin anew."""
        self._twin.reset_metrics()


def candidate(engine: Engine, kind: str, batches: Batches, units: int) -> Candidate:
    """Return an engine as a candidate that takes the batches in turn."""
    prepared = [engine.prepare(x, y) for x, y in batches]
    return Candidate(engine.name, kind, stepwise(engine.step, prepared, units))


def keras_candidates(
    build_twin: Callable[..., keras.Model], batches: Batches, units: int, several_at_once: int = 0
) -> list[Candidate]:
    """Return every way that Keras has of running a step, the baseline first.

    Parameters
    ----------
    build_twin : function
        Returns a compiled twin; its keywords go to ``compile``.
    units : int
        Counted steps of a block.
    several_at_once : int
        Steps that Keras runs in one call, with ``steps_per_execution``: three or more, the first
        call warms up; 0 leaves it out.
    """
    ways = [
        candidate(KerasSteps(build_twin(jit_compile=False)), "Keras", batches, units),
        _fed(build_twin(jit_compile=False), batches, units),
        candidate(
            KerasSteps(build_twin(jit_compile=True), f"{KERAS_STEP}, XLA"), "Keras", batches, units
        ),
    ]
    if several_at_once:
        twin = build_twin(jit_compile=False, steps_per_execution=several_at_once)
        ways.append(_executed(twin, batches, several_at_once, units))
    return ways


def one_graph(build_twin: Callable[..., keras.Model], batches: Batches, steps: int) -> Candidate:
    """Return Keras's train step so many times over in one XLA graph: nothing is called between."""
    twin = build_twin()
    twin.optimizer.build(twin.trainable_variables)
    xs, ys = (tf.constant(stack) for stack in _stacked(batches))
    available = len(xs)

    @tf.function(jit_compile=True, autograph=False)
    def graph(xs: Any, ys: Any) -> Any:
        def body(i: Any) -> Any:
            twin.train_step((xs[i % available], ys[i % available]))
            return (i + 1,)

        return tf.while_loop(lambda i: i < steps, body, (tf.constant(0),))

    return Candidate(
        f"Keras, {steps} steps in one XLA graph", "Keras", repeated(lambda: graph(xs, ys), 1, steps)
    )


def peer_engine(kind: str, model: Sequential, threads: int) -> Engine | None:
    """Return PyTorch's or JAX's way of training a model, or None where it is not installed."""
    needed, module, name = PEERS[kind]
    if importlib.util.find_spec(needed) is None:
        return None
    if needed == "torch":
        importlib.import_module("torch").set_num_threads(threads)
    made: Engine = getattr(importlib.import_module(module), name)(model)
    return made


def _fed(twin: keras.Model, batches: Batches, units: int) -> Candidate:
    """The same step fed from a data set in memory, which is what ``fit`` makes of arrays."""
    twin.make_train_function()
    iterator = _data(batches)
    block: Block = stepwise(lambda x, y: twin.train_function(iterator), [(None, None)], units)
    return Candidate(f"{KERAS_STEP}, tf.data", "Keras", block)


def _executed(twin: keras.Model, batches: Batches, steps: int, units: int) -> Candidate:
    """Keras's train step for several batches at once, which takes them from a data set."""
    twin.make_train_function()
    iterator = _data(batches)
    block = repeated(lambda: twin.train_function(iterator), -(-units // steps), steps)
    return Candidate(f"Keras, steps_per_execution={steps}", "Keras", block)


def _data(batches: Batches) -> Any:
    return iter(tf.data.Dataset.from_tensor_slices(_stacked(batches)).cache().repeat())


def _stacked(batches: Batches) -> tuple[Array, Array]:
    return np.stack([x for x, _ in batches]), np.stack([y for _, y in batches])
