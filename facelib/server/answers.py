"""Answers in JSON, kept as bytes for each state of what they are made from, and sent in pieces where they are long."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from facelib.server.cached import Kept
from facelib.server.etags import is_named

_KEPT = 256  # answers in memory
_LARGEST = 2**18  # bytes of an answer that is kept, and of a piece
_HEADERS = {"Cache-Control": "private, no-cache"}


class JsonResponse(Response):
    """Bytes of JSON; a long one leaves as fast as it is read, so that slow readers cost no memory each."""

    media_type = "application/json"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, a piece at a time."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        for start in range(0, max(len(body), 1), _LARGEST):
            piece = body[start : start + _LARGEST]
            more = start + _LARGEST < len(body)
            await send({"type": "http.response.body", "body": piece, "more_body": more})


def answer_json(content: bytes, tag: str, known: str) -> Response:
    """Return an answer with its ETag, or 304 where If-None-Match names it already."""
    headers = {**_HEADERS, "ETag": tag}
    if is_named(tag, known):
        return Response(status_code=304, headers=headers)
    return JsonResponse(content, headers=headers)


class Answers:
    """Answers that depend on nothing but their address and on a state of some files; one for each server."""

    def __init__(self) -> None:
        self._kept: Kept[tuple[str, bytes]] = Kept(_KEPT)

    def find(self, request: Request, state: object, make: Callable[[], BaseModel]) -> Response:
        """Return the answer to a request, made anew where the state is another one than when it was made.

        Args:
            request: Whoever may ask for it gets the same answer.
            state: Changes with everything that the answer is made from.
            make: Makes the answer.
        """
        key = f"{request.url.path}?{request.url.query}"
        known = request.headers.get("if-none-match", "")
        tag, content = self._kept.find(key, state, lambda: _encoded(make()))
        if len(content) > _LARGEST:
            self._kept.drop(key)
        return answer_json(content, tag, known)

    def forget(self) -> None:
        """Drop everything that is held in memory."""
        self._kept.forget()


async def _answers_of(request: Request) -> Answers:
    answers: Answers = request.app.state.answers
    return answers


CurrentAnswers = Annotated[Answers, Depends(_answers_of)]


def _encoded(made: BaseModel) -> tuple[str, bytes]:
    content = made.model_dump_json(by_alias=True).encode()
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"', content
