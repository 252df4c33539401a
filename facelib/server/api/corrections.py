"""What users decide about tracks: who is who, who is a stranger, what is no face; listed, made, undone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, Field

from facelib.project import Project
from facelib.project.names import is_group, near_names
from facelib.review import Decision, Review
from facelib.server.api.people import USE_IT, nearly
from facelib.server.api.tracks import CurrentReviews, Track, TrackNumber, describe, find_track
from facelib.server.api.videos import VideoId
from facelib.server.bodies import JsonBody
from facelib.server.dependencies import Corrector, CurrentProject, Page, Paged, Writing, page_of
from facelib.server.films import film_id, find_current
from facelib.server.problems import Problem
from facelib.server.reviews import settled

router = APIRouter(prefix="/projects/{project}", tags=["corrections"])

Action = Literal["confirm", "name", "unknown", "not a face", "merge", "split"]


class TrackRef(BaseModel):
    """A track, and its state as the decision was made."""

    video: str = Field(max_length=400, description="The film's id.")
    track: int = Field(ge=0, le=2**31 - 1)
    state: str | None = Field(
        None, max_length=64, description="As it was shown; where the track has another one now, nothing is decided."
    )


class Deciding(JsonBody):
    """What is decided."""

    action: Action = Field(
        description="`confirm` the name; `name` them; `unknown`: nobody in the cast; `not a face`; "
        "`merge` their groups of unknown people; `split` them off their group."
    )
    name: str = Field("", max_length=400, description="For `name`: a person, or a group such as `Unknown 2`.")
    whole_group: bool = Field(False, description="For `name`: also the other tracks of their groups, in all films.")
    even_if_near: bool = Field(False, description="For `name`: also where the name is nearly one that there is.")


class NewCorrection(Deciding):
    """A decision about some tracks."""

    tracks: list[TrackRef] = Field(min_length=1, max_length=10_000)


class CorrectionResult(BaseModel):
    """A decision that was made, and the tracks as they are now."""

    id: str = Field(description="To take it back; empty where it was taking one back.")
    done: str = Field(description="What was done, in a sentence.", examples=["Named 1 track Ada Lovelace."])
    tracks: list[Track]
    warnings: list[str] = Field(description="People whom users named twice in one moment.")


class CorrectionItem(BaseModel):
    """A track in a decision."""

    video: str
    track: int
    was: str = Field(description="The decision before it, empty for none.")
    given: str


class Correction(BaseModel):
    """A decision that was made and not taken back."""

    id: str = Field(description="When it was made, ISO 8601 in UTC.")
    by: str
    tracks: list[CorrectionItem]


@router.get("/corrections")
def list_corrections(project: CurrentProject, reviews: CurrentReviews, paging: Paged) -> Page[Correction]:
    """List the decisions that can be taken back, the newest first."""
    review = reviews.read(project)
    page = page_of(review.decisions[::-1], paging)
    ids = {film.name: film_id(project, film) for film in review.films}
    items = [_correction(review, one, ids) for one in page.items]
    return page.shown_as(items)


@router.post("/corrections", status_code=201)
def correct(
    new: NewCorrection, project: CurrentProject, caller: Corrector, session: Writing, reviews: CurrentReviews
) -> CorrectionResult:
    """Decide about some tracks; nothing is decided where one of them has changed since it was shown (409)."""
    with reviews.deciding(project, caller.name) as review:
        rows = [find_track(review, find_current(project, one.video), one.track) for one in new.tracks]
        states = {row: one.state for row, one in zip(rows, new.tracks, strict=True) if one.state}
        _refuse_stale(project, review, states, new)
        done = _name(review, rows, new) if new.action == "name" else review.decide(new.action, rows)
    settled(session, project, review, rows)
    decided = reviews.read(project)
    return CorrectionResult(
        id=review.made[-1], done=done, tracks=describe(project, decided, rows), warnings=decided.warnings
    )


@router.put("/videos/{video}/tracks/{track}/decision")
def correct_track(
    video: VideoId,
    track: TrackNumber,
    new: Deciding,
    project: CurrentProject,
    caller: Corrector,
    session: Writing,
    reviews: CurrentReviews,
    if_match: Annotated[str, Header(description="The track's ETag as it was shown.")] = "",
) -> CorrectionResult:
    """Decide about one track; refused (409) if it has changed since it was shown, by If-Match."""
    state = if_match.strip().removeprefix("W/").strip('"') or None
    ref = TrackRef(video=video, track=track, state=None if state == "*" else state)
    return correct(NewCorrection(tracks=[ref], **new.model_dump()), project, caller, session, reviews)


@router.post("/corrections/undo")
def undo_last(
    project: CurrentProject, caller: Corrector, session: Writing, reviews: CurrentReviews
) -> CorrectionResult:
    """Take the caller's own last decision back."""
    own = [one for one in reviews.read(project).decisions if one.by == caller.name]
    if not own:
        raise Problem(409, f"expected a decision by {caller.name!r} to take back, there is none left")
    return undo(own[-1].when, project, caller, session, reviews)


@router.delete("/corrections/{correction}")
def undo(
    correction: Annotated[str, Path(max_length=64, description="The decision's id.")],
    project: CurrentProject,
    caller: Corrector,
    session: Writing,
    reviews: CurrentReviews,
) -> CorrectionResult:
    """Take a decision back; refused (409) where somebody decided about its tracks since."""
    with reviews.deciding(project, caller.name) as review:
        step = next((one for one in review.decisions if one.when == correction), None)
        if step is None:
            raise Problem(404, f"expected the id of a decision that can be taken back, got {correction!r}")
        try:
            done = review.undo(correction)
        except ValueError as error:
            raise Problem(409, str(error)) from error
    rows = list(step.tracks)
    settled(session, project, review, rows)
    decided = reviews.read(project)
    return CorrectionResult(id="", done=done, tracks=describe(project, decided, rows), warnings=decided.warnings)


def _refuse_stale(project: Project, review: Review, states: dict[int, str], new: Deciding) -> None:
    now = {row: track for row, track in zip(states, describe(project, review, list(states)), strict=True)}
    stale = [track for row, track in now.items() if track.state != states[row]]
    if not stale:
        return
    wanted = new.name if new.action == "name" else new.action
    who = stale[0].last.by if stale[0].last else "the program"
    conflicts = [{"yours": wanted, "now": track.model_dump()} for track in stale]
    first = f"track {stale[0].track} of {stale[0].video!r} is now {stale[0].label!r}, by {who or 'another user'!r}"
    raise Problem(409, f"expected tracks as they were shown, {first}; look again and decide", conflicts=conflicts)


def _name(review: Review, rows: list[int], new: Deciding) -> str:
    name, people = " ".join(new.name.split()), review.people()
    near = [] if is_group(name) else near_names(name, people)
    if near and near[0].likeness != "same" and not new.even_if_near:
        raise nearly(name, near, "a known name or that of somebody new", USE_IT)
    return review.name(rows, name, whole_group=new.whole_group)


def _correction(review: Review, one: Decision, ids: dict[str, str]) -> Correction:
    items = []
    for row, was, given in zip(one.tracks, one.before, one.given, strict=True):
        record: dict[str, Any] = review.tracks.loc[row].to_dict()  # type: ignore[assignment]
        film, track = str(record["video"]), int(record["track"])
        items.append(CorrectionItem(video=ids[film], track=track, was=was, given=given))
    return Correction(id=one.when, by=one.by, tracks=items)
