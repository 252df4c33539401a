"""A box that is only interpolated is not shown where another person stands in front."""

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
        (3, 300, []),  # nobody is near: the detector's miss
        (1, 70, []),  # a single miss
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


def test_no_face():
    assert drop_hidden(fill_frames([], np.arange(3.0), 0), [0, 2]).empty
