"""The server: uvicorn, with a port that is known to be free and an end that is quiet."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from keras_impl.serving.limits import Limits

HEAD = 16 * 1024
"""Bytes of a request's head."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
KEPT_ALIVE_S = 5
FAREWELL_S = 3
"""Seconds that answers under way have when the server is told to stop."""
CUT_OFF_S = 2
"""Seconds after them for saying that they were cut off."""
LATE = b"head: expected all of it in time, got less. Send it at once."


def serve(
    app: FastAPI, bound: socket.socket, limits: Limits, started: Callable[[], None], log: bool
) -> None:
    """Answer requests until SIGTERM or Ctrl-C, then return.

    Parameters
    ----------
    app : FastAPI
        What `make_app` returned.
    bound : socket
        Bound to the address to answer at.
    started : function
        Is called once requests are answered.
    log : bool
        Whether to write a line for each request to stdout.
    """
    server = make_server(app, limits, started, log)
    # uvicorn raises the signal again when it has stopped, for whoever handled it before.
    before = {number: signal.signal(number, server.handle_exit) for number in SIGNALS}
    try:
        server.run([bound])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_server(
    app: FastAPI, limits: Limits, started: Callable[[], None], log: bool
) -> uvicorn.Server:
    """Return the server, which answers when it is run; see `serve`."""
    config = uvicorn.Config(
        app,
        http=_protocol(limits.arrival),
        ws="none",
        access_log=log,
        server_header=False,
        h11_max_incomplete_event_size=HEAD,
        timeout_keep_alive=KEPT_ALIVE_S,
        timeout_graceful_shutdown=FAREWELL_S + CUT_OFF_S,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # not how it starts and stops
    return _Server(config, started)


class _Server(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port."""
        await super().startup(sockets)
        self._say_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests; finish those there are, or cut them off."""
        asyncio.get_running_loop().call_later(FAREWELL_S, self.config.app.state.work.stop)
        await super().shutdown(sockets)


def _protocol(seconds: float) -> type[H11Protocol]:
    """Return uvicorn's HTTP with a limit to how long a request's head may take to arrive."""

    class Protocol(H11Protocol):
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._wait_for_head()
            else:
                self._stop_waiting()

        def _wait_for_head(self) -> None:
            if self._late is None:
                self._late = self.loop.call_later(seconds, self._give_up)

        def _stop_waiting(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _give_up(self) -> None:
            if not self.transport.is_closing():
                self.transport.write(
                    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                    b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(LATE), LATE)
                )
                self.transport.close()

    return Protocol
