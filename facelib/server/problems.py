"""Errors as RFC 9457 problem documents, in the words that the library uses, and never with a stack trace."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from facelib.project.files import FULL_DISK
from facelib.server.settings import API, ServerSettings

_log = logging.getLogger("facelib.server")

_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
# What a request with that status is answered with, whatever the endpoint.
_USUAL = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503, 507)


class ProblemDocument(BaseModel):
    """What every error looks like (RFC 9457)."""

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["expected a project, got 'dmeo'; there are 'demo'"])


class Problem(Exception):
    """An answer other than success.

    Args:
        status: The HTTP status.
        detail: What was expected, what was given, and what to do.
        headers: Headers of the answer.
        members: Further members of the document, such as both sides of a conflict.
    """

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.members = status, detail, headers, members


def describe(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the errors of an endpoint as FastAPI's `responses` describes them: the usual ones and those named."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": _phrase(status), "content": content} for status in sorted({*_USUAL, *statuses})}


def _phrase(status: int) -> str:
    return "Checksum Mismatch" if status == 460 else HTTPStatus(status).phrase  # 460 is of the tus protocol


def answer(problem: Problem) -> JSONResponse:
    """Return the response for a problem."""
    title = _phrase(problem.status)
    document = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail}
    return JSONResponse(
        document | problem.members, problem.status, problem.headers, media_type="application/problem+json"
    )


def add_handlers(app: FastAPI, settings: ServerSettings) -> None:
    """Make an app answer every error with a problem document."""

    async def expected(_request: Request, error: Problem) -> JSONResponse:
        return answer(error)

    async def by_http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(Problem(error.status_code, _words(request, error), headers=error.headers))

    async def by_validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(_invalid(error, request.headers.get("content-type", "")))

    async def by_others(request: Request, error: Exception) -> JSONResponse:
        problem = _of_library(error, settings)
        if problem is None:
            _log.error("request failed: %s %s", request.method, request.url.path, exc_info=error)
            problem = Problem(500, "expected an answer, found a fault of the server; its log says more")
        return answer(problem)

    async def cut_short(_request: Request, _error: Exception) -> JSONResponse:
        return answer(Problem(400, "expected the whole body, the line was closed before it had come; send it again"))

    app.add_exception_handler(ClientDisconnect, cut_short)
    app.add_exception_handler(Problem, expected)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, by_http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, by_validation)  # type: ignore[arg-type]
    for kind in (ValueError, OSError, DBAPIError):  # what the library raises when the user can do something about it
        app.add_exception_handler(kind, by_others)
    app.add_exception_handler(Exception, by_others)


def without_folders(text: str, settings: ServerSettings) -> str:
    """Return a message with `data` and `output` in place of where the server keeps its folders."""
    for folder, name in ((settings.data_dir, "data"), (settings.output_dir, "output")):
        text = re.sub(rf"(?<![\w./\\-]){re.escape(str(folder))}(?=[/\\'\"])", name, text)  # not within words
    return text


def _words(request: Request, error: HTTPException) -> str:
    """Return what an error of Starlette's says, in our words where no endpoint was found."""
    if error.detail != _phrase(error.status_code):
        return str(error.detail)
    if error.status_code == 405:
        return f"expected another method, got {request.method!r}; {API}/openapi.json lists those of the API"
    if error.status_code == 404:
        return f"expected an address of this server, got {request.url.path!r}; {API}/openapi.json lists the API's"
    return str(error.detail)


def _invalid(error: RequestValidationError, kind: str) -> Problem:
    """Say which fields of a request are wrong; what was given is not repeated, as it may be a password.

    Programs often set the content type, `kind`, to that of a form.
    """
    errors = [
        {"field": ".".join(str(part) for part in one["loc"]), "problem": str(one["msg"])} for one in error.errors()
    ]
    first = errors[0] if errors else {"field": "body", "problem": "invalid"}
    text = f"expected a valid {first['field']}: {first['problem']}"
    if first["field"] == "body" and "json" not in kind:
        text = f"expected a body in JSON with the header 'Content-Type: application/json', got {kind or 'none'!r}"
    elif unknown := [".".join(map(str, one["loc"])) for one in error.errors() if one["type"] == "extra_forbidden"]:
        text = f"expected no field {unknown[0]!r}; {API}/openapi.json says which there are"
    elif any(one["type"] == "json_invalid" for one in error.errors()):
        text = f"expected a body in JSON, cannot read it at character {first['field'].rpartition('.')[2]}"
    return Problem(422, text, errors=errors)


def _of_library(error: Exception, settings: ServerSettings) -> Problem | None:
    """Return the problem that an error of the library or of the system stands for, and None for a fault of ours."""
    full = isinstance(error, OSError) and error.errno in FULL_DISK
    if full or (isinstance(error, DBAPIError) and "disk is full" in str(error.orig)):  # SQLite's words
        return Problem(507, "expected room on the server's disk, found none; free some and try again")
    if isinstance(error, OSError) and error.errno in _DENIED:
        _log.error("files: %s", error)
        return Problem(507, "expected files that the server may read and write, found one that it may not; see its log")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return Problem(422, "expected a name that a file can have, got a longer one; make it shorter")
    if isinstance(error, DataError):  # PostgreSQL's: SQLite takes every text
        return Problem(422, "expected text that the database can hold, got a longer one or a NUL character; change it")
    if isinstance(error, DBAPIError):
        _log.error("database: %s", type(error.orig).__name__)
        return Problem(503, "expected the database to answer, it does not; try again", headers={"Retry-After": "5"})
    text = str(error)
    if type(error).__module__.startswith("pyarrow"):
        return Problem(409, f"expected tables that can be read, got: {text}; begin the job again that made them")
    if not text.startswith("expected "):  # the library's errors all do
        return None
    text = without_folders(text, settings)
    status = 409 if isinstance(error, BlockingIOError) else 404 if isinstance(error, FileNotFoundError) else 422
    return Problem(status, text)
