"""The time of work that a device does while the host goes on: nothing is read before it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Lap(NamedTuple):
    """What one call took, on average over the calls of a block."""

    seconds: float
    """By the host's clock, from a device with nothing to do until it has nothing to do again."""
    device_seconds: float | None
    """Between two events of the device's own; None where there are none."""


class Clock:
    """The host's clock with the device waited for, and the device's events beside it.

    Parameters
    ----------
    synchronize : function
        Returns once the device has done all it was given.
    event : function, optional
        Returns an event that is recorded with ``record()``.
    milliseconds : function, optional
        Takes two events; returns the milliseconds from the first to the second.
    """

    def __init__(
        self,
        synchronize: Callable[[], Any] = lambda: None,
        event: Callable[[], Any] | None = None,
        milliseconds: Callable[[Any, Any], float] | None = None,
    ) -> None:
        self._synchronize = synchronize
        self._event = event
        self._milliseconds = milliseconds

    def lap(self, run: Callable[[], Any], calls: int) -> Lap:
        """Return what a call takes, of so many one after the other."""
        begin, end = (self._event(), self._event()) if self._event else (None, None)
        self._synchronize()
        start = time.perf_counter()
        if begin is not None:
            begin.record()
        for _ in range(calls):
            run()
        if end is not None:
            end.record()
        self._synchronize()
        seconds = (time.perf_counter() - start) / calls
        if self._milliseconds is None:
            return Lap(seconds, None)
        return Lap(seconds, self._milliseconds(begin, end) / 1e3 / calls)


def clock_of(xp: Any) -> Clock:
    """Return the clock of CuPy's current device."""
    cuda = xp.cuda
    return Clock(cuda.Device().synchronize, cuda.Event, cuda.get_elapsed_time)
