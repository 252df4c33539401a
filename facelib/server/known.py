"""Answers that are in memory, sent without the way through routes and dependencies, which takes most of the time."""

from __future__ import annotations

from anyio import to_thread
from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from facelib.server.answers import Answers, Known, answer_content
from facelib.server.folders import project_names
from facelib.server.security.recognise import Callers
from facelib.server.settings import ServerSettings


class KnownAnswers:
    """Middleware that answers what was asked before and has not changed since, to whoever may read the project.

    Args:
        app: Answers everything else, and says what is wrong where something is.
        answers: How addresses were answered.
        callers: Whoever calls.
        settings: Where the projects are.
    """

    def __init__(self, app: ASGIApp, *, answers: Answers, callers: Callers, settings: ServerSettings) -> None:
        self.app = app
        self._answers, self._callers, self._settings = answers, callers, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on."""
        if scope["type"] == "http" and scope["method"] == "GET" and (known := self._answers.known(scope)):
            answer = await to_thread.run_sync(self._answer, known, Request(scope))
            if answer is not None:
                scope["route"] = known.route
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _answer(self, known: Known, request: Request) -> Response | None:
        try:
            caller = self._callers.recognise(request)
            if not caller.may("read", known.project) or known.project not in project_names(self._settings):
                return None
            content = known.read()
        except Exception:  # the usual way meets the same and says so
            return None
        return answer_content(content, request) if content is not None else None
