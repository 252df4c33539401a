"""One picture taken into its person's folder: of a data set, or handed in by somebody, such as by an upload."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from facelib.gather.sources.fetched import FetchedPicture, check_fetched
from facelib.images import UnreadablePicture, check_picture
from facelib.images.large import LARGEST_WHOLE
from facelib.project import Project, path_of
from facelib.project.digests import sha256_of
from facelib.project.files import short_name, write_bytes
from facelib.project.names import checked_name

LARGEST_PICTURE = 20_000_000
"""Bytes of the largest file that is taken."""

_LONGEST_NAME = 255  # bytes, of file systems

IMPORTED_COLUMNS = ["source", "person", "picture", "reason"]
"""One row per picture of a data set: where it comes from, whose it is, where it lies now, or why it was left out."""


def add_picture(project: Project, person: str, content: bytes, *, name: str = "") -> tuple[str, bool]:
    """Write a picture into a person's folder, unless one with the same bytes is there; nothing is ever overwritten.

    Args:
        project: Its `people/` holds the folder.
        person: The name of a folder in `people/`.
        content: The file's bytes; they are checked to be a whole picture, whatever it is called.
        name: What the file was called where it came from, only for messages; the file is named after its content.

    Returns:
        Its path relative to the project's data folder, and whether it is new.

    Raises:
        UnreadablePicture: When the bytes are not a picture, or one that is too large.
        ValueError: When there is no such person.
        OSError: When it cannot be written.
    """
    project.check_person(person)
    try:
        picture = check_fetched(content, most_pixels=LARGEST_WHOLE)
    except UnreadablePicture as error:
        raise UnreadablePicture(f"expected a picture, could not take {name or 'the file'!r}: {error}") from error
    same = find_same(project, person, picture)
    if same is not None:
        return project.label(same), False
    short, long = names_of(picture)
    path = project.people / path_of(person) / short
    if path.exists():
        path = path.with_name(long)
    write_bytes(content, path, sync=True)
    return project.label(path), True


def find_same(project: Project, person: str, picture: FetchedPicture) -> Path | None:
    """Return the picture of a person that has the same bytes, if there is one."""
    for path in project.find_pictures(person):
        with suppress(OSError):
            if path.stat().st_size == len(picture.content) and project.digest(path) == picture.sha256:
                return path
    return None


def names_of(picture: FetchedPicture) -> tuple[str, str]:
    """Return a file name of a picture's content, and a longer one where another file has it."""
    return f"{picture.sha256[:16]}{picture.suffix}", f"{picture.sha256}{picture.suffix}"


def take_in(content: bytes, person: str, name: str, people: str | Path) -> tuple[str, str]:
    """Put a picture into a person's folder, unless it is there already; nothing is overwritten.

    Args:
        content: The file's bytes; they are checked to be a whole picture.
        person: The folder's name.
        name: The file's name; where another picture has it, it is followed by the first digits of the sha256.
        people: The folder of the people's folders.

    Returns:
        Its path relative to `people` and no reason, or the other way round.

    Raises:
        OSError: When it cannot be written.
    """
    if not person:
        return "", "it is in no folder, so its person is unknown"
    try:
        folder = Path(people) / checked_name(person)
    except ValueError as error:
        return "", str(error)
    digest = hashlib.sha256(content).hexdigest()
    plain = Path(name)
    own = f"{short_name(plain.stem)} {digest[:8]}{plain.suffix}"
    for place in (folder / (plain if len(os.fsencode(plain)) <= _LONGEST_NAME else own), folder / own):
        if not place.exists():
            try:
                check_fetched(content)
            except UnreadablePicture as error:
                if not _is_read(content, plain.suffix):
                    return "", str(error)
            write_bytes(content, place)
        elif sha256_of(place) != digest:
            continue
        return place.relative_to(people).as_posix(), ""
    return "", f"other pictures have the names that it could have in {str(folder)!r}"


def _is_read(content: bytes, suffix: str) -> bool:
    """Return whether these bytes are a picture that `read_image` reads: large ones, 16 bits deep, nearly whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"picture{suffix}"
        path.write_bytes(content)
        try:
            check_picture(path)
        except UnreadablePicture:
            return False
    return True
