"""Bodies that say beforehand that they are too large are not read."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from facelib.server.problems import Problem, answer

LARGEST_BODY = 32 * 2**20
"""Bytes of the largest body; an upload in pieces has the limit that it declared."""


class BodyLimit:
    """Middleware that answers a too large Content-Length with a problem document; FastAPI bounds what has none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        length = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        is_piece = scope["type"] == "http" and scope["method"] == "PATCH" and "/uploads/" in scope["path"]
        if length.isdecimal() and int(length) > LARGEST_BODY and not is_piece:
            problem = Problem(413, f"expected a body of at most {LARGEST_BODY} bytes, got one of {length}")
            await answer(problem)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
