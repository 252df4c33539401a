"""Pictures that somebody hands in for a person of the cast, such as by an upload."""

from __future__ import annotations

from contextlib import suppress

from facelib.gather.sources.fetched import MOST_PIXELS, check_fetched
from facelib.images import UnreadablePicture
from facelib.project import Project, path_of
from facelib.project.files import write_bytes

LARGEST_PICTURE = 20_000_000
"""Bytes of the largest file that is taken."""


def add_picture(
    project: Project, person: str, content: bytes, *, name: str = "", most_pixels: int = MOST_PIXELS
) -> tuple[str, bool]:
    """Write a picture into a person's folder, unless one with the same bytes is there; nothing is ever overwritten.

    Args:
        project: Its `people/` holds the folder.
        person: The name of a folder in `people/`.
        content: The file's bytes; they are checked to be a whole picture, whatever it is called.
        name: What the file was called where it came from, only for messages; the file is named after its content.
        most_pixels: Width times height of the largest picture that is taken.

    Returns:
        Its path relative to the project's data folder, and whether it is new.

    Raises:
        UnreadablePicture: When the bytes are not a picture, or one that is too large.
        ValueError: When there is no such person.
        OSError: When it cannot be written.
    """
    people = project.find_people()
    if person not in people:
        raise ValueError(f"expected one of the people {people!r}, got {person!r}; make a folder for somebody new")
    try:
        picture = check_fetched(content, most_pixels=most_pixels)
    except UnreadablePicture as error:
        raise UnreadablePicture(f"expected a picture, could not take {name or 'the file'!r}: {error}") from error
    for path in project.find_pictures(person):
        with suppress(OSError):
            if path.stat().st_size == len(content) and project.digest(path) == picture.sha256:
                return project.label(path), False
    path = project.people / path_of(person) / f"{picture.sha256[:16]}{picture.suffix}"
    if path.exists():
        path = path.with_name(f"{picture.sha256}{picture.suffix}")
    write_bytes(content, path, sync=True)
    return project.label(path), True
