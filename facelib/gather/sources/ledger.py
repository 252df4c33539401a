"""`sources.csv`: what was fetched for a project, from where, and what is known of it."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, fields
from io import StringIO
from pathlib import Path

import pandas as pd

from facelib.project import Project, file_lock
from facelib.project.spreadsheets import encoding_of, escape_formula, restore_formula, separator_of

_BETWEEN_PEOPLE = "; "
_LINE_END = re.compile(r"\r\n?|\n")
_BROKEN = "\ufffd"  # stands for what is no letter in the file's encoding


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One film, or one picture of a person, that was fetched.

    Attributes:
        address: As the user gave it, without a password.
        file: The film's name in the project's `videos/` folder; of a picture, `people/<Person>/<name>`.
        sha256: Of the file as it was fetched.
        bytes: Its size.
        fetched: When, as ISO 8601 in UTC.
        title: As its resolver knows it; empty where unknown, as all below.
        date: When it was made or published.
        people: Who takes part in it.
        licence: Its licence.
        video: The film's own address, where `address` is that of a resource.
    """

    address: str
    file: str
    sha256: str
    bytes: int
    fetched: str
    title: str = ""
    date: str = ""
    people: tuple[str, ...] = ()
    licence: str = ""
    video: str = ""


SOURCE_COLUMNS = [column.name for column in fields(LedgerEntry)]


def fetching(project: Project) -> AbstractContextManager[None]:
    """Return what keeps other fetches out of a project, of films and of pictures; an OSError while one runs."""
    return file_lock(project.data / ".fetch.lock", what=f"other fetch into the project {project.name!r}")


def sources_path(project: Project) -> Path:
    """Return the path of `sources.csv`, in the project's data folder."""
    return project.data / "sources.csv"


def read_sources(project: Project) -> list[LedgerEntry]:
    """Read what was fetched for a project, oldest first; an incomplete row is skipped.

    Raises:
        ValueError: When a row is neither UTF-8 nor UTF-16.
        OSError: When the file cannot be read.
    """
    path = sources_path(project)
    try:
        text = _text(path.read_bytes())
    except FileNotFoundError:
        return []
    # Line by line: a quote that a cut row leaves open would swallow the rows behind it.
    lines = (_cells(line, separator_of(text)) for line in _LINE_END.split(text))
    rows = [row for row in lines if len(row) == len(SOURCE_COLUMNS)]
    for row in rows:
        if _BROKEN in "".join(row):
            raise ValueError(f"expected UTF-8 text in {str(path)!r}, got the row {row[:2]!r}; save it again as UTF-8")
    return [_source([restore_formula(cell) for cell in row]) for row in rows if row[3].isdecimal()]


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a row; none where it is damaged."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def append_source(source: LedgerEntry, project: Project) -> None:
    """Add a row to the list, in one write; what is there stays, even a row that a killed process cut short.

    Raises:
        OSError: When the file cannot be written.
    """
    path = sources_path(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    values = [" ".join(_cell(value).split()) for value in astuple(source)]
    with open(path, "a+b") as file:
        file.seek(0)
        before = file.read()
        encoding = encoding_of(before)
        whole = not before or before.endswith("\n".encode(encoding))
        lines = [values] if before else [SOURCE_COLUMNS, values]
        text = StringIO("" if whole else "\n", newline="")
        text.seek(0, os.SEEK_END)
        separator = separator_of(_text(before))  # of the spreadsheet that may have saved it
        rows = ([escape_formula(cell) for cell in line] for line in lines)
        csv.writer(text, lineterminator="\n", delimiter=separator).writerows(rows)
        file.write(text.getvalue().encode(encoding))
        file.flush()
        os.fsync(file.fileno())


def _text(content: bytes) -> str:
    """Decode the file; a row may have been cut short within a letter."""
    return content.decode(encoding_of(content), "replace").removeprefix("\ufeff")


def people_without_folder(project: Project) -> pd.DataFrame:
    """List the people that the fetched films' descriptions name, and for whom there is no folder of pictures.

    Returns:
        `person`, `films` (the files whose description names them), most films first. Letter case and the way
        accents are written do not count.
    """
    there = {_key(name) for name in project.find_people(missing_ok=True)}
    missing: dict[str, tuple[str, list[str]]] = {}
    for source in read_sources(project):
        if "/" in source.file:  # a picture
            continue
        for person in source.people:
            if _key(person) not in there:
                films = missing.setdefault(_key(person), (person, []))[1]
                films += [source.file] if source.file not in films else []
    rows = sorted(missing.values(), key=lambda row: (-len(row[1]), row[0]))
    return pd.DataFrame([[person, ", ".join(films)] for person, films in rows], columns=pd.Index(["person", "films"]))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return _BETWEEN_PEOPLE.join(str(name).replace(";", ",") for name in value)
    return str(value)


def _source(row: list[str]) -> LedgerEntry:
    address, file, sha256, size, fetched, title, date, people, licence, video = row
    names = tuple(name for name in people.split(_BETWEEN_PEOPLE) if name)
    return LedgerEntry(address, file, sha256, int(size), fetched, title, date, names, licence, video)
