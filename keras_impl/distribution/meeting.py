"""How workers find each other before TensorFlow starts, which would wait for ever.

Each holds its own address meanwhile; the first one, the chief, is who the others go to.  What
stays is a connection between the chief and every other worker.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Iterator
from typing import Any

from keras_impl.distribution.addresses import WorkerError, host_and_port
from keras_impl.distribution.fingerprint import difference
from keras_impl.distribution.messages import ClosedError, Link
from scratchnet.archive import one_line
from scratchnet.errors import InputError

PROTOCOL = 1
RETRY_S = 0.2
"""Between two attempts to reach the chief."""
ANSWER_S = 5.0
"""More than the chief waits: it is the one to say who did not come."""
STRANGERS = 64
"""Connections that have not said who they are; more are turned away."""


def meet(
    workers: tuple[str, ...], index: int, said: dict[str, str], wait_s: float
) -> dict[int, Link]:
    """Wait until all workers are here; return the connections, by the index at the other end.

    Who has reached the chief waits as long as the chief does.

    Raises
    ------
    WorkerError
        If one has not come in time, or the chief has left or does not let this one in.
    InputError
        If this worker's address cannot be had; at the chief, if one was not started like it.
    """
    hello = {"protocol": PROTOCOL, "index": index, "workers": list(workers), "said": said}
    with _holding(workers[index]) as held:
        if index == 0:
            return _Chief(workers, said, held).gather(wait_s)
        return {0: _greet(workers, index, hello, wait_s)}


@contextlib.contextmanager
def _holding(address: str) -> Iterator[socket.socket]:
    """Listen at an address, so that nobody else does."""
    host, port = host_and_port(address)
    try:
        family, *_, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        held = socket.create_server(where[:2], family=family, backlog=STRANGERS)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"--workers: expected {address} to be free, got a port in use. Stop what uses it "
                "(this worker, started before?), or choose another port on all workers."
            ) from error
        raise InputError(
            f"--index: expected {address} to be this machine, got: {one_line(str(error))}. Give "
            "each machine the index of its own address."
        ) from error
    with held:
        yield held


class _Chief:
    """The worker that the others go to."""

    def __init__(
        self, workers: tuple[str, ...], said: dict[str, str], listener: socket.socket
    ) -> None:
        self.workers, self.said, self.listener = workers, said, listener
        self.selector = selectors.DefaultSelector()
        self.here: dict[int, Link] = {}
        self.strangers: set[Link] = set()

    def gather(self, wait_s: float) -> dict[int, Link]:
        """Wait for the others, and tell them to go."""
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        end = time.monotonic() + wait_s
        try:
            while len(self.here) < len(self.workers) - 1:
                left = end - time.monotonic()
                if left <= 0:
                    raise self._never_came(wait_s)
                for key, _ in self.selector.select(min(left, 1.0)):
                    self._attend(key.fileobj)
        except BaseException as error:
            for link in [*self.here.values(), *self.strangers]:
                link.send(left=one_line(str(error)) or "interrupted")
                link.close()
            raise
        finally:
            self.selector.close()
        for link in self.strangers:
            link.close()
        for link in self.here.values():
            link.send(go=True)
        return self.here

    def _never_came(self, wait_s: float) -> WorkerError:
        missing = [k for k in range(1, len(self.workers)) if k not in self.here]
        names = ", ".join(f"{k} ({self.workers[k]})" for k in missing[:8])
        return WorkerError(
            f"--workers: expected all {len(self.workers)} workers within {wait_s:g} s, got none "
            f"with the index {names}. Start the same command there, with that --index."
        )

    def _attend(self, whom: Any) -> None:
        if whom is self.listener:
            with contextlib.suppress(OSError):
                link = Link(self.listener.accept()[0])
                if len(self.strangers) >= STRANGERS:
                    link.close()
                    return
                self.strangers.add(link)
                self.selector.register(link, selectors.EVENT_READ)
            return
        try:
            for message in whom.receive():
                self._introduced(whom, message)
        except ClosedError:
            self._part_with(whom)

    def _introduced(self, link: Link, message: dict[str, Any]) -> None:
        """Let a worker in, or say why not."""
        if link not in self.strangers:
            return
        index = message.get("index")
        if message.get("protocol") != PROTOCOL or not isinstance(message.get("said"), dict):
            raise ClosedError
        if message.get("workers") != list(self.workers):
            refusal = "expected --workers " + ",".join(self.workers) + ", as the first worker has"
        elif not isinstance(index, int) or not 0 < index < len(self.workers):
            raise ClosedError
        elif index in self.here:
            refusal = f"expected one worker with --index {index}, got a second"
        elif differs := difference(self.said, message["said"]):
            line = f"expected all workers to have {differs} at worker {index}. Start them alike."
            link.send(left=line)
            raise InputError(f"--workers: {line}")
        else:
            self.strangers.discard(link)
            self.here[index] = link
            return
        link.send(left=f"{refusal}. Start each worker with its own address and index.")
        raise ClosedError

    def _part_with(self, link: Link) -> None:
        self.selector.unregister(link)
        self.strangers.discard(link)
        self.here = {k: other for k, other in self.here.items() if other is not link}
        link.close()


def _greet(workers: tuple[str, ...], index: int, hello: dict[str, Any], wait_s: float) -> Link:
    """Go to the chief, and wait until it says that all are here."""
    end = time.monotonic() + wait_s
    while (left := end - time.monotonic()) > 0:
        try:
            link = Link(socket.create_connection(host_and_port(workers[0]), timeout=left))
        except OSError:
            time.sleep(min(RETRY_S, left))
            continue
        link.send(**hello)
        try:
            for message in _messages(link, time.monotonic() + wait_s + ANSWER_S):
                if "left" in message:
                    line = one_line(str(message["left"])).removeprefix("--workers: ")
                    raise WorkerError(f"--workers: {line}")
                if message.get("go"):
                    return link
        except ClosedError:
            time.sleep(min(RETRY_S, left))  # its port may have been another's, or it was restarted
        except BaseException:
            link.close()
            raise
        link.close()
    raise WorkerError(
        f"--workers: expected all {len(workers)} workers within {wait_s:g} s, got no word of that "
        f"from the first, {workers[0]}. Start the same command there, with --index 0."
    )


def _messages(link: Link, end: float) -> Iterator[dict[str, Any]]:
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0:
            if selector.select(left):
                yield from link.receive()
