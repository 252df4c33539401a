"""What is in a project's `people/`: one folder per person, and entries that are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facelib.images import find_pictures_below, is_ignored
from facelib.project.files import text_of
from facelib.project.names import is_reserved


def person_folders(people: Path) -> list[Path]:
    """Return the folders of people in `people/`, sorted by name.

    System folders, links to a folder above, and folders with a reserved name are left out.
    """
    return sorted(filter(lambda one: _is_person(one, people), _entries(people)), key=lambda one: text_of(one.name))


def entries_left_out(people: Path) -> Iterator[tuple[Path, str]]:
    """Yield every entry of `people/` that is not used as a picture, with the reason, except system files."""
    from facelib.images import is_picture

    for entry in _entries(people):
        if _is_person(entry, people):
            yield from find_pictures_below(entry).left_out
        elif entry.is_dir() and is_reserved(text_of(entry.name)):
            yield entry, "a name that facelib gives to people it does not know: rename the folder"
        elif entry.is_dir():
            yield entry, "a link to a folder above it"
        elif entry.is_file() and is_picture(entry):
            name = text_of(entry.stem)
            yield entry, f"whose is it? put it into a folder named after the person, such as {name!r}"
        else:
            yield entry, "a broken link" if entry.is_symlink() and not entry.exists() else "not a folder of a person"


def _entries(people: Path) -> list[Path]:
    there = people.iterdir() if people.is_dir() else ()
    return sorted(entry for entry in there if not is_ignored(entry.name))


def _is_person(entry: Path, people: Path) -> bool:
    reserved = is_reserved(text_of(entry.name))
    return entry.is_dir() and not reserved and not people.resolve().is_relative_to(entry.resolve())
