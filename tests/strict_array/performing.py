"""The one door through which every computation goes: at once, or into the recording of a capture.

While a stream captures, nothing is computed: what would be written stays as it was, what would be
made holds NaN, and the recording does both when its graph is launched.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.strict_array import streams
from tests.strict_array.memory import Owner, arrays_in, garbage, owner_of, root_of


class CUDARuntimeError(RuntimeError):
    """What CuPy raises for CUDA's own errors."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Crossings:
    """What was copied between host and device, one line a copy."""

    def __init__(self) -> None:
        self.to_host: list[str] = []
        self.to_device: list[str] = []


_counters: list[Crossings] = []


@contextlib.contextmanager
def crossings() -> Iterator[Crossings]:
    """Count what crosses between host and device inside the block."""
    counter = Crossings()
    _counters.append(counter)
    try:
        yield counter
    finally:
        _counters.remove(counter)


def cross(way: str, what: str) -> None:
    """Note a copy between host and device, which no capture survives."""
    refuse_in_capture(f"{what} copies between host and device")
    for counter in _counters:
        getattr(counter, way).append(what)


class Step(NamedTuple):
    """One entry of a recording."""

    name: str
    run: Callable[[], None]
    reads: tuple[np.ndarray, ...]
    writes: tuple[np.ndarray, ...]


class Recording:
    """What a stream saw while it captured."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.invalid: str | None = None
        self.made: dict[int, np.ndarray] = {}
        self.given: dict[int, tuple[str, weakref.ref[Owner] | None]] = {}
        """By the address of what was there before: who used it first, and its owner."""

    def add(self, step: Step, made: Sequence[np.ndarray] = ()) -> None:
        self.made.update((id(root_of(array)), root_of(array)) for array in made)
        for array in (*step.reads, *step.writes):
            root = root_of(array)
            if id(root) not in self.made and id(root) not in self.given:
                owner = owner_of(array)
                self.given[id(root)] = (step.name, None if owner is None else weakref.ref(owner))
        self.steps.append(step)


def refuse_in_capture(why: str, error: type[Exception] = CUDARuntimeError) -> None:
    """Raise if the current stream captures."""
    recording = streams.recording()
    if recording is None:
        return
    if error is CUDARuntimeError:
        recording.invalid = why
        raise CUDARuntimeError(
            900, f"cudaErrorStreamCaptureUnsupported: operation not permitted: {why}"
        )
    raise error(why)


def launch(
    name: str,
    run: Callable[[], None],
    reads: Sequence[np.ndarray],
    writes: Sequence[np.ndarray],
    first: bool = False,
) -> None:
    """Run a kernel, or record it; ``first`` if it had to be compiled for these types."""
    recording = streams.recording()
    streams.touch(name, reads, writes)
    if recording is None:
        run()
        return
    if first:
        refuse_in_capture(f"{name} would be compiled during a capture: run it once before")
    recording.add(Step(name, run, tuple(reads), tuple(writes)))


def compute(
    name: str,
    function: Callable[..., Any],
    args: Sequence[Any],
    keywords: dict[str, Any],
    reads: Sequence[np.ndarray],
    writes: Sequence[np.ndarray] = (),
) -> Any:
    """Return ``function(*args, **keywords)``, or arrays that will hold it once the graph ran."""
    streams.touch(name, reads, writes)
    recording = streams.recording()
    with np.errstate(all="ignore"):  # a device does not warn
        if recording is None:
            return _arrays(function(*args, **keywords))
        kept = [array.copy() for array in writes]
        result = _arrays(function(*args, **keywords))  # for its shapes and types
        for array, value in zip(writes, kept, strict=True):
            array[...] = value
    known = {id(root_of(array)) for array in (*reads, *writes)}
    made = [array for array in arrays_in(result) if id(root_of(array)) not in known]
    for array in made:
        garbage(array)
    if made or writes:

        def run() -> None:
            with np.errstate(all="ignore"):
                again = _arrays(function(*args, **keywords))
            fresh = [a for a in arrays_in(again) if id(root_of(a)) not in known]
            for array, value in zip(made, fresh, strict=True):
                array[...] = value

        recording.add(Step(name, run, tuple(reads), (*writes, *made)), made)
    return result


def _arrays(result: Any) -> Any:
    """Return what NumPy gives as a scalar as an array of rank 0."""
    if isinstance(result, np.generic):
        return np.asarray(result)
    if isinstance(result, list):
        return [_arrays(item) for item in result]
    if isinstance(result, tuple):
        return tuple(_arrays(item) for item in result)
    return result
