"""The films of a project: listed with their state, and what the page needs to play them."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from facelib.films.record import length_of, read_summary
from facelib.page.film import FilmData
from facelib.page.project import ProjectData
from facelib.project import Project, text_of
from facelib.project.names import NOT_A_FACE, UNKNOWN
from facelib.server.answers import CurrentAnswers
from facelib.server.cached import table_of, tag_of
from facelib.server.dependencies import CurrentProject, Page, Paged, held_by_app, page_of
from facelib.server.films import FilmPages, film_id, film_problem, film_state, find_film, find_named

router = APIRouter(prefix="/projects/{project}", tags=["videos"])

VideoId = Annotated[str, Path(max_length=400, description="The id of a film, as the list of videos has it.")]


CurrentPages = Annotated[FilmPages, held_by_app("pages")]


class Video(BaseModel):
    """A file in the project's folder of films."""

    id: str = Field(description="What the API calls it; empty for a file that is not a film.", examples=["episode_1"])
    name: str = Field(description="Its path in the folder of films.", examples=["season 1/episode_1.mkv"])
    state: Literal["new", "named", "skipped"] = Field(
        description="`new`: not searched yet; `named`: its tracks have names; `skipped`: not a film."
    )
    problem: str = Field(description="What went wrong with it, or why it is skipped, and the remedy; empty when well.")
    notes: str = Field(description="What else there is to know, such as sound that was left out.")
    bytes: int
    duration: float | None = Field(description="Seconds, once it has been searched.")
    tracks: int | None = Field(description="Tracks of faces.")
    people: list[str] = Field(description="The cast on screen in it.")
    unknown: int = Field(description="Tracks of nobody in the cast.")
    annotated: bool = Field(description="Whether there is a copy with names drawn on it.")


@router.get("/videos", response_model=Page[Video])
def list_videos(request: Request, project: CurrentProject, answers: CurrentAnswers, paging: Paged) -> Response:
    """List the films with their state and problem, and the files among them that are not films."""

    def state() -> str:
        listed = page_of(project.list_videos(), paging)
        films = [(path, project.film(path)) for path, reason in listed.items if not reason]
        states = [film_state(film, files) for film, files in films]
        return tag_of(project.film_summary, *(files.annotated for _, files in films), also=(listed, states))

    def make() -> Page[Video]:
        listed, notes = page_of(project.list_videos(), paging), _notes(project)
        return listed.shown_as([_video(project, path, reason, notes) for path, reason in listed.items])

    return answers.find(request, project, state, make)


@router.get("/videos/{video}")
def get_video(video: VideoId, project: CurrentProject) -> Video:
    """Describe a film."""
    return _video(project, find_film(project, video), "", _notes(project))


@router.get("/page", response_class=Response, responses={200: {"model": ProjectData}})
def project_page(request: Request, project: CurrentProject, pages: CurrentPages, answers: CurrentAnswers) -> Response:
    """Return what the page shows before a film is opened: people, films, and who is on screen when."""
    return answers.send(request, project, lambda: pages.project_page(project))


@router.get("/videos/{video}/page", response_class=Response, responses={200: {"model": FilmData}})
def film_page(
    request: Request, video: VideoId, project: CurrentProject, pages: CurrentPages, answers: CurrentAnswers
) -> Response:
    """Return what the page needs to play a film: frame times, tracks, boxes, faces, cuts, sources, exports.

    Arrays of numbers are base64 of little-endian numbers of the kind that stands beside them.
    """
    return answers.send(request, project, lambda: pages.film_page(project, find_named(project, video)))


def _notes(project: Project) -> dict[str, dict[str, str]]:
    """Return the row of each film in the summary of the last runs."""
    rows = read_summary(project).to_dict("records")
    return {str(row["film"]): {str(key): str(value) for key, value in row.items()} for row in rows}


def _video(project: Project, path: FilePath, reason: str, notes: dict[str, dict[str, str]]) -> Video:
    name = text_of(path.relative_to(project.videos).as_posix()) if path.is_relative_to(project.videos) else path.name
    said = notes.get(text_of(path.name), {})
    size = path.stat().st_size if path.exists() else 0
    files = None if reason else project.film(path)
    tracks = table_of(files.tracks) if files else None
    problem = reason or said.get("problem", "")
    if files and not problem:
        problem = film_problem(project, path, files, film_state(path, files))
    named = sorted(set(tracks["person"].unique()) - {UNKNOWN, NOT_A_FACE}) if tracks is not None else []
    return Video(
        id="" if reason else film_id(project, path),
        name=name,
        state="skipped" if reason else "new" if tracks is None else "named",
        problem=problem,
        notes=said.get("notes", ""),
        bytes=size,
        duration=length_of(files, tracks) if files and tracks is not None else None,
        tracks=None if tracks is None else len(tracks),
        people=[str(person) for person in named],
        unknown=0 if tracks is None else int((tracks["person"] == UNKNOWN).sum()),
        annotated=bool(files and files.annotated.is_file()),
    )
