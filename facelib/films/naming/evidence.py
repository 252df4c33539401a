"""What a film shows of each track, and what each of these says for or against a name: logarithms of odds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray

IntArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """What is known of `n` tracks, as parallel arrays.

    Attributes:
        distances: `(n, k)`, from the track's embedding to each of `k` people.
        size: `(n,)`, height of the face, pixels of the film.
        quality: `(n,)`, 0 to 1, of its best face.
        clothes: `(n, 576)` unit vectors; NaN where nothing is seen of them.
        middle: `(n, 2)`, where the face is, pixels of the film.
        shot: `(n,)`.
        scene: `(n,)`; nothing is carried from one scene to another.
        setup: `(n,)`; shots from one camera position share it.
        frames: `(n, 2)`, first and last, inclusive.
        time: `(n,)`, seconds, the middle of each.
    """

    distances: FloatArray
    size: FloatArray
    quality: FloatArray
    clothes: FloatArray
    middle: FloatArray
    shot: NDArray[np.int64]
    scene: NDArray[np.int64]
    setup: NDArray[np.int64]
    frames: NDArray[np.int64]
    time: FloatArray

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.distances)

    def take(self, rows: IntArray) -> Tracks:
        """Return some of the tracks."""
        return Tracks(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def in_order(self) -> IntArray:
        """Return the rows by scene and time, and where these are equal by what is seen, whatever order they are in."""
        seen = (self.distances.sum(axis=1), self.size, *self.middle.T, *self.frames.T)
        return np.lexsort((*seen, self.time, self.scene))


def face_evidence(tracks: Tracks, *, threshold: float, strangers: float) -> FloatArray:
    """Return the logarithm of the odds that a face is a person's rather than a stranger's, `(n, k)`.

    Small faces lie farther from their own pictures and hardly nearer to others'. Measured on film clips made smaller:
    with dlib's embedding a face of 100 pixels lies at 0.35 from its own person's pictures and one of 20 at 0.59, while
    strangers lie at 0.65 in all sizes. So the even point moves from near the threshold towards the strangers' distance
    as the face shrinks from 52 to 19 pixels, and the evidence weakens.

    Args:
        tracks: With distances to the mean of a person's three nearest pictures.
        threshold: The distance to the nearest picture within which a good face is named.
        strangers: How far strangers' faces usually lie.
    """
    room = max(strangers - threshold, 1e-6)
    small = np.clip(np.log(52 / np.maximum(tracks.size, 1)) / np.log(52 / 19), 0, 1)
    even = threshold + (0.3 + 0.5 * small) * room
    slope = (7 - 5 * small) / room * np.clip(tracks.quality / 0.08, 0.4, 1)
    return np.asarray(np.clip(slope[:, None] * (even[:, None] - tracks.distances), -8, 8), np.float32)


def place_evidence(tracks: Tracks, rows: slice, columns: IntArray) -> FloatArray:
    """Return what the place says for two tracks being one person; NaN but for two shots of one set-up.

    Args:
        tracks: Of one scene.
        rows: Some of the tracks.
        columns: Those that they are compared with.
    """
    one, other = tracks.middle[rows], tracks.middle[columns]
    size = (tracks.size[rows, None] + tracks.size[columns]) / 2
    squares = (one[:, :1] - other[:, 0]) ** 2 + (one[:, 1:] - other[:, 1]) ** 2
    apart = squares / np.maximum(size, 1) ** 2
    comparable = (tracks.setup[rows, None] == tracks.setup[columns]) & (tracks.shot[rows, None] != tracks.shot[columns])
    return np.asarray(np.where(comparable, 2.5 * np.exp(-apart / 2) - 0.5, np.nan), np.float32)
