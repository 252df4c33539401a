"""ETags of everything that is read as JSON: whoever has the newest answer already is told so, without it."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ETags:
    """Middleware that gives an ETag to each answer in JSON and answers 304 to whoever names it in If-None-Match."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold a JSON answer back until it is whole; pass everything else on as it comes."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None
        body = b""

        async def hold(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_plain_json(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await _answer(start, body, known, send)

        await self.app(scope, receive, hold)


def is_named(tag: str, known: str) -> bool:
    """Return whether an If-None-Match or If-Match header names a tag; the weak form is as good.

    Example:
        >>> is_named('"a"', 'W/"a", "b"'), is_named('"a"', "*"), is_named('"a"', '"b"')
        (True, True, False)
    """
    given = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag.removeprefix("W/") in given or "*" in given


def _is_plain_json(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and headers.get("content-type") == "application/json" and "etag" not in headers


async def _answer(start: Message, body: bytes, known: str, send: Send) -> None:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"] = tag
    headers.setdefault("Cache-Control", "private, no-cache")
    if is_named(tag, known):
        del headers["content-length"]
        del headers["content-type"]
        await send({"type": "http.response.start", "status": 304, "headers": headers.raw})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({**start, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body})
