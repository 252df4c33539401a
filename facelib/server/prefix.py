"""The path under which a proxy shows the server, such as /facelib, whether or not the proxy takes it off."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Prefix:
    """Middleware that takes requests with and without the prefix, and tells addresses with it.

    Args:
        app: The application.
        prefix: Such as `/facelib`.
    """

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
