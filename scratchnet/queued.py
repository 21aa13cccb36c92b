"""A training step on a device is queued: the host says what to do and waits for nothing.

Within `queued`, no code may look at a device's values; a check that would is left to the time when
the loss, once read, turns out not to be finite.  What the host has to say anew each time a step is
taken goes through `changing` and `each_time`, so that a step that is recorded once can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from scratchnet.backend import array_module


class Queue:
    """A step that is taken as it is said, on the device of an array module.

    Parameters
    ----------
    xp : module
    rehearses : bool
        Whether a later step may be recorded: this one then does what a recording can hold.
    """

    recording = False
    """Whether it is only recorded, to be taken later."""

    def __init__(self, xp: Any, rehearses: bool = False) -> None:
        self.xp, self.rehearses = xp, rehearses

    def number(self, read: Callable[[], float]) -> Any:
        """Return a number of this step, for kernels: in a rehearsal an array, as in a recording."""
        return self.xp.full((), read(), dtype="float64") if self.rehearses else read()

    def action(self, act: Callable[[], None]) -> None:
        """Do what the host does each time the step is taken."""
        act()


_current: ContextVar[Queue | None] = ContextVar("scratchnet_queue", default=None)


@contextmanager
def queued(queue: Queue) -> Iterator[None]:
    """Let nothing look at a device's values while the block runs."""
    token = _current.set(queue)
    try:
        yield
    finally:
        _current.reset(token)


def may_look(array: object) -> bool:
    """Whether code may read this array's values, which makes the host wait for a device."""
    return type(array) is np.ndarray or _current.get() is None or array_module(array) is np


def recording() -> bool:
    """Whether what is said now is recorded, and not done."""
    queue = _current.get()
    return queue is not None and queue.recording


def rehearsing() -> bool:
    """Whether what is said now is recorded, or is to be."""
    queue = _current.get()
    return queue is not None and queue.rehearses


def changing(read: Callable[[], float]) -> Any:
    """Return ``read()``, a number that differs from step to step.

    In a recorded step it is an array on the device, written before each replay.
    """
    queue = _current.get()
    return read() if queue is None else queue.number(read)


def each_time(act: Callable[[], None]) -> None:
    """Do something on the host now, and in a recorded step before each replay.

    Actions and numbers come in the order in which the step mentions them.
    """
    queue = _current.get()
    if queue is None:
        act()
    else:
        queue.action(act)
