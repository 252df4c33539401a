"""The films of a project as the API names them, and their page's data, read once for each state of the tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from facelib.films.exports import FILE_NAMES, PURPOSES
from facelib.films.tables import UnusableTables, outdated, unreadable
from facelib.page.boxes import BoxKeys
from facelib.page.data import BEHIND, PageFilm, film_data, page_version, project_data, read_page_film
from facelib.page.faces import best_pictures, face_sheet
from facelib.page.film import FaceSheets, track_boxes
from facelib.page.links import Link, project_reports
from facelib.project import FilmFiles, Project, text_of
from facelib.server.answers import Content
from facelib.server.cached import Kept, tag_of
from facelib.server.problems import Problem

LONGEST_GAP = 1.0
"""Seconds; shorter gaps between two tracks of one person are closed, as in the notebooks by default."""

_KEPT = 64  # films in memory, and sheets of faces
_KEPT_LARGE = 12  # of what takes megabytes for a long film
_AGAIN = "; name the people in it again"
_FILMS = {"annotated.mp4", "select_reel.mp4"}  # made by notebooks; the other exports are made as they are asked for


class FilmPages:
    """The page's data of films, in memory; one for each server.

    What is kept of a film is dropped as soon as one of its tables, or the film itself, changes.
    """

    def __init__(self) -> None:
        self._films: Kept[PageFilm] = Kept(_KEPT)
        self._pictures: Kept[dict[int, bytes]] = Kept(2)
        self._packed: Kept[BoxKeys] = Kept(_KEPT_LARGE)
        self._answers: Kept[Content] = Kept(_KEPT_LARGE)
        self._sheets: Kept[bytes | None] = Kept(_KEPT)

    def film(self, project: Project, film: Path) -> PageFilm:
        """Return what the page needs of a film with names.

        Raises:
            Problem: 409 when it can no longer be read.
        """
        version = page_version(project, film, LONGEST_GAP)
        return self._films.find(str(film), version, lambda: _read(project, film))

    def film_page(self, project: Project, film: Path) -> Content:
        """Return the page's data of a film as JSON, with addresses of the API for those of files."""
        read = self.film(project, film)
        return self._answer(f"film {film}", read.version, lambda: self._film_page(project, read))

    def project_page(self, project: Project) -> Content:
        """Return the page's data of a project as JSON: its people, and its films that have names."""
        films = named_films(project)
        cast = project.find_people(missing_ok=True)
        reports = [link.href for link in project_reports(project)]
        # By their versions, which cost little: of more films than are held, each would be read again.
        versions = [(film.name, page_version(project, film, LONGEST_GAP)) for film in films]
        state = tag_of(project.output / "marks.csv", also=[cast, reports, versions])
        return self._answer(
            f"project {project.output}", state, lambda: _project_page(project, self._readable(project, films))
        )

    def _readable(self, project: Project, films: list[Path]) -> list[PageFilm]:
        read = []
        for film in films:
            with suppress(Problem):  # it is listed among the videos with its problem
                read.append(self.film(project, film))
        return read

    def _film_page(self, project: Project, read: PageFilm) -> dict[str, Any]:
        data = film_data(project, read, LONGEST_GAP, keys=self._boxes(project, read))
        own = film_address(data.id)
        sources = [replace(one, href=f"{own}/media/{one.title}") for one in data.sources]
        exports = [Link(name, f"{own}/exports/{form}", PURPOSES[name]) for form, name in FILE_NAMES.items()]
        films = [one for one in data.exports if one.title in _FILMS]
        exports += [replace(one, href=f"{own}/files/{quote(one.title)}") for one in films]
        sheets = FaceSheets(f"{own}/sheets/{read.version}/")
        return asdict(replace(data, sources=sources, exports=exports, sheets=sheets)) | {"version": read.version}

    def _boxes(self, project: Project, read: PageFilm) -> BoxKeys:
        """Return a film's boxes; names that change leave them as they are, and packing a long film's takes seconds."""
        detections = project.film(read.film).detections
        numbers: np.ndarray[Any, np.dtype[np.int64]] = read.tracks["track"].to_numpy(np.int64)
        state = tag_of(detections, read.film, also=numbers.tobytes())
        return self._packed.find(str(detections), state, lambda: track_boxes(detections, read.tracks, read.clock))

    def _answer(self, key: str, state: str, make: Callable[[], dict[str, Any]]) -> Content:
        def answer() -> Content:
            return Content.of(json.dumps(make(), ensure_ascii=False, allow_nan=False).encode(), state)

        return self._answers.find(key, state, answer)

    def sheet(self, project: Project, film: Path, number: int) -> bytes | None:
        """Return one of the sheets of a film's faces; see `facelib.page.faces.face_sheet`."""
        read = self.film(project, film)
        tracks: np.ndarray[Any, np.dtype[np.int64]] = read.tracks["track"].to_numpy(np.int64)
        looks = project.film(film).looks

        def make() -> bytes | None:
            faces = self._pictures.find(str(looks), tag_of(looks), lambda: dict(best_pictures(looks)))
            return face_sheet(faces, tracks, number)

        return self._sheets.find(f"{film} {number}", read.version, make)

    def forget(self) -> None:
        """Drop everything that is held in memory."""
        for held in (self._films, self._pictures, self._packed, self._answers, self._sheets):
            held.forget()


def _read(project: Project, film: Path) -> PageFilm:
    try:
        read = read_page_film(project, film, LONGEST_GAP)
    except UnusableTables as error:
        raise Problem(409, error.problem + _AGAIN) from error
    if read is None:
        raise Problem(409, f"expected a film that can be read, {film.name!r} cannot; restore it, or upload it again")
    return read


def _project_page(project: Project, read: list[PageFilm]) -> dict[str, Any]:
    data = project_data(project, read)
    entries = [
        replace(one, data=f"{film_address(one.id)}/page", notice=one.notice and f"{BEHIND}{_AGAIN}.")
        for one in data.films
    ]
    reports = [Link(one.title, f"reports/{one.href.removeprefix('runs/')}", one.purpose) for one in data.reports]
    return asdict(replace(data, films=entries, reports=reports))


def film_address(film: str) -> str:
    """Return a film's address relative to that of its project."""
    return f"videos/{quote(film, safe='')}"


def film_id(project: Project, film: Path) -> str:
    """Return what the API calls a film: the name of its folder of results."""
    return text_of(project.film(film).folder.name)


def named_films(project: Project) -> list[Path]:
    """Return the films of a project whose tracks have names."""
    places = project.film_summary.parent
    films = project.find_videos()
    # For a film without a folder, the films of its stem would be looked for among all.
    begun = [film for film in films if (places / film.stem).is_dir() or (places / film.name).is_dir()]
    return [film for film in begun if project.film(film).tracks.is_file()]


def find_film(project: Project, video: str) -> Path:
    """Return the film that an id names.

    Raises:
        Problem: 404 when there is none.
    """
    for film in project.find_videos():
        # Its folder is called after the stem or the name; which of them it is takes a look at all films.
        if (text_of(film.stem) == video or video.startswith(text_of(film.name))) and film_id(project, film) == video:
            return film
    raise Problem(404, f"expected the id of a film of {project.name!r}, got {video!r}; GET .../videos lists them")


def find_named(project: Project, video: str) -> Path:
    """Return the film that an id names, with tables.

    Raises:
        Problem: 404 when there is none; 409 when nobody has been looked for in it yet.
    """
    film = find_film(project, video)
    if not project.film(film).tracks.is_file():
        raise Problem(409, f"expected a film with names, {film.name!r} has none yet; name the people in it first")
    return film


def find_current(project: Project, video: str) -> Path:
    """Return the film that an id names, with whole tables that are those of its file as it is now.

    Raises:
        Problem: 404 when there is none; 409 when it has no such tables.
    """
    film = find_named(project, video)
    files = project.film(film)
    if problem := film_problem(project, film, files, film_state(film, files)):
        raise Problem(409, problem)
    return film


def film_state(film: Path, files: FilmFiles) -> str:
    """Return a text that changes with a film and with each of its tables."""
    return tag_of(film, files.followed, files.tracks, *files.index)


def film_problem(project: Project, film: Path, files: FilmFiles, state: str) -> str:
    """Return what is wrong with the tables of a film and what to do; empty when nothing is, or there are none yet.

    It is looked for once for each `film_state`.
    """
    try:
        return _film_problem(project, film, files, state)
    except OSError as error:
        return f"expected a film that the server can read, {film.name!r} cannot be: {error.strerror}"


@lru_cache(maxsize=4096)
def _film_problem(project: Project, film: Path, files: FilmFiles, state: str) -> str:
    if not files.tracks.is_file():
        return ""
    problem = unreadable(film, files) or outdated(project, film)
    return problem and problem + _AGAIN
