"""Find, measure and embed the faces in pictures of people, a record each."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facelib.detect import Detector
from facelib.detect.portraits import find_portrait
from facelib.embed import Embedder
from facelib.faces import BOX
from facelib.gallery.files import COLUMNS, Gallery
from facelib.images import UnreadablePicture, read_image, sharpness

_log = logging.getLogger(__name__)


def describe_search(detector: Detector, *, working_size: int = 1000) -> str:
    """Return how a gallery's faces are found, as `write_gallery` stores it; all are computed again when it changes."""
    return f"{detector.description}, upright portraits at {working_size}"


def measure_picture(
    path: Path, detector: Detector, embedder: Embedder, working_size: int = 1000
) -> list[dict[str, Any]]:
    """Return one record per face of one picture, one with face -1 when there is none."""
    try:
        image = read_image(path)
    except (UnreadablePicture, OSError) as error:
        _log.info("%s", error)  # the table says so, and the doctor
        return [_nothing("unreadable", embedder.dimension)]
    portrait = find_portrait(image, detector, working_size=working_size)
    faces, reason = portrait.faces_as_given(), "" if portrait.upright else "sideways"
    if not len(faces):
        return [_nothing("no face", embedder.dimension)]
    vectors = embedder.embed(portrait.image, portrait.faces)
    return [
        face_record(index, box, score, points.reshape(-1), sharpness(image, box), vector, reason)
        for index, (box, score, points, vector) in enumerate(
            zip(faces.boxes, faces.scores, faces.landmarks, vectors, strict=True)
        )
    ]


def _nothing(reason: str, dimension: int) -> dict[str, Any]:
    nan = np.nan
    return face_record(-1, np.full(4, nan), nan, np.full(10, nan), nan, np.full(dimension, nan), reason)


def face_record(
    face: int, box: Any, score: float, landmarks: Any, sharp: float, vector: Any, reason: str = ""
) -> dict[str, Any]:
    """Return what a row of `faces.parquet` holds of a face, without its picture and person."""
    left, top, right, bottom = (float(side) for side in box)
    return {
        "face": face, "left": left, "top": top, "right": right, "bottom": bottom, "score": float(score),
        "landmarks": np.asarray(landmarks, np.float32), "sharpness": float(sharp),
        "embedding": np.asarray(vector, np.float32), "reason": reason,
    }  # fmt: skip


def face_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return records as a table with the columns and types of `faces.parquet`."""
    floats = dict.fromkeys((*BOX, "score", "sharpness"), "float32")
    table = pd.DataFrame(rows).assign(used=False)
    return table[list(COLUMNS)].astype({"face": "int32", **floats})


def measured(
    former: Gallery | pd.DataFrame | None, detector: str, embedder: Embedder
) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a former gallery by sha256, none when it was made in another way."""
    if isinstance(former, Gallery):
        made = (former.detector, former.embedder, former.weights_sha256)
        former = former.table if made == (detector, embedder.name, embedder.sha256) else None
    if former is None or not len(former) or len(former["embedding"].iloc[0]) != embedder.dimension:
        return {}
    # An unreadable file is cheap to try again, and may be read by another version.
    worth = former[(former["sha256"] != "") & (former["reason"] != "unreadable")]
    fields = [column for column in COLUMNS if column not in {"picture", "sha256", "person", "used"}]
    first = worth[worth["picture"] == worth.groupby("sha256")["picture"].transform("first")]
    return {
        str(digest): [{str(name): value for name, value in row.items()} for row in rows[fields].to_dict("records")]
        for digest, rows in first.groupby("sha256")
    }
