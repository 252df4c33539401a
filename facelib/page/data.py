"""What the page shows, read from a project's tables: one film, and all of them together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from facelib.films.drawn import films_behind
from facelib.films.exports import FrameClock, exact_appearances, read_clock
from facelib.films.media.decode import FilmInfo, UnreadableFilm, probe
from facelib.films.tables import UnusableTables, outdated, read_shot_table, read_without_embeddings, unreadable
from facelib.page.boxes import BoxKeys
from facelib.page.film import FaceSheets, FilmData, PackedTimes, shown_tracks, track_boxes, track_table
from facelib.page.links import address, film_exports, film_sources, project_reports
from facelib.page.pack import Packed
from facelib.page.project import FilmEntry, ProjectData, best_face_pictures, pack_stretches, person_entries, poster
from facelib.plots.colours import project_marks
from facelib.project import Project
from facelib.project.digests import state_of
from facelib.project.names import NOT_A_FACE


@dataclass(frozen=True, slots=True, eq=False)
class PageFilm:
    """What was read of one film.

    Attributes:
        film: Its path.
        info: What its file says of itself, or that of its annotated copy.
        clock: Its frames.
        tracks: As `facelib.page.film.shown_tracks` returns them.
        stretches: Who is on screen when, the groups of unknown people among them.
        version: Changes with what the film's data are made from.
    """

    film: Path
    info: FilmInfo
    clock: FrameClock
    tracks: pd.DataFrame
    stretches: pd.DataFrame
    version: str


def read_page_film(project: Project, film: Path, longest_gap: float) -> PageFilm | None:
    """Read the tables of a film; None where neither the film nor its annotated copy can be read.

    Raises:
        facelib.films.tables.UnusableTables: When a table is missing or damaged, or the film was replaced since.
        OSError: When a file cannot be read.
    """
    files = project.film(film)
    if problem := unreadable(film, files):
        raise UnusableTables(problem)
    version = page_version(project, film, longest_gap)  # first: what is written meanwhile makes it another one
    for picture in (film, files.annotated):
        try:
            info, clock = probe(picture), read_clock(picture, files)
            break
        except (FileNotFoundError, UnreadableFilm):
            continue
    else:
        return None
    if picture is film and (problem := outdated(project, film)):
        raise UnusableTables(problem)
    table = read_without_embeddings(files.tracks)
    table = table[table["person"] != NOT_A_FACE]
    stretches = exact_appearances(table, clock, longest_gap=longest_gap, unknown=True)
    return PageFilm(film, info, clock, shown_tracks(table, clock), stretches, version)


def page_version(project: Project, film: Path, longest_gap: float) -> str:
    """Return a text that changes with the inputs of the film's data."""
    files = project.film(film)
    inputs = (film, files.tracks, files.detections, files.looks, files.shots, files.annotated)
    states = [state_of(path) for path in inputs]
    names = [link.href for link in film_exports(files, project.output)]
    source = address(film, project.output)
    return hashlib.sha256(json.dumps([_FORMAT, states, names, source, longest_gap]).encode()).hexdigest()[:16]


BEHIND = "The annotated film shows earlier names"
"""What the notice on such a film begins with."""

_FORMAT = 3  # version of the film's data; raise it when their form changes, so that all are rewritten


def film_data(project: Project, read: PageFilm, longest_gap: float, *, keys: BoxKeys | None = None) -> FilmData:
    """Return the page's data of a film; `keys` are its boxes, where they have been read already."""
    files, film = project.film(read.film), read.film
    table, known = track_table(read.tracks)
    cuts = read_shot_table(files.shots)["start"] if files.shots.is_file() else pd.Series(dtype="float64")
    return FilmData(
        id=files.folder.name,
        title=film.stem,
        width=read.info.width,
        height=read.info.height,
        times=PackedTimes.of(read.clock),
        labels=known,
        tracks=table,
        keys=track_boxes(files.detections, read.tracks, read.clock) if keys is None else keys,
        sheets=FaceSheets(address(files.page_data.parent, project.output) + "/"),
        cuts=Packed.of(read.clock.nearest(cuts.to_numpy()), "int32"),
        longest_gap=longest_gap,
        sources=film_sources(film, files, project.output),
        exports=film_exports(files, project.output),
    )


def project_data(project: Project, read: Sequence[PageFilm]) -> ProjectData:
    """Return the page's data of a whole project, for the films that were read."""
    cast = project.find_people(missing_ok=True)
    tables = {one.film.name: one.tracks for one in read}
    named = {str(name) for table in tables.values() for name in table["person"]}
    groups = {str(name) for table in tables.values() for name in table["cluster"].dropna()} - {""}
    pictures = best_face_pictures({one.film.name: (one.tracks, project.film(one.film).looks) for one in read})
    people = person_entries(cast, tables, pictures, project_marks(project, {*cast, *named, *groups}))
    place = {person.name: i for i, person in enumerate(people)}
    films = []
    for one in read:
        files = project.film(one.film)
        films.append(
            FilmEntry(
                id=files.folder.name,
                title=one.film.stem,
                data=address(files.page_data, project.output),
                version=one.version,
                duration=float(one.clock.end - one.clock.times[0]),
                poster=poster(files.keyframes, one.tracks),
                notice=_notice(project, one.film),
                stretches=pack_stretches(one.stretches, one.tracks, place),
            )
        )
    return ProjectData(project.name, people, films, project_reports(project))


def _notice(project: Project, film: Path) -> str:
    files = project.film(film)
    if files.annotated.is_file() and films_behind(project, [film]):
        return f"{BEHIND}: notebook 06 draws it again by a button, or run 05 again."
    return ""
