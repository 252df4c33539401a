"""What requests bring: JSON of known fields, and files in a form, bounded in size before they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from facelib.gather.adding import LARGEST_PICTURE
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


PICTURE_FORM: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
        "type": "object",
        "required": ["picture"],
        "properties": {
            "picture": {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, HEIC, TIFF, ..."}
        },
    }}}}
}  # fmt: skip
"""The description of a form with a picture, for FastAPI's `openapi_extra`."""


async def read_picture(request: Request) -> FormFile:
    """Read a form with a file as `picture`; nothing of it is read before the caller has been checked.

    Args:
        request: Its body must not have been read.

    Raises:
        Problem: 413 for a file larger than `LARGEST_PICTURE`, 415 for another kind of body, 422 for a form without it.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, "expected a form (multipart/form-data) with the file as 'picture'")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_PICTURE + _AROUND:
        raise _too_large()
    bounded = Request(request.scope, _bounded(request))
    try:
        async with bounded.form(max_files=1, max_fields=10, max_part_size=_AROUND) as form:
            file = form.get("picture")
            if not isinstance(file, UploadFile):
                raise Problem(422, f"expected a file as 'picture', found {sorted(form)!r}")
            return FormFile(file.filename or "", await file.read())
    except HTTPException as error:  # what Starlette makes of a form that it cannot read
        raise Problem(422, f"expected a form with the file as 'picture', got: {error.detail}") from error


def _bounded(request: Request) -> Any:
    """Return the request's `receive`, which stops where the body becomes larger than it may be."""
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > LARGEST_PICTURE + _AROUND:
            raise _too_large()
        return message

    return receive


def _too_large() -> Problem:
    return Problem(413, f"expected a file of at most {sized(LARGEST_PICTURE)}, got a larger one; make it smaller")
