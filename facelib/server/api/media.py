"""What is played and fetched of a film: the film itself by ranges, faces, files for other programs, reports."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from facelib.films.exports import PURPOSES, Format, export_film
from facelib.page.links import media_type
from facelib.server.answers import Content, CurrentAnswers
from facelib.server.api.videos import CurrentPages, VideoId
from facelib.server.cached import tag_of
from facelib.server.dependencies import CurrentProject
from facelib.server.films import LONGEST_GAP, find_current, find_film, find_named
from facelib.server.middleware import REPORT_POLICY, is_named
from facelib.server.problems import Problem, answer

router = APIRouter(prefix="/projects/{project}", tags=["media"])

_BINARY: dict[int | str, dict[str, Any]] = {200: {"content": {"*/*": {}}}}


def scratch_folder() -> Iterator[FilePath]:
    """Yield an empty folder that is removed once the answer has been sent."""
    with tempfile.TemporaryDirectory(prefix="facelib-") as folder:
        yield FilePath(folder)


Scratch = Annotated[FilePath, Depends(scratch_folder)]


@router.head("/videos/{video}/media/{kind}", response_class=Response, include_in_schema=False)
@router.get("/videos/{video}/media/{kind}", response_class=Response, responses={**_BINARY, 206: {}, 416: {}})
def play(video: VideoId, kind: Literal["source", "annotated", "reel"], project: CurrentProject) -> FileResponse:
    """Return the film itself, its annotated copy, or its reel; whole or by byte ranges, as players ask for it."""
    film = find_film(project, video)
    files = project.film(film)
    path = {"source": film, "annotated": files.annotated, "reel": files.reel}[kind]
    if not path.is_file():
        raise Problem(404, f"expected the file {kind!r} of {film.name!r}, found none; naming the people in it makes it")
    return answer_file(path, inline=True)


@router.get("/videos/{video}/sheets/{version}/faces-{number}.jpg", response_class=Response, responses=_BINARY)
def get_sheet(
    request: Request,
    video: VideoId,
    version: Annotated[str, Path(max_length=64)],
    number: Annotated[int, Path(ge=0, le=100_000)],
    project: CurrentProject,
    pages: CurrentPages,
    answers: CurrentAnswers,
) -> Response:
    """Return a sheet of the faces of a film's tracks, in the order of the page's data of that version."""

    def read() -> Content:
        film = find_named(project, video)
        if pages.film(project, film).version != version:
            raise Problem(404, f"expected the film's current version, got {version!r}; fetch .../page again")
        sheet = pages.sheet(project, film, number)
        if sheet is None:
            raise Problem(404, f"expected the number of a sheet, got {number!r}")
        return Content(f'"{version}-{number}"', sheet, kind="image/jpeg", lasting=True)

    return answers.send(request, project, read)


@router.get("/videos/{video}/exports/{form}", response_class=Response, responses=_BINARY)
def export(
    video: VideoId,
    form: Format,
    project: CurrentProject,
    scratch: Scratch,
    unknown: Annotated[bool, Query(description="The groups of unknown people too.")] = False,
    longest_gap: Annotated[float, Query(ge=0, le=3600, description="Seconds of gaps that are closed.")] = LONGEST_GAP,
) -> Response:
    """Return who is on screen and when, as it is now, in a form for another program; see `facelib.films.exports`."""
    film = find_current(project, video)
    made = export_film(
        film,
        project.film(film),
        formats=[form],
        unknown=unknown,
        longest_gap=longest_gap,
        address=quote(film.name),
        folder=scratch,
    )
    return Response(made[form].read_bytes(), media_type=media_type(made[form]), headers=_attached(made[form]))


@router.get("/videos/{video}/files/{name}", response_class=Response, responses=_BINARY)
def get_file(video: VideoId, name: Annotated[str, Path(max_length=200)], project: CurrentProject) -> FileResponse:
    """Return a file that a notebook made of a film for other programs, as it made it."""
    files = project.film(find_film(project, video))
    made = [files.reel, files.annotated, *files.exports.glob("*"), files.appearances]
    path = next((one for one in made if one.name == name and one.is_file()), None)
    if path is None or name not in PURPOSES:
        raise Problem(404, f"expected a file that was made of this film, got {name!r}")
    return answer_file(path)


@router.get(
    "/reports/{run}/{name}",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/x-ipynb+json": {}}}},
)
def get_report(
    run: Annotated[str, Path(max_length=200)],
    name: Annotated[str, Path(max_length=200, examples=["05_annotate_video.html"])],
    project: CurrentProject,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Return an executed notebook of one run (`.ipynb`) or its report (`.html`).

    A browser gives the scripts of a report no part in this server's log-in.
    """
    made = (path for path in project.runs.glob("*/*") if path.suffix in {".html", ".ipynb"})
    path = next((one for one in made if (one.parent.name, one.name) == (run, name)), None)
    if path is None:
        raise Problem(404, f"expected a report of {project.name!r}, got {f'{run}/{name}'!r}")
    headers = {"Content-Security-Policy": REPORT_POLICY, "ETag": tag_of(path), "Cache-Control": "private, no-cache"}
    if is_named(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    if path.suffix == ".ipynb":
        return FileResponse(path, media_type="application/x-ipynb+json", headers=headers | _attached(path))
    return FileResponse(path, media_type="text/html", headers=headers)


def answer_file(path: FilePath, *, inline: bool = False) -> FileResponse:
    """Return a file, whole or by byte ranges; to be saved, unless it is to be shown `inline`."""
    headers = {"Cache-Control": "private, no-cache", "ETag": tag_of(path)} | ({} if inline else _attached(path))
    return _Ranged(path, media_type=media_type(path), headers=headers)


class _Ranged(FileResponse):
    """A file, whole or by byte ranges; a range outside it is answered by a problem document."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is asked for."""
        refused: Message | None = None
        given = Headers(scope=scope).get("range")
        if given is not None and (scope["method"] != "GET" or given.partition("=")[0].strip().casefold() != "bytes"):
            # Whatever is no range of bytes, or is not asked for by GET, is to be passed over (RFC 9110, 14.2).
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}

        async def watch(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused = message
            if refused is None:
                await send(message)

        await super().__call__(scope, receive, watch)
        if refused is not None:
            size = Headers(raw=refused["headers"]).get("content-range")
            problem = Problem(
                refused["status"],
                f"expected a range of bytes of the file, such as 'bytes=0-999', got {given!r}",
                headers={"Content-Range": size} if size else None,
            )
            await answer(problem)(scope, receive, send)


def _attached(path: FilePath) -> dict[str, str]:
    plain = path.name.encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=utf-8''{quote(path.name, safe='')}"}
