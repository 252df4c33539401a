"""The boxes of all tracks as MOTChallenge text, for tools that evaluate or draw tracks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facelib.faces import BOX
from facelib.films.exports.material import Material
from facelib.films.tables import read_detections
from facelib.project import atomic_write, write_table
from facelib.project.names import NOT_A_FACE


def write_mot(material: Material, path: Path) -> None:
    """Write one line per face and frame: `frame,id,left,top,width,height,confidence,-1,-1,-1`, and the names beside it.

    Frames and ids are counted from 1: frame is the film's frame number and 1, id the track's number and 1. Boxes are
    pixels of the upright picture, its left top corner at 0, 0. The confidence is the detector's score. All tracks
    are written, named or not, but for those corrected to `not a face`: the file is about where faces are.
    Which id is who stands beside it in `<name>_names.csv` with the columns `id`, `person`, `cluster`, `confidence`
    (of the name). A film without faces gives an empty file.

    Source: Milan et al., "MOT16: a benchmark for multi-object tracking" (2016).
    """
    faces = material.tracks[material.tracks["person"] != NOT_A_FACE]
    names = pd.DataFrame(
        {
            "id": faces["track"].astype(int) + 1,
            "person": faces["person"],
            "cluster": faces["cluster"].fillna(""),
            "confidence": faces["confidence"],
        }
    )
    with atomic_write(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="") as text:
            for found in read_detections(material.detections, ["shot", "frame", "track", *BOX, "score"]):
                _lines(found[found["track"].isin(faces["track"])]).to_csv(text, index=False, header=False)
        write_table(names, names_beside(path))


def _lines(found: pd.DataFrame) -> pd.DataFrame:
    found = found.sort_values(["frame", "track"])
    return pd.DataFrame(
        {
            "frame": found["frame"].astype(int) + 1,
            "id": found["track"].astype(int) + 1,
            "left": found["left"].round(2),
            "top": found["top"].round(2),
            "width": (found["right"] - found["left"]).round(2),
            "height": (found["bottom"] - found["top"]).round(2),
            "score": found["score"].round(4),
        }
    ).assign(x=-1, y=-1, z=-1)


def names_beside(path: Path) -> Path:
    """Return where the names of the ids in a MOTChallenge file stand."""
    return path.with_name(f"{path.stem}_names.csv")
