"""The groups of unknown people over all films; they are named, merged and split by corrections."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from facelib.server.answers import CurrentAnswers
from facelib.server.api.tracks import CurrentReviews
from facelib.server.dependencies import CurrentProject, Page, Paged, page_of
from facelib.server.films import film_id

router = APIRouter(prefix="/projects/{project}", tags=["unknown people"])


class UnknownPerson(BaseModel):
    """A group of tracks of somebody whom nobody has named."""

    name: str = Field(examples=["Unknown 1"])
    seconds: float = Field(description="On screen in all films.")
    tracks: int
    films: int
    video: str = Field(description="The id of the film with the best face.")
    track: int = Field(description="The track with the best face: name it with `whole_group`, and all have the name.")


@router.get("/unknowns", response_model=Page[UnknownPerson])
def list_unknown(
    request: Request, project: CurrentProject, reviews: CurrentReviews, answers: CurrentAnswers, paging: Paged
) -> Response:
    """List the groups of unknown people, those longest on screen first."""

    def make() -> Page[UnknownPerson]:
        review, rows = reviews.unknown(project)
        there = {film.name: film_id(project, film) for film in review.films}
        page = page_of([row for row in rows if row["best_film"] in there], paging)
        items = [
            UnknownPerson(
                name=str(row["cluster"]),
                seconds=float(row["seconds"]),
                tracks=int(row["tracks"]),
                films=int(row["films"]),
                video=there[str(row["best_film"])],
                track=int(row["best_track"]),
            )
            for row in page.items
        ]
        return page.shown_as(items)

    return answers.find(request, project, lambda: reviews.state(project), make)
