"""A box that is only interpolated is not shown where somebody or something is in front of the face."""

import numpy as np
import pytest

from facelib.films.hidden import drop_hidden
from facelib.films.track import Track, fill_frames


def at(x, y=0):
    return np.array([x, y, x + 40, y + 50], np.float32)


def walked(gap, *, beside):
    """A face at 100, not found for `gap` samples, and another that stands at `beside`; samples lie 2 frames apart."""
    samples = list(range(0, 21, 2))
    hidden = samples[3 : 3 + gap]
    mine = [frame for frame in samples if frame not in hidden]
    tracks = [
        Track(0, 0, mine, [at(100)] * len(mine), [1.0] * len(mine)),
        Track(1, 0, samples, [at(beside)] * len(samples), [1.0] * len(samples)),
    ]
    return fill_frames(tracks, np.arange(21) / 25, 0), samples


@pytest.mark.parametrize(
    ("gap", "beside", "gone"),
    [
        (3, 70, list(range(5, 12))),  # behind the other: from the last sighting to the next
        (3, 137, list(range(5, 12))),  # covered by a little more than a twentieth
        (3, 139, []),  # covered by less
        (3, 300, []),  # nobody is near, and the face is often missed
        (1, 70, [6]),  # a face that is nearly always found is hidden by something
        (1, 300, [6]),
        (2, 300, [6, 7, 8]),
        (0, 70, []),
    ],
)
def test_boxes_behind_another_face_are_dropped(gap, beside, gone):
    found, samples = walked(gap, beside=beside)
    kept = drop_hidden(found, samples)
    assert sorted(set(range(21)) - set(kept.loc[kept["track"] == 0, "frame"])) == gone
    assert (kept["track"] == 1).sum() == 21
    assert kept.index.tolist() == list(range(len(kept)))
    assert list(kept.columns) == list(found.columns)


def test_frames_nearest_to_a_sample_where_the_face_is_hidden_have_no_box():
    """Samples lie 6 frames apart; the frame midway between two of them belongs to the one where the face was found."""
    samples = list(range(0, 61, 6))
    mine = [frame for frame in samples if frame != 30]
    found = fill_frames([Track(0, 0, mine, [at(100)] * len(mine), [1.0] * len(mine))], np.arange(61) / 25, 0)
    kept = drop_hidden(found, samples)
    assert sorted(set(range(61)) - set(kept["frame"])) == [28, 29, 30, 31, 32]


def test_no_face():
    assert drop_hidden(fill_frames([], np.arange(3.0), 0), [0, 2]).empty
