"""What a live session saw, as a table, as appearances and as a page: for reports and where widgets do not run."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from facelib.films.appearances import APPEARANCE_COLUMNS, appearances
from facelib.images import jpeg_uri
from facelib.plots.thumbnails import Thumbnails, tile
from facelib.project.names import UNKNOWN

if TYPE_CHECKING:
    from facelib.widgets.live_view_faces import SeenFace

CHANGE_COLUMNS = ["when", "time", "kind", "track", "person", "confidence", "message"]
"""The columns of `changes.jsonl`, as in `facelib.live.Change`."""


def read_changes(path: str | Path, *, since: str = "") -> pd.DataFrame:
    """Read a file of changes, `CHANGE_COLUMNS`, oldest first; without a file there are none.

    Args:
        path: As `facelib.widgets.live_view_log.ChangeFile` writes it; lines that are no change are skipped.
        since: Changes before this time are left out; ISO 8601 in UTC, as the column `when`.
    """
    rows = []
    if Path(path).is_file():
        for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                fields = json.loads(line)
                rows.append([fields[name] for name in CHANGE_COLUMNS])
            except (ValueError, KeyError, TypeError):
                continue
    table = pd.DataFrame(rows, columns=pd.Index(CHANGE_COLUMNS))
    return table[table["when"].astype(str) >= since].reset_index(drop=True)


def listed_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Return changes as a table to look at: those of the source have neither a track nor a confidence."""
    of_face = changes["track"] >= 0
    track, confidence = (changes[name].where(of_face) for name in ("track", "confidence"))
    return changes.assign(track=track.astype("Int64"), confidence=confidence)


def live_appearances(changes: pd.DataFrame, *, until: float = 0.0, longest_gap: float = 1.0) -> pd.DataFrame:
    """Return who was in the picture from when to when, as `appearances.csv` has it, from what changed.

    A track that got its name only after a moment counts from its beginning; strangers are one row, `unknown`.

    Args:
        changes: As `read_changes` gives them, of one session.
        until: Seconds that have been played, for a session still playing: people in the picture stay until then.
        longest_gap: Seconds; shorter gaps between two tracks of one person are closed.
    """
    tracks = _tracks(changes, until)
    if tracks.empty:
        return pd.DataFrame(columns=pd.Index(APPEARANCE_COLUMNS))
    strangers = tracks["person"] == UNKNOWN
    parts = [
        appearances(tracks[~strangers], longest_gap=longest_gap),
        # They have no name to be joined by, so they are given one meanwhile.
        appearances(tracks[strangers].assign(person="strangers"), longest_gap=longest_gap).assign(person=UNKNOWN),
    ]
    return pd.concat([part for part in parts if len(part)]).sort_values(["start", "person"], ignore_index=True)


def _tracks(changes: pd.DataFrame, until: float) -> pd.DataFrame:
    """Return each track with its last answer, its first and its last moment."""
    if changes.empty:
        return pd.DataFrame()
    end = max(until, float(changes["time"].max()))
    rows = []
    for _, own in changes[changes["track"] >= 0].groupby("track"):
        said = own[own["kind"].isin(["appeared", "named", "enrolled"])]
        if said.empty:
            continue
        left = own.loc[own["kind"] == "left", "time"]
        last = said.iloc[-1]
        rows.append(
            {
                "track": int(last["track"]),
                "person": str(last["person"]) or UNKNOWN,
                "confidence": float(last["confidence"]),
                "start": float(own["time"].min()),
                "end": float(left.max()) if len(left) else end,
            }
        )
    return pd.DataFrame(rows)


def picture_page(path: Path | None, *, width: int) -> Thumbnails:
    """Show a saved picture, at most `width` pixels wide; without one, say so."""
    if path is None:
        return Thumbnails("<p>No picture has come yet.</p>")
    name, picture = html.escape(path.name), jpeg_uri(path.read_bytes())
    shown = f'<img src="{picture}" alt="{name}" style="width:{width}px;max-width:100%">'
    return Thumbnails(f"{shown}<p>{name}</p>")


def faces_page(faces: Sequence[SeenFace]) -> Thumbnails:
    """Show faces seen live as small pictures, with who they are and how sure that is."""
    if not faces:
        return Thumbnails("<p>No faces have been seen yet.</p>")
    return Thumbnails.side_by_side(_tile(face) for face in faces)


def _tile(face: SeenFace) -> str:
    sure = f"confidence {face.confidence:.2f}<br>" if face.person != UNKNOWN else ""
    caption = f"<b>{html.escape(face.person)}</b><br>{sure}{face.first:.1f} to {face.last:.1f} s"
    return tile(face.picture or "no picture", caption, size=112)
