"""What workers tell each other: lines of JSON; an empty line says that one is alive."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

LONGEST = 65_536
"""Bytes of a line: whoever sends more is no worker."""


class ClosedError(Exception):
    """The other side has closed the connection, or is no worker."""


class Link:
    """A connection to another worker; neither reading nor writing ever waits."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self._read = connection, b""

    def fileno(self) -> int:
        """Return what a selector wants."""
        return self.socket.fileno()

    def send(self, **message: Any) -> None:
        """Send a message, or without one a sign of life; one that is gone gets nothing."""
        line = json.dumps(message).encode() if message else b""
        with contextlib.suppress(OSError):
            self.socket.send(line + b"\n")

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have come since, an empty one for a sign of life.

        Raises
        ------
        ClosedError
            If there will be no more.
        """
        try:
            came = self.socket.recv(LONGEST)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ClosedError from error
        *lines, self._read = (self._read + came).split(b"\n")
        if (not came and not lines) or len(self._read) > LONGEST:
            raise ClosedError
        return [_message(line) for line in lines]

    def close(self) -> None:
        """Close it."""
        self.socket.close()


def _message(line: bytes) -> dict[str, Any]:
    if not line:
        return {}
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ClosedError from error
    if not isinstance(message, dict):
        raise ClosedError
    return message
