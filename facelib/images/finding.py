"""The pictures below a folder, and what else lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PICTURE_SUFFIXES = frozenset(
    {
        ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg",
        ".jpx", ".mpo", ".pbm", ".pgm", ".pjp", ".pjpeg", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
    }
)  # fmt: skip
"""How files of pictures usually end. Any other file is a picture when its content says so, see `is_picture`."""

_SYSTEM_NAMES = frozenset(
    {
        "@eadir", "#recycle", "__macosx", "$recycle.bin", "system volume information", "lost+found", "thumbs.db",
        "ehthumbs.db", "desktop.ini", "icon\r",
    }
)  # fmt: skip


def is_ignored(name: str) -> bool:
    """Return whether a file or folder belongs to the system: hidden ones, and what NAS and desktops leave behind.

    Examples:
        >>> [is_ignored(name) for name in (".DS_Store", "@eaDir", "Thumbs.db", "Ada Lovelace")]
        [True, True, True, False]
    """
    return name.startswith(".") or name.casefold() in _SYSTEM_NAMES


@dataclass(slots=True)
class FoundPictures:
    """What a folder holds.

    Attributes:
        pictures: Files that are pictures by their suffix or, where that says nothing, by their content; sorted.
        left_out: Every other entry with the reason, sorted; files of the system are not listed.
    """

    pictures: list[Path] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def find_pictures_below(folder: str | Path) -> FoundPictures:
    """Find the pictures in a folder and in the folders in it; links are followed, each folder once and none above.

    Raises:
        FileNotFoundError: When there is no such folder.
    """
    from facelib.images.reading import is_picture  # with Pillow, which a wrong project name need not wait for

    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"expected a folder with pictures at {str(folder)!r}, found none")
    found = FoundPictures()
    for path, reason in walk(folder):
        if not reason and (path.suffix.lower() in PICTURE_SUFFIXES or is_picture(path)):
            found.pictures.append(path)
        else:
            found.left_out.append((path, reason or _why_no_picture(path)))
    found.pictures.sort()
    found.left_out.sort()
    return found


def _why_no_picture(path: Path) -> str:
    from facelib.images.reading import unreadable_kind

    try:
        return unreadable_kind(path) or "not a picture"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def walk(folder: Path, begin: str = "") -> Iterator[tuple[Path, str]]:
    """Yield the files in a folder and in the folders in it, each with an empty text, or why it cannot be read.

    Links are followed, each folder once and none above; what belongs to the system is passed over, and so are files
    whose names do not begin with `begin`, without a look at them.
    """
    return _entries(folder, begin, seen={os.path.realpath(folder)})


def _entries(folder: Path, begin: str, seen: set[str]) -> Iterator[tuple[Path, str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"cannot be read: {error.strerror}"
        return
    here = folder.resolve()
    for entry in entries:
        if is_ignored(entry.name):
            continue
        linked = entry.is_symlink()
        below = os.path.isdir(entry.path) if linked else entry.is_dir()  # an entry's own fails for a link to itself
        if not (below or entry.name.startswith(begin)):
            continue
        path = folder / entry.name
        if below:
            real = os.path.realpath(path)
            if here.is_relative_to(real):
                yield path, "a link to a folder above it"
            elif real in seen:
                yield path, "a link to a folder that is read already"
            else:
                seen.add(real)
                yield from _entries(path, begin, seen)
        elif not (path.is_file() if linked else entry.is_file()):
            yield path, "a broken link" if linked else "not a file"
        else:
            yield path, ""
