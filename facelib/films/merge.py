"""Merge the tracklets of one face inside a shot; and filters for tracks that are not faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facelib.faces import FloatArray
from facelib.films.agglomerate import Agglomeration, IntArray
from facelib.films.track import Track

_FULL_SIZE = 40.0  # width of a face in pixels from which its embedding is trusted in full
_NEARBY_GAP = 2.0  # seconds during which a face is expected to stay in its place
_NEARBY = 1.25  # as much further apart may be what begins where another ended
_NEAR = 0.75  # widths of a face by which it may have moved to count as in the same place
_LIKE = 1.5  # factor by which its size may differ then

_MOST_LOOKS = 8  # of a merged track, the best

# On a sitcom scene and eleven clips every labelled face's track reached 0.82, 0.66 and 0.94, most of the others less.
_SURE_ONCE = {"yunet": 0.7, "centerface": 0.6, "mtcnn": 0.9}


def merge_tracklets(
    tracks: Sequence[Track], embeddings: ArrayLike, times: ArrayLike, first_frame: int, *, largest_distance: float
) -> list[Track]:
    """Merge the tracklets of one face in one shot, so that each person has one track.

    The two nearest tracklets are merged, and so on while any are near enough (agglomerative clustering by centroids,
    weighted by the quality of the samples). Two tracks found in one sampled frame are two people and are never merged,
    nor are groups that hold them. Small faces all look alike to an embedder, so the allowed distance shrinks with faces
    below 40 pixels; where a tracklet begins at the place and in the size in which another ended shortly before, a
    larger distance is allowed.

    Args:
        tracks: Tracks of one shot, as `ShotTracker` leaves them.
        embeddings: One row per track, `(n, dimension)`.
        times: Presentation time of each frame of the shot, seconds.
        first_frame: The number of the shot's first frame.
        largest_distance: Euclidean distance of two embeddings up to which large faces are one person; it depends
            on the embedder: 0.75 times its threshold for naming is good. Raising it merges more; nan merges none.

    Returns:
        The tracks in the order of their first frames, numbered from the lowest number given.

    Raises:
        ValueError: When there is not one embedding per track, or the tracks are of several shots.
    """
    vectors = np.asarray(embeddings, np.float32)
    if len(vectors) != len(tracks):
        raise ValueError(f"expected one embedding per track, got {len(vectors)!r} for {len(tracks)!r} tracks")
    shots = sorted({track.shot for track in tracks})
    if len(shots) > 1:
        raise ValueError(f"expected tracks of one shot, got those of {shots!r}: no face is followed across a cut")
    if not tracks:
        return []
    when = np.asarray(times, np.float64)
    found = _Pieces(
        [_Piece.of(i, track, vectors[i], when, first_frame) for i, track in enumerate(tracks)], largest_distance
    )
    groups = np.unique(Agglomeration(found, len(tracks), least=-1).run())
    pieces = sorted((found.pieces[row] for row in groups), key=lambda piece: (piece.frames[0], piece.members[0]))
    first = min(track.number for track in tracks)
    return [_merge([tracks[i] for i in one.members], first + n) for n, one in enumerate(pieces)]


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One or several tracks taken as one face."""

    members: list[int]
    frames: NDArray[np.int64]
    times: NDArray[np.float64]
    boxes: NDArray[np.float64]
    vector: FloatArray
    weight: float

    @classmethod
    def of(cls, index: int, track: Track, vector: FloatArray, times: NDArray[np.float64], first: int) -> _Piece:
        frames = np.asarray(track.frames, np.int64)
        boxes = np.asarray(track.boxes, np.float64).reshape(-1, 4)
        weight = sum(look.quality + 1e-3 for look in track.looks) or 1e-3
        return cls([index], frames, times[frames - first], boxes, vector, weight)

    @property
    def size(self) -> float:
        return float(np.median(self.boxes[:, 2] - self.boxes[:, 0]))

    def join(self, other: _Piece) -> _Piece:
        frames = np.concatenate([self.frames, other.frames])
        order = np.argsort(frames, kind="stable")
        weights = [self.weight, other.weight]
        return _Piece(
            sorted(self.members + other.members),
            frames[order],
            np.concatenate([self.times, other.times])[order],
            np.concatenate([self.boxes, other.boxes])[order],
            np.average([self.vector, other.vector], axis=0, weights=weights).astype(np.float32),
            sum(weights),
        )


class _Pieces:
    """The pieces of a shot while they are joined."""

    def __init__(self, pieces: list[_Piece], far: float) -> None:
        self.pieces, self.far = pieces, far

    def join(self, first: int, second: int) -> None:
        self.pieces[first] = self.pieces[first].join(self.pieces[second])

    def alike(self, rows: IntArray, others: IntArray) -> NDArray[np.float64]:
        """Return the distances as a share of the allowed ones, negated: below -1 they are two people."""
        return -np.stack([_strains(self.pieces[row], [self.pieces[k] for k in others], self.far) for row in rows])


def _strains(piece: _Piece, others: list[_Piece], far: float) -> NDArray[np.float64]:
    """Return the distance to each of the others as a share of the allowed one: above 1 they are two people."""
    strains = np.full(len(others), np.inf)
    distances = np.linalg.norm(np.stack([one.vector for one in others]) - piece.vector, axis=1)
    for i in np.flatnonzero(distances <= _NEARBY * far):
        if others[i] is not piece:
            strains[i] = _strain(piece, others[i], float(distances[i]), far)
    return strains


def _strain(first: _Piece, second: _Piece, distance: float, far: float) -> float:
    frames = np.concatenate([first.frames, second.frames])
    order = np.argsort(frames, kind="stable")
    if (np.diff(frames[order]) == 0).any():
        return np.inf
    # Where one piece ends and the other begins; they may alternate.
    owners = order < len(first.frames)
    before = np.flatnonzero(owners[1:] != owners[:-1])
    gaps = np.diff(np.concatenate([first.times, second.times])[order])[before]
    boxes = np.concatenate([first.boxes, second.boxes])[order]
    there = _in_place(boxes[before], boxes[before + 1]) & (gaps <= _NEARBY_GAP)
    limit = far * (_NEARBY if there.any() else min(1.0, first.size / _FULL_SIZE, second.size / _FULL_SIZE))
    return distance / limit if limit > 0 else np.inf


def _in_place(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each pair of boxes whether they are near each other and of similar size."""
    widths, later = before[:, 2] - before[:, 0], after[:, 2] - after[:, 0]
    moved = np.abs((after[:, :2] + after[:, 2:]) - (before[:, :2] + before[:, 2:])).max(axis=1) / 2
    return np.asarray((moved <= _NEAR * (widths + later) / 2) & (np.abs(np.log(later / widths)) <= np.log(_LIKE)))


def _merge(pieces: Sequence[Track], number: int) -> Track:
    sightings = sorted(
        (sighting for piece in pieces for sighting in zip(piece.frames, piece.boxes, piece.scores, strict=True)),
        key=lambda sighting: sighting[0],
    )
    merged = Track(number, pieces[0].shot, missed=sum(piece.missed for piece in pieces))
    for sighting in sightings:
        merged.add(*sighting)
    merged.looks = sorted((look for piece in pieces for look in piece.looks), key=lambda look: -look.quality)
    del merged.looks[_MOST_LOOKS:]
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFilters:
    """Filters for tracks that are not faces; a track that fails one is dropped.

    Attributes:
        least_samples: Least number of sampled frames it is found in, unless it lasts for `least_seconds`, or for half
            of its shot.
        least_seconds: See `least_samples`.
        least_share: Least share of the samples between its first and its last that it is found in; gaps between merged
            tracklets do not count.
        most_growth: Largest median change of its width from one sample to the next: 0.3 is 30 %.
        most_jerk: Largest median deviation from straight motion between samples, in widths of its box.
        least_score: Least value of its best score; None skips this filter. See `of`.
    """

    least_samples: int = 3
    least_seconds: float = 0.5
    least_share: float = 0.5
    most_growth: float = 0.3
    most_jerk: float = 2.0
    least_score: float | None = None

    @classmethod
    def of(cls, detector: str) -> TrackFilters:
        """Return the filters for a detector, by its name, with a measured `least_score`.

        Props on a set are as steady as people who sit, but a face has a high score at least once while it is on screen.
        """
        return cls(least_score=_SURE_ONCE.get(detector))

    def why_no_face(self, track: Track, times: NDArray[np.float64], first_frame: int) -> str:
        """Return in words the filter that a track fails, such as `short: found in 2 samples, 0.2 s`; else nothing.

        Args:
            track: After merging: before, a face's tracklets may be too short.
            times: Presentation time of each frame of the shot, seconds.
            first_frame: The number of the shot's first frame.
        """
        count = len(track.frames)
        first, last = track.frames[0] - first_frame, track.frames[-1] - first_frame
        lasted = times[last] - times[first] if count > 1 else _shown(times, first)
        if count < self.least_samples and lasted < min(self.least_seconds, (times[-1] - times[0]) / 2):
            return f"short: found in {count} samples, {lasted:.1f} s"
        share = count / (count + track.missed)
        if share < self.least_share:
            return f"unsteady: found in {share:.0%} of the samples"
        growth, jerk = _unrest(np.asarray(track.boxes, np.float64))
        if growth > self.most_growth:
            return f"unsteady: changes its size by {growth:.0%} from sample to sample"
        if jerk > self.most_jerk:
            return f"unsteady: jumps by {jerk:.1f} of its width from sample to sample"
        best = max(track.scores)
        if self.least_score is not None and best < self.least_score:
            return f"faint: its best score is {best:.2f}"
        return ""


def _shown(times: NDArray[np.float64], place: int) -> float:
    """Return for how many seconds each frame is shown; the last one of a shot as long as the one before it."""
    return float(np.diff(times)[min(place, len(times) - 2)]) if len(times) > 1 else 0.0


def _unrest(boxes: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median change of width and the median deviation from straight motion of `(n, 4)` boxes."""
    widths = boxes[:, 2] - boxes[:, 0]
    growth = float(np.median(np.expm1(np.abs(np.diff(np.log(widths)))))) if len(boxes) > 1 else 0.0
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    bends = np.abs(middles[:-2] - 2 * middles[1:-1] + middles[2:]).max(axis=1) / widths[1:-1]
    return growth, float(np.median(bends)) if len(bends) else 0.0
