"""The pictures of the cast and the films of a project: copied or fetched, and listed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from facelib.films.media.decode import UnreadableFilm, probe
from facelib.gather.sources.address import is_address, redacted
from facelib.images import UnreadablePicture, check_picture, find_pictures_below
from facelib.project import Project, atomic_write, text_of
from facelib.project.cast import entries_left_out, person_folders
from facelib.project.content import VIDEO_SUFFIXES, files_below, unreadable_folders, why_no_film

if TYPE_CHECKING:
    from facelib.gather.sources.media import SourceSettings

_log = logging.getLogger(__name__)
_BLOCK = 1 << 20  # bytes
PICTURE_COLUMNS = ["picture", "person", "width", "height", "format", "bytes", "reason"]
GATHERED_COLUMNS = ["source", "films", "new", "title", "date", "people", "problem"]
FILM_COLUMNS = ["video", "width", "height", "seconds", "frames_per_second", "codec", "sound", "reason"]


def copy_people(source: str | Path, project: Project) -> int:
    """Copy a tree of one folder per person into the project; files that are there already stay as they are.

    What is not copied, such as a loose picture or the folder of a reserved name, is logged with the reason.

    Returns:
        The number of pictures copied.

    Raises:
        FileNotFoundError: When `source` is no folder, or holds no folder with pictures.
        ValueError: When the project's `people/` lies in it, or it in `people/`.
    """
    source = Path(source)
    pictures = [(folder, path) for folder in person_folders(source) for path in find_pictures_below(folder).pictures]
    if not pictures:
        raise FileNotFoundError(f"expected a folder with one folder of pictures per person at {str(source)!r}")
    if source.resolve() != project.people.resolve():  # of which everything is there
        check_apart(source, project)
    _warn(entries_left_out(source))
    return sum(_copy(path, project.people / folder.name / path.relative_to(folder)) for folder, path in pictures)


def check_apart(source: Path, project: Project) -> None:
    """Check that a folder to copy from and the project's `people/` hold nothing of each other: each run would add more.

    Raises:
        ValueError: When one lies in the other, or they are the same.
    """
    own, given = project.people.resolve(), source.resolve()
    if own.is_relative_to(given) or given.is_relative_to(own):
        raise ValueError(f"expected a folder apart from the project's pictures in {str(own)!r}, got {str(given)!r}")


def _warn(left_out: Iterable[tuple[Path, str]]) -> None:
    for path, reason in left_out:
        _log.warning("%s is not copied: %s", text_of(str(path)), reason)


def _films_at(source: str | Path) -> list[Path]:
    source = Path(source)
    candidates = {path: why_no_film(path) for path in ([source] if source.is_file() else files_below(source))}
    films = [path for path, reason in candidates.items() if not reason]
    if not films:
        raise FileNotFoundError(f"expected a film, a folder with films, or an http(s) address, got {str(source)!r}")
    # What only lies beside films, such as subtitles, is no surprise.
    _warn((path, reason) for path, reason in candidates.items() if reason and path.suffix.lower() in VIDEO_SUFFIXES)
    _warn(unreadable_folders(source))
    return films


def split_sources(sources: str | Iterable[str]) -> list[str]:
    r"""Return the sources, given one per line or one per entry; empty ones are left out.

    Examples:
        >>> split_sources("https://example.org/a.mp4\nfilms"), split_sources(["films"]), split_sources("")
        (['https://example.org/a.mp4', 'films'], ['films'], [])
    """
    lines = sources.splitlines() if isinstance(sources, str) else [str(source) for source in sources]
    return [line.strip() for line in lines if line.strip()]


def gather_films(
    sources: str | Iterable[str], project: Project, *, settings: SourceSettings | None = None
) -> pd.DataFrame:
    """Copy or fetch films into the project; what is there already stays as it is and is not fetched again.

    A source that cannot be fetched is reported in the table; the others are fetched all the same.

    Args:
        sources: Films, folders with films, `http(s)` addresses of films, and addresses of resources that a resolver
            knows (see `facelib.gather.sources`); a list, or a text with one per line.
        project: Where to.
        settings: What fetching may use.

    Returns:
        `source`, `films` (how many it has), `new` (how many were copied or fetched now), `title`, `date` and
        `people` (as its resolver knows them), `problem` (empty, or why it could not be fetched).

    Raises:
        FileNotFoundError: Before anything is copied, when a path leads to no film.
    """
    wanted = split_sources(sources)
    copies = {source: _films_at(source) for source in wanted if not is_address(source)}
    rows: list[list[object]] = []
    for source in wanted:
        if source in copies:
            rows.append([source, len(copies[source]), _copy_films(copies[source], project), "", "", "", ""])
        else:
            rows.append([redacted(source), *_fetched(source, project, settings)])
    return pd.DataFrame(rows, columns=pd.Index(GATHERED_COLUMNS))


def _copy_films(films: Iterable[Path], project: Project) -> int:
    """Copy films and return how many are new; of several with one name, only the first is copied."""
    first: dict[str, Path] = {}
    for path in films:
        if first.setdefault(path.name, path) is not path:
            _log.warning("%s is not copied: called like %s; rename one", path, first[path.name])
    return sum(_copy(path, project.videos / name) for name, path in first.items())


def _fetched(address: str, project: Project, settings: SourceSettings | None) -> list[object]:
    from facelib.gather.sources.fetch import fetch_film

    try:
        source, new = fetch_film(address, project, settings)
    except (OSError, ValueError) as error:
        return [0, 0, "", "", "", str(error)]
    return [1, int(new), source.title, source.date, ", ".join(source.people), ""]


def _copy(source: Path, destination: Path) -> bool:
    """Copy a file, unless it is there; one that cannot be read is told, and the others are copied all the same."""
    if destination.exists():
        return False
    try:
        with atomic_write(destination) as temporary, open(temporary, "wb") as copy:
            for block in _blocks(source):
                copy.write(block)
    except _CannotRead as error:
        _warn([(source, f"cannot be read: {error}")])
        return False
    return True


class _CannotRead(Exception):
    """A file that cannot be read; what cannot be written is an OSError."""


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise _CannotRead(error.strerror or error) from error


def list_pictures(project: Project) -> pd.DataFrame:
    """List the pictures of the cast; each is read to its end, so that a broken one shows here and not later.

    Returns:
        `picture` (relative to the project's data folder), `person`, `width`, `height` (pixels as stored),
        `format`, `bytes`, `reason` (empty, or why it is not used). A person without pictures has no row, and
        whatever else lies in `people/` has one without a person. Files of the system are not listed.

    Raises:
        FileNotFoundError: When the project has no `people/` folder.
    """
    rows: list[list[object]] = []
    for person in project.find_people():
        for path in project.find_pictures(person):
            facts, reason = (0, 0, ""), ""
            try:
                facts = check_picture(path)
            except (UnreadablePicture, OSError) as error:
                reason = str(error).replace(str(path), path.name)
            rows.append([project.label(path), person, *facts, path.stat().st_size, reason])
    rows += [[project.label(path), "", 0, 0, "", 0, reason] for path, reason in entries_left_out(project.people)]
    return pd.DataFrame(rows, columns=pd.Index(PICTURE_COLUMNS))


def list_films(project: Project) -> pd.DataFrame:
    """List all that lies in the project's `videos/` and below; the first frame of each film is decoded.

    Returns:
        `video` (path in `videos/`), `width`, `height` (pixels, as it is shown), `seconds`, `frames_per_second`,
        `codec`, `sound` (bool), `reason` (empty, or why it is not taken or cannot be read).
    """
    rows: list[list[object]] = []
    for path, passed_over in tqdm(project.list_videos(), desc="films", unit=" films", leave=False, disable=None):
        name = text_of(path.relative_to(project.videos).as_posix())
        facts: list[object] = [0, 0, 0.0, 0.0, "", False, passed_over]
        if not passed_over:
            try:
                film = probe(path)
                seconds, rate = round(film.duration, 3), round(film.rate, 3)
                facts = [film.width, film.height, seconds, rate, film.codec, film.has_sound, ""]
            except (UnreadableFilm, OSError) as error:
                facts[-1] = str(error)
        rows.append([name, *facts])
    return pd.DataFrame(rows, columns=pd.Index(FILM_COLUMNS))
