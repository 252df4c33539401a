"""One more film's unknown people are matched to the groups there are, and no other film is read."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from facelib.films.agglomerate import Agglomeration
from facelib.films.linkage import link
from facelib.films.unknowns import add_to_groups, group_unknowns, table_of_groups
from facelib.project.names import UNKNOWN

NEAR = 2 * math.sin(math.radians(20) / 2)  # the distance of two directions 20 degrees apart


def film(*rows):
    """Make a table of tracks; each row: first frame, last frame, direction in degrees, and a person or nothing."""
    angles = np.radians([math.nan if row[2] is None else row[2] for row in rows])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).reshape(-1, 2).astype(np.float32) * 2
    frames = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
    return pd.DataFrame(
        {
            "track": np.arange(len(rows)),
            "start_frame": frames[:, 0],
            "end_frame": frames[:, 1],
            "start": frames[:, 0] / 25,
            "end": frames[:, 1] / 25,
            "person": pd.Series([row[3] if len(row) > 3 else UNKNOWN for row in rows], dtype="str"),
            "cluster": pd.Series([""] * len(rows), dtype="str"),
            "embedding": pd.Series([*vectors], dtype=object),
        }
    )


def numbers(table):
    return " ".join(label.removeprefix("Unknown ") or "." for label in table["cluster"])


FIRST = film((0, 200, 0), (300, 400, 90), (500, 560, 180))  # Unknown 1, 2 and 3


@pytest.fixture
def groups():
    tables = group_unknowns({"first.mp4": FIRST}, threshold=NEAR)
    assert numbers(tables["first.mp4"]) == "1 2 3"
    return table_of_groups(tables)


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        ([], ""),
        ([(0, 50, 92)], "2"),
        ([(0, 50, 45)], "4"),
        ([(0, 50, 45), (60, 200, 135), (210, 300, 3)], "5 4 1"),  # new ones longest first
        ([(0, 50, 92), (40, 99, 88)], "2 4"),  # they share a frame: one of them is somebody else
        ([(0, 10, 92)], "2"),  # a moment is enough for who is known
        ([(0, 10, 45)], "."),  # not for somebody new
        ([(0, 15, 45), (20, 35, 47)], "4 4"),
        ([(0, 50, 92, "Ada"), (60, 99, None)], ". ."),
        ([(0, 50, 12), (60, 99, 31)], "1 4"),  # near each other too: the nearest pair joins first
        ([(0, 50, 17), (60, 99, 33)], "4 4"),
    ],
)
def test_one_more_film(groups, rows, labels):
    table = group_unknowns({"second.mp4": film(*rows)}, groups=groups, threshold=NEAR)["second.mp4"]
    after = add_to_groups(groups, {"second.mp4": table})
    assert numbers(table) == labels
    assert after["cluster"].tolist()[:3] == groups["cluster"].tolist()
    assert after["size"].sum() == 3 + sum(label != "." for label in labels.split())


def test_groups_that_stand_never_join_each_other():
    apart = table_of_groups(group_unknowns({"a.mp4": film((0, 99, 0), (50, 150, 4))}, threshold=NEAR))
    table = group_unknowns({"b.mp4": film((0, 99, 2), (200, 250, 3))}, groups=apart, threshold=NEAR)["b.mp4"]
    after = add_to_groups(apart, {"b.mp4": table})
    assert len(after) == 2
    assert set(numbers(table).split()) <= {"1", "2"}


def test_a_film_more_is_as_though_it_had_been_there(groups):
    second = film((0, 80, 4), (100, 140, 94), (150, 300, 270))
    matched = group_unknowns({"second.mp4": second}, groups=groups, threshold=NEAR)["second.mp4"]
    after = add_to_groups(groups, {"second.mp4": matched})
    whole = group_unknowns({"first.mp4": FIRST, "second.mp4": second}, threshold=NEAR)
    same = pd.crosstab(matched["cluster"], whole["second.mp4"]["cluster"])
    assert (np.sort(same.to_numpy(), axis=1)[:, :-1] == 0).all()
    expected = table_of_groups(whole)
    assert sorted(after["size"]) == sorted(expected["size"])
    assert after["seconds"].sum() == pytest.approx(expected["seconds"].sum())
    total = np.sum(after["sums"].to_list(), axis=0)
    assert total == pytest.approx(np.sum(expected["sums"].to_list(), axis=0))


def test_no_groups_yet_and_names_that_are_taken():
    nothing = table_of_groups({})
    table = group_unknowns({"a.mp4": FIRST}, groups=nothing, threshold=NEAR, reserved=["Unknown 1"])["a.mp4"]
    after = add_to_groups(nothing, {"a.mp4": table})
    assert numbers(table) == "2 3 4"
    assert after["cluster"].tolist() == ["Unknown 2", "Unknown 3", "Unknown 4"]


def test_poor_faces_join_good_ones_and_hardly_each_other(groups):
    looks = pd.DataFrame({"track": [0, 1, 2], "quality": [0.09, 0.09, 0.09]})
    second = film((0, 50, 105), (60, 120, 230), (130, 200, 245))
    table = group_unknowns({"second.mp4": second}, groups=groups, threshold=NEAR, looks={"second.mp4": looks})[
        "second.mp4"
    ]
    assert numbers(table) == "2 5 4"


def test_what_is_written_and_read_again_matches_alike(groups, tmp_path):
    groups.to_parquet(tmp_path / "groups.parquet")
    again = pd.read_parquet(tmp_path / "groups.parquet")
    table = group_unknowns({"second.mp4": film((0, 50, 92), (60, 99, 45))}, groups=again, threshold=NEAR)["second.mp4"]
    after = add_to_groups(again, {"second.mp4": table})
    assert numbers(table) == "2 4"
    assert after["size"].tolist() == [1, 2, 1, 1]


def test_groups_that_stand_are_not_compared_with_each_other(monkeypatch):
    """So that one more film costs as much more as there are groups, and not their square."""
    compared = []
    search = Agglomeration._search

    def counting(self, rows, heirs=None):
        alike = self.groups.alike
        self.groups.alike = lambda own, others: compared.append(len(own) * len(others)) or alike(own, others)
        try:
            search(self, rows, heirs)
        finally:
            del self.groups.alike

    monkeypatch.setattr(Agglomeration, "_search", counting)
    random = np.random.default_rng(0)
    vectors = random.normal(size=(20, 8))
    counts = {}
    for there in (500, 1000, 2000):
        compared.clear()
        unit = random.normal(size=(there, 8))
        sums = np.column_stack([unit / np.linalg.norm(unit, axis=1, keepdims=True), np.zeros(there)])
        link(vectors, threshold=0.2, sums=sums, sizes=np.ones(there))
        counts[there] = sum(compared)
    assert counts[1000] < 2.2 * counts[500]
    assert counts[2000] < 2.2 * counts[1000]


def test_a_film_in_which_everybody_is_known_brings_no_rows():
    known = FIRST.assign(person="Ada")
    looks = pd.DataFrame({"track": known["track"], "quality": 0.5})
    tables = group_unknowns({"a.mp4": known, "b.mp4": FIRST}, threshold=NEAR, looks={"a.mp4": looks})
    assert numbers(tables["a.mp4"]) == ". . ." and numbers(tables["b.mp4"]) == "1 2 3"
    groups = table_of_groups(tables, looks={"a.mp4": looks})
    assert groups["cluster"].tolist() == ["Unknown 1", "Unknown 2", "Unknown 3"]
    table = group_unknowns({"c.mp4": known}, groups=groups, threshold=NEAR, looks={"c.mp4": looks})["c.mp4"]
    after = add_to_groups(groups, {"c.mp4": table}, looks={"c.mp4": looks})
    assert numbers(table) == ". . ." and len(after) == len(groups)
