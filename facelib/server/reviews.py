"""A project's tracks under review, read once for each state of its tables and decisions; one decision at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from facelib.project import Project, file_lock, text_of
from facelib.project.names import is_group
from facelib.review import Review
from facelib.server.cached import Kept, rows_of, tag_of
from facelib.server.events import tell
from facelib.server.films import film_id, film_problem, film_state, named_films
from facelib.server.problems import Problem

_KEPT = 8  # projects in memory


class Reviews:
    """The reviews of projects, in memory; one for each server. What is handed out must not be changed."""

    def __init__(self) -> None:
        self._known: Kept[Review] = Kept(_KEPT)
        self._unknown: Kept[list[dict[str, Any]]] = Kept(_KEPT)

    def read(self, project: Project) -> Review:
        """Return the review of all films of a project that have names, without those whose tables cannot be used.

        Raises:
            Problem: 409 when there are none.
        """
        films, state = _usable(project)
        return self._known.find(str(project.output.absolute()), state, lambda: Review(project, films))

    def state(self, project: Project) -> str:
        """Return a text that changes with the review of a project and with its groups of unknown people.

        Raises:
            Problem: 409 when no film has names yet.
        """
        return _usable(project)[1] + tag_of(*_groups(project))

    def unknown(self, project: Project) -> tuple[Review, list[dict[str, Any]]]:
        """Return the review of a project, and its groups of unknown people: the columns of `people_of`, a dict each.

        Raises:
            Problem: 409 when no film has names yet.
        """
        review = self.read(project)
        state, key = (tag_of(*_groups(project)), review), str(project.output.absolute())
        return review, self._unknown.find(key, state, lambda: _unknown_people(project, review))

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
                from facelib.films.settle import settle_films

                settle_films(project, [film for film in films if film.name in names])

    def forget(self) -> None:
        """Drop everything that is held in memory."""
        self._known.forget()
        self._unknown.forget()


def _usable(project: Project) -> tuple[list[Path], str]:
    """Return the films that can be reviewed, and a text that changes with them and with the decisions."""
    usable, problems = dict[Path, str](), list[str]()
    for film in named_films(project):
        files = project.film(film)
        state = film_state(film, files)
        if problem := film_problem(project, film, files, state):
            problems.append(problem)
        else:
            usable[film] = state
    if not usable:
        none = f"expected films with names, {project.name!r} has none yet; name the people in them first"
        raise Problem(409, problems[0] if problems else none)
    return list(usable), tag_of(project.corrections, also=usable)


def _groups(project: Project) -> list[Path]:
    return [project.unknowns / f"{name}.parquet" for name in ("groups", "members")]


def _unknown_people(project: Project, review: Review) -> list[dict[str, Any]]:
    from facelib.films.unknowns.kept import people_of, read_groups

    kept = read_groups(project)
    if kept is None:
        return _from_tracks(review.tracks)
    return rows_of(people_of(kept.members))


def _from_tracks(tracks: Any) -> list[dict[str, Any]]:
    """Return the groups that the tracks show, where the project has not been settled with grouping."""
    own = tracks[tracks["label"].map(is_group).astype(bool)]
    found = []
    for label, group in own.groupby("label"):
        best = group.loc[group["seconds"].idxmax()]
        found.append(
            {"cluster": label, "seconds": group["seconds"].sum(), "tracks": len(group),
             "films": group["video"].nunique(), "best_film": best["video"], "best_track": best["track"]}
        )  # fmt: skip
    return sorted(found, key=lambda one: -float(one["seconds"]))


def track_state(track: dict[str, Any], last: tuple[str, str]) -> str:
    """Return a text that changes when a track gets another name or is decided about again."""
    parts = [track[name] for name in ("video", "track", "start_frame", "end_frame", "label", "source")]
    return hashlib.sha256(repr([*map(str, parts), last]).encode()).hexdigest()[:16]


def film_of(review: Review, name: str) -> Path:
    """Return the path of a film under review by its file name."""
    return next(film for film in review.films if film.name == name)


def settled(session: Session, project: Project, review: Review, rows: Iterable[int]) -> None:
    """Tell that the names of some tracks have changed."""
    names = sorted(set(review.tracks.loc[list(rows), "video"]))
    videos = [film_id(project, film_of(review, name)) for name in names]
    tell(session, text_of(project.name), "tracks", videos=videos)


def cast_changed(session: Session, project: Project) -> None:
    """Tell that the cast or its pictures have changed."""
    tell(session, text_of(project.name), "people")
