"""What a stream's capture gives: a recording that can be run again and again."""

from __future__ import annotations

import weakref
from typing import Any

from tests.strict_array import memory, streams
from tests.strict_array.memory import MemoryPool, root_of
from tests.strict_array.performing import Recording, refuse_in_capture


class Graph:
    """A recording that can be run again and again, on whatever its arrays hold then."""

    def __init__(self, recording: Recording, pool: MemoryPool) -> None:
        self._recording = recording
        self._pool = None if pool is memory.DEFAULT else weakref.ref(pool)
        self._made = {
            key: weakref.ref(owner)
            for key, root in recording.made.items()
            if (owner := memory.owner_of(root)) is not None
        }
        self._short_lived = len(recording.made) - len(self._made)
        self.launches = 0

    @property
    def steps(self) -> list[str]:
        """The names of what it does, in order."""
        return [step.name for step in self._recording.steps]

    def upload(self, stream: Any = None) -> None:
        return None

    def launch(self, stream: Any = None) -> None:
        order = streams.current() if stream is None else stream._order
        if order.recording is not None:
            refuse_in_capture("launching a graph inside a capture, in this stand-in,")
        self._refuse_freed_memory()
        for step in self._recording.steps:
            streams.touch(f"{step.name} of a graph", step.reads, step.writes, order)
            step.run()
        self.launches += 1

    def _refuse_freed_memory(self) -> None:
        for name, owner in self._recording.given.values():
            if owner is None or owner() is None:
                raise RuntimeError(
                    f"the graph's {name} uses an array that was there before the capture and is "
                    "no more: its memory may be another's. Keep a reference to it."
                )
        kept = self._pool is not None and self._pool() is not None
        if not kept and (
            self._short_lived or any(owner() is None for owner in self._made.values())
        ):
            raise RuntimeError(
                "arrays that the capture made lie in memory that was given back: capture inside "
                "using_allocator(pool.malloc) and keep the pool as long as the graph"
            )

    def outside_reads(self, allowed: Any = ()) -> list[str]:
        """Return a line for each array read that neither the capture made nor is in ``allowed``.

        ``allowed`` is a nest of lists, tuples and dictionaries of arrays; a view allows all of the
        memory that it is a view of.
        """
        return self._outside("reads", allowed)

    def outside_writes(self, allowed: Any = ()) -> list[str]:
        """Return a line for each array written that is not of the capture nor in ``allowed``."""
        return self._outside("writes", allowed)

    def _outside(self, kind: str, allowed: Any) -> list[str]:
        known = {*self._recording.made, *(id(root_of(array)) for array in _plain(allowed))}
        lines, met = [], set()
        for number, step in enumerate(self._recording.steps):
            for array in getattr(step, kind):
                key = id(root_of(array))
                if key not in known and key not in met:
                    met.add(key)
                    lines.append(f"step {number}, {step.name}: {array.dtype} {array.shape}")
        return lines


def _plain(value: Any) -> list[Any]:
    array = getattr(value, "_array", None)
    if array is not None:
        return [array]
    if isinstance(value, dict):
        value = value.values()
    return [a for item in value for a in _plain(item)] if not isinstance(value, str) else []
