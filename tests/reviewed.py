"""Films as if they had been looked at: their tables, of made-up tracks."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from facelib.images import encode_jpeg
from facelib.project import Project
from facelib.project.files import write_bytes

Track = tuple[str, str, float]


def write_reviewed(project: Project, film: str, tracks: Sequence[Track]) -> None:
    """Write the tables of one film; every track lies in a shot of its own, 25 frames long, in a place of its own."""
    files = project.film(film)
    contents = _contents(tuple(tuple(track) for track in tracks))
    for path, content in zip((files.tracks, files.detections, files.looks), contents, strict=True):
        write_bytes(content, path)


@lru_cache(maxsize=64)
def _contents(tracks: tuple[Track, ...]) -> tuple[bytes, ...]:
    """Return the Parquet files of tracks, boxes and samples, made once for all tests with the same tracks."""
    rows, boxes, looks = [], [], []
    for number, (person, cluster, confidence) in enumerate(tracks):
        first, left = 25 * number, 10.0 * (number % 40)
        rows.append(
            {"track": number, "shot": number, "start_frame": first, "end_frame": first + 24, "start": first / 25,
             "end": (first + 24) / 25, "person": person, "cluster": cluster, "confidence": confidence,
             "distance": 0.4, "second_person": "Grace", "margin": 0.1, "evidence": "people/Ada/1.jpg", "faces": 5,
             "embedding": np.full(4, number, np.float32), "dominant": 1.0, "reason": "face: 0.40 from people/Ada/1.jpg",
             "scene": 0, "source": "" if person == "unknown" else "face"}
        )  # fmt: skip
        for frame in range(first, first + 25):
            boxes.append((frame, frame / 25, number, number, left, 20.0, left + 60, 100.0, 0.99, False))
        for rank in range(8):
            picture = np.full((160, 120, 3), (number * 37 % 256, number * 91 % 256, 40 + 25 * rank), np.uint8)
            looks.append(
                (number, number, first + 3 * rank, (first + 3 * rank) / 25, left, 20.0, left + 60, 100.0, 0.99,
                 0.8 - 0.05 * rank, np.full(4, number + 0.2 * rank, np.float32), np.zeros(0, np.float32),
                 encode_jpeg(picture) if rank < 4 else b"")
            )  # fmt: skip
    sides = ["left", "top", "right", "bottom"]
    floats = dict.fromkeys([*sides, "score"], "float32")
    whole = dict.fromkeys(["track", "shot", "start_frame", "end_frame", "faces", "scene"], "int32")
    columns = [*whole, "start", "end", "person", "cluster", "confidence", "distance", "second_person", "margin",
               "evidence", "embedding", "dominant", "reason", "source"]  # fmt: skip
    numbers = dict.fromkeys(["start", "end", "distance", "margin", "dominant"], "float64")  # also without a row
    table = pd.DataFrame(rows, columns=columns).astype({**whole, **numbers, "confidence": "float32"})
    texts = dict.fromkeys(["person", "cluster", "second_person", "evidence", "reason", "source"], "str")
    names = ["frame", "time", "shot", "track", *sides, "score", "interpolated"]
    seen = pd.DataFrame(boxes, columns=names).astype(floats)
    names = ["track", "shot", "frame", "time", *sides, "score", "quality", "embedding", "clothes", "picture"]
    samples = pd.DataFrame(looks, columns=names).astype(floats)
    return tuple(one.to_parquet(index=False) for one in (table.astype(texts), seen, samples))
