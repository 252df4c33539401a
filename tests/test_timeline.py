"""Tracks become stretches on screen."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.timeline import APPEARANCE_COLUMNS, appearances, screen_time, timecode


def tracks(*rows):
    table = pd.DataFrame(rows, columns=["person", "start", "end"])
    return table.assign(track=range(len(table)), confidence=0.9)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([("unknown", 0, 5)], []),
        ([("A", 0, 5)], [("A", 0, 5, "0")]),
        ([("A", 0, 5), ("A", 5.5, 8)], [("A", 0, 8, "0 1")]),  # a short gap is closed
        ([("A", 0, 5), ("A", 7, 8)], [("A", 0, 5, "0"), ("A", 7, 8, "1")]),
        ([("A", 0, 9), ("A", 1, 2), ("A", 9.5, 10)], [("A", 0, 10, "0 1 2")]),  # one inside another
        ([("B", 1, 2), ("A", 0, 5)], [("A", 0, 5, "1"), ("B", 1, 2, "0")]),  # by start
    ],
)
def test_appearances(rows, expected):
    table = appearances(tracks(*rows), longest_gap=1.0)
    assert list(table.columns) == APPEARANCE_COLUMNS
    assert list(table[["person", "start", "end", "tracks"]].itertuples(index=False, name=None)) == expected


def test_confidence_is_weighted_by_length():
    table = tracks(("A", 0, 3), ("A", 3.5, 4.5)).assign(confidence=[0.9, 0.5])
    assert appearances(table)["confidence"][0] == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00.000"), (59.9996, "00:01:00.000"), (3661.5, "01:01:01.500"), (360000, "100:00:00.000")],
)
def test_timecode(seconds, text):
    assert timecode(seconds) == text


def test_screen_time_is_sorted():
    table = screen_time(appearances(tracks(("A", 0, 1), ("B", 0, 5), ("A", 10, 12))))
    assert table["person"].tolist() == ["B", "A"]
    assert table["seconds"].tolist() == [5, 3]
    assert table["stretches"].tolist() == [1, 2]


def test_screen_time_of_nobody():
    assert screen_time(appearances(tracks())).empty
