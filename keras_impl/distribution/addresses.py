"""Who the workers are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scratchnet.errors import InputError, ScratchnetError

ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
MOST = 256
"""Workers: each of them keeps a connection to the first."""


class WorkerError(ScratchnetError, RuntimeError):
    """Another worker is gone, or never came."""


def check_workers(workers: Sequence[str], index: int) -> tuple[str, ...]:
    """Return the addresses, once they are two or more different ones and ``index`` is of one.

    Raises
    ------
    InputError
        If they are not.
    """
    found = tuple(workers)
    for address in found:
        match = ADDRESS.fullmatch(address)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise InputError(
                f"--workers: expected host:port, got {address[:80]!r}. Name the machine and a free "
                "port from 1 to 65535, such as 10.0.0.5:12345."
            )
    if not 2 <= len(found) <= MOST:
        raise InputError(
            f"--workers: expected from 2 to {MOST} addresses, got {len(found)}. Name one for each "
            "worker, or leave it out to train with one process."
        )
    for address in found:
        if found.count(address) > 1:
            raise InputError(
                f"--workers: expected an address of its own for each worker, got {address} twice. "
                "Give them different ports."
            )
    if not 0 <= index < len(found):
        raise InputError(
            f"--index: expected from 0 to {len(found) - 1}, a place in --workers, got {index}. "
            "The first address has the index 0."
        )
    return found


def host_and_port(address: str) -> tuple[str, int]:
    """Return what a socket takes."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
