"""What every request passes on its way in, and every answer on its way out."""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facelib.project.wording import sized
from facelib.server.problems import Problem, answer
from facelib.server.settings import API

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load and run: only what this server sends as a file of its own, nothing written into the page."""

REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; frame-ancestors 'self'"
)
"""For a notebook's report: its scripts run, but apart from the server, without the log-in, and reach no network."""

LARGEST_BODY = 32 * 2**20
"""Bytes of the largest body; an upload in pieces has the limit that it declared."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_log = logging.getLogger("facelib.server.requests")
_TAGGED = {"application/json", *(f"text/{kind}; charset=utf-8" for kind in ("html", "css", "javascript"))}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class SecurityHeaders:
    """Middleware that gives every answer these headers; a policy that an endpoint chose stays."""

    def __init__(self, app: ASGIApp, *, only_https: bool = False) -> None:
        self.app = app
        self._headers = {**_ALWAYS}
        if only_https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its answer."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "content-security-policy" not in headers:
                    headers["Content-Security-Policy"] = POLICY
                    headers["X-Frame-Options"] = "DENY"
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)


class ETags:
    """Middleware that gives JSON, pages and their parts an ETag; whoever names it in If-None-Match gets 304."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold such an answer back until it is whole; pass everything else on as it comes."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None
        body = b""

        async def hold(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = Headers(raw=message["headers"])
                if headers.get("content-type") in _TAGGED and "etag" not in headers:
                    start = message
                    return
            if start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await _answer(start, body, known, send)

        await self.app(scope, receive, hold)


def is_named(tag: str, known: str) -> bool:
    """Return whether an If-None-Match or If-Match header names a tag; the weak form is as good.

    Examples:
        >>> is_named('"a"', 'W/"a", "b"'), is_named('"a"', "*"), is_named('"a"', '"b"')
        (True, True, False)
    """
    given = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag.removeprefix("W/") in given or "*" in given


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
            await _refuse(scope, receive, send, f"one of {sized(int(length), beside=LARGEST_BODY)}")
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
        413, f"expected a body of at most {sized(LARGEST_BODY)}, got {got}", headers={"Connection": "close"}
    )
    await answer(problem)(scope, receive, send)


class Heads:
    """Middleware that answers HEAD with the headers of GET, where nothing else answers HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and where HEAD is not answered, ask by GET and drop the body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        refused = False

        async def watch(message: Message) -> None:
            nonlocal refused
            refused = refused or message.get("status") == 405
            if not refused:
                await send(message)

        await self.app(scope, receive, watch)
        if refused:
            await self._ask(scope, send)

    async def _ask(self, scope: Scope, send: Send) -> None:
        """Answer with the headers of GET; a stream of events ends at once, as if its listener had left."""
        asked = False
        inner = {**scope, "method": "GET"}

        async def leave() -> Message:
            nonlocal asked
            first, asked = not asked, True
            return {"type": "http.request"} if first else {"type": "http.disconnect"}

        async def drop(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)

        await self.app(inner, leave, drop)
        scope["route"] = inner.get("route")
        await send({"type": "http.response.body"})


class Prefix:
    """Middleware that accepts requests with and without a prefix such as `/facelib`, and writes addresses with it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the prefix as its root; where it is sent elsewhere, that has the prefix too."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        inside = path == self._prefix or path.startswith(f"{self._prefix}/")
        whole = path if inside else self._prefix + path

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    headers["location"] = self._prefix + headers["location"]
            await send(message)

        inner = {**scope, "root_path": self._prefix, "path": f"{whole}/" if whole == self._prefix else whole}
        await self.app(inner, receive, tell)
        scope["route"] = inner.get("route")


class Observe:
    """Middleware that counts and logs each request."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.app = app
        self._count = Counter("facelib_requests", "Requests answered.", labels, registry=registry)
        self._time = Histogram(
            "facelib_request_seconds", "Seconds to answer.", ("route",), buckets=_SECONDS, registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            seconds, route = time.perf_counter() - started, _route(scope)
            known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
            method = str(scope["method"]) if scope["method"] in known else "other"
            self._count.labels(method, route, str(status)).inc()
            self._time.labels(route).observe(seconds)
            told = {"method": scope["method"], "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            _log.info("request", extra=told)


def _route(scope: Scope) -> str:
    """Return the route's pattern; an address that does not exist has none, and must not fill the memory.

    A route of the API does not say so itself, and the page has addresses like its.
    """
    path = str(getattr(scope.get("route"), "path", None) or "none")
    return f"{API}{path}" if f"{API}/" in scope["path"] and path.startswith("/") and API not in path else path
