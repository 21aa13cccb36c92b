"""The port that a command answers at, taken before anything slow is done."""

from __future__ import annotations

import errno
import socket

from scratchnet.errors import InputError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; 0 takes any free port.

    Raises
    ------
    InputError
        If the address is not this machine's, or the port is taken or not allowed.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"--host: expected the name or address of this machine, got {host[:80]!r}. Use "
            "127.0.0.1 for this machine alone, 0.0.0.0 for its network."
        ) from error
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise _unusable(host, port, error) from error


def _unusable(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(
            f"--port: expected a free port of {host}, got {port}, which another program has. Name "
            "another, or 0 for any."
        )
    if error.errno == errno.EACCES:
        return InputError(
            f"--port: expected a port that this user may open, got {port}. Name one from 1024."
        )
    return InputError(
        f"--host: expected an address of this machine, got {host} ({error.strerror}). Use "
        "127.0.0.1 for this machine alone, 0.0.0.0 for its network."
    )
