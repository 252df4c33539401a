from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from plotly.callbacks import Points

from facelib.widgets import EmbeddingMap

COLOURS = {"Ada": (255, 0, 0), "Grace": (0, 0, 255)}


@pytest.fixture
def points(tmp_path):
    """Four points of two people; every picture has its person's colour in the box and is white around it."""
    rows = []
    for i, person in enumerate(["Ada", "Grace", "Ada", "Grace"]):
        image = np.full((60, 60, 3), 255, np.uint8)
        image[10:50, 10:50] = COLOURS[person]
        Image.fromarray(image).save(tmp_path / f"{i} <b>.png")
        rows.append({"picture": f"{i} <b>.png", "face": 0, "person": person, "x": float(i), "y": 1.0 - i})
    return pd.DataFrame(rows).assign(left=20.0, top=20.0, right=40.0, bottom=40.0)


def shown_colour(widget: EmbeddingMap) -> tuple[int, ...]:
    pixels = np.asarray(Image.open(io.BytesIO(widget.image.value)), int)
    return tuple(int(value) for value in np.median(pixels.reshape(-1, 3), axis=0).round(-1))


def hover(widget: EmbeddingMap, trace: int, point: int) -> None:
    """Call what plotly calls when the pointer is over a point."""
    data = widget.figure.data[trace]
    data._dispatch_on_hover(Points([point], [data.x[point]], [data.y[point]], data.name, trace), None)


def test_the_face_under_the_pointer_is_shown_and_ringed(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    assert "Ada" in widget.caption.value
    hover(widget, 1, 1)  # Grace's second point is row 3
    assert widget.chooser.value == 3
    assert "Grace" in widget.caption.value and "3 &lt;b&gt;.png" in widget.caption.value
    assert shown_colour(widget)[2] > 240 > shown_colour(widget)[0]
    ring = widget.figure.data[-1]
    assert (ring.x[0], ring.y[0]) == (3.0, -2.0)


def test_the_chooser_does_the_same_by_keyboard(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    widget.chooser.value = 2
    assert "Ada" in widget.caption.value and shown_colour(widget)[0] > 240
    assert widget.figure.data[-1].x[0] == 2.0


def test_a_picture_is_read_once_and_only_when_shown(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    widget.chooser.value = 1
    for path in tmp_path.iterdir():
        path.unlink()
    widget.chooser.value = 0
    assert shown_colour(widget)[0] > 240 and widget.errors.value == ""
    widget.chooser.value = 3
    assert "FileNotFoundError" in widget.errors.value and widget.image.value == b""
    widget.chooser.value = 1
    assert widget.errors.value == "" and widget.image.value


def test_without_boxes_the_whole_picture_is_shown(points, tmp_path):
    widget = EmbeddingMap(points[["picture", "face", "person", "x", "y"]], tmp_path)
    assert np.asarray(Image.open(io.BytesIO(widget.image.value)))[2, 2].min() > 200


def test_one_face_is_a_map_too_and_none_is_refused(points, tmp_path):
    assert EmbeddingMap(points.head(1), tmp_path).chooser.max == 0
    with pytest.raises(ValueError, match="at least one face, got none"):
        EmbeddingMap(points.head(0), tmp_path)
