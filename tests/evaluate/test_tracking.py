"""Tracks and names over time, by hand and against the library that defines the figures."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from facelib.evaluate import score_tracking
from facelib.evaluate.tracking import pieces, shots_of


def straight(*parts):
    """Return rows of one face that stands still: (first frame, last frame, place, track, person) a part."""
    return [(frame, x, track, person) for first, last, x, track, person in parts for frame in range(first, last + 1)]


def test_one_track_a_person_is_perfect(found, truth):
    table = found(*straight((0, 9, 0, 1, "A"), (0, 9, 50, 2, "B")))
    labels = truth(*((frame, x, who) for frame in range(10) for x, who in ((0, "A"), (50, "B"))))
    for by in ("track", "person"):
        result = score_tracking([(table, labels)], by=by)
        assert (result.hota, result.idf1, result.switches) == (1, 1, 0)
        assert (result.found, result.labelled, result.found_per_labelled) == (2, 2, 1)


def test_a_track_broken_in_two_is_one_switch_and_costs_its_shorter_part(found, truth):
    table = found(*straight((0, 7, 0, 1, "A"), (8, 9, 0, 2, "A")))
    labels = truth(*((frame, 0, "A") for frame in range(10)))
    result = score_tracking([(table, labels)])
    assert (result.switches, result.found, result.labelled) == (1, 2, 1)
    assert result.idf1 == pytest.approx(0.8)  # eight of ten faces bear the identity that fits best
    assert result.detection == pytest.approx(1)
    assert result.hota == pytest.approx(math.sqrt(result.association))
    # By name nothing is broken.
    assert score_tracking([(table, labels)], by="person").idf1 == 1


def test_identities_change_at_cuts_by_track_but_not_by_person(found, truth):
    table = found(*straight((0, 4, 0, 1, "A"), (5, 9, 0, 2, "A")))
    labels = truth(*((frame, 0, "A") for frame in range(10)), cuts=(5,))
    assert score_tracking([(table, labels)]).idf1 == 1
    assert score_tracking([(table, labels)]).labelled == 2
    assert score_tracking([(table, labels)], by="person").labelled == 1


def test_the_shots_that_were_found_serve_where_none_are_labelled(found, truth):
    table = found(*straight((0, 4, 0, 1, "A"), (5, 9, 0, 2, "A")))
    table["shot"] = (table["frame"] >= 5).astype(int)
    result = score_tracking([(table, truth(*((frame, 0, "A") for frame in range(10))))])
    assert (result.labelled, result.switches) == (2, 0)


def test_a_wrong_name_in_between_is_told_by_person_only(found, truth):
    table = found(*straight((0, 5, 0, 1, "A"), (6, 9, 0, 1, "B")))
    labels = truth(*((frame, 0, "A") for frame in range(10)))
    assert score_tracking([(table, labels)]).idf1 == 1
    assert score_tracking([(table, labels)], by="person").idf1 == pytest.approx(0.6)


def test_unknown_tracks_of_one_cluster_are_one_person(found, truth):
    table = found(*straight((0, 4, 0, 1, "unknown"), (5, 9, 0, 2, "unknown")))
    labels = truth(*((frame, 0, "A") for frame in range(10)))
    assert score_tracking([(table, labels)], by="person").idf1 == pytest.approx(0.5)
    assert score_tracking([(table.assign(cluster="Unknown 1"), labels)], by="person").idf1 == 1


def test_a_name_twice_in_a_frame_is_two_identities(found, truth):
    table = found(*straight((0, 9, 0, 1, "A"), (0, 9, 50, 2, "A")))
    labels = truth(*((frame, x, who) for frame in range(10) for x, who in ((0, "A"), (50, "B"))))
    result = score_tracking([(table, labels)], by="person")
    assert result.idf1 == 1 and result.found == 2


def test_tracks_on_no_face_are_no_tracks_of_a_person(found, truth):
    table = found(*straight((0, 9, 0, 1, "A"), (0, 9, 70, 2, "unknown")))
    result = score_tracking([(table, truth(*((frame, 0, "A") for frame in range(10))))])
    assert result.found_per_labelled == 1
    assert result.idf1 == pytest.approx(2 * 10 / 30)


def test_only_labelled_frames_count(found, truth):
    table = found(*straight((0, 9, 0, 1, "A"), (0, 3, 70, 2, "A")))
    result = score_tracking([(table, truth((4, 0, "A"), (9, 0, "A"), frames={4, 9}))])
    assert (result.idf1, result.found) == (1, 1)


def test_films_are_added_up_and_their_tracks_kept_apart(found, truth):
    good = (found(*straight((0, 9, 0, 1, "A"))), truth(*((frame, 0, "A") for frame in range(10))))
    bad = (found(), truth(*((frame, 0, "A") for frame in range(10))))
    result = score_tracking([good, bad])
    assert result.idf1 == pytest.approx(2 * 10 / 30)
    assert (result.found, result.labelled) == (1, 2)


def test_nothing_labelled_and_nothing_found(found, truth):
    nothing = score_tracking([])
    assert math.isnan(nothing.hota) and math.isnan(nothing.found_per_labelled) and nothing.switches == 0
    assert math.isnan(score_tracking([(found((0, 0, 1, "A")), truth())]).idf1)
    assert score_tracking([(found(), truth((0, 0, "A")))]).idf1 == 0


def test_what_is_an_identity_is_checked(found, truth):
    with pytest.raises(ValueError, match="'track' or 'person'"):
        score_tracking([], by="name")


class TestPieces:
    def test_strangers_are_linked_where_their_boxes_overlap(self, truth):
        faces = truth((0, 0, "unknown"), (0, 50, "unknown"), (1, 3, "unknown"), (1, 80, "unknown")).faces
        found = pieces(faces, np.zeros(4, int)).tolist()
        assert found[0] == found[2]
        assert len(set(found)) == 3

    def test_and_never_across_a_cut(self, truth):
        faces = truth((0, 0, "unknown"), (1, 0, "unknown"), (2, 0, "unknown")).faces
        assert pieces(faces, np.array([0, 0, 1])).nunique() == 2

    def test_a_stranger_who_was_hidden_for_a_moment_is_the_same(self, truth):
        faces = truth((0, 0, "unknown"), (0, 40, "unknown"), (1, 40, "unknown"), (2, 0, "unknown")).faces
        found = pieces(faces, np.zeros(4, int)).tolist()
        assert found[0] == found[3] and found[1] == found[2]

    def test_none(self, truth):
        assert pieces(truth().faces, np.zeros(0, int)).empty


@pytest.mark.parametrize(
    ("cuts", "shots"),
    [
        ((), [0, 0, 0, 0]),
        ((3, 7), [0, 1, 1, 2]),
        (None, [4, 4, 4, 6]),  # by the faces found at or before each frame; before the first, by the first
    ],
)
def test_the_shot_of_a_frame(found, cuts, shots):
    table = found((2, 0, 1, "A"), (7, 0, 2, "A")).assign(shot=[4, 6])
    assert shots_of(np.array([0, 3, 6, 7]), table, cuts).tolist() == shots
    if cuts is None:
        assert shots_of(np.array([1]), pd.DataFrame(columns=["frame", "shot"]), None).tolist() == [0]
