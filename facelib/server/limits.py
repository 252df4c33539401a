"""Bodies that are too large are not read to their end."""

from __future__ import annotations

from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facelib.server.problems import Problem, answer

LARGEST_BODY = 32 * 2**20
"""Bytes of the largest body; an upload in pieces has the limit that it declared."""


class BodyLimit:
    """Middleware that answers a too large body with a problem document, whether or not its size is announced."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or (scope["method"] == "PATCH" and "/uploads/" in scope["path"]):
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > LARGEST_BODY:
            await _refuse(scope, receive, send, f"one of {length}")
            return
        size, begun = 0, False

        async def count(message: Message) -> None:
            nonlocal begun
            if size <= LARGEST_BODY:
                begun = True
                await send(message)

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise _TooLarge
            return message

        with suppress(_TooLarge):
            await self.app(scope, bounded, count)
        if size > LARGEST_BODY and not begun:
            await _refuse(scope, receive, send, "a larger one")


class _TooLarge(Exception):
    """Ends the reading of a body; what the application makes of it is not sent."""


async def _refuse(scope: Scope, receive: Receive, send: Send, got: str) -> None:
    problem = Problem(
        413, f"expected a body of at most {LARGEST_BODY} bytes, got {got}", headers={"Connection": "close"}
    )
    await answer(problem)(scope, receive, send)
