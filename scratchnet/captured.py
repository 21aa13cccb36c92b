"""Training steps on a device, recorded as a CUDA graph the second time a shape comes.

A step of a small network is hundreds of kernels of a few microseconds each, and to say them one
after the other takes longer than to compute them.  Recorded once, they are said at once.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.backend import Array, array_module
from scratchnet.device import reason
from scratchnet.errors import ScratchnetError
from scratchnet.layers import Layer
from scratchnet.queued import Queue, queued
from scratchnet.samples import Samples

MOST = 4
"""Recordings that are kept; each holds the memory of a whole step."""
IDLE = 100
"""Steps after which a recording that took none of them makes room for another."""
SEEN = 64
"""Shapes that are remembered as having come once."""
NUMBERS = 64
"""That may change from one replay to the next."""

Step = Callable[[Samples], Any]


class Steps:
    """Takes training steps: the first of a shape as it is said, later ones from a recording."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()
        self._recordings: dict[Hashable, Recorded] = {}
        self._count = 0
        self._recordable = True

    def take(
        self,
        step: Step,
        batch: Samples,
        key: Callable[[], Hashable],
        is_recordable: Callable[[], bool],
        layers: Sequence[Layer],
    ) -> Any:
        """Return ``step(batch)``, computed by a recording of an earlier call if there is one.

        Parameters
        ----------
        key : function
            Returns what the step depends on beside the batch's values and what goes through
            `scratchnet.queued.changing`.
        is_recordable : function
            Returns whether the host does nothing in a step that a recording would miss.
        layers : sequence of Layer
            Hold something of a step after it, their gradients for instance.
        """
        self._count += 1
        batch = _in_one_piece(batch)
        now = key() if self._recordable else None
        recorded = self._recordings.get(now)
        if recorded is None and now in self._seen and self._has_room():
            self._seen.discard(now)
            self._recordable = is_recordable()
            recorded = self._recorded(step, batch, layers) if self._recordable else None
            self._recordable = recorded is not None
            if recorded is not None:
                self._recordings[now] = recorded
        if recorded is not None:
            recorded.latest = self._count
            return recorded.replay(batch)
        result = taken(step, batch, rehearses=True)
        if self._recordable:
            if len(self._seen) == SEEN:
                self._seen.clear()
            self._seen.add(key())  # an optimizer's first step makes its slots
        return result

    def _has_room(self) -> bool:
        """Whether there is room for a recording, once the idlest is let go."""
        if len(self._recordings) < MOST:
            return True
        idlest = min(self._recordings, key=lambda key: self._recordings[key].latest)
        if self._count - self._recordings[idlest].latest > IDLE:
            del self._recordings[idlest]
            return True
        return False

    def __reduce__(self) -> tuple[type[Steps], tuple[()]]:
        """Let a copy of the model make recordings of its own."""
        return Steps, ()

    def _recorded(self, step: Step, batch: Samples, layers: Sequence[Layer]) -> Recorded | None:
        """Return a recording, or None where the step cannot be recorded: it never will be."""
        try:
            return Recorded(step, batch, layers)
        except ScratchnetError:
            raise
        except Exception as error:
            warnings.warn(
                "training steps are taken one by one, since they cannot be recorded: "
                f"{reason(error)}. "
                "compile(..., run_eagerly=True) does so without trying.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None


def taken(step: Step, batch: Samples, rehearses: bool = False) -> Any:
    """Return ``step(batch)``, queued as it is said."""
    with queued(Queue(array_module(batch.x), rehearses)):
        return step(batch)


def _in_one_piece(batch: Samples) -> Samples:
    """Return a batch as a recording keeps it: the arrays given, unless they have gaps."""
    whole = array_module(batch.x).ascontiguousarray
    weight = None if batch.sample_weight is None else whole(batch.sample_weight)
    return Samples(whole(batch.x), whole(batch.y), weight)


class Recorded:
    """One training step as a graph, with memory of its own that it reads and writes.

    Parameters
    ----------
    step : function
        Queues all work and waits for nothing.
    batch : Samples
        Of the shapes that it will be replayed for.
    layers : sequence of Layer

    Attributes
    ----------
    latest : int
        When it was replayed, in steps.
    """

    latest = 0

    def __init__(self, step: Step, batch: Samples, layers: Sequence[Layer]) -> None:
        xp = array_module(batch.x)
        weight = batch.sample_weight
        self._batch = Samples(
            batch.x.copy(), batch.y.copy(), None if weight is None else weight.copy()
        )
        self._recording = _Recording(xp)
        self._pool = xp.cuda.MemoryPool()
        stream = xp.cuda.Stream(non_blocking=True)
        gc.collect()
        xp.get_default_memory_pool().free_all_blocks()  # what steps so far have left is needed here
        with queued(self._recording), xp.cuda.using_allocator(self._pool.malloc), stream:
            stream.begin_capture()
            try:
                self._result = step(self._batch)
            except BaseException:
                _abandon(stream)
                raise
            self._graph = stream.end_capture()
        self._left = [(layer, layer.left_by_a_step()) for layer in layers]

    def replay(self, batch: Samples) -> Any:
        """Take the step with another batch.

        What it returned, and left in the layers, are the same arrays each time, with new values.
        """
        for own, array in zip(_arrays(self._batch), _arrays(batch), strict=True):
            own[...] = array
        self._recording.write()
        self._graph.launch()
        for layer, left in self._left:
            layer.put_back(left)
        return self._result


class _Recording(Queue):
    """What the host does and says each time."""

    recording = True

    def __init__(self, xp: Any) -> None:
        super().__init__(xp, rehearses=True)
        self._on_device = xp.zeros(NUMBERS, dtype="float64")
        self._on_host = np.zeros(NUMBERS)
        self._acts: list[Callable[[], None]] = []
        self._count = 0

    def number(self, read: Callable[[], float]) -> Array:
        """Return a place on the device that `write` fills."""
        place = self._count
        if place == NUMBERS:
            raise RuntimeError(f"more than {NUMBERS} numbers change from step to step")

        def keep() -> None:
            self._on_host[place] = read()

        self._acts.append(keep)
        self._count += 1
        return self._on_device[place]

    def action(self, act: Callable[[], None]) -> None:
        """Note down what the host does before each replay."""
        self._acts.append(act)

    def write(self) -> None:
        """Do what the host has to do, and send this step's numbers."""
        for act in self._acts:
            act()
        if self._count:
            self._on_device.set(self._on_host)


def _arrays(batch: Samples) -> list[Array]:
    return [array for array in (batch.x, batch.y, batch.sample_weight) if array is not None]


def _abandon(stream: Any) -> None:
    """End a capture that something went wrong in; that it did is said elsewhere."""
    try:
        stream.end_capture()
    except Exception:
        return


class Same:
    """An array as a part of a key: this one, and no other that comes to lie where it was."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.array is self.array

    def __hash__(self) -> int:
        return id(self.array)


def seeds_of(state: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """Return what a recording is made for of a layer's state: all but how many masks were drawn."""
    return tuple(
        seeds_of(value) if isinstance(value, Mapping) else value
        for name, value in state.items()
        if name != "draws"
    )


def settings_of(part: object) -> tuple[Hashable, ...]:
    """Return the numbers and words that a layer or a loss is set to."""
    plain = (bool, int, float, str)
    return tuple(value for value in vars(part).values() if isinstance(value, plain))


def is_together(batch: Samples) -> bool:
    """Whether a batch is arrays of one device: lists, and what is misplaced, are for the loss."""
    return all(type(array) is type(batch.x) for array in _arrays(batch))


def shape_of(batch: Samples) -> tuple[Hashable, ...]:
    """Return what of a batch a recording is made for."""
    return tuple((array.shape, array.dtype.str) for array in _arrays(batch))
