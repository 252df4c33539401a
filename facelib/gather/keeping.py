"""Fetched pictures taken into the folders of the cast, each written down in `sources.csv` with its address."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from facelib.gather.adding import find_same, names_of
from facelib.gather.sources.address import redacted
from facelib.gather.sources.fetched import FetchedPicture
from facelib.gather.sources.ledger import LedgerEntry, append_source, read_sources
from facelib.project import Project
from facelib.project.files import link_or_move, write_bytes
from facelib.project.names import known_name, near_names

_PEOPLE = "people/"
_DIGITS = 16  # of the sha256, in a picture's name


def gathered_pictures(project: Project) -> list[LedgerEntry]:
    """Return the rows of `sources.csv` that are pictures of people, oldest first; `file` begins with `people/`.

    The files need not be there any more: the user may have removed or moved them.
    """
    return [source for source in read_sources(project) if source.file.startswith(_PEOPLE)]


class PictureStore:
    """The gathered pictures of a project. Only one at a time may be open: see `fetching`.

    Every step leaves the project so that a new store finishes what a killed one has begun: the bytes are written to a
    hidden file, then the row, and then the file is given its name. A row without a file is therefore that of a picture
    which its user has taken away, and a file without a row is the user's own.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._rows = gathered_pictures(project)
        self.finish()

    def pictures_of(self, person: str) -> list[LedgerEntry]:
        """Return what was gathered for a person so far, including what the user has removed since."""
        folder = f"{_PEOPLE}{person}/"
        return [source for source in self._rows if source.file.startswith(folder)]

    def keep(self, picture: FetchedPicture, *, person: str, address: str, licence: str = "") -> tuple[str, bool]:
        """Take a picture in, unless the person has one with the same bytes; nothing is ever overwritten.

        Returns:
            Its path relative to the project's data folder, and whether it is new.

        Raises:
            OSError: When it cannot be written.
        """
        same = self._same(person, picture)
        if same is not None:
            return same, False
        source = LedgerEntry(
            address=redacted(address),
            file=self._free_name(person, picture),
            sha256=picture.sha256,
            bytes=len(picture.content),
            fetched=datetime.now(UTC).isoformat(timespec="seconds"),
            people=(person,),
            licence=licence,
        )
        write_bytes(picture.content, self._hidden_file(source), sync=True)
        append_source(source, self._project)
        self._rows.append(source)
        self._give_name(source)
        return source.file, True

    def finish(self) -> None:
        """Finish what a killed process left, and remove the hidden folder.

        A hidden file whose row is written only needs its name; any other is fetched again.
        """
        if not self._hidden.is_dir():
            return
        rows = {self._hidden_file(source).name: source for source in self._rows}
        for path in self._hidden.iterdir():
            if path.name in rows:
                self._give_name(rows[path.name])
            else:
                path.unlink(missing_ok=True)
        self._hidden.rmdir()

    @property
    def _hidden(self) -> Path:
        return self._project.data / ".gathering"

    def _hidden_file(self, source: LedgerEntry) -> Path:
        place = hashlib.sha256(source.file.encode()).hexdigest()[:_DIGITS]
        return self._hidden / f"{place}-{source.sha256}{PurePosixPath(source.file).suffix}"

    def _same(self, person: str, picture: FetchedPicture) -> str | None:
        """Return the picture with these bytes, or that of a row whose user has taken it away."""
        there = find_same(self._project, person, picture)
        if there is not None:
            return there.relative_to(self._project.data).as_posix()
        return next((source.file for source in self.pictures_of(person) if source.sha256 == picture.sha256), None)

    def _free_name(self, person: str, picture: FetchedPicture) -> str:
        short, long = (f"{_PEOPLE}{person}/{name}" for name in names_of(picture))
        taken = (self._project.data / short).exists() or any(source.file == short for source in self._rows)
        return long if taken else short

    def _give_name(self, source: LedgerEntry) -> None:
        hidden, place = self._hidden_file(source), self._project.data / source.file
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # a file appeared meanwhile
            link_or_move(hidden, place)
        hidden.unlink(missing_ok=True)


def folder_of(person: str, project: Project) -> str:
    """Return the name of a person's folder: as it is there, whatever the letter case and the way accents are written.

    Raises:
        ValueError: When it is nearly a known name: one of the two is misspelt, or the person is new.
    """
    people = project.find_people(missing_ok=True)
    name = known_name(person, people)
    near = [f"{found.name!r}" for found in near_names(name, people)]
    if near:
        raise ValueError(
            f"expected a known name or that of somebody new, got {name!r}, which is nearly {' and '.join(near)}: write "
            f"it like that, or make the folder {str(project.people / name)!r} if this is somebody else"
        )
    return name
