"""Boxes and names on a picture's planes, and on a whole film."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facelib.annotate import Mark, annotate_film, draw_mark
from facelib.project import FilmFiles
from facelib.track import DETECTIONS
from facelib.video import probe, read_frames


def blank(height=120, width=160):
    return (
        np.full((height, width), 16, np.uint8),
        np.full((height // 2, width // 2), 128, np.uint8),
        np.full((height // 2, width // 2), 128, np.uint8),
    )


@pytest.mark.parametrize(
    "box",
    [
        (40, 40, 80, 90),
        (-30, -30, 20, 20),  # over the left top corner
        (140, 100, 200, 160),  # over the right bottom corner
        (-50, -50, -10, -10),  # outside
        (0, 0, 160, 120),  # the whole picture
        (50, 50, 50, 50),  # nothing
    ],
)
def test_every_place_is_survived(box):
    planes = blank()
    draw_mark(planes, Mark(*box, "Zoë Ünïcode", (0, 114, 178)))
    assert [plane.shape for plane in planes] == [(120, 160), (60, 80), (60, 80)]


def test_box_is_where_it_should_be():
    planes = blank()
    draw_mark(planes, Mark(40, 50, 80, 90, "A", (255, 255, 255)), line=2)
    luma = planes[0]
    for y, x in [(50, 60), (89, 60), (70, 40), (70, 79)]:
        assert luma[y, x] > 200
    assert (luma[53:87, 43:77] == 16).all()
    assert (luma[:, 90:] == 16).all()


def test_colour_is_kept():
    planes = blank()
    draw_mark(planes, Mark(40, 50, 80, 90, "A", (255, 0, 0)), line=2)
    assert planes[0][70, 40] == pytest.approx(82, abs=2)
    assert planes[1][35, 20] == pytest.approx(90, abs=2)
    assert planes[2][35, 20] == pytest.approx(240, abs=2)


def test_film(make_film, tmp_path):
    film = make_film(size=(160, 120), frames=20)
    files = FilmFiles(tmp_path / "out")
    rows = [(f, f / 25, 0, t, 60 + 40 * t, 60, 80 + 40 * t, 90, 1.0, False) for f in range(5, 10) for t in range(2)]
    detections = pd.DataFrame(rows, columns=DETECTIONS.names)
    files.folder.mkdir()
    detections.to_parquet(files.detections, index=False)
    tracks = pd.DataFrame({"track": [0, 1], "person": ["A", "unknown"]})
    annotate_film(film, files, tracks, {"A": "#FF0000", "unknown": "#888888"}, quality=10, progress=False)
    assert probe(files.annotated).frames == 20
    before, after = ([frame.image().astype(int) for frame in read_frames(path)] for path in (film, files.annotated))
    changed = [np.abs(a - b).max() > 60 for a, b in zip(before, after, strict=True)]
    assert changed == [5 <= i < 10 for i in range(20)]
    red = after[7][70, 60]
    assert red[0] > red[1] + 80


def test_nobody_found(make_film, tmp_path):
    files = FilmFiles(tmp_path / "out")
    files.folder.mkdir()
    DETECTIONS.empty_table().to_pandas().to_parquet(files.detections, index=False)
    tracks = pd.DataFrame({"track": [], "person": []})
    annotate_film(make_film(), files, tracks, {"unknown": "#888888"}, progress=False)
    assert probe(files.annotated).frames == 50
