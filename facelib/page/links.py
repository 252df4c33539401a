"""What a page links to: films that a browser can play, reports, and files for other programs."""

from __future__ import annotations

import mimetypes
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from facelib.films.exports import PURPOSES
from facelib.films.media.opening import UnreadableFilm, open_film, picture_stream
from facelib.project import FilmFiles, Project

_TYPES = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".vtt": "text/vtt",
    ".srt": "application/x-subrip", ".jsonld": "application/ld+json", ".parquet": "application/vnd.apache.parquet",
}  # fmt: skip
_CONTAINERS = frozenset(suffix for suffix, kind in _TYPES.items() if kind.startswith("video/"))
_CODECS = frozenset({"h264", "vp8", "vp9", "av1", "libdav1d", "theora"})
_PIXELS = frozenset({"yuv420p", "yuvj420p"})


@dataclass(frozen=True, slots=True)
class Link:
    """A file to open or play.

    Attributes:
        title: What it is.
        href: Its address relative to the project's output folder, percent-encoded.
        purpose: What it is for, a few words.
    """

    title: str
    href: str
    purpose: str


@dataclass(frozen=True, slots=True)
class FilmSource(Link):
    """A file that the film can be played from, `source` or `annotated`.

    Attributes:
        start: The player's time at the film's first frame, seconds: files may begin with sound alone.
    """

    start: float


def address(path: Path, folder: Path) -> str:
    """Return a file's address relative to a folder, percent-encoded; on another drive its full `file:` address.

    Examples:
        >>> address(Path("/a/videos/50% off?.mp4"), Path("/a/output"))
        '../videos/50%25%20off%3F.mp4'
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # Windows: another drive
        return path.absolute().as_uri()
    return quote(Path(relative).as_posix(), safe="/", errors="surrogateescape")


def media_type(path: Path) -> str:
    """Return the media type of a film, or of a file that was made of it, by its suffix."""
    known = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(f"x{path.suffix}")[0]
    return known or "application/octet-stream"


def plays_in_browsers(film: Path) -> bool:
    """Return whether every current browser plays a film, by container, codec and 8-bit pixels; sound may be missing.

    Raises:
        facelib.films.media.decode.UnreadableFilm: When it is not a film.
    """
    if film.suffix.lower() not in _CONTAINERS:
        return False
    with open_film(film) as container:
        context = picture_stream(container).codec_context
        return context.name in _CODECS and context.pix_fmt in _PIXELS


def film_sources(film: Path, files: FilmFiles, folder: Path) -> list[FilmSource]:
    """Return where a film can be played from: the film itself where browsers play it, then the annotated film.

    One that cannot be read, such as a film that was cut short since, is left out.
    """
    found = []
    with suppress(OSError, UnreadableFilm):
        if film.is_file() and plays_in_browsers(film):
            found.append(FilmSource("source", address(film, folder), "the original film", _start(film)))
    with suppress(OSError, UnreadableFilm):
        if files.annotated.is_file():
            where = address(files.annotated, folder)
            found.append(FilmSource("annotated", where, "the film with names on it", _start(files.annotated)))
    return found


def _start(path: Path) -> float:
    """Return the player's time at a file's first picture, seconds; players start at 0 what begins before it."""
    with open_film(path) as container:
        stream = picture_stream(container)
        return max(0.0, float((stream.start_time or 0) * stream.time_base))


def film_exports(files: FilmFiles, folder: Path) -> list[Link]:
    """Return the existing files made for other programs."""
    kept = [*sorted(files.exports.glob("*")), files.appearances, files.annotated, files.reel]
    return [
        Link(path.name, address(path, folder), PURPOSES.get(path.name, ""))
        for path in kept
        if path.is_file() and path.name in PURPOSES and not (path == files.appearances and files.exports.is_dir())
    ]


def project_reports(project: Project) -> list[Link]:
    """Return the newest report of each notebook: `runs/<time>/<notebook>.html`."""
    newest: dict[str, Path] = {}
    for path in sorted(project.runs.glob("*/*.html")):
        newest[path.stem] = path
    return [
        Link(_REPORTS.get(stem[:2], stem), address(path, project.output), stem) for stem, path in sorted(newest.items())
    ]


_REPORTS = {
    "01": "Pictures and films",
    "02": "Faces of the cast, and pictures to leave out",
    "03": "Map of the cast's faces",
    "04": "Choice of the threshold",
    "05": "Names in films",
    "06": "What was reviewed",
    "07": "Evaluation",
    "08": "Training of the network",
    "09": "Live camera",
    "10": "Search in all films",
}
