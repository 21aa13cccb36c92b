"""What stands before the application: a body that is too long, or too slow, is not taken in."""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keras_impl.serving.limits import Limits

DRAINED = 16
"""How many times the limit is read and thrown away of a body that is too long.

A client that is still sending when the connection closes never sees the refusal.
"""
DRAINING_S = 1.0

CLOSE = {"Connection": "close"}


class Guard:
    """ASGI middleware that counts the bytes and the seconds of every request.

    Parameters
    ----------
    app
        The application.
    limits : Limits
        ``body`` and ``arrival`` refuse a request; ``whole`` ends one whose client does not read.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, _declared(scope), self.limits)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.limits.whole):
                await self.app(scope, body.receive, send)


class _Body:
    """Hands a body on, or raises the refusal that the application answers with."""

    def __init__(self, receive: Receive, declared: int, limits: Limits) -> None:
        self._receive, self._declared, self._limits = receive, declared, limits
        self._count, self._whole = 0, False
        self._until = time.monotonic() + limits.arrival

    async def receive(self) -> Message:
        """Return the next message; behind the body that is the client's leaving."""
        if self._whole:
            return await self._receive()
        if self._declared > self._limits.body:
            raise await self._too_long(f"{self._declared:,}")
        try:
            async with asyncio.timeout(self._until - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                408,
                f"body: expected all of it within {self._limits.arrival:g} seconds, got "
                f"{self._count:,} bytes. Send it at once.",
                CLOSE,
            ) from None
        self._count += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._count > self._limits.body:
            raise await self._too_long("more")
        return message

    async def _too_long(self, got: str) -> HTTPException:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAINING_S):
                while not self._whole and self._count < DRAINED * self._limits.body:
                    message = await self._receive()
                    self._count += len(message.get("body", b""))
                    self._whole = not message.get("more_body", False)
        return HTTPException(
            413,
            f"body: expected at most {self._limits.body:,} bytes, got {got}. Send less at a time.",
            CLOSE,
        )


def _declared(scope: Scope) -> int:
    """Return the length that the request says it has, 0 where it does not."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
