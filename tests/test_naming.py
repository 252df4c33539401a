"""One name a track, never twice in one frame, and every name with its reason."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from facelib.naming import TRACK_COLUMNS, name_tracks
from facelib.recognize import UNKNOWN, OpenSetKNN, RecognizerInfo

PICTURES = ("people/A/1.jpg", "people/A/2.jpg", "people/B/1.jpg")


@pytest.fixture
def recognizer():
    vectors = np.array([[0, 0], [0.1, 0], [1, 0]], np.float32)
    return OpenSetKNN(k=1, threshold=0.3).fit(vectors, ["A", "A", "B"])


@pytest.fixture
def info():
    values = {field.name: 0 for field in fields(RecognizerInfo)}
    # A name at distance 0.3 is right half of the time.
    return RecognizerInfo(**values | {"pictures": PICTURES, "confidence_slope": -20.0, "confidence_intercept": 6.0})


def tracks(*rows):
    """Each row: shot, first frame, last frame, the embedding's first number."""
    table = pd.DataFrame([row[:3] for row in rows], columns=["shot", "start_frame", "end_frame"])
    return table.assign(
        track=range(len(rows)),
        start=table["start_frame"] / 25,
        end=table["end_frame"] / 25,
        faces=5,
        embedding=[np.array([row[3], 0], np.float32) for row in rows],
    )


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([(0, 0, 9, 0.0), (0, 10, 19, 1.0), (1, 20, 29, 0.5)], ["A", "B", UNKNOWN]),
        ([(0, 0, 9, 0.2), (0, 5, 15, 0.0)], [UNKNOWN, "A"]),  # the farther of two in one frame
        ([(0, 0, 9, 0.2), (0, 9, 15, 0.0)], [UNKNOWN, "A"]),  # one frame in common is enough
        ([(0, 0, 9, 0.2), (0, 10, 15, 0.0)], ["A", "A"]),  # one after the other
        ([(0, 0, 9, 0.0), (0, 0, 9, 1.0)], ["A", "B"]),
        ([(0, 0, 9, 0.0), (0, 0, 9, 0.05), (0, 0, 9, 0.1)], [UNKNOWN, "A", UNKNOWN]),
    ],
)
def test_names(rows, names, recognizer, info):
    named = name_tracks(tracks(*rows), recognizer, info)
    assert list(named.columns) == TRACK_COLUMNS
    if names.count("A") == 1 and len(rows) == 3 and UNKNOWN in names[:1]:
        assert sorted(named["person"]) == sorted(names)  # two lie equally near: either may win
    else:
        assert named["person"].tolist() == names


def test_reasons(recognizer, info):
    named = name_tracks(tracks((0, 0, 9, 0.12), (0, 10, 19, 0.5)), recognizer, info)
    assert named["evidence"].tolist() == ["people/A/2.jpg", "people/A/2.jpg"]
    assert named["distance"].tolist() == pytest.approx([0.02, 0.4])
    assert named["second_person"].tolist() == ["B", "B"]
    assert named["margin"].tolist() == pytest.approx([0.86, 0.1])
    # sure of the name, and sure that the other is nobody
    assert named["confidence"].tolist() == pytest.approx([1 / (1 + np.exp(-5.6)), 1 / (1 + np.exp(-2))], abs=1e-4)


def test_no_tracks(recognizer, info):
    named = name_tracks(tracks(), recognizer, info)
    assert named.empty
    assert list(named.columns) == TRACK_COLUMNS
