"""The groups of unknown people over all films; they are named, merged and split by corrections."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from facelib.server.api.pages import Page, page_of
from facelib.server.api.tracks import CurrentReviews
from facelib.server.dependencies import CurrentProject, Paged
from facelib.server.films import film_id
from facelib.server.reviews import film_of

router = APIRouter(prefix="/projects/{project}", tags=["unknown people"])


class UnknownPerson(BaseModel):
    """A group of tracks of somebody whom nobody has named."""

    name: str = Field(examples=["Unknown 1"])
    seconds: float = Field(description="On screen in all films.")
    tracks: int
    films: int
    video: str = Field(description="The id of the film with the best face.")
    track: int = Field(description="The track with the best face: name it with `whole_group`, and all have the name.")


@router.get("/unknowns")
def list_unknown(project: CurrentProject, reviews: CurrentReviews, paging: Paged) -> Page[UnknownPerson]:
    """List the groups of unknown people, those longest on screen first."""
    review, rows = reviews.unknown(project)
    there = {film.name for film in review.films}
    page = page_of([row for row in rows if row["best_film"] in there], paging)
    items = [
        UnknownPerson(
            name=str(row["cluster"]),
            seconds=float(row["seconds"]),
            tracks=int(row["tracks"]),
            films=int(row["films"]),
            video=film_id(project, film_of(review, str(row["best_film"]))),
            track=int(row["best_track"]),
        )
        for row in page.items
    ]
    return page.shown_as(items)
