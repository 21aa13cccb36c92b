"""The ways of running a training step that are timed, and what each needs to be there."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keras_impl.bench.device.clock import Clock, clock_of
from keras_impl.bench.device.work import DeviceWork
from scratchnet import Sequential, to_device
from scratchnet.backend import Array, array_module, to_host

SCRATCH = "scratchnet"
EAGER = "scratchnet, run_eagerly"
HOST = "scratchnet on the CPU"
CUDNN = "PyTorch, cuDNN"
"""The baseline: products in float32 as everyone else's, the loss read after every step."""
UNREAD = "PyTorch, cuDNN, loss not read"
GRAPH = "PyTorch, cuDNN in a CUDA graph"
TF32 = "PyTorch, cuDNN with TF32"
KERAS = "Keras"
ENGINES = {
    SCRATCH: "scratchnet",
    EAGER: "scratchnet",
    CUDNN: "PyTorch",
    UNREAD: "PyTorch",
    GRAPH: "PyTorch",
    TF32: "PyTorch",
    KERAS: "Keras",
    HOST: "scratchnet",
}
"""Every way in the order of the table, and whose it is."""

TOLERANCE = 1e-4
"""Of the gradients, over the largest of each array; ten times that for losses after updates."""
TF32_TOLERANCE = 2e-2
"""The same where factors are rounded to TF32's ten bits."""

Batches = Sequence[tuple[Any, Any]]


class AbsentError(Exception):
    """A way cannot be run here; the message says why, for its row of the table."""


@dataclass(frozen=True)
class Way:
    """One way of running the training step, ready to go."""

    name: str
    clock: Clock
    train: Callable[[], Any]
    """Makes a step on the next batch; returns the loss, which ``float`` reads."""
    gradients: Callable[[], tuple[float, list[Array]]] | None = None
    """Returns the first batch's loss and gradients in the model's order; updates nothing."""
    settings: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    """What has to hold while it runs."""
    tolerance: float = TOLERANCE


def in_turn(step: Callable[[Any, Any], Any], batches: Batches) -> Callable[[], Any]:
    """Return a function that steps on the next batch, the first after the last."""
    endless = itertools.cycle(batches)
    return lambda: step(*next(endless))


def host_gradients(model: Sequential, x: Array, y: Array) -> tuple[float, list[Array]]:
    """Return a model's loss and gradients, in the order of its weights, in the host's memory."""
    loss, gradients = model.gradients(x, y)
    return loss, [to_host(array) for layer in gradients for array in layer.values()]


def scratch(work: DeviceWork, device: str, name: str) -> Way:
    """Return scratchnet's own way on a device: `SCRATCH`, `EAGER` or `HOST`."""
    model = work.build_model(run_eagerly=name == EAGER).to(device)
    batches = [(to_device(x, device), to_device(y, device)) for x, y in work.batches()]
    clock = Clock() if device == "cpu" else clock_of(array_module(batches[0][0]))
    return Way(
        name,
        clock,
        in_turn(model.train_on_batch, batches),
        lambda: host_gradients(model, *batches[0]),
    )


def torch(work: DeviceWork, name: str, device: str = "cuda") -> Way:
    """Return a way of PyTorch's.

    Raises
    ------
    AbsentError
        PyTorch is not installed, sees no such device, or cannot put its step into a graph.
    """
    if importlib.util.find_spec("torch") is None:
        raise AbsentError("PyTorch is not installed")
    from keras_impl.bench.device import torch_ways

    return torch_ways.make(work, name, device)


def keras(work: DeviceWork, device: str = "gpu") -> Way:
    """Return Keras's way, with its backend.

    Raises
    ------
    AbsentError
        Keras or its backend is not installed, or the backend sees no GPU.
    """
    if importlib.util.find_spec("keras") is None:
        raise AbsentError("Keras is not installed")
    from keras_impl.bench.device import keras_way

    return keras_way.make(work, device)


def makers(work: DeviceWork) -> dict[str, Callable[[], Way]]:
    """Return how each way on the GPU is made ready, by name."""
    found: dict[str, Callable[[], Way]] = {
        name: lambda name=name: scratch(work, "gpu", name)  # type: ignore[misc]
        for name in (SCRATCH, EAGER)
    }
    for name in (CUDNN, UNREAD, GRAPH, TF32):
        found[name] = lambda name=name: torch(work, name)  # type: ignore[misc]
    found[KERAS] = lambda: keras(work)
    return found
