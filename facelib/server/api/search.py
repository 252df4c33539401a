"""Search over all films: who is on screen together, who with whom, who in which year."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from facelib.server.cached import rows_of
from facelib.server.dependencies import Anyone, CurrentSettings, Page, Paged, page_of
from facelib.server.problems import Problem
from facelib.server.security.callers import Caller
from facelib.server.settings import ServerSettings, project_names, project_of

router = APIRouter(prefix="/search", tags=["search"])

Projects = Annotated[
    list[str] | None,
    Query(alias="project", max_length=200, description="The projects to search; all that you may see without one."),
]
Names = Annotated[list[str], Query(max_length=50, description="Names of the cast, or of groups of unknown people.")]
OneName = Annotated[str, Query(min_length=1, max_length=400, description="Of the cast, or of a group.")]


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
) -> Page[Hit]:
    """Find where all of some people are seen and none of others: A and B without C."""
    chosen = _chosen(caller, settings, projects)
    with _opened(chosen) as archive:
        wanted, unwanted = ([_known(archive, name) for name in names] for names in (together, without))
        table = find_moments(archive, wanted, without=unwanted, by=by, shortest=shortest)
    page = page_of(list(table.index), paging)
    hits = [Hit(**row) for row in _rows(chosen, table.loc[page.items])]
    return page.shown_as(hits)


@router.get("/people")
def search_people(
    caller: Anyone, settings: CurrentSettings, paging: Paged, projects: Projects = None
) -> Page[PersonSeen]:
    """List who is seen in the films, the cast and groups of unknown people, those in most films first."""
    return page_of(_seen(_chosen(caller, settings, projects), list_people), paging)


@router.get("/company")
def search_company(
    caller: Anyone, settings: CurrentSettings, paging: Paged, person: OneName, projects: Projects = None
) -> Page[PersonSeen]:
    """List who else is on screen with somebody, the longest first."""

    def company(archive: Archive) -> pd.DataFrame:
        return find_company(archive, _known(archive, person))

    return page_of(_seen(_chosen(caller, settings, projects), company), paging)


@router.get("/years")
def search_years(
    caller: Anyone,
    settings: CurrentSettings,
    paging: Paged,
    person: Annotated[str, Query(max_length=400)] = "",
    projects: Projects = None,
) -> Page[Year]:
    """List the first and the last appearance of people in each year."""
    with _opened(_chosen(caller, settings, projects)) as archive:
        table = find_years(archive, _known(archive, person) if person else None)
    years = [Year(**row | {"year": None if pd.isna(row["year"]) else int(row["year"])}) for row in rows_of(table)]
    return page_of(years, paging)


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
def _opened(projects: list[Project]) -> Iterator[Archive]:
    """Open the index of projects as their films are named now."""
    if not projects:
        raise Problem(409, "expected a project that you may see, there is none yet")
    for project in projects:
        update_archive(project, progress=False)
    try:
        archive = open_archive(projects)
    except ImportError as error:
        raise Problem(503, f"expected DuckDB on the server, found none: {error}") from error
    with archive:
        yield archive


def _known(archive: Archive, name: str) -> str:
    try:
        return find_person(archive, name)
    except ValueError as error:
        raise Problem(404, str(error)) from error


def _seen(projects: list[Project], find: Callable[[Archive], pd.DataFrame]) -> list[PersonSeen]:
    with _opened(projects) as archive:
        return [PersonSeen(**row) for row in rows_of(find(archive))]


def _rows(projects: list[Project], table: pd.DataFrame) -> list[dict[str, Any]]:
    known = {project.name: project for project in projects}
    records = rows_of(table)
    for row in records:
        folder = known[str(row["project"])].film(str(row["film"])).folder
        row["video"] = text_of(folder.name)
    return records
