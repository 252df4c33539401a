"""Tracks judged as wholes, and groups of them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from facelib.evaluate import count_tracks, join_films, judge_tracks, match_faces, score_clusters, track_clusters
from facelib.evaluate.tracks import TrackScore


def judged(found, truth):
    return judge_tracks(join_films([match_faces(found, truth)], ["f.mp4"]))


def test_a_track_is_whose_it_lies_on_most(found, truth):
    table = judged(
        found(*((frame, 0, 1, "A") for frame in range(5))), truth((0, 0, "A"), (1, 0, "A"), (2, 0, "A"), (3, 0, "B"))
    )
    row = table.iloc[0]
    assert (row["label"], row["verdict"], row["faces"], row["purity"]) == ("A", "right", 5, 0.6)


@pytest.mark.parametrize(
    ("name", "label", "verdict"),
    [
        ("A", "A", "right"),
        ("B", "A", "wrong"),
        ("unknown", "A", "not named"),
        ("unknown", "unknown", "stranger"),
        ("A", "unknown", "stranger named"),
        ("unknown", None, "no face"),
        ("A", None, "no face named"),
        ("A", "", ""),
    ],
)
def test_verdicts(found, truth, name, label, verdict):
    labels = truth() if label is None else truth((0, 0, label))
    assert judged(found((0, 0, 1, name)), labels)["verdict"].tolist() == [verdict]


def test_tracks_are_counted(found, truth):
    table = judged(
        found((0, 0, 1, "A"), (0, 20, 2, "B"), (0, 40, 3, "unknown"), (0, 60, 4, "A"), (0, 80, 5, "unknown")),
        truth((0, 0, "A"), (0, 20, "A"), (0, 40, "unknown"), (0, 60, "unknown")),
    )
    tally = count_tracks(table)
    assert tally == TrackScore(
        tracks=5, cast=2, right=1, wrong=1, strangers=2, strangers_named=1, no_face=1, no_face_named=0
    )
    assert tally.accuracy == 0.5


def test_no_tracks(found, truth):
    assert count_tracks(judged(found(), truth((0, 0, "A")))) == TrackScore()
    assert TrackScore().accuracy == 1
    assert judge_tracks(join_films([], [])).empty


def test_two_films_with_tracks_of_one_number(found, truth):
    one = match_faces(found((0, 0, 1, "A")), truth((0, 0, "A")))
    assert judge_tracks(join_films([one, one], ["x", "y"]))["film"].tolist() == ["x", "y"]


# Six items of three people in three groups, worked out by hand.
PEOPLE = ["a", "a", "a", "b", "b", "c"]
GROUPS = [1, 1, 2, 2, 2, 3]


class TestClusters:
    def test_by_hand(self):
        result = score_clusters(PEOPLE, GROUPS)
        assert (result.items, result.people, result.clusters) == (6, 3, 3)
        assert result.purity == pytest.approx(5 / 6)
        # For each item: the share of its group that is of its person, and of its person that is in its group.
        assert result.precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3 + 1) / 6)
        assert result.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6)
        assert result.f1 == pytest.approx(2 * 14 * 14 / (14 + 14) / 18)

    def test_mutual_information_by_its_definition(self):
        joint = pd.crosstab(np.array(PEOPLE), np.array(GROUPS)).to_numpy() / 6
        rows, columns = joint.sum(axis=1), joint.sum(axis=0)
        terms = [p * math.log(p / (rows[i] * columns[j])) for (i, j), p in np.ndenumerate(joint) if p]
        entropies = [-sum(p * math.log(p) for p in side) for side in (rows, columns)]
        assert score_clusters(PEOPLE, GROUPS).nmi == pytest.approx(sum(terms) / np.mean(entropies))

    @pytest.mark.parametrize(
        ("groups", "purity", "recall"),
        [
            ([1, 1, 1, 2, 2, 3], 1, 1),  # as it should be
            ([1, 1, 1, 1, 1, 1], 0.5, 1),  # all in one
            ([1, 2, 3, 4, 5, 6], 1, 0.5),  # each alone: pure, and useless
        ],
    )
    def test_extremes(self, groups, purity, recall):
        result = score_clusters(PEOPLE, groups)
        assert (result.purity, result.recall) == pytest.approx((purity, recall))

    def test_nothing(self):
        result = score_clusters([], [])
        assert (result.items, result.clusters) == (0, 0) and math.isnan(result.purity) and math.isnan(result.f1)

    def test_lengths_must_agree(self):
        with pytest.raises(ValueError, match="one group an item"):
            score_clusters(["a"], [1, 2])

    def test_of_tracks_by_name_by_cluster_and_alone(self, found, truth):
        table = found((0, 0, 1, "A"), (1, 0, 2, "A"), (2, 0, 3, "unknown"), (3, 0, 4, "unknown"), (4, 0, 5, "unknown"))
        table["cluster"] = ["", "", "Unknown 1", "Unknown 1", ""]
        labels = truth((0, 0, "A"), (1, 0, "A"), (2, 0, "B"), (3, 0, "A"), (4, 0, "unknown"))
        result = track_clusters(judged(table, labels))
        # The stranger, whom nothing tells from others, does not count.
        assert (result.items, result.people, result.clusters) == (4, 2, 2)
        assert result.purity == 0.75
