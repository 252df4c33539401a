"""A project's tracks under review, read once for each state of its tables and decisions; one decision at a time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from facelib.films.settle import settle_films
from facelib.project import Project, file_lock
from facelib.review import Review
from facelib.server.cached import tag_of
from facelib.server.problems import Problem

_KEPT = 8  # projects in memory


class Reviews:
    """The reviews of projects, in memory; one for each server. What is handed out must not be changed."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, Review]] = OrderedDict()
        self._lock = Lock()

    def read(self, project: Project) -> Review:
        """Return the review of all films of a project that have names.

        Raises:
            Problem: 409 when there are none yet.
        """
        films = [film for film in project.find_videos() if project.film(film).tracks.is_file()]
        if not films:
            raise Problem(409, f"expected films with names, {project.name!r} has none yet; let them be looked at first")
        tables = [path for film in films for path in (project.film(film).tracks, project.film(film).detections)]
        state = tag_of(project.corrections, *tables)
        key = str(project.output.absolute())
        with self._lock:
            if key in self._known and self._known[key][0] == state:
                self._known.move_to_end(key)
                return self._known[key][1]
        review = Review(project, films)
        with self._lock:
            self._known[key] = state, review
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return review

    @contextmanager
    def deciding(self, project: Project, by: str) -> Iterator[Review]:
        """Yield a review to decide in, one at a time over all servers; then settle the films that it changed.

        Raises:
            Problem: 409 when no film has names yet.
        """
        lock = project.output / ".locks" / "corrections"
        with file_lock(lock, what="other decision about this project", wait=True):
            films = self.read(project).films
            review = Review(project, films, by=by)
            before = review.tracks["label"].copy(), review.last_decisions()
            yield review
            since = review.last_decisions()
            changed = {row for row, last in since.items() if before[1].get(row) != last}
            names = set(review.tracks.loc[sorted(changed), "video"])
            if names:
                settle_films(project, [film for film in films if film.name in names])

    def forget(self) -> None:
        """Drop everything that is held in memory."""
        with self._lock:
            self._known.clear()


def track_state(track: dict[str, Any], last: tuple[str, str]) -> str:
    """Return a text that changes when a track gets another name or is decided about again.

    Args:
        track: A row of `Review.tracks`.
        last: When it was decided about last, and by whom; empty for never.
    """
    parts = [track[name] for name in ("video", "track", "start_frame", "end_frame", "label", "source")]
    return hashlib.sha256(repr([*map(str, parts), last]).encode()).hexdigest()[:16]


def film_of(review: Review, name: str) -> Path:
    """Return the path of a film under review by its file name."""
    return next(film for film in review.films if film.name == name)
