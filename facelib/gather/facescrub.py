"""FaceScrub: people's pictures on the web, listed by address, box and sha256."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from PIL import Image as PillowImage
from tqdm.auto import tqdm

from facelib.faces import BOX
from facelib.gather.adding import IMPORTED_COLUMNS, take_in
from facelib.gather.sources.address import redacted
from facelib.gather.sources.fetched import FetchedPicture, check_fetched
from facelib.gather.sources.small import SMALL_LIMITS, fetch_or_reason
from facelib.gather.sources.web import WebLimits
from facelib.gather.workers import in_order
from facelib.images import UnreadablePicture, crop
from facelib.project import file_lock, write_table
from facelib.project.spreadsheets import read_own_table

_WANTED = ("name", "image_id", "face_id", "url", "bbox", "sha256")
LIST_COLUMNS = ["person", "image_id", "face_id", "address", *BOX, "sha256", "reason"]
FETCHED_COLUMNS = ["address", "person", "picture", "reason", "face", "when"]
"""The columns of `facescrub.csv` in the destination: what was asked, when, and the result."""
_CONNECTIONS = 4
_SECONDS_BETWEEN_WRITES = 20.0


def read_facescrub(path: str | Path) -> pd.DataFrame:
    """Read a list of FaceScrub's: `facescrub_actors.txt` or `facescrub_actresses.txt`, or any of that form.

    It is separated by tabs, and its first line names the columns `name`, `image_id`, `face_id`, `url`, `bbox` and
    `sha256`, in any order. Source of the data: Ng and Winkler, "A data-driven approach to cleaning large face
    datasets" (ICIP 2014).

    Returns:
        `person`, `image_id`, `face_id`, `address`, `left`, `top`, `right`, `bottom` (pixels of the picture as it is
        stored), `sha256` (of the picture's file), `reason` (empty, or why a row cannot be used; its numbers are -1).

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When its first line lacks a column, or the file is not UTF-8 text.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a list of FaceScrub's at {str(path)!r}, found no file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8 text in {str(path)!r}, got: {error}") from error
    lines = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = [name for name in _WANTED if name not in (lines.fieldnames or ())]
    if missing:
        raise ValueError(
            f"expected the columns {', '.join(_WANTED)}, separated by tabs, in the first line of {str(path)!r}, "
            f"found none called {missing!r}"
        )
    rows = [_row({name: (line.get(name) or "").strip() for name in _WANTED}) for line in lines]
    table = pd.DataFrame(rows, columns=pd.Index(LIST_COLUMNS))
    return table.astype({name: "int64" if name in BOX else "str" for name in LIST_COLUMNS})


def _row(line: dict[str, str]) -> list[object]:
    box = [int(side) for side in line["bbox"].split(",") if re.fullmatch(r"\s*-?\d{1,9}\s*", side)]
    reason = ""
    if len(box) != 4 or box[2] <= box[0] or box[3] <= box[1]:
        box, reason = [-1] * 4, f"expected a box as left,top,right,bottom, got {line['bbox']!r}"
    elif re.fullmatch(r"[0-9a-fA-F]{64}", line["sha256"]) is None:
        reason = f"expected a sha256 of 64 hexadecimal digits, got {line['sha256']!r}"
    elif not (line["image_id"].isdecimal() and line["face_id"].isdecimal()):
        reason = f"expected numbers as image_id and face_id, got {line['image_id']!r} and {line['face_id']!r}"
    return [line["name"], line["image_id"], line["face_id"], line["url"], *box, line["sha256"].lower(), reason]


def fetch_facescrub(
    path: str | Path,
    destination: str | Path,
    *,
    people: Iterable[str] = (),
    most_per_person: int | None = None,
    margin: float | None = 0.5,
    try_again: bool = False,
    limits: WebLimits | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Fetch the pictures of a list of FaceScrub's, and keep the listed face of each.

    A picture counts only when its sha256 is the listed one: an old address often shows another picture today.
    What was asked for is remembered in `facescrub.csv` in the destination and not asked for again, whether it was
    found or not, or the user has removed it since. It may be killed at any time and run again.

    Args:
        path: The list, see `read_facescrub`.
        destination: The folder for the folders of the people, such as a project's `people/`.
        people: Names of the list; empty takes all of them.
        most_per_person: Pictures of each person at most, the first of the list; None takes all.
        margin: Fraction of the box's longer side that is kept around the face on each side, as PNG, so that nothing
            is lost; None keeps the whole picture as it was fetched.
        try_again: Ask once more for what could not be fetched before.
        limits: How far to go for each picture; None takes 20 MB and half a minute.
        progress: Show a bar with rate and time left.

    Returns:
        The columns `IMPORTED_COLUMNS`, a row per picture of these people that was asked for, now or before; `source` is
        its address, `picture` relative to `destination`.

    Raises:
        FileNotFoundError: When there is no such list.
        ValueError: When it is none, or lacks one of the people.
        OSError: When a picture cannot be written, or another fetch into the destination runs.
    """
    faces = _faces(read_facescrub(path), people, path)
    folder, limits = Path(destination), limits or SMALL_LIMITS
    cut = partial(_keep, folder=folder, margin=margin)
    with file_lock(folder / ".facescrub.lock", what=f"other fetch into {str(folder)!r}"):
        ledger = _Ledger(folder, try_again=try_again)
        with (
            ledger,
            tqdm(total=len(faces), desc=Path(path).name, unit=" pictures", leave=False, disable=not progress) as bar,
        ):
            for _, own in groupby(faces, key=lambda face: face.person):
                listed = list(own)
                _fetch_one(listed, ledger, cut, most_per_person or len(listed), limits)
                bar.update(len(listed))
        rows = [[face.address, face.person, *result] for face in faces if (result := ledger.result(face))]
    return pd.DataFrame(rows, columns=pd.Index(IMPORTED_COLUMNS), dtype="str")


@dataclass(frozen=True, slots=True)
class _Face:
    """A row of the list, and the name of its file without ending."""

    person: str
    stem: str
    address: str
    box: tuple[int, int, int, int]
    sha256: str
    problem: str


def _faces(table: pd.DataFrame, people: Iterable[str], path: str | Path) -> list[_Face]:
    """Return the rows of some people, or of all, each person's together."""
    listed, wanted = set(table["person"]), list(dict.fromkeys(people))
    missing = [person for person in wanted if person not in listed]
    if missing:
        raise ValueError(f"expected people of the list {str(path)!r}, it has nobody called {missing!r}")
    table = table[table["person"].isin(wanted)] if wanted else table
    table = table.sort_values("person", kind="stable")
    stems = "facescrub " + table["image_id"] + "-" + table["face_id"]
    boxes = map(tuple, table[BOX].to_numpy().tolist())
    columns = (table["person"], stems, table["address"], boxes, table["sha256"], table["reason"])
    return [_Face(*row) for row in zip(*columns, strict=True)]


class _Asked(NamedTuple):
    """A row of `facescrub.csv`, see `FETCHED_COLUMNS`."""

    address: str
    person: str
    picture: str
    reason: str
    face: str
    when: str


class _Ledger:
    """The addresses asked for so far: a file written at intervals and at the end."""

    def __init__(self, folder: Path, *, try_again: bool) -> None:
        self._folder, self._path = folder, folder / "facescrub.csv"
        self._written = time.monotonic()
        known = map(_Asked._make, read_own_table(self._path, FETCHED_COLUMNS).itertuples(index=False))
        self._rows = {(row.person, row.face): row for row in known if row.picture or not try_again}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def result(self, face: _Face) -> tuple[str, str] | None:
        """Return the picture of a face and why there is none; None where nobody has asked for it."""
        if face.problem:
            return "", face.problem
        found = self._rows.get((face.person, face.stem))
        if found is not None and found.picture and not (self._folder / found.picture).is_file():
            return "", "taken away since; remove its row to have it fetched again"
        return found and (found.picture, found.reason)

    def was_kept(self, face: _Face) -> bool:
        """Return whether a face was saved, even if the user has removed it since."""
        found = self._rows.get((face.person, face.stem))
        return found is not None and found.picture != ""

    def add(self, face: _Face, picture: str, reason: str) -> None:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        row = _Asked(redacted(face.address), face.person, picture, reason, face.stem, when)
        self._rows[face.person, face.stem] = row
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self._write()

    def _write(self) -> None:
        write_table(pd.DataFrame(self._rows.values(), columns=pd.Index(FETCHED_COLUMNS), dtype="str"), self._path)
        self._written = time.monotonic()


def _fetch_one(
    faces: list[_Face],
    ledger: _Ledger,
    keep: Callable[[_Face, bytes | str], tuple[str, str]],
    most: int,
    limits: WebLimits,
) -> None:
    """Fetch one person's pictures until there are enough."""
    missing = most - sum(ledger.was_kept(face) for face in faces)
    new = [face for face in faces if ledger.result(face) is None]
    fetch = partial(fetch_or_reason, limits=limits)
    contents = in_order(fetch, (face.address for face in new), threads=_CONNECTIONS, ahead=_CONNECTIONS)
    with closing(contents):
        for face in new:
            if missing <= 0:
                break
            picture, reason = keep(face, next(contents))
            ledger.add(face, picture, reason)
            missing -= bool(picture)


def _keep(face: _Face, content: bytes | str, *, folder: Path, margin: float | None) -> tuple[str, str]:
    """Return the path of the saved face, or why it was not saved."""
    if isinstance(content, str):
        return "", content
    digest = hashlib.sha256(content).hexdigest()
    if digest != face.sha256:
        return "", f"another file than the listed one: its sha256 is {digest}"
    try:
        picture = check_fetched(content)
        content = content if margin is None else _around(picture, face.box, margin)
    except UnreadablePicture as error:
        return "", str(error)
    return take_in(content, face.person, face.stem + (picture.suffix if margin is None else ".png"), folder)


def _around(picture: FetchedPicture, box: tuple[int, int, int, int], margin: float) -> bytes:
    """Return a face with its surroundings, as the bytes of a PNG file."""
    left, top, right, bottom = box
    if left >= picture.width or top >= picture.height or right <= 0 or bottom <= 0:
        raise UnreadablePicture(f"the box {box} lies outside of the picture of {picture.width}x{picture.height} pixels")
    # The boxes were drawn on the picture as it is stored, whatever its EXIF tag says of turning it.
    with warnings.catch_warnings(action="ignore"), PillowImage.open(io.BytesIO(picture.content)) as opened:
        image = np.asarray(opened.convert("RGB"), np.uint8)
    file = io.BytesIO()
    PillowImage.fromarray(crop(image, box, margin=margin)).save(file, "PNG")
    return file.getvalue()
