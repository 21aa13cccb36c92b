"""Streams, and who must have waited for whom.

Work of one stream is in order; work of two is not, unless one has waited.  What would be a race on
a device is an error here: reading what another stream wrote, or writing what it wrote or reads,
before either the host or this stream has waited for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.strict_array.memory import Owner, owner_of


class RaceError(RuntimeError):
    """Two streams, one array, and nobody waited."""


_clock = 0
_stack: list[Any] = []
_several = False


class _Order:
    """What a stream has waited for: the clock up to which it has seen another's work."""

    def __init__(self, blocking: bool) -> None:
        self.blocking = blocking
        self.recording: Any = None
        self.seen: dict[_Order, int] = {}
        self.seen_by_host = 0


NULL = _Order(blocking=True)


def new_order(blocking: bool) -> _Order:
    global _several
    _several = True
    return _Order(blocking)


def current() -> _Order:
    return _stack[-1] if _stack else NULL


def enter(order: _Order) -> None:
    _stack.append(order)


def leave() -> None:
    _stack.pop()


def recording() -> Any:
    return current().recording if _stack else None


def now() -> int:
    return _clock


def waited_by_host(order: _Order) -> None:
    order.seen_by_host = _clock


def born(owner: Owner) -> None:
    """Note on which stream new memory was written."""
    if _several and owner.written is None and current().recording is None:
        owner.written = (current(), _clock)


def touch(
    name: str,
    reads: Sequence[np.ndarray],
    writes: Sequence[np.ndarray],
    order: _Order | None = None,
) -> None:
    """Note who uses what, and raise RaceError where another stream's use may not have ended."""
    global _clock
    if not _several:
        return
    me = order or current()
    if me.recording is not None:
        return  # nothing runs: the graph's launch will say where
    _clock += 1
    read = [owner for array in reads if (owner := owner_of(array)) is not None]
    written = [owner for array in writes if (owner := owner_of(array)) is not None]
    for owner in written:
        if owner.written is not None:
            _order_after(me, *owner.written, name)
        for other, when in owner.read.items():
            _order_after(me, other, when, name)
    for owner in read:
        if owner.written is not None:
            _order_after(me, *owner.written, name)
        owner.read[me] = _clock
    for owner in written:
        owner.written, owner.read = (me, _clock), {}


def _order_after(me: _Order, other: _Order, when: int, name: str) -> None:
    implicit = {me, other} >= {NULL} and me.blocking and other.blocking
    if me is other or implicit or max(me.seen.get(other, 0), other.seen_by_host) >= when:
        return
    raise RaceError(
        f"{name} uses what another stream may still be working on: synchronize that stream, "
        "or let this one wait for an event of it"
    )
