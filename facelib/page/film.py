"""The page's data of one film: frame times, tracks with their names, boxes, faces, and files to play."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX
from facelib.films.corrections import labels
from facelib.films.exports import FrameClock
from facelib.films.tables import read_film_table
from facelib.page.boxes import BoxKeys, box_keys
from facelib.page.faces import SHEET_COLUMNS, TILE
from facelib.page.links import FilmSource, Link
from facelib.page.pack import Packed
from facelib.project.names import NOT_A_FACE, UNKNOWN

NameKind = Literal["cast", "group", "unknown"]
"""Whether a name is of the cast, of a group of unknown people, or nobody's."""


@dataclass(frozen=True, slots=True)
class PackedTimes:
    """When each frame comes on screen.

    Attributes:
        start: Time of the first frame, seconds.
        end: When the last frame leaves the screen, seconds.
        count: How many frames there are.
        steps: From each frame to the next, `(count - 1,)` uint32, microseconds: frame rates may vary.
    """

    start: float
    end: float
    count: int
    steps: Packed

    @classmethod
    def of(cls, clock: FrameClock) -> PackedTimes:
        """Pack a film's frame times."""
        steps = np.diff(np.rint((clock.times - clock.times[0]) * 1e6))
        return cls(float(clock.times[0]), float(clock.end), len(clock.times), Packed.of(steps, "uint32"))


@dataclass(frozen=True, slots=True)
class Label:
    """A name of tracks in a film, and its kind."""

    name: str
    kind: NameKind


@dataclass(frozen=True, slots=True)
class TrackTable:
    """The tracks of a film, sorted by first frame; each array has one number per track.

    Attributes:
        track: Its number in `tracks.parquet`, int32.
        label: Index into the film's labels, int32.
        first: Its first frame, int32.
        last: Its last frame, int32, inclusive.
        confidence: Confidence of its name, float32.
        reason: Index into `reasons`, int32.
        reasons: Sentences that say why a track has its name.
    """

    track: Packed
    label: Packed
    first: Packed
    last: Packed
    confidence: Packed
    reason: Packed
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class FaceSheets:
    """The faces of the tracks in their order, on square sheets at `folder` + `faces-<number>.jpg`."""

    folder: str
    tile: int = TILE
    columns: int = SHEET_COLUMNS


@dataclass(frozen=True, slots=True)
class FilmData:
    """All that the page needs to play one film.

    Attributes:
        id: The film's folder under `videos/`.
        title: The film's name.
        width: Pixels of the upright picture, in which boxes are measured.
        height: Pixels of the upright picture.
        times: Times of its frames.
        labels: The names in it.
        tracks: Its tracks, without those marked `not a face`.
        keys: Their boxes.
        sheets: Their faces.
        cuts: The first frame of each shot, int32.
        longest_gap: Seconds; shorter gaps between two tracks of one person are closed.
        sources: Where the film can be played from, best first.
        exports: Files for other programs.
    """

    id: str
    title: str
    width: int
    height: int
    times: PackedTimes
    labels: list[Label]
    tracks: TrackTable
    keys: BoxKeys
    sheets: FaceSheets
    cuts: Packed
    longest_gap: float
    sources: list[FilmSource]
    exports: list[Link]


def label_of(person: str, cluster: str) -> Label:
    """Return a track's name and its kind."""
    if person != UNKNOWN:
        return Label(person, "cast")
    return Label(cluster, "group") if cluster else Label(UNKNOWN, "unknown")


def shown_tracks(tracks: pd.DataFrame, clock: FrameClock) -> pd.DataFrame:
    """Return the tracks that are faces, sorted by first frame, with `first` and `last` as frames of the clock."""
    kept = tracks[tracks["person"] != NOT_A_FACE]
    first, last = clock.nearest(kept["start"].to_numpy()), clock.nearest(kept["end"].to_numpy())
    return kept.assign(first=first, last=last).sort_values(["first", "track"], ignore_index=True)


def track_table(tracks: pd.DataFrame) -> tuple[TrackTable, list[Label]]:
    """Pack tracks as `shown_tracks` returns them, and list their names: cast, groups, unknown."""
    named = labels(tracks.assign(cluster=tracks["cluster"].fillna("")))
    kinds = dict(zip(named, map(label_of, tracks["person"], tracks["cluster"].fillna("")), strict=True))
    order: list[NameKind] = ["cast", "group", "unknown"]
    known = sorted(kinds.values(), key=lambda label: (order.index(label.kind), natural(label.name)))
    place = {label.name: i for i, label in enumerate(known)}
    reason, reasons = pd.factorize(tracks["reason"].fillna("") if "reason" in tracks else pd.Series("", tracks.index))
    table = TrackTable(
        track=Packed.of(tracks["track"], "int32"),
        label=Packed.of(named.map(place), "int32"),
        first=Packed.of(tracks["first"], "int32"),
        last=Packed.of(tracks["last"], "int32"),
        confidence=Packed.of(tracks["confidence"].fillna(0), "float32"),
        reason=Packed.of(reason, "int32"),
        reasons=[str(text) for text in reasons],
    )
    return table, known


def natural(name: str) -> tuple[str, int, str]:
    """Return a key that sorts `Unknown 2` before `Unknown 10`.

    Examples:
        >>> sorted(["Unknown 10", "Unknown 2", "Ada"], key=natural)
        ['Ada', 'Unknown 2', 'Unknown 10']
    """
    start, _, number = name.rpartition(" ")
    return (start, int(number), name) if number.isdecimal() and number.isascii() else (name, -1, name)


def track_boxes(detections: Path, tracks: pd.DataFrame, clock: FrameClock) -> BoxKeys:
    """Read `detections.parquet` and pack the boxes of tracks as `shown_tracks` returns them."""
    columns = ["track", "time", *BOX]
    table = read_film_table(detections, columns)
    numbers: NDArray[np.int64] = tracks["track"].to_numpy(np.int64)
    return box_keys(table.assign(frame=clock.nearest(table["time"].to_numpy())), numbers)
