"""One picture of a data set, taken into its person's folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from facelib.gather.sources.fetched import check_fetched
from facelib.images import UnreadablePicture
from facelib.project.digests import sha256_of
from facelib.project.files import write_bytes
from facelib.project.names import checked_name

IMPORTED_COLUMNS = ["source", "person", "picture", "reason"]
"""A row a picture of a data set: where it comes from, whose it is, where it lies now, or why it was left out."""


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
    for place in (folder / plain, folder / f"{plain.stem} {digest[:8]}{plain.suffix}"):
        if not place.exists():
            try:
                check_fetched(content)
            except UnreadablePicture as error:
                return "", str(error)
            write_bytes(content, place)
        elif sha256_of(place) != digest:
            continue
        return place.relative_to(people).as_posix(), ""
    return "", f"other pictures have the names that it could have in {str(folder)!r}"
