"""Pieces of one face become one track, two people never do, and what is no face goes for a stated reason."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.embed import load_embedder
from facelib.embed.quality import quality
from facelib.evaluate import read_truth
from facelib.faces import Faces
from facelib.films.media.decode import read_frames
from facelib.films.merge import TrackFilters, merge_tracklets
from facelib.films.track import FaceSample, ShotTracker, Track, fill_frames

TIMES = np.arange(400) / 10  # ten frames a second
LARGE, SMALL = 80, 16


def person(seed, dimension=16):
    """A unit vector; two people are about 1.4 apart."""
    vector = np.random.default_rng(seed).normal(size=dimension)
    return vector / np.linalg.norm(vector)


def near(vector, distance, seed=9):
    return vector + distance * person(seed)


def piece(number, frames, *, x=0, size=LARGE, qualities=(0.5,), score=0.9, missed=0, y=0):
    frames = list(frames)
    box = np.array([x, y, x + size, y + size], np.float32)
    looks = [FaceSample(quality, np.zeros((1, 1, 3), np.uint8)) for quality in sorted(qualities, reverse=True)]
    return Track(number, 2, frames, [box] * len(frames), [score] * len(frames), looks, missed)


def groups(tracks, vectors, **options):
    options = {"largest_distance": 0.4, **options}
    return members(tracks, merge_tracklets(tracks, np.array(vectors), TIMES, 0, **options))


def members(tracks, joined):
    """Which of the given tracks each joined one is made of, by the boxes it has of theirs."""
    return [[i for i, track in enumerate(tracks) if any(box is track.boxes[0] for box in one.boxes)] for one in joined]


class TestStitching:
    def test_one_face_in_three_pieces_is_one_track(self):
        tracks = [
            piece(4, range(0, 10, 2), missed=1),
            piece(5, range(60, 80, 2), x=300),
            piece(6, range(200, 220, 2), x=600, missed=2),
        ]
        joined = merge_tracklets(
            tracks, [near(person(0), 0.1, seed) for seed in (5, 6, 7)], TIMES, 0, largest_distance=0.4
        )
        (track,) = joined
        assert members(tracks, joined) == [[0, 1, 2]]
        assert track.frames == [*range(0, 10, 2), *range(60, 80, 2), *range(200, 220, 2)]
        assert [float(box[0]) for box in track.boxes[::5]] == [0, 300, 300, 600, 600]
        assert (track.number, track.shot, len(track.scores), track.missed) == (4, 2, 25, 3)

    def test_other_people_stay_apart(self):
        tracks = [piece(0, range(0, 10)), piece(1, range(60, 80), x=300)]
        assert groups(tracks, [person(0), person(1)]) == [[0], [1]]

    @pytest.mark.parametrize(
        ("distance", "largest", "expected"),
        [
            (0.39, 0.4, [[0, 1]]),
            (0.41, 0.4, [[0], [1]]),
            (0.0, np.nan, [[0], [1]]),  # an embedder of which no threshold is known
            (0.0, 0.0, [[0], [1]]),
        ],
    )
    def test_largest_distance(self, distance, largest, expected):
        tracks = [piece(0, range(0, 10)), piece(1, range(60, 80), x=300)]
        vectors = [person(0), near(person(0), distance)]
        assert groups(tracks, vectors, largest_distance=largest) == expected

    def test_two_faces_in_one_frame_are_two_people(self):
        twins = [piece(0, range(0, 20)), piece(1, range(19, 40), x=300)]
        assert groups(twins, [person(0), person(0)]) == [[0], [1]]
        after = [piece(0, range(0, 20)), piece(1, range(20, 40), x=300)]
        assert groups(after, [person(0), person(0)]) == [[0, 1]]

    def test_nor_is_either_joined_with_what_was_joined_with_the_other(self):
        # 0 and 1 are seen together; 2 is like both, liker to 1.
        tracks = [piece(0, range(0, 20)), piece(1, range(0, 20), x=300), piece(2, range(60, 80), x=600)]
        vectors = [near(person(0), 0.2, 1), near(person(0), 0.2, 2), near(person(0), 0.1, 2)]
        assert groups(tracks, vectors) == [[0], [1, 2]]

    def test_pieces_that_take_turns_are_joined(self):
        tracks = [piece(0, [0, 2, 4, 40, 42]), piece(1, [20, 22, 24], x=300)]
        joined = merge_tracklets(tracks, [person(0)] * 2, TIMES, 0, largest_distance=0.4)
        assert joined[0].frames == [0, 2, 4, 20, 22, 24, 40, 42]

    def test_the_most_alike_are_joined_first(self):
        # In the middle of two people seen together, a little nearer to the second.
        tracks = [piece(0, range(9)), piece(1, range(9), x=300), piece(2, range(50, 60), x=600)]
        line = np.array([1.0, 0.0])
        assert groups(tracks, [0 * line, 0.7 * line, 0.36 * line]) == [[0], [1, 2]]

    def test_small_faces_need_to_be_more_alike(self):
        vectors = [person(0), near(person(0), 0.3)]
        for size, expected in ((LARGE, [[0, 1]]), (SMALL, [[0], [1]])):
            tracks = [piece(0, range(0, 9), size=size), piece(1, range(60, 70), x=300, size=size)]
            assert groups(tracks, vectors) == expected

    @pytest.mark.parametrize(
        ("moved", "size", "first", "expected"),
        [
            (0, SMALL, 20, [[0, 1]]),  # a second later, where it was
            (10, SMALL, 20, [[0, 1]]),
            (15, SMALL, 20, [[0], [1]]),  # a face further
            (0, 2 * SMALL, 20, [[0], [1]]),  # twice as large
            (0, SMALL, 50, [[0], [1]]),  # four seconds later
        ],
    )
    def test_at_its_place_a_face_need_only_not_contradict(self, moved, size, first, expected):
        tracks = [piece(0, range(0, 11), size=SMALL), piece(1, range(first, first + 9), x=moved, size=size)]
        tracks[1].boxes = [box - [(size - SMALL) / 2, (size - SMALL) / 2] * 2 for box in tracks[1].boxes]
        assert groups(tracks, [person(0), near(person(0), 0.45)]) == expected
        assert groups(tracks, [person(0), near(person(0), 0.55)]) == [[0], [1]]

    def test_embeddings_are_weighted_by_quality(self):
        # The first two are joined at 0.02 or at 0.18, by which of them is the better; 0.41 and 0.43 from there.
        for good, third, expected in (
            (0, 0.43, [[0, 1], [2]]),
            (0, 0.41, [[0, 1, 2]]),
            (1, 0.57, [[0, 1, 2]]),
            (1, 0.59, [[0, 1], [2]]),
        ):
            qualities = [[0.9, 0.9] if i == good else [0.1, 0.1] for i in range(2)]
            tracks = [piece(i, range(60 * i, 60 * i + 5), x=300 * i, qualities=qualities[i]) for i in range(2)]
            tracks.append(piece(2, range(120, 125), x=600))
            assert groups(tracks, [[0.0], [0.2], [third]]) == expected

    def test_the_best_looks_are_kept(self):
        tracks = [piece(0, range(5), qualities=[0.9] * 5 + [0.3]), piece(1, range(60, 65), qualities=[0.5, 0.4, 0.1])]
        (track,) = merge_tracklets(tracks, [person(0)] * 2, TIMES, 0, largest_distance=0.4)
        assert [look.quality for look in track.looks] == [0.9] * 5 + [0.5, 0.4, 0.3]

    def test_numbers_follow_the_first_frames(self):
        tracks = [piece(7, range(30, 40)), piece(8, range(0, 10), x=300), piece(9, range(60, 70))]
        vectors = [person(0), person(1), person(0)]
        joined = merge_tracklets(tracks, vectors, TIMES, 0, largest_distance=0.4)
        assert [track.number for track in joined] == [7, 8]
        assert members(tracks, joined) == [[1], [0, 2]]

    def test_what_was_given_is_left_as_it_is(self):
        tracks = [piece(1, range(60, 65)), piece(2, range(5))]
        merge_tracklets(tracks, [person(0)] * 2, TIMES, 0, largest_distance=0.4)
        assert [(track.number, len(track.frames), len(track.looks)) for track in tracks] == [(1, 5, 1), (2, 5, 1)]

    def test_times_are_those_of_the_shot(self):
        tracks = [piece(0, range(1000, 1011)), piece(1, range(1060, 1070))]
        joined = merge_tracklets(tracks, [person(0)] * 2, TIMES[:80] + 70, 1000, largest_distance=0.4)
        assert members(tracks, joined) == [[0, 1]]

    def test_a_hole_between_two_pieces_is_not_filled(self):
        tracks = [piece(0, range(0, 10, 2)), piece(1, range(60, 70, 2), x=300)]
        joined = merge_tracklets(tracks, [person(0)] * 2, TIMES, 0, largest_distance=0.4)
        table = fill_frames(joined, TIMES, 0, longest_gap=1.2)
        assert table["frame"].tolist() == [*range(0, 9), *range(60, 69)]
        assert set(table["track"]) == {0}

    def test_nothing_to_join(self):
        nobody = merge_tracklets([], np.empty((0, 128)), TIMES, 0, largest_distance=0.4)
        assert nobody == []
        (alone,) = merge_tracklets([piece(0, [3])], [person(0)], TIMES, 0, largest_distance=0.4)
        assert alone.frames == [3]

    def test_a_crowd(self):
        # 40 people, each in 5 pieces, never two at once.
        who = np.random.default_rng(1).permutation(np.repeat(np.arange(40), 5))
        tracks = [piece(i, [2 * i, 2 * i + 1], x=200 * i) for i in range(200)]
        vectors = [person(one, 64) for one in who]
        members = groups(tracks, vectors)
        assert sorted(len(group) for group in members) == [5] * 40
        assert all(len({who[i] for i in group}) == 1 for group in members)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="expected one embedding per track, got 1 for 2 tracks"):
            merge_tracklets([piece(0, [0]), piece(1, [5])], [person(0)], TIMES, 0, largest_distance=0.4)
        other = Track(1, 3, [5], [np.zeros(4, np.float32)], [1.0])
        with pytest.raises(ValueError, match=r"expected tracks of one shot, got those of \[2, 3\]"):
            merge_tracklets([piece(0, [0]), other], [person(0)] * 2, TIMES, 0, largest_distance=0.4)


def rejected(track, times=TIMES, filters=None):
    return (filters or TrackFilters()).why_no_face(track, times, 0)


class TestRules:
    @pytest.mark.parametrize(
        ("track", "reason"),
        [
            (piece(0, range(0, 30, 2)), ""),
            (piece(0, [10, 12]), "short: found in 2 samples, 0.2 s"),
            (piece(0, [10, 12, 14]), ""),
            (piece(0, [10, 20]), ""),  # two samples, but a second: the samples are far apart
            (piece(0, range(0, 40, 10), missed=5), "unsteady: found in 44% of the samples"),
            (piece(0, range(0, 40, 10), missed=4), ""),
        ],
    )
    def test_default_rules(self, track, reason):
        assert rejected(track) == reason

    def test_in_a_short_shot_two_samples_are_enough(self):
        track = piece(0, [0, 3])
        assert rejected(track, TIMES[:7]) == ""
        assert rejected(track) == "short: found in 2 samples, 0.3 s"

    def test_a_box_that_changes_its_size(self):
        track = piece(0, range(6))
        track.boxes = [np.array([0, 0, side, side], np.float32) for side in (40, 60, 40, 60, 40, 60)]
        assert rejected(track) == "unsteady: changes its size by 50% from sample to sample"
        slowly = [np.array([0, 0, side, side], np.float32) for side in (40, 50, 62, 78, 97, 122)]
        track.boxes = slowly  # who comes nearer grows too
        assert rejected(track) == ""

    def test_a_box_that_jumps(self):
        track = piece(0, range(6))
        track.boxes = [np.array([x, 0, x + 40, 40], np.float32) for x in (0, 60, 0, 60, 0, 60)]
        assert rejected(track) == "unsteady: jumps by 3.0 of its width from sample to sample"
        track.boxes = [np.array([x, 0, x + 40, 40], np.float32) for x in range(0, 360, 60)]  # who runs keeps his way
        assert rejected(track) == ""

    def test_a_face_is_sure_at_least_once(self):
        tracks = [piece(0, range(9), score=0.55), piece(1, range(9), score=0.55)]
        tracks[1].scores[4] = 0.8
        yunet, own = TrackFilters.of("yunet"), TrackFilters.of("a detector of one's own")
        assert [rejected(track, filters=yunet) for track in tracks] == ["faint: its best score is 0.55", ""]
        assert [rejected(track) for track in tracks] == ["", ""]
        assert [rejected(track, filters=own) for track in tracks] == ["", ""]

    def test_joined_pieces_are_not_unsteady_for_the_hole_between_them(self):
        tracker = ShotTracker(0, 0, seconds_between_samples=0.2)
        box = [0, 0, 40, 40]
        for frame in range(0, 200, 2):
            there = frame < 20 or frame >= 180
            tracker.update(frame, TIMES[frame], Faces.of([box] if there else np.empty((0, 4))))
        assert len(tracker.tracks) == 2
        joined = merge_tracklets(tracker.tracks, [person(0)] * 2, TIMES, 0, largest_distance=0.4)
        assert [rejected(track) for track in joined] == [""]


def pieces_of(film, truth, *, hole):
    """Follow the labelled face of a clip in every sixth frame but for a hole; return tracks and embeddings."""
    tracker = ShotTracker(0, 0, seconds_between_samples=0.2)
    embedder, vectors = load_embedder("dlib"), {}
    for frame in read_frames(film):
        if frame.index % 6 or frame.index in hole:
            continue
        boxes = truth.loc[truth["frame"] == frame.index, ["left", "top", "right", "bottom"]].to_numpy()
        faces, image = Faces.of(boxes), frame.image()
        for track, worth, vector in zip(
            tracker.update(frame.index, frame.index / 30, faces),
            quality(image, faces),
            embedder.embed(image, faces),
            strict=True,
        ):
            if track is not None:
                track.keep(FaceSample(float(worth), np.zeros((1, 1, 3), np.uint8)), 8)
                vectors.setdefault(track.number, []).append(vector)
    return tracker.tracks, [np.mean(vectors[track.number], axis=0) for track in tracker.tracks]


@pytest.mark.real_data
@pytest.mark.parametrize("clip", ["ford1", "marques1", "other4"])
def test_a_face_that_was_away_is_found_again(shared_data, clip):
    folder = shared_data / "film_clips"
    truth = read_truth(folder / "truth" / f"{clip}.csv")
    tracks, vectors = pieces_of(folder / "videos" / f"{clip}.mp4", truth, hole=range(40, 85))
    assert len(tracks) == 2
    times = np.arange(220) / 30
    tracks[1].boxes = [box + 1000 for box in tracks[1].boxes]  # by its looks alone: it is elsewhere
    assert members(tracks, merge_tracklets(tracks, vectors, times, 0, largest_distance=0.4)) == [[0, 1]]


@pytest.mark.real_data
def test_people_of_several_clips_stay_apart(shared_data):
    folder, tracks, vectors, clips = (
        shared_data / "film_clips",
        [],
        [],
        ["ford1", "marques1", "other4", "steve_harvey1"],
    )
    for i, clip in enumerate(clips):
        truth = read_truth(folder / "truth" / f"{clip}.csv")
        found, embedded = pieces_of(folder / "videos" / f"{clip}.mp4", truth, hole=range(40, 85))
        for track in found:  # one clip after the other, as if they were one shot
            track.frames = [frame + 220 * i for frame in track.frames]
        tracks, vectors = tracks + found, vectors + embedded
    times = np.arange(220 * len(clips)) / 30
    joined = merge_tracklets(tracks, vectors, times, 0, largest_distance=0.4)
    assert members(tracks, joined) == [[0, 1], [2, 3], [4, 5], [6, 7]]
