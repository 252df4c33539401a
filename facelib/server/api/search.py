"""Search over all films: who is on screen together, who with whom, who in which year."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from facelib.archive import (
    Archive,
    Unit,
    find_company,
    find_moments,
    find_person,
    find_years,
    list_people,
    open_archive,
    update_archive,
)
from facelib.project import Project, text_of
from facelib.project.wording import in_one_line
from facelib.server.cached import rows_of
from facelib.server.dependencies import Anyone, CurrentSettings, Item, Page, Paged, Paging, page_of
from facelib.server.problems import Problem, without_folders
from facelib.server.security.callers import Caller
from facelib.server.settings import ServerSettings, project_names, project_of

router = APIRouter(prefix="/search", tags=["search"])

Projects = Annotated[
    list[str] | None,
    Query(alias="project", max_length=200, description="The projects to search; all that you may see without one."),
]
Names = Annotated[list[str], Query(max_length=50, description="Names of the cast, or of groups of unknown people.")]
OneName = Annotated[str, Query(min_length=1, max_length=400, description="Of the cast, or of a group.")]


class Found(Page[Item]):
    """A part of what was found."""

    left_out: list[str] = Field(description="Films and projects that could not be searched as they are now, and why.")


class Hit(BaseModel):
    """A stretch of a film."""

    project: str
    video: str = Field(description="The film's id.")
    film: str = Field(description="Its file name.")
    date: str = Field(description="The film's, ISO 8601; empty where it is not known.")
    start: float = Field(description="Seconds.")
    end: float = Field(description="Seconds, exclusive.")


class FaceHit(Hit):
    """A track whose face is near to the one that is searched for."""

    track: int
    person: str = Field(description="Its name, its group of unknown people, or `unknown`.")
    confidence: float
    distance: float


class PersonSeen(BaseModel):
    """Somebody who is seen in the films."""

    person: str
    kind: str = Field(description="`cast` or `group`.")
    films: int
    seconds: float
    appearances: int | None = Field(None, description="Stretches on screen.")
    moments: int | None = Field(None, description="How often they come together.")


class Year(BaseModel):
    """The first and the last appearance of somebody in a year."""

    person: str
    year: int | None
    films: int
    appearances: int
    seconds: float
    first_project: str
    first_film: str
    first_start: float
    last_project: str
    last_film: str
    last_end: float


@router.get("/scenes")
def search_scenes(
    caller: Anyone,
    settings: CurrentSettings,
    paging: Paged,
    together: Annotated[Names, Query(alias="with", min_length=1)],
    without: Names = [],  # noqa: B006
    by: Annotated[Unit, Query(description="On screen at one moment, in one shot, or in one scene.")] = "moment",
    shortest: Annotated[float, Query(ge=0, le=86400, description="Seconds; shorter hits are left out.")] = 0.0,
    projects: Projects = None,
) -> Found[Hit]:
    """Find where all of some people are seen and none of others: A and B without C."""
    chosen = _chosen(caller, settings, projects)
    with _opened(chosen, settings) as (archive, left_out):
        wanted, unwanted = ([_known(archive, name) for name in names] for names in (together, without))
        table = find_moments(archive, wanted, without=unwanted, by=by, shortest=shortest)
    page = page_of(list(table.index), paging)
    hits = [Hit(**row) for row in _rows(chosen, table.loc[page.items])]
    return Found(items=hits, total=page.total, next_offset=page.next_offset, left_out=left_out)


@router.get("/people")
def search_people(
    caller: Anyone, settings: CurrentSettings, paging: Paged, projects: Projects = None
) -> Found[PersonSeen]:
    """List who is seen in the films, the cast and groups of unknown people, those in most films first."""
    with _opened(_chosen(caller, settings, projects), settings) as (archive, left_out):
        return _found([PersonSeen(**row) for row in rows_of(list_people(archive))], paging, left_out)


@router.get("/company")
def search_company(
    caller: Anyone, settings: CurrentSettings, paging: Paged, person: OneName, projects: Projects = None
) -> Found[PersonSeen]:
    """List who else is on screen with somebody, the longest first."""
    with _opened(_chosen(caller, settings, projects), settings) as (archive, left_out):
        table = find_company(archive, _known(archive, person))
        return _found([PersonSeen(**row) for row in rows_of(table)], paging, left_out)


@router.get("/years")
def search_years(
    caller: Anyone,
    settings: CurrentSettings,
    paging: Paged,
    person: Annotated[str, Query(max_length=400)] = "",
    projects: Projects = None,
) -> Found[Year]:
    """List the first and the last appearance of people in each year."""
    with _opened(_chosen(caller, settings, projects), settings) as (archive, left_out):
        table = find_years(archive, _known(archive, person) if person else None)
    years = [Year(**row | {"year": None if pd.isna(row["year"]) else int(row["year"])}) for row in rows_of(table)]
    return _found(years, paging, left_out)


def face_hits(project: Project, table: pd.DataFrame) -> list[FaceHit]:
    """Return what `facelib.archive.find_face` found in a project as the API shows it."""
    return [FaceHit(**row) for row in _rows([project], table)]


def _chosen(caller: Caller, settings: ServerSettings, names: list[str] | None) -> list[Project]:
    """Return the projects to search.

    Raises:
        Problem: 404 when one of them is not there, or the caller may not see it.
    """
    seen = [name for name in project_names(settings) if caller.may("read", name)]
    missing = [name for name in names or [] if name not in seen]
    if missing:
        raise Problem(404, f"expected the names of projects that you may see, got {missing!r}")
    return [project_of(settings, name) for name in dict.fromkeys(names or seen)]


@contextmanager
def _opened(projects: list[Project], settings: ServerSettings) -> Iterator[tuple[Archive, list[str]]]:
    """Open the index of projects as their films are named now, and say what is not in it."""
    if not projects:
        raise Problem(409, "expected a project that you may see, there is none yet")
    searched, left_out = list[Project](), list[str]()
    for project in projects:
        try:
            changes = update_archive(project, progress=False)
        except OSError as error:
            if len(projects) == 1:
                raise
            left_out.append(f"{text_of(project.name)}: {without_folders(in_one_line(error), settings)}")
        else:
            searched.append(project)
            left_out += [f"{text_of(project.name)}: {film}: {said}" for film, said in changes.problems.items()]
    if not searched:
        raise Problem(409, f"expected the index of a project, found none that can be used: {'; '.join(left_out)}")
    try:
        archive = open_archive(searched)
    except ImportError as error:
        raise Problem(503, f"expected DuckDB on the server, found none: {error}") from error
    with archive:
        yield archive, left_out


def _known(archive: Archive, name: str) -> str:
    try:
        return find_person(archive, name)
    except ValueError as error:
        raise Problem(404, str(error)) from error


def _found(items: list[Item], paging: Paging, left_out: list[str]) -> Found[Item]:
    page = page_of(items, paging)
    return Found(items=page.items, total=page.total, next_offset=page.next_offset, left_out=left_out)


def _rows(projects: list[Project], table: pd.DataFrame) -> list[dict[str, Any]]:
    known = {text_of(project.name): project for project in projects}
    records = rows_of(table)
    for row in records:
        folder = known[str(row["project"])].film(str(row["film"])).folder
        row["video"] = text_of(folder.name)
    return records
