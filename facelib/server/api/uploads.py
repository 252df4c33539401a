"""Uploads of films and pictures by the tus protocol 1.0 (https://tus.io): they continue where the connection broke.

Extensions: creation, termination, checksum (SHA-256). Any tus client will do; the metadata are `filename`, and for a
picture `person`.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

from anyio import fail_after, to_thread
from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from facelib.project import Project, text_of
from facelib.server.database import Store, Upload
from facelib.server.dependencies import Admin, CurrentProject, CurrentSettings, CurrentStore, Reader, Turns
from facelib.server.problems import Problem, describe
from facelib.server.security.callers import note
from facelib.server.settings import API
from facelib.server.uploads.keeping import Writer, begin, finish, give_up, held, part_of, received

router = APIRouter(prefix="/projects/{project}/uploads", tags=["uploads"], responses=describe(410, 412, 460))

VERSION = "1.0.0"
_BLOCK = 2**20  # bytes written at a time
_SILENCE = 30.0  # seconds without a byte after which the line counts as lost, or nobody could continue the upload
_CHUNK = "application/offset+octet-stream"

UploadId = Annotated[str, Path(max_length=64)]
TusVersion = Annotated[str, Header(alias="Tus-Resumable", description="1.0.0")]


class UploadDocument(BaseModel):
    """An upload."""

    id: str
    name: str = Field(description="What the file is called where it comes from.")
    person: str | None = Field(description="Whose picture it is; null for a film.")
    length: int = Field(description="Bytes in all.")
    received: int = Field(description="Bytes that are there.")
    state: Literal["receiving", "done", "refused"]
    file: str = Field(description="Where it is in the project's data folder, once it is done.")
    reason: str = Field(description="Why it was refused.")


@router.options("", status_code=204)
def show_tus(_caller: Reader, _project: CurrentProject, settings: CurrentSettings, response: Response) -> None:
    """List the supported features of tus."""
    response.headers.update(
        {
            "Tus-Resumable": VERSION,
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,termination,checksum",
            "Tus-Checksum-Algorithm": "sha256",
            "Tus-Max-Size": str(round(settings.largest_film_gb * 1e9)),
        }
    )


@router.post("", status_code=201)
def create_upload(
    caller: Admin, project: CurrentProject, settings: CurrentSettings, store: CurrentStore, response: Response,
    tus_resumable: TusVersion = "", upload_length: Annotated[str, Header(max_length=20)] = "",
    upload_metadata: Annotated[str, Header(max_length=4000, description="`filename` and `person`, in base64.")] = "",
) -> UploadDocument:  # fmt: skip
    """Begin an upload: the answer's Location takes the pieces."""
    _check_version(tus_resumable)
    if not upload_length.isdecimal() or int(upload_length) == 0:
        raise Problem(400, f"expected the bytes of the whole file in Upload-Length, got {upload_length!r}")
    metadata = _read_metadata(upload_metadata)
    name, person = metadata.get("filename", ""), metadata.get("person") or None
    with store.begin() as session:
        row = begin(session, project, settings, name=name, length=int(upload_length), person=person, by=caller.name)
        note(session, caller, "upload.begin", row.project, bytes=row.length)
    place = f"{API}/projects/{quote(row.project)}/uploads/{row.id}"
    response.headers.update({"Tus-Resumable": VERSION, "Location": place})
    return _document(project, row)


@router.get("/{upload}")
def describe_upload(upload: UploadId, _caller: Admin, project: CurrentProject, store: CurrentStore) -> UploadDocument:
    """Describe an upload."""
    return _document(project, _find(store, project, upload))


@router.head("/{upload}")
def show_offset(upload: UploadId, _caller: Admin, project: CurrentProject, store: CurrentStore) -> Response:
    """Say how many bytes are there, so that the sender continues after them."""
    row = _find(store, project, upload)
    offset = received(project, row)
    if row.state == "receiving" and offset == row.length:  # all is there, but a server was killed before it was done
        with held(project, row):
            finish(store, project, row.id)
    if row.state == "refused":
        raise Problem(410, row.reason)
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(row.length)}
    return Response(status_code=200, headers={**headers, "Tus-Resumable": VERSION, "Cache-Control": "no-store"})


@router.patch("/{upload}", status_code=204, max_body_size=10**15, openapi_extra={
    "requestBody": {"content": {_CHUNK: {"schema": {"type": "string", "format": "binary"}}}, "required": True}
})  # fmt: skip
async def continue_upload(
    upload: UploadId, request: Request, _caller: Admin, project: CurrentProject, store: CurrentStore, turns: Turns,
    tus_resumable: TusVersion = "", upload_offset: Annotated[str, Header(max_length=20)] = "",
    upload_checksum: Annotated[str, Header(max_length=200, description="`sha256` and the digest in base64.")] = "",
) -> Response:  # fmt: skip
    """Append the body; after the last piece the file is inspected and taken into the project."""
    _check_version(tus_resumable)
    if request.headers.get("content-type", "") != _CHUNK:
        raise Problem(415, f"expected the content type {_CHUNK!r}, got {request.headers.get('content-type')!r}")
    digest = _read_checksum(upload_checksum)
    row = await to_thread.run_sync(_find, store, project, upload)
    if row.state == "refused":
        raise Problem(410, row.reason)
    with held(project, row):
        offset = await to_thread.run_sync(received, project, row)
        if upload_offset != str(offset):
            raise Problem(409, f"expected the Upload-Offset {offset}, got {upload_offset!r}; ask for it by HEAD")
        if row.state == "receiving":
            offset = await _take(request, project, row, offset, digest)
        if offset == row.length:
            await to_thread.run_sync(finish, store, project, row.id, limiter=turns)
    return Response(status_code=204, headers={"Upload-Offset": str(offset), "Tus-Resumable": VERSION})


@router.delete("/{upload}", status_code=204)
def end_upload(
    upload: UploadId, caller: Admin, project: CurrentProject, store: CurrentStore, tus_resumable: TusVersion = ""
) -> Response:
    """Cancel an upload and remove what was received; a file taken into the project stays."""
    _check_version(tus_resumable)
    row = _find(store, project, upload)
    with held(project, row), store.begin() as session:
        give_up(session, project, session.get_one(Upload, row.id))
        note(session, caller, "upload.end", row.project)
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


async def _take(request: Request, project: Project, row: Upload, offset: int, digest: str) -> int:
    """Append the body, as far as it comes; return how much is there then."""
    writer = Writer(part_of(project, row.id), offset=offset, length=row.length, digest=digest)
    held_back = bytearray()
    try:
        async for content in _pieces(request):
            held_back += content
            if len(held_back) >= _BLOCK:
                await to_thread.run_sync(writer.write, bytes(held_back))
                held_back.clear()
        await to_thread.run_sync(writer.write, bytes(held_back))
        if not writer.is_as_wanted():
            writer.take_back()
            raise Problem(460, "expected a body with the digest in Upload-Checksum, got another; send it again")
    except (ClientDisconnect, TimeoutError) as error:
        writer.write(bytes(held_back)) if not digest else writer.take_back()
        if isinstance(error, ClientDisconnect):
            raise
        # Senders that know tus ask for the offset and continue after this status.
        raise Problem(409, f"expected more within {_SILENCE:g} seconds, got nothing; ask by HEAD and go on") from None
    finally:
        await to_thread.run_sync(writer.close)
    return writer.offset


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Yield what comes of the body.

    Raises:
        TimeoutError: When nothing comes for a while: a line that breaks without a word is never closed.
        ClientDisconnect: When the sender closes the line.
    """
    pieces, end = request.stream(), object()
    while True:
        with fail_after(_SILENCE):
            content = await anext(pieces, end)
        if not isinstance(content, bytes):
            return
        yield content


def _find(store: Store, project: Project, number: str) -> Upload:
    with store.read() as session:
        row = session.get(Upload, number)
    if row is None or row.project != text_of(project.name):
        raise Problem(404, f"expected the id of an upload into the project, got {number!r}; begin one by POST")
    return row


def _document(project: Project, row: Upload) -> UploadDocument:
    fields = {name: getattr(row, name) for name in ("id", "name", "person", "length", "state", "file", "reason")}
    return UploadDocument(**fields, received=received(project, row))


def _check_version(given: str) -> None:
    if given != VERSION:
        raise Problem(412, f"expected Tus-Resumable: {VERSION}, got {given!r}", headers={"Tus-Version": VERSION})


def _read_metadata(text: str) -> dict[str, str]:
    """Read names and values; the values are in base64.

    Raises:
        Problem: 400 when they are not.
    """
    read: dict[str, Any] = {}
    try:
        for pair in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = pair.partition(" ")
            read[name] = base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        raise Problem(400, "expected names and values in base64 in Upload-Metadata, got something else") from None
    return read


def _read_checksum(text: str) -> str:
    if not text:
        return ""
    algorithm, _, value = text.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True).hex()
    except ValueError:
        digest = ""
    if algorithm != "sha256" or len(digest) != 64:
        raise Problem(400, f"expected 'sha256' and a digest in base64 in Upload-Checksum, got {text!r}")
    return digest
