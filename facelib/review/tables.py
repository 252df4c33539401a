"""What a review shows of each track: its row, its best face, and its pictures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from facelib.faces import BOX
from facelib.project import Project

FACE = ["frame", *BOX]
"""The columns by which a decision's track is found again."""


def read_tracks(path: Path) -> pd.DataFrame:
    """Read `tracks.parquet` without its embeddings, which are most of it."""
    return pd.read_parquet(path, columns=[name for name in pq.read_schema(path).names if name != "embedding"])


def best_faces(project: Project, film: Path) -> pd.DataFrame:
    """Return the best face of each track: from its looks, or else the one in the middle of the track."""
    files = project.film(film)
    looks = str(files.looks) if files.looks.is_file() else ""
    changed = [files.detections.stat().st_mtime_ns, files.looks.stat().st_mtime_ns if looks else 0]
    return _best_faces(str(files.detections), looks, tuple(changed)).assign(video=film.name)


@lru_cache(maxsize=256)
def _best_faces(detections: str, looks: str, _changed: tuple[int, ...]) -> pd.DataFrame:
    """Do so once for each state of the two tables, which are large and change only when a film is indexed again."""
    columns = ["track", *FACE]
    boxes = pd.read_parquet(detections, columns=columns)
    middle = boxes.groupby("track").cumcount() == boxes.groupby("track")["frame"].transform("size") // 2
    tables = [boxes[middle]]
    if looks:
        tables.insert(0, pd.read_parquet(looks, columns=[*columns, "quality"]).drop(columns="quality"))
    best = pd.concat(tables, ignore_index=True).drop_duplicates("track")[columns]
    return best.astype(dict.fromkeys(BOX, "float64")).round(1)


@lru_cache(maxsize=4)
def read_pictures(path: str, changed: int) -> dict[int, list[bytes]]:
    """Read the pictures of a film's tracks; they take some megabytes, and are read when first shown."""
    table = pq.read_table(path, columns=["track", "picture"])
    found: dict[int, list[bytes]] = {}
    for track, picture in zip(table["track"].to_pylist(), table["picture"].to_pylist(), strict=True):
        if picture:
            found.setdefault(track, []).append(picture)
    return found
