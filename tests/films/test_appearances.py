"""Tracks become stretches on screen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facelib.films.appearances import (
    APPEARANCE_COLUMNS,
    appearances,
    graph_of,
    named_tracks,
    on_screen,
    screen_time,
    timecode,
    together,
)


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


def with_clusters(*rows):
    table = pd.DataFrame(rows, columns=["person", "start", "end", "cluster"])
    return table.assign(track=range(len(table)), shot=[0, 0, 1, 1, 2][: len(table)], confidence=0.9)


MIXED = with_clusters(
    ("A", 0, 2, ""),
    ("unknown", 0, 4, "Unknown 1"),
    ("unknown", 5, 9, ""),  # in no group
    ("not a face", 0, 9, "Unknown 2"),
    ("A", 2.5, 4, None),
)


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        (False, [("A", 0, 4, "0 4")]),
        (True, [("A", 0, 4, "0 4"), ("Unknown 1", 0, 4, "1")]),
    ],
)
def test_groups_of_unknown_people_appear_when_asked_for_and_lamps_never(unknown, expected):
    table = appearances(MIXED, unknown=unknown)
    assert list(table[["person", "start", "end", "tracks"]].itertuples(index=False, name=None)) == expected
    assert sorted(set(named_tracks(MIXED, unknown=unknown)["person"])) == sorted({row[0] for row in expected})


def test_screen_time_counts_shots_with_the_tracks():
    appeared = appearances(MIXED, unknown=True)
    table = screen_time(appeared, MIXED).set_index("person")
    assert table["shots"].to_dict() == {"A": 2, "Unknown 1": 1}
    assert "shots" not in screen_time(appeared)
    assert list(screen_time(appeared).columns) == ["person", "seconds", "stretches", "first", "last"]


def test_shots_are_counted_of_a_table_read_from_csv(tmp_path):
    single = MIXED.iloc[:1]
    appearances(single).to_csv(tmp_path / "appearances.csv", index=False)
    read = pd.read_csv(tmp_path / "appearances.csv")
    assert screen_time(read, single)["shots"].tolist() == [1]
    assert screen_time(appearances(MIXED.iloc[:0]), MIXED.iloc[:0]).empty


def spans(*rows):
    return pd.DataFrame(rows, columns=["person", "start", "end"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([("A", 0, 5)], [(0, 5, ("A",))]),
        ([("A", 0, 5), ("B", 2, 3)], [(0, 2, ("A",)), (2, 3, ("A", "B")), (3, 5, ("A",))]),
        ([("B", 0, 5), ("A", 0, 5)], [(0, 5, ("A", "B"))]),  # by name, not by order
        ([("A", 0, 2), ("B", 2, 4)], [(0, 2, ("A",)), (2, 4, ("B",))]),
        ([("A", 0, 2), ("A", 2, 4)], [(0, 4, ("A",))]),  # nobody comes or goes
        ([("A", 0, 3), ("A", 2, 4)], [(0, 4, ("A",))]),  # the same person twice is there once
        ([("A", 0, 2), ("A", 3, 4)], [(0, 2, ("A",)), (3, 4, ("A",))]),  # nobody in between
        ([("A", 1, 1)], []),  # no time at all
        ([("A", 0, 2), ("B", 1, 1)], [(0, 2, ("A",))]),
    ],
)
def test_the_film_is_cut_where_the_set_of_people_changes(rows, expected):
    table = on_screen(spans(*rows))
    assert list(table.itertuples(index=False, name=None)) == expected
    assert list(table.columns) == ["start", "end", "people"]


def test_on_screen_agrees_with_asking_every_moment():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 100, 60)
    table = spans(*((f"P{i % 7}", int(at), int(at + rng.integers(1, 20))) for i, at in enumerate(starts)))
    cut = on_screen(table)
    for moment in range(130):
        there = table[(table["start"] <= moment) & (moment < table["end"])]["person"]
        now = cut[(cut["start"] <= moment) & (moment < cut["end"])]["people"].to_list()
        assert now == ([tuple(sorted(set(there)))] if len(there) else [])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([("A", 0, 5), ("B", 5, 9)], []),  # one goes as the other comes
        ([("A", 0, 5), ("B", 3, 9)], [("A", "B", 2.0, 1)]),
        ([("B", 0, 5), ("A", 3, 9)], [("A", "B", 2.0, 1)]),  # the pair is named by the alphabet
        ([("A", 0, 9), ("B", 1, 2), ("B", 4, 6)], [("A", "B", 3.0, 2)]),
        # That a third comes in between does not part the two.
        ([("A", 0, 9), ("B", 0, 9), ("C", 4, 5)], [("A", "B", 9.0, 1), ("A", "C", 1.0, 1), ("B", "C", 1.0, 1)]),
    ],
)
def test_who_is_with_whom(rows, expected):
    table = together(spans(*rows))
    assert list(table.itertuples(index=False, name=None)) == expected
    assert list(table.columns) == ["person", "other", "seconds", "stretches"]


def test_people_of_different_films_are_never_together():
    one, other = spans(("A", 0, 5), ("B", 3, 9)), spans(("A", 0, 4), ("C", 0, 5), ("B", 3, 5))
    assert list(together(one, other).itertuples(index=False, name=None)) == [
        ("A", "C", 4.0, 1),
        ("A", "B", 3.0, 2),
        ("B", "C", 2.0, 1),
    ]
    graph = graph_of(spans(("A", 0, 5)), spans(("B", 0, 5)))
    assert dict(graph.nodes(data="seconds")) == {"A": 5.0, "B": 5.0}
    assert list(graph.edges) == []


def test_the_graph_has_everybody_and_what_they_share():
    graph = graph_of(spans(("A", 0, 5), ("B", 3, 9), ("C", 20, 21)))
    assert dict(graph.nodes(data=True)) == {
        "B": {"seconds": 6.0, "stretches": 1},
        "A": {"seconds": 5.0, "stretches": 1},
        "C": {"seconds": 1.0, "stretches": 1},
    }
    assert list(graph.edges(data=True)) == [("B", "A", {"seconds": 2.0, "stretches": 1})]
    assert len(graph_of(spans())) == len(graph_of()) == 0
