"""What the user decided about pictures of the cast: left out by a list, or moved to another person's folder."""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from facelib.gallery.curation import curate
from facelib.gallery.files import read_gallery
from facelib.project import Project, file_lock, identities
from facelib.project.decisions import append_decision
from facelib.project.files import numbered, write_bytes

_MARK = "# facelib: "
_log = logging.getLogger(__name__)


def accepted(project: Project) -> set[str]:
    """Return the pictures that `disabled.txt` leaves out, as they are written there, with forward slashes.

    Raises:
        ValueError: When the file is not UTF-8 text.
    """
    return {name for name in map(_picture_of, _read(project).splitlines()) if name}


def accept(project: Project, proposals: pd.DataFrame) -> list[str]:
    """Leave pictures out: add them to `data/<project>/disabled.txt`, under a comment with the reason.

    Lines that are there already stay as they are, and a picture that is listed is not listed again. In `faces.parquet`
    the pictures stop being used at once, so the next run of 04 goes without them.

    Args:
        project: Its `data` folder holds the list.
        proposals: Rows of `Examination.proposals`, or any table with `picture`; the reason is made of `kind`, and of
            `fits` where it names somebody. Without them it is "left out by hand".

    Returns:
        The pictures that were added, in the order given.

    Raises:
        ValueError: When a path is not one of a picture below `people/`, or the list is not UTF-8 text.
        OSError: When the list cannot be written.
    """
    reasons: dict[str, str] = {}
    for row in proposals.to_dict("records"):
        reasons.setdefault(_checked(str(row["picture"])), _reason(str(row.get("kind", "")), str(row.get("fits", ""))))
    with _changing(project):
        text = _read(project)
        listed = {_key(name) for name in map(_picture_of, text.splitlines()) if name}
        added = {picture: reason for picture, reason in reasons.items() if _key(picture) not in listed}
        if added:
            end = "\r\n" if "\r\n" in text else "\n"
            gap = end if text and not text.endswith(("\n", "\r")) else ""
            lines = (f"{_MARK}{reason}{end}{picture}{end}" for picture, reason in added.items())
            write_bytes((text + gap + "".join(lines)).encode(), project.disabled)
    _bring_in_line(project)
    return list(added)


def undo(project: Project, pictures: Iterable[str]) -> list[str]:
    """Take pictures off `data/<project>/disabled.txt` again: exactly their lines, and the reasons facelib wrote.

    In `faces.parquet` they are judged again; a table of an older version waits for the next run of 02.

    Args:
        project: Its `data` folder holds the list.
        pictures: Paths relative to that folder; those that are not listed are ignored.

    Returns:
        The pictures that were taken off, sorted.

    Raises:
        ValueError: When the list is not UTF-8 text.
        OSError: When the list cannot be written.
    """
    gone = _take_off(project, pictures)
    _bring_in_line(project)
    return sorted(gone)


def _take_off(project: Project, pictures: Iterable[str]) -> set[str]:
    wanted = {_key(picture) for picture in pictures}
    gone: set[str] = set()
    with _changing(project):
        kept: list[str] = []
        for line in _read(project).splitlines(keepends=True):
            picture = _picture_of(line)
            if not picture or _key(picture) not in wanted:
                kept.append(line)
                continue
            gone.add(picture)
            if kept and kept[-1].lstrip("\ufeff").startswith(_MARK):
                kept.pop()
        if gone:
            write_bytes("".join(kept).encode(), project.disabled)
    return gone


def move(project: Project, picture: str, person: str, *, name: str = "", by: str = "user") -> str:
    """Move a picture's file to another person's folder, and update `faces.parquet`; return its new path in `data`.

    No file is ever overwritten: where the name is taken, a number is added to it. The picture is taken off
    `disabled.txt`. The map of 03 keeps the old place until it is made again.

    Args:
        project: Its `people/` holds both folders.
        picture: Path relative to the project's data folder: `people/<Person>/<file>`.
        person: The name of a folder in `people/`.
        name: What the file is called there; as it is now when empty.
        by: Who decides.

    Raises:
        ValueError: When the path is not one of a picture below `people/`, or there is no such person.
        FileNotFoundError: When the picture is gone.
        OSError: When the file cannot be moved, or the decision not be written; the picture stays where it is.
    """
    with moving(project) as move_one:
        return move_one(picture, person, name=name, by=by)


@contextmanager
def moving(project: Project) -> Iterator[Callable[..., str]]:
    """Give a function that does what `move` does, for several pictures.

    `faces.parquet` and `disabled.txt` are updated once, at the end, for those that were moved, also after an error.
    """
    moved: dict[str, str] = {}

    def move_one(picture: str, person: str, *, name: str = "", by: str = "user") -> str:
        moved[picture] = _move_file(project, picture, person, name or PurePosixPath(picture).name, by)
        return moved[picture]

    try:
        yield move_one
    finally:
        if moved:
            _take_off(project, moved)
            _bring_in_line(project, moved=moved)


def _move_file(project: Project, picture: str, person: str, name: str, by: str) -> str:
    source = project.picture(_checked(picture))
    project.check_person(person)
    if not source.is_file():
        raise FileNotFoundError(f"expected a picture at {str(source)!r}, found none; run notebook 02_embed_faces again")
    if person == picture.split("/")[1]:
        raise ValueError(f"expected another person than {person!r}, whose folder {picture!r} is in already")
    target = _reserve(project.picture(_checked(f"people/{person}/{name}")))
    try:
        os.replace(source, target)
    except OSError:
        target.unlink()
        raise
    moved = project.label(target)
    try:
        append_decision(project.corrections, picture, was=picture.split("/")[1], now_is=person, by=by)
    except (OSError, ValueError):
        os.replace(target, source)  # without the decision, a later step would write it here again
        raise
    return moved


def merge_people(project: Project, name: str, into: str, *, by: str = "user") -> None:
    """Merge a name into another, in `faces.parquet` at once; see `facelib.project.identities.merge`.

    Raises:
        ValueError: When the two are the same, or one of them is nobody in the cast.
        OSError: When the answer cannot be written.
    """
    identities.merge(project, name, into, by=by)
    _bring_in_line(project)


def separate_people(project: Project, name: str, other: str, *, by: str = "user") -> bool:
    """Undo the answer about two names, in `faces.parquet` at once; return whether there was one.

    Raises:
        OSError: When the answer cannot be written.
    """
    done = identities.take_back(project, name, other, by=by)
    _bring_in_line(project)
    return done


def _reserve(wanted: Path) -> Path:
    """Make an empty file of this name, or of one with a number, that was not there before."""
    for stem in numbered(wanted.stem):
        path = wanted.with_name(f"{stem}{wanted.suffix}")
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            break
    return path


def _reason(kind: str, fits: str) -> str:
    text = f"{kind or 'left out by hand'}{f', fits {fits}' if fits else ''}"
    return " ".join(text.split())


def _checked(picture: str) -> str:
    """Return the path of a picture when the list can hold it and it leads to nowhere else."""
    parts = PurePosixPath(picture).parts
    plain = len(parts) >= 3 and parts[0] == "people" and "/".join(parts) == picture and not {"..", "."} & set(parts)
    if not plain:
        raise ValueError(f"expected the path of a picture as 'people/<Person>/<file>', got {picture!r}")
    if [_picture_of(line) for line in picture.splitlines()] != [picture]:
        raise ValueError(f"expected a path that fits on a line of 'disabled.txt', got {picture!r}; rename the file")
    return picture


def _picture_of(line: str) -> str:
    """Return the picture that a line of the list names, empty when it names none."""
    plain = line.lstrip("\ufeff").strip()
    # A backslash is Windows' slash, but stands for a byte in a name that is not UTF-8, see `facelib.project.text_of`.
    return "" if plain.startswith("#") else re.sub(r"\\(?!x[89a-f][0-9a-f])", "/", plain)


def _key(picture: str) -> str:
    # Some file systems decompose names into letters and accents, and Windows' slash may look like a byte of a name, so
    # both sides are normalised first.
    return unicodedata.normalize("NFC", picture).replace("\\", "/")


def find_disabled(project: Project, pictures: Collection[str]) -> set[str]:
    """Return those of `pictures` that the user's list leaves out, and warn of lines that name none of them."""
    wanted = {_key(line): line for line in accepted(project)}
    there = {_key(picture): picture for picture in pictures}
    for missing in sorted(wanted.keys() - there.keys()):
        _log.warning("%s names %r, which is no picture of this project", project.disabled, wanted[missing])
    return {there[name] for name in wanted.keys() & there.keys()}


def _read(project: Project) -> str:
    if not project.disabled.is_file():
        return ""
    try:
        # Line ends and a byte order mark are the user's and stay.
        return project.disabled.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected UTF-8 text in {str(project.disabled)!r}, got: {error}; save it again as UTF-8"
        ) from error


def _changing(project: Project) -> AbstractContextManager[None]:
    """Hold the list, which no other process changes meanwhile."""
    return file_lock(project.output / ".disabled.lock", what="other change of 'disabled.txt'", wait=True)


def people_of(table: pd.DataFrame, project: Project) -> pd.Series:
    """Return whose each picture of a gallery is: the name of its folder, or the one that this is merged into.

    Raises:
        ValueError: When `corrections.csv` is damaged.
    """
    names = identities.merged(project)
    folders = table["picture"].map(lambda picture: PurePosixPath(str(picture)).parts[1])
    return folders.map(lambda folder: names.get(folder, folder)).astype(table["person"].dtype)


def _bring_in_line(project: Project, *, moved: dict[str, str] | None = None) -> None:
    """Decide again which faces of `faces.parquet` are used, as the next run of 02 would."""
    if not project.faces.is_file():
        return
    gallery = read_gallery(project.faces)
    table = gallery.table
    for before, after in (moved or {}).items():
        table.loc[table["picture"] == before, "picture"] = after
    table = table.assign(person=people_of(table, project))
    disabled = find_disabled(project, set(table["picture"]))
    if gallery.threshold is not None:
        table = curate(table, threshold=gallery.threshold, disabled=disabled)
    else:
        rows = table["picture"].isin(list(disabled)) & (table["face"] >= 0)
        table = table.assign(used=table["used"] & ~rows, reason=table["reason"].mask(rows, "disabled"))
    replace(gallery, table=table).save(project.faces)
