"""Pictures of the cast become the table of known faces."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.detect.portraits import find_faces
from facelib.embed import Embedder
from facelib.gallery.curation import curate
from facelib.gallery.decisions import find_disabled
from facelib.gallery.files import COLUMNS, Gallery, partial_file, read_gallery, write_gallery
from facelib.images import UnreadablePicture, read_image, sharpness
from facelib.nets.cache import sha256_of
from facelib.project import Project

_SECONDS_BETWEEN_CHECKPOINTS = 20.0
_log = logging.getLogger(__name__)


def build_gallery(
    project: Project,
    finder: Detector,
    net: Embedder,
    *,
    known: Gallery | pd.DataFrame | None = None,
    working_size: int = 1000,
    progress: bool = True,
) -> pd.DataFrame:
    """Find and embed the faces of a project's people, and decide which of them are used.

    Every 20 seconds what is done so far is written to `faces.partial.parquet` beside the project's
    `faces.parquet`; a run that was killed goes on from there. `write_gallery` removes that file.

    Args:
        project: Its `people/` holds one folder of pictures a person. Files without a picture's suffix are
            ignored. Pictures listed in `disabled.txt` in the project's data folder, one path relative to that
            folder a line, are not used; lines that start with `#` are comments.
        finder: Finds the faces.
        net: Embeds them.
        known: A former gallery. Pictures with a sha256 that occurs in it are not looked at again, provided that it
            was made with the same detector and options (`describe_search`), embedder and weights. Of a bare table,
            which does not say what it was made with, only the embeddings' length is checked.
        working_size: As of `find_faces`.
        progress: Whether to show a progress bar.

    Returns:
        A row a face, with the columns of `faces.parquet`. A picture without a face has one row, with face -1 and
        boxes and embedding of NaN.

    Raises:
        FileNotFoundError: When the project has no `people/` folder.
        ValueError: When there are no people, no pictures, or not one usable face.
    """
    pictures = _find_pictures(project)
    partial = partial_file(project.faces)
    detector = describe_search(finder, working_size=working_size)
    done = _measured(known, detector, net) | _measured(_read_partial(partial), detector, net)
    rows: list[dict[str, Any]] = []
    written = time.monotonic()
    for person, path in tqdm(pictures, desc="Faces", unit="picture", disable=not progress):
        digest = _digest(path)
        if digest not in done:
            done[digest] = _measure(path, finder, net, working_size)
        place = {"picture": path.relative_to(project.data).as_posix(), "sha256": digest, "person": person}
        rows += [face | place for face in done[digest]]
        if time.monotonic() - written > _SECONDS_BETWEEN_CHECKPOINTS:
            _checkpoint(_table(rows), partial, detector, net)
            written = time.monotonic()
    disabled = find_disabled(project, {row["picture"] for row in rows})
    table = curate(_table(rows), threshold=net.threshold, disabled=disabled)
    if not table["used"].any():
        _checkpoint(table, partial, detector, net)
        found = table.drop_duplicates("picture")["reason"].value_counts()
        listed = ", ".join(f"{reason}: {count}" for reason, count in found.items())
        raise ValueError(
            f"expected at least one picture with a usable face in {str(project.people)!r}, found none among "
            f"{table['picture'].nunique()} pictures ({listed}); add pictures, or choose another detector"
        )
    return table


def describe_search(finder: Detector, *, working_size: int = 1000) -> str:
    """Return how a gallery's faces are found, as `write_gallery` keeps it: a change of it makes all of them anew."""
    return f"{finder.description}, portraits at {working_size}"


def _find_pictures(project: Project) -> list[tuple[str, Path]]:
    people = project.find_people()
    pictures = [(person, path) for person in people for path in project.find_pictures(person)]
    if not pictures:
        found = f"{len(people)} folders without a picture" if people else "an empty folder"
        raise ValueError(
            f"expected one folder of pictures a person in {str(project.people)!r}, found {found}; "
            f"put pictures into {str(project.people / 'Name of a Person')!r}"
        )
    return pictures


def _digest(path: Path) -> str:
    """Return the sha256 of a file, empty when it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _measure(path: Path, finder: Detector, net: Embedder, working_size: int) -> list[dict[str, Any]]:
    """Return a record a face of one picture, one with face -1 when there is none."""
    try:
        image = read_image(path)
    except (UnreadablePicture, OSError) as error:
        _log.warning("%s", error)
        return [_nothing("unreadable", net.dimension)]
    faces = find_faces(image, finder, working_size=working_size)
    if not len(faces):
        return [_nothing("no face", net.dimension)]
    vectors = net.embed(image, faces)
    return [
        _record(index, box, score, points.reshape(-1), sharpness(image, box), vector, "")
        for index, (box, score, points, vector) in enumerate(
            zip(faces.boxes, faces.scores, faces.landmarks, vectors, strict=True)
        )
    ]


def _nothing(reason: str, dimension: int) -> dict[str, Any]:
    nan = np.nan
    return _record(-1, np.full(4, nan), nan, np.full(10, nan), nan, np.full(dimension, nan), reason)


def _record(
    face: int, box: Any, score: float, landmarks: Any, sharp: float, vector: Any, reason: str
) -> dict[str, Any]:
    left, top, right, bottom = (float(side) for side in box)
    return {
        "face": face, "left": left, "top": top, "right": right, "bottom": bottom, "score": float(score),
        "landmarks": np.asarray(landmarks, np.float32), "sharpness": float(sharp),
        "embedding": np.asarray(vector, np.float32), "reason": reason,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return records as a table with the columns and types of `faces.parquet`."""
    floats = dict.fromkeys(("left", "top", "right", "bottom", "score", "sharpness"), "float32")
    table = pd.DataFrame(rows).assign(used=False)
    return table[list(COLUMNS)].astype({"face": "int32", **floats})


def _measured(former: Gallery | pd.DataFrame | None, detector: str, net: Embedder) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a former gallery by sha256, none when it was made in another way."""
    if isinstance(former, Gallery):
        made = (former.detector, former.embedder, former.weights_sha256)
        former = former.table if made == (detector, net.name, net.sha256) else None
    if former is None or not len(former) or len(former["embedding"].iloc[0]) != net.dimension:
        return {}
    # An unreadable file is cheap to try again, and may be read by another version.
    worth = former[(former["sha256"] != "") & (former["reason"] != "unreadable")]
    fields = [column for column in COLUMNS if column not in {"picture", "sha256", "person", "used"}]
    first = worth[worth["picture"] == worth.groupby("sha256")["picture"].transform("first")]
    return {
        str(digest): [{str(name): value for name, value in row.items()} for row in rows[fields].to_dict("records")]
        for digest, rows in first.groupby("sha256")
    }


def _read_partial(path: Path) -> Gallery | None:
    try:
        return read_gallery(path)
    except (FileNotFoundError, ValueError):
        return None


def _checkpoint(table: pd.DataFrame, path: Path, detector: str, net: Embedder) -> None:
    """Keep what is done so far; a folder that cannot be written is told, and stops nothing here."""
    try:
        write_gallery(
            table, path, detector=detector, embedder=net.name, weights_sha256=net.sha256, threshold=net.threshold
        )
    except OSError as error:
        _log.warning("what is done so far cannot be kept: %s", error)
