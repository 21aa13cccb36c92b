"""Noticing that a worker is gone: TensorFlow's collectives would wait for it.

A worker that ends closes its connection, which is noticed at once; one that hangs, or whose machine
or network is gone, has not been heard for ``patience_s``.
"""

from __future__ import annotations

import os
import selectors
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from keras_impl.distribution.addresses import WorkerError
from keras_impl.distribution.messages import ClosedError, Link
from scratchnet.archive import one_line

GRACE_S = 10.0
"""That TensorFlow has to come back once a worker is gone; then the process ends all the same."""
BEAT_S = 1.0
"""At most, between two signs of life."""
STATUS = 2


class Health(threading.Thread):
    """Sends and awaits signs of life; as a context, one that ends says how it went.

    Parameters
    ----------
    workers : tuple of str
        Their addresses.
    links : dict of int to Link
        The others that this worker is connected to: all to the chief, the chief to each.
    patience_s : float
        The longest silence.
    """

    def __init__(self, workers: tuple[str, ...], links: dict[int, Link], patience_s: float) -> None:
        super().__init__(daemon=True, name="health")
        self.workers, self.links, self.patience_s = workers, links, patience_s
        self.abort: Callable[[str], None] | None = None
        self._line: str | None = None
        self._lost, self._noticed, self._over = (threading.Event() for _ in range(3))

    def check(self, within_s: float = 0.0) -> None:
        """Raise if a worker is gone, or turns out to be within so many seconds.

        Raises
        ------
        WorkerError
            If one is.
        """
        if self._lost.wait(within_s) if within_s else self._lost.is_set():
            self._noticed.set()
            raise WorkerError(self._line)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._noticed.set()
        if error is None:  # TensorFlow here still serves those that are a moment behind
            self._tell(done=True)
            self.join(self.patience_s)
        elif not isinstance(error, WorkerError):
            self._tell(left=one_line(str(error)) or type(error).__name__)
        self._over.set()
        self.join()
        for link in self.links.values():
            link.close()

    def _tell(self, **message: Any) -> None:
        for link in self.links.values():
            link.send(**message)

    def run(self) -> None:
        """Watch until the training is over, or a worker is gone."""
        heard = dict.fromkeys(self.links, time.monotonic())
        beat = min(BEAT_S, self.patience_s / 4)
        with selectors.DefaultSelector() as selector:
            for index, link in self.links.items():
                selector.register(link, selectors.EVENT_READ, index)
            while not self._over.is_set() and heard:
                self._tell()
                for key, _ in selector.select(beat):
                    if not self._hear(key.data, heard):
                        selector.unregister(key.fileobj)
                self._over.wait(beat / 4)
                for index, last in heard.items():
                    if time.monotonic() - last > self.patience_s:
                        self._lose(index, f"has not been heard for {self.patience_s:g} s")
                if self._line is not None:
                    self._end()
                    return

    def _hear(self, index: int, heard: dict[int, float]) -> bool:
        """Take in what a worker says; return whether more is to come."""
        try:
            for message in self.links[index].receive():
                heard[index] = time.monotonic()
                if "lost" in message:
                    self._line = self._line or one_line(str(message["lost"]))
                elif "left" in message:
                    self._lose(index, f"has stopped: {one_line(str(message['left']))}")
                elif "done" in message:
                    del heard[index]
                    return False
        except ClosedError:
            self._lose(index, "is gone")
            del heard[index]
            return False
        return True

    def _lose(self, index: int, how: str) -> None:
        self._line = self._line or (
            f"worker {index} ({self.workers[index]}) {how}. Start all workers again with the same "
            "commands: they go on at the last checkpoint of worker 0."
        )

    def _end(self) -> None:
        """Tell the others, end what TensorFlow is waiting for, and see to it that it does."""
        self._tell(lost=self._line)
        self._lost.set()
        if self.abort is not None:
            self.abort(str(self._line))
        if not self._noticed.wait(GRACE_S):
            print(f"keras_impl: {self._line}", file=sys.stderr, flush=True)
            os._exit(STATUS)
