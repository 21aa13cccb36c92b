"""Places to compute at: as many threads as requests at a time, and a short queue before them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from starlette.exceptions import HTTPException

from keras_impl.serving.limits import Limits

Item = TypeVar("Item")

Check = Callable[[], None]
"""Raises where the work has lost its reader, or its time is over; called between its steps."""

RETRY = {"Retry-After": "1"}


class AbandonedError(Exception):
    """The work was stopped: its reader has left, or the server ends."""


class Work:
    """Runs what computes away from the loop that answers.

    Parameters
    ----------
    limits : Limits
        ``concurrency``, ``waiting``, ``patience`` and ``seconds``.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.concurrency)
        self._waiting = 0
        self._threads = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="serving")
        self._jobs: set[Job[Any]] = set()

    @property
    def full(self) -> bool:
        """Whether the next request would be refused."""
        return self._places.locked() and self._waiting >= self._limits.waiting

    async def start(self, items: Callable[[Check], Iterator[Item]]) -> Job[Item]:
        """Wait for a place; start the work there, whose items come as they are made.

        Parameters
        ----------
        items : function
            Is called in a thread.

        Raises
        ------
        HTTPException
            429 if too many wait already, or none has finished in time.
        """
        if self.full:
            raise self._busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.patience):
                await self._places.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self._waiting -= 1
        job = Job(items, self._limits.seconds)
        self._jobs.add(job)
        future = asyncio.get_running_loop().run_in_executor(self._threads, job.run)
        future.add_done_callback(lambda _: self._ended(job))
        return job

    def stop(self) -> None:
        """Have whatever is being computed end at its next step."""
        for job in self._jobs:
            job.stop()

    def close(self) -> None:
        """Stop, for good."""
        self.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, job: Job[Item]) -> None:
        self._jobs.discard(job)
        self._places.release()

    def _busy(self) -> HTTPException:
        return HTTPException(
            429,
            f"server: expected at most {self._limits.concurrency} requests at a time, got more. "
            "Try again in a second.",
            RETRY,
        )


class Job(Generic[Item]):
    """Items that a thread makes and the loop reads, as many at a time as there are.

    The thread waits for nobody: a reader that is slow holds no place.
    """

    def __init__(self, items: Callable[[Check], Iterator[Item]], seconds: float) -> None:
        self._items, self._seconds = items, seconds
        self._until = time.monotonic() + seconds
        self._stop = threading.Event()
        self._made: asyncio.Queue[Item | _End] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        """Make the items."""
        end = _End()
        try:
            for item in self._items(self._check):
                self._put(item)
        except Exception as error:  # whatever it is, the reader raises it
            end = _End(error)
        self._put(end)

    def stop(self) -> None:
        """Have the thread end at its next step."""
        self._stop.set()

    async def __aiter__(self) -> AsyncIterator[list[Item]]:
        """Yield what has been made since the last time.

        Raises
        ------
        HTTPException
            413 if the time was over before the work was done.
        """
        while True:
            items, item = [], await self._made.get()
            while not isinstance(item, _End):
                items.append(item)
                if self._made.empty():
                    break
                item = self._made.get_nowait()
            if items:
                yield items
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return

    def _check(self) -> None:
        if self._stop.is_set():
            raise AbandonedError
        if time.monotonic() > self._until:
            raise HTTPException(
                413,
                f"server: expected work of at most {self._seconds:g} seconds, got more. Ask for "
                "less at a time.",
                RETRY,
            )

    def _put(self, item: Item | _End) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads
            self._loop.call_soon_threadsafe(self._made.put_nowait, item)


class _End:
    """Stands behind the last item."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
