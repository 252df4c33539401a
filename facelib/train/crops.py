"""Faces of many pictures, cropped once into a cache that a killed run resumes."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.detect.portraits import find_portrait
from facelib.embed import InputForm
from facelib.embed.align import DlibAligner, align
from facelib.faces import Image
from facelib.gather.workers import in_order
from facelib.images import UnreadablePicture, read_image
from facelib.nets import dlib as dlib_weights
from facelib.project import file_lock, write_text
from facelib.project.digests import state_of
from facelib.project.files import write_all
from facelib.train.data import Crops, People, no_pictures, pixel_digest

_READ_AHEAD = 16


def crop_faces(
    people: People,
    cache: str | Path,
    detector: Detector,
    *,
    form: InputForm,
    threads: int = 2,
    progress: bool = True,
) -> Crops:
    """Cut out the main face of every picture, once: later calls read them from the cache.

    Pictures that have changed since are cut out again; a run that was killed continues where it stopped. Of pictures
    with pixel-identical faces one is kept, or none if they have the names of two people. People with one face in the
    end are left out.

    Args:
        people: The pictures.
        cache: Folder for the faces; one folder in it a kind of pictures, detector, size and alignment.
        detector: Finds the faces.
        form: Its `size` and `alignment` say how they are cut out.
        threads: How many pictures are read at once, ahead of the detector.
        progress: Show a bar.

    Returns:
        The faces as a mapped file, in the order of `people.table`, and the pictures left out with the reason: `no
        face`, `unreadable`, `duplicate`, `two people`, or `too few faces`.

    Raises:
        BlockingIOError: When another process cuts out the same faces.
        OSError: When the cache cannot be written; what is done so far is kept.
        ValueError: When not one face is left.
    """
    folder = Path(cache) / _folder_name(people.folder, detector, form)
    with file_lock(folder / ".lock", what=f"other cutting of faces into {str(folder)!r}"):
        store = FaceStore(folder, size=form.size)
        write_text(json.dumps(_description(people.folder, detector, form), indent=1) + "\n", folder / "made_from.json")
        missing = [picture for picture in people.table["picture"] if not store.knows(picture, people.folder / picture)]
        with tqdm(
            total=len(missing),
            desc="cutting out faces",
            unit=" pictures",
            leave=False,
            disable=not progress or not missing,
        ) as bar:
            _fill(store, people.folder, missing, detector, form, threads, bar)
        images = store.images()
    table = people.table.reset_index(drop=True)
    entries = [store.entries[picture] for picture in table["picture"]]
    table = table.assign(
        row=[entry.row for entry in entries],
        digest=[entry.digest for entry in entries],
        reason=[entry.reason for entry in entries],
    )
    table["reason"] = _with_reasons(table)
    used = table["reason"] == ""
    if not used.any():
        found = ", ".join(f"{reason}: {count}" for reason, count in table["reason"].value_counts().items())
        raise ValueError(f"expected a usable face in {str(people.folder)!r}, found none ({found or 'no pictures'})")
    left_out = pd.concat([no_pictures(), table.loc[~used, ["picture", "person", "reason"]]], ignore_index=True)
    return Crops(images, table.loc[used].drop(columns="reason").reset_index(drop=True), left_out, form)


def _with_reasons(table: pd.DataFrame) -> pd.Series[str]:
    """Return why each picture is left out, empty if it is used."""
    reason = table["reason"].copy()
    faces = table[reason == ""]
    people = faces.groupby("digest")["person"].transform("nunique")
    reason[faces.index[people > 1]] = "two people"
    reason[faces.index[(people == 1) & faces.duplicated("digest")]] = "duplicate"
    left = table["person"][reason == ""]
    few = left.map(left.value_counts()) < 2
    reason[left.index[few]] = "too few faces"
    return reason


def _fill(
    store: FaceStore,
    folder: Path,
    pictures: list[str],
    detector: Detector,
    form: InputForm,
    threads: int,
    bar: tqdm[None],
) -> None:
    aligner = DlibAligner(dlib_weights.landmark_file(), size=form.size) if form.alignment == "dlib" else None
    with store.appending() as add:
        images = in_order(_read, [folder / picture for picture in pictures], threads=max(1, threads), ahead=_READ_AHEAD)
        for picture, image in zip(pictures, images, strict=True):
            face, reason = None, "unreadable"
            if image is not None:
                portrait = find_portrait(image, detector)
                reason = "" if len(portrait.faces) else "no face"
                if len(portrait.faces):
                    face = align(portrait.image, portrait.main, form.alignment, size=form.size, aligner=aligner)[0]
            add(picture, folder / picture, face, reason)
            bar.update()


def _read(path: Path) -> Image | None:
    try:
        return read_image(path)
    except (UnreadablePicture, OSError):
        return None


def _description(folder: Path, detector: Detector, form: InputForm) -> dict[str, object]:
    return {
        "pictures": str(folder.resolve()),
        "detector": detector.description,
        "size": form.size,
        "alignment": form.alignment,
    }


def _folder_name(folder: Path, detector: Detector, form: InputForm) -> str:
    """Return a readable folder name that is unique to how the faces are cropped."""
    made_from = json.dumps(_description(folder, detector, form), sort_keys=True)
    short = hashlib.blake2b(made_from.encode(), digest_size=4).hexdigest()
    return f"{detector.name}-{form.size}-{form.alignment.replace(' ', '_')}-{short}"


class _Entry(NamedTuple):
    """One picture and its face, and the state of its file when it was looked at."""

    picture: str
    length: int  # bytes
    changed: int  # nanoseconds
    row: int  # 0-based place of its face; -1 where there is none
    digest: str  # of the face's pixels; empty where there is none
    reason: str  # why there is none


class FaceStore:
    """The faces of a folder, `size` pixels a side: `faces.raw` with them, and `index.csv` with one line per picture.

    A face is written before the line that names it, so what a killed run leaves half written lies past the end of
    what the index knows, and is overwritten.
    """

    def __init__(self, folder: Path, *, size: int) -> None:
        self._pixels, self._index = folder / "faces.raw", folder / "index.csv"
        self._size, self._bytes = size, size * size * 3
        self.entries: dict[str, _Entry] = {}
        self._rows = self._known_bytes = 0
        there = self._pixels.stat().st_size // self._bytes if self._pixels.is_file() else 0
        lines = self._index.read_bytes().splitlines(keepends=True) if self._index.is_file() else []
        for entry, line in zip(map(_parsed, lines), lines, strict=True):
            if entry is None or entry.row >= there:
                break
            self._remember(entry, line)

    def knows(self, picture: str, path: Path) -> bool:
        """Return whether a picture has been looked at and its file has not changed since."""
        entry = self.entries.get(picture)
        return entry is not None and (entry.length, entry.changed) == state_of(path)

    def images(self) -> Image:
        """Return all faces, `(n, size, size, 3)` uint8, as a mapped file that cannot be written."""
        shape = (self._rows, self._size, self._size, 3)
        return np.memmap(self._pixels, np.uint8, "r", shape=shape) if self._rows else np.empty(shape, np.uint8)

    @contextmanager
    def appending(self) -> Iterator[Callable[[str, Path, Image | None, str], None]]:
        """Give a function to add pictures with: name, file, face `(size, size, 3)` or None, and why there is none.

        Raises:
            OSError: When the files cannot be written; what was added before stays.
        """
        with (
            _opened(self._pixels, self._rows * self._bytes) as pixels,
            _opened(self._index, self._known_bytes) as index,
        ):

            def add(picture: str, path: Path, face: Image | None, reason: str) -> None:
                row, digest = (-1, "") if face is None else (self._rows, pixel_digest(face))
                entry = _Entry(picture, *state_of(path), row, digest, reason)
                try:
                    if face is not None:
                        write_all(pixels, np.ascontiguousarray(face).tobytes())
                    write_all(index, line := _line(entry))
                except OSError as error:
                    raise OSError(f"expected to write faces into {str(self._pixels.parent)!r}, got: {error}") from error
                self._remember(entry, line)

            yield add

    def _remember(self, entry: _Entry, line: bytes) -> None:
        self.entries[entry.picture] = entry
        self._known_bytes += len(line)
        self._rows = max(self._rows, entry.row + 1)


@contextmanager
def _opened(path: Path, length: int) -> Iterator[IO[bytes]]:
    """Open a file for appending after `length` bytes; the rest is truncated."""
    path.touch()
    with open(path, "r+b", buffering=0) as file:
        file.truncate(length)
        file.seek(length)
        yield file


def _line(entry: _Entry) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(entry)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _parsed(line: bytes) -> _Entry | None:
    """Parse a line of the index; None where it is incomplete."""
    if not line.endswith(b"\n"):
        return None
    try:
        (fields,) = itertools.islice(csv.reader([line.decode("utf-8", "surrogateescape")]), 2)
        picture, length, changed, row, pixels, reason = fields
        return _Entry(picture, int(length), int(changed), int(row), pixels, reason)
    except (ValueError, csv.Error):
        return None
