"""Requests counted, timed and logged by their route, never by their path: that may name a person."""

from __future__ import annotations

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facelib.server.settings import API

_log = logging.getLogger("facelib.server.requests")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


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
            self._count.labels(_method(scope), route, str(status)).inc()
            self._time.labels(route).observe(seconds)
            told = {"method": scope["method"], "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            _log.info("request", extra=told)


def _route(scope: Scope) -> str:
    """Return the route's pattern; what is asked for in vain has none, and must not fill the memory.

    A route of the API does not say so itself, and the page has addresses like its.
    """
    path = str(getattr(scope.get("route"), "path", None) or "none")
    return f"{API}{path}" if f"{API}/" in scope["path"] and path.startswith("/") and API not in path else path


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return str(scope["method"]) if scope["method"] in known else "other"
