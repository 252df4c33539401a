"""The page of a whole project, written as files that a browser opens from disk."""

from __future__ import annotations

import html
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tqdm.auto import tqdm

from facelib.page.bundle import bundle, page_folder, page_style
from facelib.page.data import PageFilm, film_data, project_data, read_page_film
from facelib.page.faces import write_face_sheets
from facelib.page.links import project_reports
from facelib.page.pack import as_script, script_value
from facelib.project import Project, write_text
from facelib.project.files import FULL_DISK
from facelib.project.wording import in_one_line

_log = logging.getLogger(__name__)


def write_page(
    project: Project, films: Iterable[Path] = (), *, longest_gap: float = 1.0, progress: bool = True
) -> Path:
    """Write `index.html` of a project: all films, all people, and who is on screen when.

    The page needs no server and no network; it plays the films in place, by relative addresses. Each film's data are a
    separate file, loaded when the film is opened and rewritten only when they change.

    Args:
        project: Films without tables are left out, and with a warning those with damaged ones or another film's.
        films: Films to show beside those of the project's `videos/`.
        longest_gap: Seconds; shorter gaps between two tracks of one person are closed.
        progress: Show a progress bar over the films.

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
    for film in tqdm(wanted, unit=" films", desc="page", leave=False, disable=not progress):
        try:
            one = read_page_film(project, film, longest_gap)
            if one is not None:
                _write_film(project, one, longest_gap)
                read.append(one)
        except OSError as error:
            if error.errno in FULL_DISK:
                raise
            _log.warning("%s is left out of the page: %s", film.name, in_one_line(error))
    write_text(as_script("project", asdict(project_data(project, read))), project.page_data)
    write_text(page_html(project.name), project.page)
    return project.page


def write_reports(project: Project) -> None:
    """Update an existing page's links to the newest reports; damaged data stay until the page is written again.

    Raises:
        OSError: When the page's data cannot be read or written.
    """
    try:
        data = script_value(project.page_data)
    except ValueError as error:
        _log.warning(
            "%s is damaged: %s; 'facelib page --project %s' writes it anew", project.page_data, error, project.name
        )
        return
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


def _write_film(project: Project, read: PageFilm, longest_gap: float) -> None:
    """Write the page's data of a film, unless they are up to date."""
    files = project.film(read.film)
    head = f"// {read.version}\n"
    if _is_whole(files.page_data, head.encode()):
        return
    tracks = read.tracks
    write_face_sheets(files.looks, tracks["track"].to_numpy(), files.page_data.parent)
    page = film_data(project, read, longest_gap)
    write_text(head + as_script(f"film {page.id}", asdict(page)), files.page_data)


def _is_whole(script: Path, head: bytes) -> bool:
    """Return whether a script begins with a line and was not cut short, as where a machine went down."""
    if not script.is_file() or script.stat().st_size <= len(head):
        return False
    with script.open("rb") as file:
        if file.readline() != head:
            return False
        file.seek(-3, os.SEEK_END)
        return file.read() == b");\n"
