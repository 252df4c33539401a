"""Faces are followed through a shot, and boxes in between are interpolated."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.faces import Faces
from facelib.track import DETECTIONS, Look, ShotTracker, Track, fill_frames


def box(x, y, size=40):
    return [x, y, x + size, y + size]


def follow(samples, **options):
    """Feed one list of boxes a sample, 0.2 s apart; return the tracks as lists of (frame, left)."""
    tracker = ShotTracker(0, 0, seconds_between_samples=0.2, **options)
    for i, boxes in enumerate(samples):
        tracker.update(5 * i, 0.2 * i, Faces.of(np.array(boxes, float).reshape(-1, 4)))
    return [[(f, float(b[0])) for f, b in zip(t.frames, t.boxes, strict=True)] for t in tracker.tracks]


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
    ],
)
def test_tracks(samples, lengths):
    assert [len(track) for track in follow(samples)] == lengths


def test_long_loss_ends_a_track():
    samples = [[box(0, 0)]] * 3 + [[]] * 8 + [[box(0, 0)]] * 3
    assert [len(track) for track in follow(samples, patience=1.0)] == [3, 3]


def test_faces_that_pass_each_other_keep_their_tracks():
    samples = [[box(20 * i, 0), box(400 - 20 * i, 30)] for i in range(8)]
    for track in follow(samples):
        lefts = [left for _, left in track]
        assert sorted(lefts) in (lefts, lefts[::-1])


def test_best_looks_are_kept():
    track = Track(0, 0)
    for quality in (0.1, 0.9, 0.3, 0.8, 0.2):
        if track.wants(quality, 3):
            track.keep(Look(quality, np.zeros((1, 1, 3), np.uint8)), 3)
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

    def test_nobody(self):
        assert list(fill_frames([], np.arange(3.0), first_frame=0).columns) == DETECTIONS.names
