"""What CuPy calls ``cupy.cuda``: a device that is always there."""

from __future__ import annotations

import time
import types
import weakref
from typing import Any

from tests.strict_array import memory as _memory
from tests.strict_array import streams
from tests.strict_array.graph import Graph
from tests.strict_array.memory import MemoryPool, OutOfMemoryError, using_allocator
from tests.strict_array.performing import CUDARuntimeError, Recording, refuse_in_capture

__all__ = ["Device", "Event", "Graph", "MemoryPool", "Stream", "using_allocator"]

memory = types.SimpleNamespace(
    OutOfMemoryError=OutOfMemoryError, MemoryPool=MemoryPool, using_allocator=using_allocator
)
runtime = types.SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    getDeviceCount=lambda: 1,
    getDeviceProperties=lambda device: {"name": b"stand-in", "major": 9, "minor": 0},
    runtimeGetVersion=lambda: 13000,
    driverGetVersion=lambda: 13000,
    memGetInfo=lambda: (2**33, 2**34),
    getDevice=lambda: 0,
    deviceSynchronize=lambda: Device().synchronize(),
    streamCaptureModeGlobal=0,
    streamCaptureModeThreadLocal=1,
    streamCaptureModeRelaxed=2,
)


def is_available() -> bool:
    return runtime.getDeviceCount() > 0


class Device:
    """The one device."""

    def __init__(self, device: int = 0) -> None:
        self.id = device
        self.compute_capability = "90"

    @property
    def mem_info(self) -> tuple[int, int]:
        return runtime.memGetInfo()

    @property
    def attributes(self) -> dict[str, int]:
        return {"MultiProcessorCount": 132}

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def use(self) -> Device:
        return self

    def synchronize(self) -> None:
        refuse_in_capture("Device.synchronize")
        for stream in list(_streams):
            streams.waited_by_host(stream._order)


_streams: weakref.WeakSet[Stream] = weakref.WeakSet()


class Stream:
    """A queue; ``non_blocking`` ones do not wait for the null stream, nor it for them."""

    null: Stream

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False) -> None:
        self._order = streams.NULL if null else streams.new_order(blocking=not non_blocking)
        self.is_non_blocking = non_blocking
        self.ptr = 0 if null else id(self._order)
        self.device_id = -1 if null else 0
        _streams.add(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and other.ptr == self.ptr

    def __hash__(self) -> int:
        return self.ptr

    def __enter__(self) -> Stream:
        streams.enter(self._order)
        _current.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        streams.leave()
        _current.pop()

    @property
    def done(self) -> bool:
        return True

    def synchronize(self) -> None:
        if self._order.recording is not None:
            refuse_in_capture("Stream.synchronize")
        streams.waited_by_host(self._order)

    def record(self, event: Event | None = None) -> Event:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        for other, when in event.seen.items():
            self._order.seen[other] = max(when, self._order.seen.get(other, 0))

    def is_capturing(self) -> bool:
        return self._order.recording is not None

    def begin_capture(self, mode: int | None = None) -> None:
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        if not self.is_non_blocking:
            raise CUDARuntimeError(
                906, "cudaErrorStreamCaptureImplicit: the stream waits for the null stream"
            )
        if self._order.recording is not None:
            raise CUDARuntimeError(1, "cudaErrorIllegalState: the stream captures already")
        self._order.recording = Recording()

    def end_capture(self) -> Graph:
        recording, self._order.recording = self._order.recording, None
        if recording is None:
            raise CUDARuntimeError(401, "cudaErrorIllegalState: the stream does not capture")
        if recording.invalid is not None:
            raise CUDARuntimeError(
                901, f"cudaErrorStreamCaptureInvalidated: {recording.invalid} was tried"
            )
        pool = _memory.present_pool()
        if pool is not _memory.DEFAULT:
            pool.sealed = True
        return Graph(recording, pool)


Stream.null = Stream(null=True)
_current: list[Stream] = []


def get_current_stream(device_id: int = -1) -> Stream:
    return _current[-1] if _current else Stream.null


class Event:
    """A point in a stream's work."""

    def __init__(
        self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
    ) -> None:
        self.seen: dict[Any, int] = {}
        self.time: float | None = None
        self._timed = not disable_timing

    @property
    def done(self) -> bool:
        return True

    def record(self, stream: Stream | None = None) -> None:
        order = (stream or get_current_stream())._order
        self.seen = {**order.seen, order: streams.now()}
        self.time = time.perf_counter() if self._timed else None

    def synchronize(self) -> None:
        refuse_in_capture("Event.synchronize")
        for order, when in self.seen.items():
            order.seen_by_host = max(order.seen_by_host, when)


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Return milliseconds."""
    refuse_in_capture("get_elapsed_time")
    if start_event.time is None or end_event.time is None:
        raise CUDARuntimeError(400, "cudaErrorInvalidResourceHandle: an event was not recorded")
    return 1000 * (end_event.time - start_event.time)


stream = types.SimpleNamespace(
    Stream=Stream, Event=Event, get_current_stream=get_current_stream,
    get_elapsed_time=get_elapsed_time,
)  # fmt: skip
graph = types.SimpleNamespace(Graph=Graph)
device = types.SimpleNamespace(Device=Device)
__path__: list[str] = []
