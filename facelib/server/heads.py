"""HEAD for everything that is read by GET: what watches a server often asks for no more than the headers."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
        """Answer with the headers of GET; a stream of events ends at once, for it is told that nobody listens."""
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
