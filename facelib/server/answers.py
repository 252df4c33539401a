"""Answers, kept as compressed bytes for each state of what they are made from, and sent in pieces.

What is in memory is sent without the way through routes and dependencies, which takes most of the time.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from anyio import to_thread
from fastapi import Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from facelib.project import Project, text_of
from facelib.server.cached import Kept
from facelib.server.dependencies import held_by_app
from facelib.server.middleware import is_named
from facelib.server.security.recognise import Callers
from facelib.server.settings import ServerSettings, project_names

_KEPT = 256  # answers in memory
_LARGEST = 2**18  # bytes of an answer that is kept, and of a piece
_SMALLEST = 1400  # bytes of an answer that is compressed: what is smaller travels in one packet anyway
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Content:
    """An answer.

    Attributes:
        tag: Its ETag, weak where it is compressed: the same tag stands for both forms.
        data: Its bytes.
        packed: Whether they are compressed (gzip).
        kind: Its media type.
        lasting: Whether nothing else is ever answered at its address, so that a browser need not ask again.
    """

    tag: str
    data: bytes
    packed: bool = False
    kind: str = "application/json"
    lasting: bool = False

    @classmethod
    def of(cls, content: bytes, state: str = "") -> Content:
        """Return an answer in JSON, compressed where it is long; its tag is of `state`, or else of its bytes."""
        tag = hashlib.sha256(state.encode() or content).hexdigest()[:32]
        if len(content) < _SMALLEST:
            return cls(f'"{tag}"', content)
        return cls(f'W/"{tag}"', gzip.compress(content, _LEVEL, mtime=0), packed=True)

    @classmethod
    def of_model(cls, made: BaseModel) -> Content:
        """Return an answer with what a model holds."""
        return cls.of(made.model_dump_json(by_alias=True).encode())

    @property
    def plain(self) -> bytes:
        """Its bytes, not compressed."""
        return gzip.decompress(self.data) if self.packed else self.data


class _InPieces(Response):
    """Bytes that leave as fast as they are read, so that slow readers cost no memory each."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, a piece at a time."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        for start in range(0, max(len(body), 1), _LARGEST):
            piece = body[start : start + _LARGEST]
            more = start + _LARGEST < len(body)
            await send({"type": "http.response.body", "body": piece, "more_body": more})


def answer_content(content: Content, request: Request) -> Response:
    """Return an answer, compressed for whoever takes that, or 304 where If-None-Match names it already."""
    caching = "private, max-age=31536000, immutable" if content.lasting else "private, no-cache"
    headers = {"Cache-Control": caching, "ETag": content.tag, "Vary": "Accept-Encoding"}
    if is_named(content.tag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if not content.packed or not _takes_gzip(request.headers.get("accept-encoding", "")):
        return _InPieces(content.plain, media_type=content.kind, headers=headers)
    return _InPieces(content.data, media_type=content.kind, headers=headers | {"Content-Encoding": "gzip"})


@dataclass(frozen=True, slots=True)
class Known:
    """How an address was answered.

    Attributes:
        project: The project that the answer is of; whoever may read that gets the same answer.
        route: The route that answered.
        read: Returns the present answer, or None when it has to be made; raises whatever making it would.
    """

    project: str
    route: object
    read: Callable[[], Content | None]


class Answers:
    """Answers that depend on nothing but their address and on a state of some files; one for each server."""

    def __init__(self) -> None:
        self._kept: Kept[Content] = Kept(_KEPT)
        self._known: Kept[Known] = Kept(_KEPT)

    def find(
        self, request: Request, project: Project, state: Callable[[], object], make: Callable[[], BaseModel]
    ) -> Response:
        """Return the answer to a request, made again where the state is another one than when it was made.

        Args:
            request: Whoever may read the project gets the same answer.
            project: What it is asked of.
            state: Returns what changes with everything that the answer is made from; raises where there is none.
            make: Makes the answer.
        """
        key = address_of(request.scope)
        content = self._kept.find(key, state(), lambda: Content.of_model(make()))
        if len(content.data) > _LARGEST:
            self._kept.drop(key)
        else:
            self._note(request, project, lambda: self._kept.peek(key, state()))
        return answer_content(content, request)

    def send(self, request: Request, project: Project, read: Callable[[], Content]) -> Response:
        """Return an answer that somebody else keeps.

        Args:
            request: Whoever may read the project gets the same answer.
            project: What it is asked of.
            read: Returns the present answer; raises where there is none.
        """
        content = read()
        self._note(request, project, read)
        return answer_content(content, request)

    def known(self, scope: Scope) -> Known | None:
        """Return how a request was answered before."""
        return self._known.peek(address_of(scope), None)

    def forget(self) -> None:
        """Drop everything that is held in memory."""
        self._known.forget()
        self._kept.forget()

    def _note(self, request: Request, project: Project, read: Callable[[], Content | None]) -> None:
        known = Known(text_of(project.name), request.scope.get("route"), read)
        self._known.keep(address_of(request.scope), None, known)


def address_of(scope: Scope) -> str:
    """Return what a request asks for."""
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"


CurrentAnswers = Annotated[Answers, held_by_app("answers")]


def _takes_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header names gzip, without forbidding it.

    Examples:
        >>> _takes_gzip("deflate, gzip;q=0.5"), _takes_gzip("gzip;q=0, br"), _takes_gzip("")
        (True, False, False)
    """
    for one in accepted.split(","):
        name, _, weight = one.partition(";")
        if name.strip().casefold() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


class KnownAnswers:
    """Middleware that answers what was asked before and has not changed since, to whoever may read the project."""

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
