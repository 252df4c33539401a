"""Bring the index of a project up to date: only what changed is read, and only what depends on it is written."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from tqdm.auto import tqdm

from facelib.archive.catalogue import Catalogue, FilmRecord
from facelib.archive.dates import film_date
from facelib.archive.readable import readable, without_room
from facelib.archive.rows import rows_of
from facelib.archive.segments import MERGED, merge_segments, remove_segments, stray_segments, write_segment
from facelib.archive.tables import FilmRows
from facelib.films.media.opening import UnreadableFilm
from facelib.films.tables import UnusableTables, outdated
from facelib.project import FilmFiles, Project, file_lock, path_of, text_of
from facelib.project.digests import sha256_of, state_of
from facelib.project.files import FULL_DISK
from facelib.project.wording import in_one_line

_KEPT = 600.0  # seconds that replaced files stay for searches that began before
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ArchiveChanges:
    """What an update of the index did, by the films' file names.

    Attributes:
        added: Films that were not in it.
        rewritten: Films whose names or times had changed.
        removed: Films whose tables are gone.
        unchanged: How many films were as the index has them.
        problems: By film, why it could not be read; the index keeps what it had of it, unless it was replaced.
    """

    added: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    problems: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = {"added": self.added, "rewritten": self.rewritten, "removed": self.removed}
        told = [f"{len(films)} {what}" for what, films in counts.items() if films]
        told += [f"{len(self.problems)} could not be read"] if self.problems else []
        return ", ".join([*told, f"{self.unchanged} unchanged"])


def update_archive(
    project: Project, films: Iterable[str | Path] | None = None, *, longest_gap: float = 1.0, progress: bool = True
) -> ArchiveChanges:
    """Bring the index of a project's films up to date.

    A film is read again only where its `tracks.parquet` has another content, or `longest_gap` another value; the rows
    of the others stay as they are. The cost of one film does not grow with the number of films.

    Where the index may only be read, as on a medium or a share of somebody else, it stays as it is, and the films of
    which it has not the present tables are among the problems.

    Args:
        project: Its index lies in `project.archive`.
        films: The films that may have changed, by path or file name; None looks at all, and takes out of the index
            what has no tables any more.
        longest_gap: As in `facelib.films.appearances.appearances`.
        progress: Show a bar with rate and time left where many films are read.

    Raises:
        FileNotFoundError: When one of `films` has no `tracks.parquet`.
        OSError: When the index cannot be written, and there is none to be read.
    """
    chosen = None if films is None else [_has_tracks(project, film) for film in films]
    try:
        return _bring_up_to_date(project, chosen, longest_gap, progress=progress)
    except OSError as error:
        if error.errno in FULL_DISK:
            raise without_room(project.archive, os.strerror(error.errno)) from error
        if error.errno not in _READ_ONLY:
            raise
        return _as_it_is(project, chosen or list(_folders_with_tracks(project)), longest_gap, error)


def _bring_up_to_date(
    project: Project, chosen: list[FilmFiles] | None, longest_gap: float, *, progress: bool
) -> ArchiveChanges:
    changes, everything = ArchiveChanges(), chosen is None
    with (
        file_lock(project.archive / ".lock", what="other update of the index", wait=True),
        closing(Catalogue(project.archive / "catalogue.sqlite", create=True)) as catalogue,
    ):
        if chosen is None:
            chosen = list(_folders_with_tracks(project))
            there = {files.folder.name for files in chosen}
            gone = [record for record in catalogue.films() if record.folder not in there]
            with catalogue.changing():
                for record in gone:
                    catalogue.remove(record.folder)
            changes.removed.extend(record.film for record in gone)
        changed = [files for files in chosen if _is_stale(project, catalogue, files, longest_gap)]
        update = _Update(project, catalogue, longest_gap, changes)
        for files in tqdm(changed, desc="index", unit=" films", leave=False, disable=not progress or len(changed) < 20):
            update.film(files)
        if changed or changes.removed:
            catalogue.replace_empty()
            remove_segments(project.archive, catalogue.take_outdated(_KEPT))
            if everything:  # to list the folder takes longer with each film that it had of late
                remove_segments(project.archive, stray_segments(project.archive, catalogue.known_segments()))
    changed_films = {*changes.added, *changes.rewritten, *changes.problems}
    return replace(changes, unchanged=len(chosen) - len(changed_films))


def _as_it_is(project: Project, chosen: list[FilmFiles], longest_gap: float, error: OSError) -> ArchiveChanges:
    """Return what is to be said of an index that may only be read."""
    path = project.archive / "catalogue.sqlite"
    if not path.is_file():
        raise OSError(
            f"expected to write the index of films to {str(project.archive)!r}: {error.strerror}; search once as "
            f"somebody who may write there"
        ) from error
    with closing(Catalogue(path)) as catalogue:
        known = {record.folder: (record.content, record.gap) for record in catalogue.films()}
    said = f"not as its tables are now, since the index may only be read here: {error.strerror}"
    read = project.digests(files.tracks for files in chosen)
    now = ((files.folder.name, read[project.place_of(files.tracks)]) for files in chosen)
    current = [known.get(folder) == (content, longest_gap) for folder, content in now]
    problems = {files.film or files.folder.name: said for files, same in zip(chosen, current, strict=True) if not same}
    return ArchiveChanges(unchanged=sum(current), problems=problems)


def _has_tracks(project: Project, film: str | Path) -> FilmFiles:
    files = project.film(film)
    if not files.tracks.is_file():
        raise FileNotFoundError(
            f"expected the tracks of {Path(film).name!r} at {str(files.tracks)!r}, found none; run 05 on it first"
        )
    return files


def _folders_with_tracks(project: Project) -> Iterator[FilmFiles]:
    for files in project.all_results():
        folder = files.folder
        locked = folder.is_dir() and not os.access(folder, os.X_OK)  # its film is then among the problems
        if locked or files.tracks.is_file():
            yield files


def _is_stale(project: Project, catalogue: Catalogue, files: FilmFiles, longest_gap: float) -> bool:
    """Return whether a film's tables or the film itself are not those that the index was made from."""
    record = catalogue.film(files.folder.name)
    if record is None or record.gap != longest_gap or record.state != _state(files.tracks):
        return True
    state = _state(project.path_at(record.video)) if record.video else ""
    return state not in ("", record.video_state)


def _state(path: Path) -> str:
    size, changed = state_of(path)
    return f"{size} {changed}" if size >= 0 else ""


class _Update:
    """Reads films and writes their rows."""

    def __init__(self, project: Project, catalogue: Catalogue, longest_gap: float, changes: ArchiveChanges) -> None:
        self.project, self.catalogue, self.gap, self.changes = project, catalogue, longest_gap, changes

    def film(self, files: FilmFiles) -> None:
        """Put a film into the index.

        One that cannot be read is recorded, and what the index had of it stays; one that was replaced is taken out.
        """
        film = self._name(files)
        before = self.catalogue.film(files.folder.name)
        try:
            record = self._record(files, film, before)
            if before is not None and (before.content, before.gap) == (record.content, record.gap):
                with self.catalogue.changing():
                    self.catalogue.note(record)
                if record.date != before.date:
                    self.changes.rewritten.append(film)
                return
            rows = rows_of(files, self.catalogue.next_entry(), longest_gap=self.gap)
        except (OSError, ValueError) as error:
            _log.debug("%s: not put into the index", film, exc_info=True)
            own = error if isinstance(error, UnusableTables) else UnusableTables(in_one_line(error))
            self.changes.problems[film] = str(own)
            return
        self._write(rows, replace(record, seconds=rows.seconds, rows=rows.count))
        (self.changes.added if before is None else self.changes.rewritten).append(film)

    def _record(self, files: FilmFiles, film: str, before: FilmRecord | None) -> FilmRecord:
        """Return what is known of a film now; its rows are those that the index has, if any."""
        state = _state(files.tracks)
        known = before or FilmRecord(files.folder.name, film, "", 0.0, 0, 0, "", 0.0, "", "", "")
        record = replace(known, film=film, content=sha256_of(files.tracks), gap=self.gap, state=state)
        video = self._video(film, before)
        if video is None:  # what was known of it stays
            return record
        place, video_state = self.project.place_of(video), _state(video)
        if (record.video, record.video_state) == (place, video_state):
            return record
        if problem := outdated(self.project, video):
            with self.catalogue.changing():
                self.catalogue.remove(files.folder.name)
            raise UnusableTables(problem)
        try:
            date = film_date(video)
        except (OSError, UnreadableFilm) as error:
            _log.debug("%s: its date is not known: %s", film, error)
            date = ""
        return replace(record, date=date, video=place, video_state=video_state)

    def _name(self, files: FilmFiles) -> str:
        """Return the file name of the film that a folder belongs to; the folder's own where no film is there."""
        if files.film:
            return files.film
        folders = {self.project.film(path).folder: text_of(path.name) for path in self._videos.values()}
        return folders.get(files.folder, files.folder.name)

    def _video(self, film: str, before: FilmRecord | None) -> Path | None:
        places = [self.project.videos / path_of(film)]
        places += [self.project.path_at(before.video)] if before is not None and before.video else []
        found = next((path for path in places if path.is_file()), None)
        return found or self._videos.get(film)  # in a folder below `videos/`

    @cached_property
    def _videos(self) -> dict[str, Path]:
        """The films of the project by their names as text, looked through only where a name alone does not do."""
        return {text_of(path.name): path for path in self.project.find_videos()}

    def _write(self, rows: FilmRows, record: FilmRecord) -> None:
        catalogue = self.catalogue
        with catalogue.changing():
            number = catalogue.add_segment(0, rows.network, rows.count)
            write_segment(rows, self.project.archive, number)
            catalogue.put(replace(record, segment=number))
        level = 0
        while len(full := [one.number for one in catalogue.segments(level, rows.network)]) >= MERGED:
            self._merge(full, level + 1, rows.network)
            level += 1

    def _merge(self, numbers: list[int], level: int, network: str) -> None:
        """Write segments as one of the next level."""
        catalogue = self.catalogue
        films = [record.entry for record in catalogue.films(numbers)]
        with readable(self.project.archive):
            rows = merge_segments(self.project.archive, numbers, films, network)
        with catalogue.changing():
            number = catalogue.add_segment(level, network, rows.count)
            write_segment(rows, self.project.archive, number)
            catalogue.move(films, number)
            catalogue.replace(numbers)
