"""Uploads begun, continued, finished, and given up."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from facelib.gather.adding import add_picture
from facelib.gather.sources.address import film_name, free_name
from facelib.project import Project, file_lock, path_of, text_of
from facelib.project.files import link_or_move, write_all
from facelib.project.names import known_name
from facelib.project.wording import sized
from facelib.server.database import Store, Upload
from facelib.server.database.store import database_time
from facelib.server.events import tell
from facelib.server.problems import Problem
from facelib.server.settings import ServerSettings
from facelib.server.uploads.inspection import inspect_file

KEPT = 7 * 86400.0
"""Seconds after which an upload is forgotten, and what came of it removed."""

_MOST = 200  # unfinished uploads of one project
_SPARE = 500 * 10**6  # bytes that stay free on the disk
_SUFFIXES = {"matroska,webm": ".mkv", "avi": ".avi", "mpegts": ".ts", "asf": ".wmv", "flv": ".flv", "mxf": ".mxf"}


def part_of(project: Project, number: str) -> Path:
    """Return the file that holds what has come of an upload; `number` is an id from the table."""
    return project.data / ".uploads" / number


def begin(
    session: Session, project: Project, settings: ServerSettings, *, name: str, length: int, person: str | None, by: str
) -> Upload:
    """Begin an upload.

    Raises:
        ValueError: When the person's name cannot be one.
        Problem: 413 when the file is too large, 409 when too many wait, 507 when the disk has no room for it.
    """
    largest = round(settings.largest_picture_mb * 1e6 if person is not None else settings.largest_film_gb * 1e9)
    if length > largest:
        raise Problem(413, f"expected a file of at most {sized(largest)}, got one of {sized(length, beside=largest)}")
    if person is not None:
        person = known_name(person, project.find_people(missing_ok=True))
    _forget_old(session, project)
    live = session.scalars(select(Upload).where(Upload.project == text_of(project.name), Upload.state == "receiving"))
    if len(live.all()) >= _MOST:
        raise Problem(409, f"expected at most {_MOST} unfinished uploads in a project; finish or remove some")
    upload = Upload(
        id=secrets.token_urlsafe(24), project=text_of(project.name), person=person, name=name[:400], length=length,
        by=by, created=database_time(session), state="receiving",
    )  # fmt: skip
    part = part_of(project, upload.id)
    part.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(part.parent).free, length + _SPARE
    if free < needed:
        room = f"expected {sized(needed)} free on the server's disk, found {sized(free, beside=needed)}"
        raise Problem(507, f"{room}; free some")
    part.touch()
    session.add(upload)
    return upload


def received(project: Project, upload: Upload) -> int:
    """Return how many bytes of an upload are there."""
    if upload.state == "done":
        return upload.length
    try:
        return part_of(project, upload.id).stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def held(project: Project, upload: Upload) -> Iterator[None]:
    """Hold an upload for one request at a time, on whichever server.

    Raises:
        Problem: 409 when another request continues it.
    """
    lock = project.data / ".uploads" / ".locks" / upload.id
    try:
        with file_lock(lock, what="other request that continues this upload"):
            yield
    except BlockingIOError as error:
        raise Problem(409, str(error)) from None


class Writer:
    """What comes of an upload, appended to its file; more than was declared, or of another digest, is taken back.

    Args:
        part: The file; it is made where it was removed.
        offset: How many bytes are there.
        length: How many there will be.
        digest: The SHA-256 that what comes must have, in hexadecimal digits; empty for any.
    """

    def __init__(self, part: Path, *, offset: int, length: int, digest: str = "") -> None:
        self.offset, self._begin, self._length = offset, offset, length
        self._wanted, self._digest = digest, hashlib.sha256()
        self._file = open(part, "ab", buffering=0)  # noqa: SIM115  # closed by `close`

    def write(self, content: bytes) -> None:
        """Append.

        Raises:
            OSError: When the disk is full; what it took stays, and counts as received.
            Problem: 413 when it is more than was declared; nothing of the request is kept then.
        """
        if self.offset + len(content) > self._length:
            self.take_back()
            raise Problem(413, f"expected {self._length} bytes in all, as was declared, got more")
        write_all(self._file, content)
        self._digest.update(content)
        self.offset += len(content)

    def take_back(self) -> None:
        """Remove what this request brought."""
        self._file.truncate(self._begin)
        self.offset = self._begin

    def close(self) -> None:
        """Flush what was received to the disk."""
        with self._file:
            os.fsync(self._file.fileno())

    def is_as_wanted(self) -> bool:
        """Return whether what came has the digest that was announced."""
        return not self._wanted or self._digest.hexdigest() == self._wanted


def finish(store: Store, project: Project, number: str) -> None:
    """Take a whole upload into the project, once, whatever was killed before; hold it meanwhile.

    Raises:
        ValueError: When the file is not what it should be; the upload is then refused, and the file removed.
    """
    with store.read() as session:
        upload = session.get_one(Upload, number)
    if upload.state != "receiving":
        return
    part = part_of(project, number)
    try:
        if part.exists():
            form = inspect_file(part, "film" if upload.person is None else "picture")
        elif not upload.file:
            raise ValueError(f"expected what was received of {upload.name!r}, found nothing; send it again")
        if upload.person is None:
            file = _keep_film(store, project, upload, _SUFFIXES.get(form, ".mp4") if part.exists() else "")
        elif part.exists():
            (project.people / path_of(upload.person)).mkdir(parents=True, exist_ok=True)
            file, _new = add_picture(project, upload.person, part.read_bytes(), name=upload.name)
        else:
            file = upload.file
    except ValueError as error:
        part.unlink(missing_ok=True)
        _close(store, number, state="refused", reason=str(error))
        raise
    _close(store, number, state="done", file=file)
    part.unlink(missing_ok=True)


def give_up(session: Session, project: Project, upload: Upload) -> None:
    """Remove an upload with what came of it; a file that was taken into the project stays."""
    part_of(project, upload.id).unlink(missing_ok=True)
    session.delete(upload)


def _keep_film(store: Store, project: Project, upload: Upload, suffix: str) -> str:
    """Give a film its name in `videos/`; the name is written down first, so that a killed server finds it again."""
    part, file = part_of(project, upload.id), upload.file
    project.videos.mkdir(parents=True, exist_ok=True)
    if not file:
        quoted = quote(upload.name, safe="", errors="replace")
        plain = film_name("", disposition=f"attachment; filename*=utf-8''{quoted}", suffix=suffix)
        file = f"videos/{free_name(plain, [text_of(path.name) for path in project.videos.iterdir()])}"
        _close(store, upload.id, state="receiving", file=file)
    target = project.data / path_of(file)
    if target.exists() and part.exists() and not os.path.samefile(target, part):
        _close(store, upload.id, state="receiving", file="")  # somebody else's, of the same name, came first
        upload.file = ""
        return _keep_film(store, project, upload, suffix)
    if part.exists() and not target.exists():
        try:
            link_or_move(part, target)
        except FileExistsError:
            return _keep_film(store, project, upload, suffix)
    return file


def _close(store: Store, number: str, **values: str) -> None:
    with store.begin() as session:
        upload = session.get_one(Upload, number)
        for name, value in values.items():
            setattr(upload, name, value)
        if upload.state == "done":
            if upload.person is None:
                tell(session, upload.project, "film", name=upload.file.partition("/")[2])
            else:
                tell(session, upload.project, "people", person=upload.person)


def _forget_old(session: Session, project: Project) -> None:
    old = Upload.created < database_time(session) - KEPT
    for upload in session.scalars(select(Upload).where(Upload.project == text_of(project.name), old)):
        with suppress(OSError):
            give_up(session, project, upload)
    known = set(session.scalars(select(Upload.id).where(Upload.project == text_of(project.name))))
    for part in (project.data / ".uploads").glob("*"):  # of a database that was lost
        if part.is_file() and part.name not in known and time.time() - part.stat().st_mtime > KEPT:
            part.unlink(missing_ok=True)
