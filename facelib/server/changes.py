"""What is told to everybody who watches when names have changed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from facelib.project import Project, text_of
from facelib.review import Review
from facelib.server.events import tell
from facelib.server.films import film_id
from facelib.server.reviews import film_of


def settled(session: Session, project: Project, review: Review, rows: Iterable[int]) -> None:
    """Tell that the names of some tracks have changed.

    Args:
        session: A session that writes.
        project: Whose.
        review: In which it was decided.
        rows: The tracks.
    """
    names = sorted(set(review.tracks.loc[list(rows), "video"]))
    videos = [film_id(project, film_of(review, name)) for name in names]
    tell(session, text_of(project.name), "tracks", videos=videos)


def cast_changed(session: Session, project: Project) -> None:
    """Tell that the cast or its pictures have changed."""
    tell(session, text_of(project.name), "people")
