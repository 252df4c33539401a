"""The input of every export: a film, its frames, and who is on screen from which frame to which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from facelib.films.appearances import APPEARANCE_COLUMNS, appearances, with_ends
from facelib.films.exports.clock import FrameClock, read_clock
from facelib.films.media.decode import FilmInfo, probe
from facelib.films.tables import read_without_embeddings
from facelib.project import FilmFiles
from facelib.project.elsewhere import lies_elsewhere

FRAME_COLUMNS = ["start_frame", "end_frame", "timeline_start", "timeline_end"]
"""What `exact_appearances` adds to the columns of `appearances.csv`."""


_OF_ADDRESSES = "%:/?#[]@!$&'()*+,;="  # what an address may hold besides letters and digits: RFC 3986


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """The input of one film's exports.

    Attributes:
        info: What the film's file says of itself.
        address: What the exports call the film: an address of any kind, in ASCII.
        clock: Its frames.
        tracks: The columns of `tracks.parquet`, with `until`.
        stretches: The columns of `exact_appearances`.
        detections: The file with a box of every face and frame.
        unknown: Whether the groups of unknown people are among the stretches.
        wikidata: By name, the Wikidata id of a person, such as `Q484523`.
    """

    info: FilmInfo
    address: str
    clock: FrameClock
    tracks: pd.DataFrame
    stretches: pd.DataFrame
    detections: Path
    unknown: bool
    wikidata: Mapping[str, str] = field(default_factory=dict)

    @property
    def people(self) -> list[str]:
        """Who is on screen, longest first."""
        seconds = (self.stretches["end"] - self.stretches["start"]).groupby(self.stretches["person"]).sum()
        return [str(person) for person in seconds.sort_values(ascending=False, kind="stable").index]

    def spans(self) -> pd.DataFrame:
        """Return the stretches in timeline frames: `person`, `start`, `end` (exclusive)."""
        frames = self.stretches[["person", "timeline_start", "timeline_end"]]
        return frames.set_axis(pd.Index(["person", "start", "end"]), axis=1)


def collect(
    video: str | Path,
    files: FilmFiles,
    *,
    unknown: bool = False,
    longest_gap: float = 1.0,
    drop_frame: bool | None = None,
    address: str = "",
    wikidata: Mapping[str, str] | None = None,
) -> Material:
    """Read the input of a film's exports; the arguments are those of `facelib.films.exports.export_film`."""
    if not files.tracks.is_file():
        raise FileNotFoundError(
            f"expected the tracks of {Path(video).name!r} at {str(files.tracks)!r}, found none; "
            f"run 05_annotate_video on this film first"
        )
    info, clock = probe(video), read_clock(video, files, drop_frame=drop_frame)
    tracks = with_ends(read_without_embeddings(files.tracks))
    stretches = exact_appearances(tracks, clock, longest_gap=longest_gap, unknown=unknown)
    return Material(
        info, _address_of(video, address), clock, tracks, stretches, files.detections, unknown, dict(wikidata or {})
    )


def _address_of(video: str | Path, given: str) -> str:
    """Return what a film is called; one that is read in place has only zeros at its path."""
    if given:
        return quote(given, safe=_OF_ADDRESSES)
    film = lies_elsewhere(video)
    return quote(film.address, safe=":/") if film else Path(video).resolve().as_uri()


def exact_appearances(
    tracks: pd.DataFrame, clock: FrameClock, *, longest_gap: float = 1.0, unknown: bool = False
) -> pd.DataFrame:
    """Join tracks into the stretches of `facelib.films.appearances.appearances`, and number their frames.

    The end is exclusive, as players, editing programs and media fragments want it.

    Returns:
        The columns of `appearances.csv`, followed by `start_frame`, `end_frame` (numbers of the film's frames,
        inclusive, as in `tracks.parquet`), `timeline_start` and `timeline_end` (frames of an editing program's
        timeline, counted from the film's first frame, the end exclusive). No stretch is empty.
    """
    table = appearances(tracks, longest_gap=longest_gap, unknown=unknown)
    first, behind = clock.nearest(table["start"].to_numpy()), clock.nearest_edge(table["end"].to_numpy())
    since = clock.timeline_frames(first)
    exact = table.assign(
        start_frame=first,
        end_frame=behind - 1,
        timeline_start=since,
        # At more than 60 frames a second several frames of the film share one of the timeline.
        timeline_end=np.maximum(clock.timeline_frames(behind), since + 1),
    )
    return exact[[*APPEARANCE_COLUMNS, *FRAME_COLUMNS]]
