"""The page of a whole project, written as files that a browser opens from disk."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from facelib.films.corrections import NOT_A_FACE
from facelib.films.exports import FrameClock, exact_appearances, read_clock
from facelib.films.media.decode import FilmInfo, UnreadableFilm, probe
from facelib.page.bundle import bundle, page_folder, page_style
from facelib.page.faces import write_face_sheets
from facelib.page.film import FilmData, PackedTimes, sheets_at, shown_tracks, track_boxes, track_table
from facelib.page.links import address, film_exports, film_sources, project_reports
from facelib.page.pack import Packed, as_script, script_value
from facelib.page.project import FilmEntry, ProjectData, best_face_pictures, list_people, pack_stretches, poster
from facelib.plots.project_marks import project_marks
from facelib.project import Project, write_text


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What was read of one film."""

    film: Path
    info: FilmInfo
    clock: FrameClock
    tracks: pd.DataFrame
    stretches: pd.DataFrame
    version: str


def write_page(
    project: Project, films: Iterable[Path] = (), *, longest_gap: float = 1.0, progress: bool = True
) -> Path:
    """Write `index.html` of a project: all films, all people, and who is on screen when.

    The page needs no server and no network; it plays the films in place, by relative addresses. Each film's data are a
    separate file, loaded when the film is opened and rewritten only when they change.

    Args:
        project: Films without tables are left out.
        films: Films to show beside those of the project's `videos/`.
        longest_gap: Seconds; shorter gaps between two tracks of one person are closed.
        progress: Show a progress bar over the films.

    Returns:
        The path of the page.

    Raises:
        FileNotFoundError: When no film has tables yet.
        OSError: When a file cannot be written.
    """
    every = {film.absolute(): film for film in [*project.find_videos(), *films]}.values()
    wanted = [film for film in every if project.film(film).tracks.is_file()]
    if not wanted:
        raise FileNotFoundError(
            f"expected the tables of at least one film in {str(project.output / 'videos')!r}, found none; "
            f"run 05_annotate_video first"
        )
    read = []
    for film in tqdm(wanted, unit=" films", desc="page", disable=not progress):
        one = _read(project, film, longest_gap)
        if one is not None:
            _write_film(project, one, longest_gap)
            read.append(one)
    write_text(as_script("project", asdict(_overview(project, read))), project.page_data)
    write_text(page_html(project.name), project.page)
    return project.page


def write_reports(project: Project) -> None:
    """Update an existing page's links to the newest reports.

    Raises:
        OSError: When the page's data cannot be read or written.
    """
    data = script_value(project.page_data)
    links = [asdict(link) for link in project_reports(project)]
    if data["reports"] != links:
        write_text(as_script("project", data | {"reports": links}), project.page_data)


def page_html(name: str) -> str:
    """Return the page itself, which holds all scripts and styles but no data."""
    text = page_folder().joinpath("page.html").read_text(encoding="utf-8")
    parts = {"title": html.escape(name), "style": page_style(), "script": bundle("page_files.js")}
    for part, value in parts.items():
        text = text.replace(f"<!-- {part} -->", value)
    return text


def _read(project: Project, film: Path, longest_gap: float) -> _Read | None:
    """Read the tables of a film; None where neither the film nor its annotated copy can be read."""
    files = project.film(film)
    for picture in (film, files.annotated):
        try:
            info, clock = probe(picture), read_clock(picture, files)
            break
        except (FileNotFoundError, UnreadableFilm):
            continue
    else:
        return None
    table = pd.read_parquet(files.tracks)
    table = table[table["person"] != NOT_A_FACE]
    stretches = exact_appearances(table, clock, longest_gap=longest_gap, unknown=True)
    return _Read(film, info, clock, shown_tracks(table, clock), stretches, _version(project, film, longest_gap))


def _version(project: Project, film: Path, longest_gap: float) -> str:
    """Return a text that changes with the inputs of the film's data."""
    files = project.film(film)
    inputs = (film, files.tracks, files.detections, files.looks, files.shots, files.annotated)
    states = [(path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None for path in inputs]
    names = [link.href for link in film_exports(files, project.output)]
    source = address(film, project.output)
    return hashlib.sha256(json.dumps([_FORMAT, states, names, source, longest_gap]).encode()).hexdigest()[:16]


_FORMAT = 2  # version of the film's data; raise it when their form changes, so that all are rewritten


def _write_film(project: Project, read: _Read, longest_gap: float) -> None:
    """Write the page's data of a film, unless they are up to date."""
    files = project.film(read.film)
    head = f"// {read.version}\n"
    if files.page_data.is_file():
        with files.page_data.open(encoding="utf-8") as file:
            if file.readline() == head:
                return
    tracks = read.tracks
    write_face_sheets(files.looks, tracks["track"].to_numpy(), files.page_data.parent)
    page = _film_page(project, read, longest_gap)
    write_text(head + as_script(f"film {page.id}", asdict(page)), files.page_data)


def _film_page(project: Project, read: _Read, longest_gap: float) -> FilmData:
    files, film = project.film(read.film), read.film
    table, known = track_table(read.tracks)
    cuts = pd.read_csv(files.shots)["start"] if files.shots.is_file() else pd.Series(dtype="float64")
    return FilmData(
        id=files.folder.name,
        title=film.stem,
        width=read.info.width,
        height=read.info.height,
        times=PackedTimes.of(read.clock),
        labels=known,
        tracks=table,
        keys=track_boxes(files.detections, read.tracks, read.clock),
        sheets=sheets_at(address(files.page_data.parent, project.output) + "/"),
        cuts=Packed.of(read.clock.nearest(cuts.to_numpy()), "int32"),
        longest_gap=longest_gap,
        sources=film_sources(film, files, project.output),
        exports=film_exports(files, project.output),
    )


def _overview(project: Project, read: list[_Read]) -> ProjectData:
    cast = project.find_people() if project.people.is_dir() else []
    tables = {one.film.name: one.tracks for one in read}
    named = {str(name) for table in tables.values() for name in table["person"]}
    groups = {str(name) for table in tables.values() for name in table["cluster"].dropna()} - {""}
    pictures = best_face_pictures({one.film.name: (one.tracks, project.film(one.film).looks) for one in read})
    people = list_people(cast, tables, pictures, project_marks(project, {*cast, *named, *groups}))
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
    if files.annotated.is_file() and files.annotated.stat().st_mtime_ns < files.tracks.stat().st_mtime_ns:
        return "Names have changed since the annotated film was made: run 05 again, or 06 with draw on."
    return ""
