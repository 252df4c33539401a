"""Films from the web into a project: resolved, downloaded, named and recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from facelib.gather.sources.address import film_name, free_name, redacted
from facelib.gather.sources.download import Partial, download
from facelib.gather.sources.ledger import LedgerEntry, append_source, fetching, read_sources
from facelib.gather.sources.media import MediaResource, SourceSettings
from facelib.gather.sources.resolvers import resolve
from facelib.project import Project
from facelib.project.digests import sha256_of
from facelib.project.files import link_or_move


def fetch_film(address: str, project: Project, settings: SourceSettings | None = None) -> tuple[LedgerEntry, bool]:
    """Bring the film of an address into a project's `videos/` folder, and write its source down in `sources.csv`.

    A film that is there already is not asked for again, and one with the same bytes as another is not kept twice;
    remove the file to fetch it again. A fetch that was killed continues where it stopped.

    Returns:
        Its row in `sources.csv`, and whether anything was fetched now.

    Raises:
        ValueError: When the address is malformed or what is there is not a film.
        OSError: When the servers do not answer, the film is too large, or another fetch into the project runs.
    """
    settings = settings or SourceSettings()
    with fetching(project):
        known = find_source(address, project)
        if known is not None:
            return known, False
        resource = resolve(address, settings)
        same = find_source(resource.video, project)
        if same is not None:
            source = _source_of(address, resource, same.file, same.sha256, same.bytes)
        else:
            partial = download(resource.video, project.videos, limits=settings.limits)
            source = _take_in(partial, address, resource, project)
        append_source(source, project)
        if same is None:
            Partial.find(resource.video, project.videos).forget()
        return source, same is None


def find_source(address: str, project: Project) -> LedgerEntry | None:
    """Return the newest row of an address, asked for or resolved to, whose file is there."""
    wanted = redacted(address)
    rows = [source for source in read_sources(project) if wanted in {source.address, source.video}]
    return next((source for source in reversed(rows) if (project.videos / source.file).is_file()), None)


def _take_in(partial: Partial, address: str, resource: MediaResource, project: Project) -> LedgerEntry:
    """Move a downloaded film to its name; `partial` is kept until the row is written, in case the process is killed."""
    alike = (path for path in _films(project) if path.stat().st_size == partial.size)
    film = next((path for path in alike if sha256_of(path) == partial.sha256), None)
    if film is None:
        name = film_name(resource.video, disposition=partial.disposition, title=resource.title, suffix=partial.suffix)
        film = project.videos / free_name(name, [path.name for path in _films(project)])
        link_or_move(partial.path, film)
    return _source_of(address, resource, film.name, partial.sha256, film.stat().st_size)


def _films(project: Project) -> list[Path]:
    return sorted(path for path in project.videos.iterdir() if path.name[0] != "." and path.is_file())


def _source_of(address: str, resource: MediaResource, file: str, sha256: str, size: int) -> LedgerEntry:
    asked, video = redacted(address), redacted(resource.video)
    return LedgerEntry(
        address=asked,
        file=file,
        sha256=sha256,
        bytes=size,
        fetched=datetime.now(UTC).isoformat(timespec="seconds"),
        title=resource.title,
        date=resource.date,
        people=resource.people,
        licence=resource.licence,
        video="" if video == asked else video,
    )
