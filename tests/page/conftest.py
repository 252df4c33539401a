"""Projects with films of moving squares: where a square is, is known to the pixel, so that boxes can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.films.appearances import appearances
from facelib.images import encode_jpeg
from facelib.project import Project, write_table

WIDTH, HEIGHT, SIDE = 320, 240, 60


@dataclass(frozen=True)
class Square:
    """A square that moves evenly from one place to another, and the name its track has; `last` is inclusive."""

    person: str
    first: int
    last: int
    start: tuple[float, float] = (40, 100)
    end: tuple[float, float] = (40, 100)
    cluster: str = ""
    confidence: float = 0.95
    colour: tuple[int, int, int] = (220, 40, 40)

    def box(self, frame: int) -> tuple[float, float, float, float]:
        share = (frame - self.first) / max(1, self.last - self.first)
        left, top = (a + share * (b - a) for a, b in zip(self.start, self.end, strict=True))
        return left, top, left + SIDE, top + SIDE


@pytest.fixture
def make_squares(make_film, tmp_path) -> Callable[..., Project]:
    """Return a factory of projects whose films show squares, with the tables that step 5 would have written."""

    def make(
        films: Mapping[str, Sequence[Square]],
        *,
        name: str = "squares",
        frames: int = 100,
        times: Sequence[float] | None = None,  # in the file; a film's own begin at 0
        cast: Sequence[str] = (),
    ) -> Project:
        project = Project(name, tmp_path / "data", tmp_path / "output")
        for person in cast:
            (project.people / person).mkdir(parents=True)
        for film, squares in films.items():
            at = list(times) if times is not None else [i / 25 for i in range(frames)]
            made = make_film(film, pictures=[picture(squares, i) for i in range(len(at))], times=at)
            project.videos.mkdir(parents=True, exist_ok=True)
            made.rename(project.videos / film)
            write_tables(project, project.videos / film, squares, [time - at[0] for time in at])
        return project

    return make


def picture(squares: Sequence[Square], frame: int) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for square in squares:
        if square.first <= frame <= square.last:
            left, top, right, bottom = (round(side) for side in square.box(frame))
            image[top:bottom, left:right] = square.colour
    return image


def write_tables(project: Project, film: Path, squares: Sequence[Square], times: Sequence[float]) -> None:
    rows, boxes, looks = [], [], []
    for number, square in enumerate(squares):
        rows.append(
            {"track": number, "shot": 0, "start_frame": square.first, "end_frame": square.last,
             "start": times[square.first], "end": times[square.last], "person": square.person,
             "cluster": square.cluster, "confidence": square.confidence, "distance": 0.4, "second_person": "",
             "margin": 0.1, "evidence": "", "faces": 5, "embedding": np.zeros(4, np.float32), "dominant": 1.0,
             "reason": f"face: 0.40 from people/{square.person}/1.jpg", "scene": 0, "source": "face"}
        )  # fmt: skip
        for frame in range(square.first, square.last + 1):
            boxes.append((frame, times[frame], 0, number, *square.box(frame), 0.99, frame % 3 != 0))
        look = encode_jpeg(np.full((90, 90, 3), square.colour, np.uint8))
        looks.append((number, square.first, *square.box(square.first), 0.9, look))
    files = project.film(film)
    sides = ["left", "top", "right", "bottom"]
    names = ["frame", "time", "shot", "track", *sides, "score", "interpolated"]
    write_table(pd.DataFrame(boxes, columns=names).astype(dict.fromkeys(sides, "float32")), files.detections)
    tracks = pd.DataFrame(rows, columns=list(rows[0]) if rows else None)
    write_table(tracks, files.tracks)
    write_table(appearances(tracks), files.appearances)
    write_table(pd.DataFrame(looks, columns=["track", "frame", *sides, "quality", "picture"]), files.looks)
    shots = {"shot": [0], "start_frame": [0], "end_frame": [len(times) - 1], "start": [times[0]], "end": [times[-1]]}
    write_table(pd.DataFrame(shots), files.shots)
    keyframe = encode_jpeg(picture(squares, 0))
    write_table(pd.DataFrame({"shot": [0], "time": [0.0], "picture": [keyframe]}), files.keyframes)
