"""Who is on screen, from when to when, for how long, and together with whom."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.project.names import NOT_A_FACE, UNKNOWN

if TYPE_CHECKING:
    import networkx as nx

APPEARANCE_COLUMNS = ["person", "start", "end", "start_timecode", "end_timecode", "confidence", "tracks"]


def timecode(seconds: float) -> str:
    """Write a time as hours, minutes, seconds and thousandths, which holds for variable frame rates too.

    Examples:
        >>> timecode(3725.0404)
        '01:02:05.040'
    """
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def appearances(tracks: pd.DataFrame, *, longest_gap: float = 1.0, unknown: bool = False) -> pd.DataFrame:
    """Join the tracks of each person into stretches on screen.

    Args:
        tracks: The columns of `tracks.parquet`. Tracks marked `not a face` are left out.
        longest_gap: Seconds up to which the gap between two stretches of one person is closed.
        unknown: Also the groups of unknown people, by their name in the column `cluster`; unknown tracks without a
            group are left out.

    Returns:
        The columns of `appearances.csv`, by start. Times are exact to the frame: `start` is when the first frame comes
        on screen, `end` when the frame after the last one does. `confidence` is that of the tracks, weighted by their
        length, and `tracks` their numbers with a space between.
    """
    tracks = named_tracks(tracks.assign(end=with_ends(tracks)["until"]), unknown=unknown)
    if tracks.empty:
        return pd.DataFrame(columns=pd.Index(APPEARANCE_COLUMNS))
    tracks = tracks.sort_values(["person", "start"], kind="stable")
    # A new stretch begins where the next track starts too long after all before it have ended.
    ended = tracks.groupby("person")["end"].cummax().astype(float).groupby(tracks["person"]).shift(fill_value=-np.inf)
    first = np.flatnonzero((tracks["start"] - ended > longest_gap).to_numpy())
    return _stretches(tracks, first).sort_values(["start", "person"], ignore_index=True)


def _stretches(tracks: pd.DataFrame, first: NDArray[np.intp]) -> pd.DataFrame:
    """Return the stretches of tracks in order; each begins with one of the rows `first`."""
    start, end = (tracks[edge].to_numpy(np.float64) for edge in ("start", "end"))
    weights = end - start + 1e-3
    begin = np.minimum.reduceat(start, first)
    behind = np.maximum.reduceat(end, first)
    confidence = np.add.reduceat(tracks["confidence"].to_numpy() * weights, first) / np.add.reduceat(weights, first)
    numbers = np.split(tracks["track"].astype(str).to_numpy(), first[1:])
    return pd.DataFrame(
        {
            "person": tracks["person"].astype(str).to_numpy()[first],
            "start": begin.round(6),
            "end": behind.round(6),
            "start_timecode": [timecode(time) for time in begin.tolist()],
            "end_timecode": [timecode(time) for time in behind.tolist()],
            "confidence": confidence.round(4),
            "tracks": [" ".join(own) for own in numbers],
        },
        columns=pd.Index(APPEARANCE_COLUMNS),
    )


def with_ends(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return tracks with `until`, the time at which each one's last frame leaves the screen.

    Tables of an earlier version lack it: there, a last frame is taken to last as long as is usual in the film.
    """
    if "until" in tracks or "end_frame" not in tracks:
        return tracks if "until" in tracks else tracks.assign(until=tracks["end"])
    steps = (tracks["end"] - tracks["start"]) / (tracks["end_frame"] - tracks["start_frame"])
    step = float(steps[np.isfinite(steps)].median()) if np.isfinite(steps).any() else 0.04
    return tracks.assign(until=tracks["end"] + step)


def named_tracks(tracks: pd.DataFrame, *, unknown: bool = False) -> pd.DataFrame:
    """Return the named tracks: the cast's, and if wanted the groups of unknown people by their cluster."""
    if unknown:
        grouped = (tracks["person"] == UNKNOWN) & (tracks["cluster"].fillna("") != "")
        tracks = tracks.assign(person=tracks["person"].where(~grouped, tracks["cluster"]))
    return tracks[~tracks["person"].isin([UNKNOWN, NOT_A_FACE])]


def screen_time(appeared: pd.DataFrame, tracks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return how long each person is on screen, one row per person, longest first.

    Args:
        appeared: The columns of `appearances.csv`.
        tracks: The columns of `tracks.parquet` that the appearances were made of; with them the shots are counted.

    Returns:
        `person`, `seconds`, `stretches`, `first`, `last` (seconds in the film), and with `tracks` also
        `shots`: in how many shots the person is seen.
    """
    spans = appeared.assign(seconds=appeared["end"] - appeared["start"])
    table = spans.groupby("person").agg(
        seconds=("seconds", "sum"), stretches=("seconds", "size"), first=("start", "min"), last=("end", "max")
    )
    if tracks is not None:
        table["shots"] = _shots(appeared, tracks).reindex(table.index).astype(int)
    return table.sort_values("seconds", ascending=False, kind="stable").reset_index()


def _shots(appeared: pd.DataFrame, tracks: pd.DataFrame) -> pd.Series[int]:
    shot_of = tracks.set_index("track")["shot"]
    # Read back from CSV, the numbers of a table of single tracks are no longer text.
    each = appeared.assign(shot=appeared["tracks"].astype(str).str.split()).explode("shot")
    each["shot"] = each["shot"].astype(int).map(shot_of)
    return each.groupby("person")["shot"].nunique()


def on_screen(appeared: pd.DataFrame) -> pd.DataFrame:
    """Cut a film where the set of people on screen changes.

    Args:
        appeared: Has the columns `person`, `start` and `end`, in seconds or in frames, the end exclusive.

    Returns:
        One row for each span in which the same people are on screen: `start`, `end`, `people` (a tuple of
        names, sorted). Spans with nobody are left out; the rows do not overlap and are sorted.
    """
    changes = sorted({*appeared["start"], *appeared["end"]})
    begins, ends = (dict(list(appeared.groupby(column)["person"])) for column in ("start", "end"))
    present: list[str] = []  # with repetition: two stretches of one person may overlap
    rows: list[tuple[float, float, tuple[str, ...]]] = []
    for start, end in pairwise(changes):
        present.extend(begins.get(start, ()))
        # What begins and ends at the same time was never in `present` for a whole span.
        for person in ends.get(start, ()):
            present.remove(person)
        people = tuple(sorted(set(present)))
        if people and rows and rows[-1][1:] == (start, people):
            rows[-1] = (rows[-1][0], end, people)
        elif people:
            rows.append((start, end, people))
    return pd.DataFrame(rows, columns=pd.Index(["start", "end", "people"]))


def together(*films: pd.DataFrame) -> pd.DataFrame:
    """Return who is on screen with whom, one row per pair, longest first.

    People of different films are never together. Gaps that were closed between two tracks of a person count too.

    Args:
        films: A table for each film, each as for `on_screen`, in seconds.

    Returns:
        `person`, `other` (the later name in the alphabet), `seconds` and `stretches`: how often they come
        together. Pairs that are never on screen at once have no row.

    Examples:
        >>> one = pd.DataFrame({"person": ["Ada", "Bo"], "start": [0.0, 1.0], "end": [4.0, 3.0]})
        >>> other = pd.DataFrame({"person": ["Cy"], "start": [0.0], "end": [4.0]})
        >>> together(one, other)
          person other  seconds  stretches
        0    Ada    Bo      2.0          1
    """
    rows = []
    for film in films:
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for start, end, people in on_screen(film).itertuples(index=False, name=None):
            for pair in combinations(people, 2):
                spans = found.setdefault(pair, [])
                if spans and spans[-1][1] == start:
                    spans[-1] = (spans[-1][0], end)
                else:
                    spans.append((start, end))
        rows += [(*pair, sum(end - start for start, end in spans), len(spans)) for pair, spans in found.items()]
    table = pd.DataFrame(rows, columns=pd.Index(["person", "other", "seconds", "stretches"]))
    table = table.groupby(["person", "other"], as_index=False)[["seconds", "stretches"]].sum().round(6)
    return table.sort_values(["seconds", "person", "other"], ascending=[False, True, True], ignore_index=True)


def graph_of(*films: pd.DataFrame) -> nx.Graph:
    """Return who appears with whom as a graph; `facelib.films.exports.write_graph` writes it as GraphML.

    Args:
        films: A table for each film, each as for `on_screen`, in seconds.

    Returns:
        A node for each person with `seconds` (on screen, in all films) and `stretches`; an edge for each pair that is
        on screen at once in one film with `seconds` (together) and `stretches`.
    """
    import networkx as nx

    graph = nx.Graph()
    if not films:
        return graph
    people = screen_time(pd.concat(films, ignore_index=True))[["person", "seconds", "stretches"]]
    for person, seconds, stretches in people.itertuples(index=False, name=None):
        graph.add_node(str(person), seconds=round(float(seconds), 6), stretches=int(stretches))
    for person, other, seconds, stretches in together(*films).itertuples(index=False, name=None):
        graph.add_edge(str(person), str(other), seconds=float(seconds), stretches=int(stretches))
    return graph
