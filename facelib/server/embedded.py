"""The player of one film for other sites, at an address that its project's owner made: no log-in, nothing but the film.

It is shown only within the sites that the server's owner allows (`frame-ancestors`).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import FileResponse

from facelib.page.data import film_data, project_data
from facelib.project import Project
from facelib.server.api.media import answer_file
from facelib.server.api.videos import CurrentPages
from facelib.server.database import Embed
from facelib.server.dependencies import CurrentSettings, CurrentStore
from facelib.server.films import LONGEST_GAP, find_current
from facelib.server.front import answer_page
from facelib.server.middleware import POLICY
from facelib.server.problems import Problem
from facelib.server.settings import project_names, project_of

router = APIRouter(prefix="/embed/{key}", include_in_schema=False)

Key = Annotated[str, Path(max_length=64)]


def shown_film(key: Key, store: CurrentStore, settings: CurrentSettings) -> tuple[Project, Any]:
    """Return the project and the path of the film that a key shows.

    Raises:
        Problem: 404 when there is none, or no site may embed films.
    """
    with store.read() as session:
        row = session.get(Embed, key)
    if row is None or not settings.embed_sites or row.project not in project_names(settings):
        raise Problem(404, "expected an address that shows a film, this one shows none, or none any longer")
    project = project_of(settings, row.project)
    return project, find_current(project, row.video)


Shown = Annotated[tuple[Project, Any], Depends(shown_film)]


@router.get("")
def show_player(request: Request, _shown: Shown, settings: CurrentSettings) -> Response:
    """Return the page with the player."""
    sites = " ".join(settings.embed_sites)
    policy = POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {sites}")
    return answer_page(request, "page_embed", {"Content-Security-Policy": policy})


@router.get("/page")
def describe_film(shown: Shown, key: Key, pages: CurrentPages, settings: CurrentSettings) -> dict[str, Any]:
    """Return what the player needs: the film's page data, and how its people are drawn; no other film, no reports."""
    project, film = shown
    read = pages.film(project, film)
    made = film_data(project, read, LONGEST_GAP)
    names = {label.name for label in made.labels}
    people = [asdict(one) for one in project_data(project, [read]).people if one.name in names]
    place = f"{settings.root_path}/embed/{key}/media"
    sources = [replace(one, href=f"{place}/{one.title}") for one in made.sources]
    return {"film": asdict(replace(made, sources=sources, exports=[])), "people": people}


@router.head("/media/{kind}")
@router.get("/media/{kind}")
def play_film(kind: str, shown: Shown) -> FileResponse:
    """Return the film, or its annotated copy, whole or by byte ranges."""
    project, film = shown
    path = {"source": film, "annotated": project.film(film).annotated}.get(kind)
    if path is None or not path.is_file():
        raise Problem(404, f"expected 'source' or 'annotated', got {kind!r}, which this film does not have")
    return answer_file(path, inline=True)
