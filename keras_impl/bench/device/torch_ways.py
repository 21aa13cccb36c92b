"""PyTorch's training step on a GPU, whose recurrent layers are cuDNN's."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch

from keras_impl.bench.device import ways
from keras_impl.bench.device.clock import Clock
from keras_impl.bench.device.ways import AbsentError, Way, in_turn
from keras_impl.bench.device.work import DeviceWork
from keras_impl.bench.peers.torch_peer import TorchSteps
from scratchnet import Sequential

WARM_UP = 3
"""Steps before a step is put into a graph: libraries choose and allocate in the first."""


class TorchOnDevice(TorchSteps):
    """`TorchSteps` with PyTorch's own Adam, the fused one: one kernel updates every weight."""

    def __init__(self, model: Sequential, device: str, *, capturable: bool = False) -> None:
        super().__init__(model, device)
        config = model.optimizer.get_config()
        self.optimizer = torch.optim.Adam(
            self.trained,
            lr=config["learning_rate"],
            betas=(config["beta_1"], config["beta_2"]),
            eps=config["epsilon"],
            fused=True,
            capturable=capturable,
        )


class TorchGraph(TorchOnDevice):
    """The whole step in a CUDA graph, into whose own arrays each batch is copied."""

    def __init__(self, model: Sequential, device: str) -> None:
        super().__init__(model, device, capturable=True)
        self._graph: Any = None

    def capture(self, x: Any, y: Any) -> None:
        """Put a step into the graph; weights and Adam's slots are then as they were before."""
        before = [weight.detach().clone() for weight in self.trained]
        self._x, self._y = x.clone(), y.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                super().train(self._x, self._y)
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)  # the graph's gradients are in its own memory
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._loss = super().train(self._x, self._y)
        self._graph = graph
        self.begin_anew(before)

    @torch.no_grad()
    def begin_anew(self, weights: list[Any]) -> None:
        """Write weights where the graph finds them, and zeros into Adam's slots."""
        for weight, value in zip(self.trained, weights, strict=True):
            weight.copy_(value)
            for slot in self.optimizer.state[weight].values():
                slot.zero_()

    def train(self, x: Any, y: Any) -> Any:
        """Replay the graph on a batch."""
        self._x.copy_(x)
        self._y.copy_(y)
        self._graph.replay()
        return self._loss


def make(work: DeviceWork, name: str, device: str) -> Way:
    """Return the way of a name; see `ways.torch`."""
    if device == "cuda" and not torch.cuda.is_available():
        raise AbsentError(f"PyTorch {torch.__version__} sees no GPU")
    allow = name == ways.TF32
    settings = functools.partial(products, allow_tf32=allow)
    tolerance = ways.TF32_TOLERANCE if allow else ways.TOLERANCE
    model = work.build_model()
    if name == ways.GRAPH:
        return _in_a_graph(work, model, device, settings)
    engine = TorchOnDevice(model, device)
    batches = [engine.prepare(x, y) for x, y in work.batches()]
    step = engine.train if name == ways.UNREAD else engine.step
    return Way(
        name,
        clock_of(device),
        in_turn(step, batches),
        lambda: engine.gradients(*batches[0]),
        settings,
        tolerance,
    )


def _in_a_graph(work: DeviceWork, model: Sequential, device: str, settings: Any) -> Way:
    engine = TorchGraph(model, device)
    batches = [engine.prepare(x, y) for x, y in work.batches()]
    try:
        with settings():
            engine.capture(*batches[0])
    except RuntimeError as error:
        reason = str(error).partition("\n")[0][:100]
        raise AbsentError(f"PyTorch {torch.__version__} cannot capture it: {reason}") from None
    return Way(ways.GRAPH, clock_of(device), in_turn(engine.step, batches), settings=settings)


def clock_of(device: str) -> Clock:
    """Return the clock of PyTorch's device."""
    if device == "cpu":
        return Clock()
    return Clock(
        torch.cuda.synchronize,
        lambda: torch.cuda.Event(enable_timing=True),
        lambda begin, end: begin.elapsed_time(end),
    )


@contextlib.contextmanager
def products(*, allow_tf32: bool) -> Iterator[None]:
    """Let cuDNN's recurrent layers round factors to TF32, PyTorch's default, or not.

    Other products are not rounded in either case, which is PyTorch's default, too.
    """
    recurrent = getattr(torch.backends.cudnn, "rnn", None)
    if recurrent is None:  # before PyTorch 2.9
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=allow_tf32):
            yield
        return
    before = recurrent.fp32_precision
    recurrent.fp32_precision = "tf32" if allow_tf32 else "ieee"
    try:
        yield
    finally:
        recurrent.fp32_precision = before
