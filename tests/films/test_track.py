"""Faces are followed through a shot, and boxes in between are interpolated."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from facelib.faces import Faces
from facelib.films.track import FaceSample, ShotTracker, Track, fill_frames
from facelib.films.tracking import DETECTIONS

METHODS = ["sort", "bytetrack", "ocsort"]


def box(x, y, size=40):
    return [x, y, x + size, y + size]


def tracker_after(samples, scores=None, **options):
    """Feed one list of boxes a sample, 0.2 s and 5 frames apart."""
    tracker = ShotTracker(0, 0, seconds_between_samples=0.2, **options)
    for i, boxes in enumerate(samples):
        given = None if scores is None else scores[i]
        tracker.update(5 * i, 0.2 * i, Faces.of(np.array(boxes, float).reshape(-1, 4), given))
    return tracker


def follow(samples, scores=None, **options):
    """The tracks as lists of (frame, left)."""
    tracks = tracker_after(samples, scores, **options).tracks
    return [[(f, float(b[0])) for f, b in zip(t.frames, t.boxes, strict=True)] for t in tracks]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("samples", "lengths"),
    [
        ([], []),
        ([[]], []),
        ([[box(0, 0)]], []),  # seen once: no track
        ([[box(0, 0)], [box(4, 0)], [box(8, 0)]], [3]),  # the first sighting belongs to it
        ([[box(0, 0), box(200, 0)]] * 4, [4, 4]),  # two faces, not mixed
        ([[], [], [box(0, 0)], [box(2, 2)], []], [2]),  # comes late, goes early
        ([[box(0, 0)], [box(0, 0)], [], [box(0, 0)], [box(0, 0)]], [4]),  # lost for one sample
        ([[box(50 * i, 0)] for i in range(5)], [5]),  # faster than its own width a sample
        ([[box(0, 0)], [box(500, 500)], [box(0, 300)]], []),  # unsteady: never twice in one place
        ([[box(0, 0)]] * 3 + [[]] * 8 + [[box(0, 0)]] * 3, [3, 3]),  # lost for longer than a second
    ],
)
def test_tracks(samples, lengths, method):
    assert [len(track) for track in follow(samples, method=method)] == lengths


@pytest.mark.parametrize("method", METHODS)
def test_patience(method):
    samples = [[box(0, 0)]] * 3 + [[]] * 8 + [[box(0, 0)]] * 3
    assert [len(track) for track in follow(samples, method=method, patience=3.0)] == [6]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seconds", [0.04, 1.0, 5.0])
def test_samples_may_be_far_apart(method, seconds):
    tracker = ShotTracker(0, 0, seconds_between_samples=seconds, method=method)
    for i, late in enumerate([0, 0.02, 0.01, -0.02, 0.02]):  # frames are not shown exactly on the grid
        tracker.update(i, i * seconds + late, Faces.of([box(0, 0)]))
    assert [len(track.frames) for track in tracker.tracks] == [5]
    assert tracker.patience == max(1.0, 1.5 * seconds)


@pytest.mark.parametrize("method", METHODS)
def test_samples_may_come_less_often_than_expected(method):
    tracker = ShotTracker(0, 0, seconds_between_samples=0.04, method=method)
    for number in range(4):
        tracker.expect(3.0)
        tracker.update(number, 3.0 * number, Faces.of([box(0, 0)]))
    assert [len(track.frames) for track in tracker.tracks] == [4]
    tracker.expect(0.04)
    assert tracker.patience == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_faces_that_pass_each_other_keep_their_tracks(method):
    samples = [[box(20 * i, 0), box(400 - 20 * i, 30)] for i in range(8)]
    assert len(follow(samples, method=method)) == 2
    for track in follow(samples, method=method):
        lefts = [left for _, left in track]
        assert sorted(lefts) in (lefts, lefts[::-1])


@pytest.mark.parametrize("method", METHODS)
def test_each_face_is_told_its_own_track(method):
    # Sure and faint faces in mixed order: a linker may take the sure ones first.
    places = [0, 300, 600, 900]
    tracker = ShotTracker(3, 7, seconds_between_samples=0.2, method=method, sure_score=0.5)
    for i in range(4):
        scores = [0.9] * 4 if i < 2 else [0.4, 0.9, 0.35, 0.8]
        linked = tracker.update(5 * i, 0.2 * i, Faces.of([box(x, 0) for x in places], scores))
    assert all(track is not None for track in linked)
    for track, left in zip(linked, places, strict=True):
        assert {float(one[0]) for one in track.boxes} == {left}
        assert track.frames == [0, 5, 10, 15]
        assert track.shot == 3
    assert sorted(track.number for track in tracker.tracks) == [7, 8, 9, 10]
    assert tracker.samples == [0, 5, 10, 15]


@pytest.mark.parametrize("method", METHODS)
class TestSureScore:
    def test_faint_faces_begin_no_track(self, method):
        samples, scores = [[box(0, 0)]] * 4, [[0.4]] * 4
        assert follow(samples, scores, method=method, sure_score=0.5) == []
        assert [len(track) for track in follow(samples, scores, method=method)] == [4]

    def test_faint_faces_go_on_with_one(self, method):
        scores = [[0.9], [0.8], [0.4], [0.35], [0.9]]
        assert [len(one) for one in follow([[box(0, 0)]] * 5, scores, method=method, sure_score=0.5)] == [5]

    def test_a_track_begins_where_its_face_gets_sure(self, method):
        scores = [[0.4], [0.4], [0.4], [0.9], [0.4], [0.4]]
        (track,) = follow([[box(0, 0)]] * 6, scores, method=method, sure_score=0.5)
        assert track[0][0] in (10, 15)  # the sure one, or the faint one just before it
        assert track[-1][0] == 25

    def test_scores_of_any_scale(self, method):
        scores = [[-3.0]] * 3
        assert [len(track) for track in follow([[box(0, 0)]] * 3, scores, method=method)] == [3]
        assert follow([[box(0, 0)]] * 3, scores, method=method, sure_score=-2.0) == []


def test_a_faint_face_does_not_take_the_track_of_a_sure_one():
    samples = [[box(0, 0)]] * 3 + [[box(18, 0), box(2, 0)]] * 3
    scores = [[0.9]] * 3 + [[0.9, 0.4]] * 3
    (track,) = follow(samples, scores, method="bytetrack", sure_score=0.5)
    assert track[-1][1] == 18


def test_missed_samples_are_counted():
    samples = [[box(0, 0)]] * 3 + [[]] * 2 + [[box(0, 0)]] * 2 + [[]] + [[box(0, 0)]] + [[]] * 3
    (track,) = tracker_after(samples).tracks
    assert (len(track.frames), track.missed) == (6, 3)  # those behind its end do not count


@pytest.mark.parametrize("method", METHODS)
class TestBegunAtOnce:
    @pytest.mark.parametrize(
        ("samples", "lengths"),
        [
            ([[]], []),
            ([[box(0, 0)]], [1]),
            ([[box(0, 0)], [box(4, 0)], [box(8, 0)]], [3]),  # its second sighting begins no other
            ([[box(0, 0), box(200, 0)]] * 4, [4, 4]),
            ([[box(0, 0)], [], [box(2, 2)], [box(4, 4)]], [3]),  # lost right after it was seen first
            ([[box(0, 0)], [box(500, 500)], [box(0, 300)]], [1, 1, 1]),
            ([[box(0, 0)]] + [[]] * 8 + [[box(0, 0)]] * 3, [1, 3]),  # lost for longer than a second
        ],
    )
    def test_one_sighting_is_enough(self, samples, lengths, method):
        assert [len(track) for track in follow(samples, method=method, sightings=1)] == lengths

    def test_each_face_has_its_track_from_the_first_sample(self, method):
        tracker = ShotTracker(3, 7, seconds_between_samples=0.2, method=method, sightings=1)
        numbers = []
        for i in range(4):
            places = [0, 300, 600][:: -1 if i % 2 else 1]  # told in another order each time
            linked = tracker.update(5 * i, 0.2 * i, Faces.of([box(x, 0) for x in places]))
            numbers.append({x: track.number for x, track in zip(places, linked, strict=True)})
        assert numbers == [{0: 7, 300: 8, 600: 9}] * 4

    def test_a_faint_face_still_begins_none(self, method):
        options = {"method": method, "sure_score": 0.5, "sightings": 1}
        assert follow([[box(0, 0)]], [[0.4]], **options) == []
        assert [len(one) for one in follow([[box(0, 0)]] * 3, [[0.9], [0.4], [0.9]], **options)] == [3]


def test_another_method_is_refused():
    with pytest.raises(ValueError, match="expected method 'sort', 'bytetrack' or 'ocsort', got 'deep'"):
        ShotTracker(0, 0, seconds_between_samples=0.2, method="deep")


def test_best_looks_are_kept():
    track = Track(0, 0)
    for quality in (0.1, 0.9, 0.3, 0.8, 0.2):
        if track.wants(quality, 3):
            track.keep(FaceSample(quality, np.zeros((1, 1, 3), np.uint8)), 3)
    assert [look.quality for look in track.looks] == [0.9, 0.8, 0.3]
    assert not track.wants(0.25, 3)


class TestFilling:
    def test_interpolates_over_time_not_over_frames(self):
        track = Track(7, 2, [10, 12], [np.array(box(0, 0)), np.array(box(30, 60))], [0.5, 1.0])
        table = fill_frames([track], np.array([1.0, 1.1, 1.3]), first_frame=10)
        assert list(table.columns) == DETECTIONS.names
        assert table["frame"].tolist() == [10, 11, 12]
        assert table["interpolated"].tolist() == [False, True, False]
        # 1.1 s is a third of the way from 1.0 to 1.3 s
        assert table.loc[1, ["left", "top"]].tolist() == pytest.approx([10, 20])
        assert table.loc[1, "score"] == pytest.approx(0.5 + 0.5 / 3)
        assert set(table["track"]) == {7}
        assert set(table["shot"]) == {2}

    def test_sorted_by_frame_across_tracks(self):
        tracks = [Track(n, 0, [n, 3], [np.array(box(0, 0))] * 2, [1, 1]) for n in range(2)]
        table = fill_frames(tracks, np.arange(4) / 25, first_frame=0)
        assert table["frame"].is_monotonic_increasing
        assert len(table) == 7

    @pytest.mark.parametrize(
        ("longest_gap", "frames"),
        [
            (np.inf, list(range(2, 21))),
            (0.5, [*range(2, 7), *range(16, 21)]),  # samples in frames 2, 6, 16, 20 at 10 frames a second
            (0.4, [*range(2, 7), *range(16, 21)]),
            (0.3, [2, 6, 16, 20]),  # what was found stays
        ],
    )
    def test_no_rows_in_long_gaps(self, longest_gap, frames):
        track = Track(0, 0, [2, 6, 16, 20], [np.array(box(x, 0)) for x in (0, 4, 100, 104)], [1.0] * 4)
        table = fill_frames([track], np.arange(25) / 10, first_frame=0, longest_gap=longest_gap)
        assert table["frame"].tolist() == frames
        assert table.loc[~table["interpolated"], "frame"].tolist() == [2, 6, 16, 20]
        assert table.set_index("frame").loc[20, "left"] == 104
        if longest_gap < 1:  # the box does not wander through the gap
            assert not table["left"].between(4.01, 99.99).any()

    def test_a_single_sample(self):
        table = fill_frames([Track(0, 0, [5], [np.array(box(0, 0))], [1.0])], np.arange(9.0), 0, longest_gap=1)
        assert table["frame"].tolist() == [5]

    def test_nobody(self):
        assert list(fill_frames([], np.arange(3.0), first_frame=0).columns) == DETECTIONS.names


@pytest.mark.real_data
@pytest.mark.parametrize("method", METHODS)
def test_one_track_a_person_and_shot(shared_data, method):
    # The boxes of the truth, every sixth frame: each person of a shot must come out as one track.
    from facelib.evaluate import read_truth

    truth = read_truth(shared_data / "film_clips" / "truth" / "will_smith1.csv")
    numbers = {}
    for shot, (first, end) in enumerate(pairwise([0, 53, 120, 191])):
        tracker = ShotTracker(shot, 10 * shot, seconds_between_samples=0.2, method=method)
        for frame in range(first, end, 6):
            boxes = truth.loc[truth["frame"] == frame, ["left", "top", "right", "bottom"]]
            tracker.update(frame, frame / 30, Faces.of(boxes.to_numpy()))
        numbers[shot] = [track.number for track in tracker.tracks]
    assert numbers == {0: [0], 1: [10], 2: [20]}
