"""What requests bring: JSON of known fields, and files in a form, bounded in size before they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from facelib.project.wording import sized
from facelib.server.problems import Problem

_AROUND = 16_384  # bytes of a form beside its file


class JsonBody(BaseModel):
    """What a request brings as JSON; a field of another name is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file that came in a form: what it was called where it came from, and its bytes."""

    name: str
    content: bytes


def describe_form(field: str, what: str) -> dict[str, Any]:
    """Return the description of a form with one file, for FastAPI's `openapi_extra`."""
    properties = {field: {"type": "string", "format": "binary", "description": what}}
    schema = {"type": "object", "required": [field], "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


async def read_form(request: Request, field: str, *, largest: int) -> FormFile:
    """Read a form with one file; nothing of it is read before the caller has been checked.

    Args:
        request: Its body must not have been read.
        field: The name of the file's field.
        largest: Bytes of the largest file.

    Raises:
        Problem: 413 for a larger one, 415 for another kind of body, 422 for a form without the file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, f"expected a form (multipart/form-data) with the file as {field!r}")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > largest + _AROUND:
        raise _too_large(largest)
    bounded = Request(request.scope, _bounded(request, largest))
    try:
        async with bounded.form(max_files=1, max_fields=10, max_part_size=_AROUND) as form:
            file = form.get(field)
            if not isinstance(file, UploadFile):
                raise Problem(422, f"expected a file as {field!r}, found {sorted(form)!r}")
            return FormFile(file.filename or "", await file.read())
    except HTTPException as error:  # what Starlette makes of a form that it cannot read
        raise Problem(422, f"expected a form with the file as {field!r}, got: {error.detail}") from error


def _bounded(request: Request, largest: int) -> Any:
    """Return the request's `receive`, which stops where the body becomes larger than it may be."""
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > largest + _AROUND:
            raise _too_large(largest)
        return message

    return receive


def _too_large(largest: int) -> Problem:
    return Problem(413, f"expected a file of at most {sized(largest)}, got a larger one; make it smaller")
