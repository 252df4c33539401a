"""The tracks of a film, their faces, and who is on screen when."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from facelib.project import Project
from facelib.project.names import is_group
from facelib.review import Filter, Review
from facelib.server.answers import CurrentAnswers
from facelib.server.api.videos import VideoId
from facelib.server.cached import appearances_of, rows_of, tag_of
from facelib.server.dependencies import CurrentProject, Page, Paged, held_by_app, page_of
from facelib.server.films import LONGEST_GAP, film_id, find_current
from facelib.server.problems import Problem
from facelib.server.reviews import Reviews, film_of, track_state

router = APIRouter(prefix="/projects/{project}", tags=["tracks"])

TrackNumber = Annotated[int, Path(ge=0, le=2**31 - 1, description="The number of a track in its film.")]


CurrentReviews = Annotated[Reviews, held_by_app("reviews")]


class Decided(BaseModel):
    """The last decision of a user about a track."""

    when: str = Field(examples=["2026-11-28T13:40:36.123456+00:00"])
    by: str


class Track(BaseModel):
    """One face followed through a shot, with its name."""

    video: str = Field(description="The film's id.")
    track: int = Field(description="Its number in the film; it stays until the film is searched again.")
    label: str = Field(description="A person, a group such as `Unknown 1`, `unknown`, or `not a face`.")
    person: str
    cluster: str = Field(description="Its group of unknown people, if any.")
    confidence: float = Field(description="Probability, 0 to 1, that the name is right; 1 where a user decided.")
    reason: str = Field(description="Why it has this name.")
    evidence: str = Field(description="The picture of the gallery that carried the name.")
    second_person: str = Field(description="The next best of the cast.")
    start: float = Field(description="Seconds.")
    end: float = Field(description="Seconds; the start of its last frame.")
    start_frame: int
    end_frame: int = Field(description="Inclusive.")
    shot: int
    seconds: float = Field(description="On screen.")
    worth: float = Field(description="Seconds on screen that checking it is expected to put right.")
    decided: bool = Field(description="Whether a user decided about it.")
    automatic: str = Field(description="What it is called without the decision.")
    pictures: int = Field(description="How many of its faces there are to show.")
    state: str = Field(description="Changes with its name and with every decision about it; send it with a decision.")
    last: Decided | None = Field(description="The last decision about it, one that was taken back too.")


class Appearance(BaseModel):
    """One stretch of somebody on screen."""

    person: str
    start: float = Field(description="Seconds.")
    end: float = Field(description="Seconds, exclusive.")
    start_timecode: str
    end_timecode: str
    confidence: float
    tracks: list[int]


@router.get("/tracks", response_model=Page[Track])
def list_all_tracks(
    request: Request,
    project: CurrentProject,
    reviews: CurrentReviews,
    answers: CurrentAnswers,
    paging: Paged,
    shown: Annotated[Filter, Query(description="Which of them, most worth checking first.")] = "all",
    label: Annotated[str, Query(max_length=400, description="Only those called so.")] = "",
) -> Response:
    """List the tracks of all films, those most worth checking first."""

    def make() -> Page[Track]:
        review = reviews.read(project)
        return _page(project, review, review.queue(shown, person=label), paging)

    return answers.find(request, project, lambda: reviews.state(project), make)


@router.get("/videos/{video}/tracks", response_model=Page[Track])
def list_tracks(
    request: Request,
    video: VideoId,
    project: CurrentProject,
    reviews: CurrentReviews,
    answers: CurrentAnswers,
    paging: Paged,
    label: Annotated[str, Query(max_length=400, description="Only those called so.")] = "",
    start: Annotated[float, Query(ge=0, description="Only those on screen at or after this, seconds.")] = 0.0,
    end: Annotated[float | None, Query(ge=0, description="Only those on screen before this, seconds.")] = None,
) -> Response:
    """List a film's tracks, by time."""

    def make() -> Page[Track]:
        review, film = reviews.read(project), find_current(project, video)
        table = review.tracks[review.tracks["video"] == film.name]
        chosen = (table["end"] >= start) & ((table["label"] == label) | (label == ""))
        if end is not None:
            chosen &= table["start"] < end
        rows = table[chosen].sort_values(["start", "track"], kind="stable").index
        return _page(project, review, [int(row) for row in rows], paging)

    return answers.find(request, project, lambda: (find_current(project, video), reviews.state(project)), make)


@router.get("/videos/{video}/tracks/{track}")
def get_track(
    video: VideoId, track: TrackNumber, project: CurrentProject, reviews: CurrentReviews, response: Response
) -> Track:
    """Describe a track; its ETag is its state, to be sent as If-Match with a decision about it."""
    review = reviews.read(project)
    found = describe(project, review, [find_track(review, find_current(project, video), track)])[0]
    response.headers["ETag"] = f'"{found.state}"'
    return found


@router.get(
    "/videos/{video}/tracks/{track}/faces/{number}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def get_face(
    video: VideoId,
    track: TrackNumber,
    number: Annotated[int, Path(ge=0, le=100, description="From 0, the best first.")],
    project: CurrentProject,
    reviews: CurrentReviews,
) -> Response:
    """Return one of the best faces of a track as a JPEG."""
    review = reviews.read(project)
    pictures = review.pictures(find_track(review, find_current(project, video), track))
    if number >= len(pictures):
        raise Problem(404, f"expected the number of one of {len(pictures)} faces, got {number!r}")
    return Response(pictures[number], media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


@router.get("/videos/{video}/appearances", response_model=Page[Appearance])
def list_appearances(
    request: Request,
    video: VideoId,
    project: CurrentProject,
    answers: CurrentAnswers,
    paging: Paged,
    person: Annotated[str, Query(max_length=400, description="Only this person's, or group's.")] = "",
    unknown: Annotated[bool, Query(description="The groups of unknown people too.")] = False,
    longest_gap: Annotated[float, Query(ge=0, le=3600, description="Seconds of gaps that are closed.")] = LONGEST_GAP,
) -> Response:
    """List who is on screen from when to when, as it is now."""
    groups = unknown or is_group(person)

    def tracks() -> FilePath:
        return project.film(find_current(project, video)).tracks

    def make() -> Page[Appearance]:
        rows = appearances_of(tracks(), longest_gap=longest_gap, unknown=groups)
        page = page_of([row for row in rows if person in ("", row["person"])], paging)
        return page.shown_as(
            [Appearance(**row | {"tracks": list(map(int, str(row["tracks"]).split()))}) for row in page.items]
        )

    return answers.find(request, project, lambda: tag_of(tracks()), make)


def find_track(review: Review, film: FilePath, track: int) -> int:
    """Return the row of a film's track in a review.

    Raises:
        Problem: 404 when there is none of this number.
    """
    table = review.tracks
    rows = table.index[(table["video"] == film.name) & (table["track"] == track)]
    if not len(rows):
        raise Problem(404, f"expected the number of a track of {film.name!r}, got {track!r}; GET .../tracks lists them")
    return int(rows[0])


def describe(project: Project, review: Review, rows: list[int]) -> list[Track]:
    """Return tracks under review as the API shows them."""
    table = review.tracks.loc[rows]
    ids = {name: film_id(project, film_of(review, name)) for name in set(table["video"])}
    said = review.last_decisions()
    return [_track(review, row, record, ids, said) for row, record in zip(rows, rows_of(table), strict=True)]


def _track(
    review: Review, row: int, record: dict[str, Any], ids: dict[str, str], said: dict[int, tuple[str, str]]
) -> Track:
    last = said.get(row, ("", ""))
    known = {name: record[name] for name in Track.model_fields if name in record}
    texts = {name: _text(record.get(name)) for name in ("evidence", "second_person", "reason", "cluster")}
    return Track(
        **known
        | texts
        | {
            "video": ids[str(record["video"])],
            "confidence": float(record["confidence"]) if pd.notna(record["confidence"]) else 0.0,
            "automatic": _text(record["auto_cluster"]) or _text(record["auto_person"]),
            "pictures": len(review.pictures(row)),
            "state": track_state(record, last),
            "last": Decided(when=last[0], by=last[1]) if last[0] else None,
        }
    )


def _text(value: object) -> str:
    return "" if value is None or (isinstance(value, float) and pd.isna(value)) else str(value)


def _page(project: Project, review: Review, rows: list[int], paging: Any) -> Page[Track]:
    page = page_of(rows, paging)
    items = describe(project, review, page.items)
    return page.shown_as(items)
