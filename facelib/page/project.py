"""The page's data of a whole project: its films, its people, and who is on screen when in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.films.corrections import labels
from facelib.films.tables import read_film_table, read_whole
from facelib.images import encode_jpeg, jpeg_uri
from facelib.page.faces import best_pictures, tile
from facelib.page.film import NameKind, label_of, natural
from facelib.page.links import Link
from facelib.page.pack import Packed
from facelib.plots.colours import Mark
from facelib.project.names import UNKNOWN

_FACE, _SMALL_FACE = 96, 64  # pixels of the pictures of the cast, and of groups, of which there may be hundreds


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """One of the cast, or a group of unknown people.

    Attributes:
        name: As the folder in `people/`, or `Unknown 1`.
        kind: Which of the two.
        colour: `#RRGGBB`, on all pages and figures.
        symbol: The second sign beside the colour.
        picture: The best face in the films, a `data:` address; empty when not seen.
    """

    name: str
    kind: NameKind
    colour: str
    symbol: str
    picture: str


@dataclass(frozen=True, slots=True)
class Stretches:
    """Who is on screen from when to when in a film; each array has one number per stretch.

    Attributes:
        person: Index into the project's list of people, int32.
        start: Seconds, float64.
        end: Seconds, exclusive, float64.
        confidence: float32.
        face: Index of its longest track among the film's tracks, int32.
    """

    person: Packed
    start: Packed
    end: Packed
    confidence: Packed
    face: Packed


@dataclass(frozen=True, slots=True)
class FilmEntry:
    """A film in the list of films.

    Attributes:
        id: The film's folder under `videos/`.
        title: Its name.
        data: The path of its data, relative to the page.
        version: Changes with the data.
        duration: Seconds.
        poster: A picture of it, a `data:` address, or empty.
        notice: What the viewer should know, such as that the film is newer than its names; empty when nothing.
        stretches: Who is on screen when.
    """

    id: str
    title: str
    data: str
    version: str
    duration: float
    poster: str
    notice: str
    stretches: Stretches


@dataclass(frozen=True, slots=True)
class ProjectData:
    """All that the page needs before a film is opened."""

    name: str
    people: list[PersonEntry]
    films: list[FilmEntry]
    reports: list[Link]


def pack_stretches(table: pd.DataFrame, tracks: pd.DataFrame, place: Mapping[str, int]) -> Stretches:
    """Pack the stretches of `facelib.films.exports.exact_appearances`, by each person's place in the project's list."""
    length = dict(zip(tracks["track"].astype(int), tracks["end"] - tracks["start"], strict=True))
    place_of = {int(track): i for i, track in enumerate(tracks["track"])}
    numbers = [[int(one) for one in str(text).split()] for text in table["tracks"]]
    return Stretches(
        person=Packed.of(table["person"].map(place), "int32"),
        start=Packed.of(table["start"], "float64"),
        end=Packed.of(table["end"], "float64"),
        confidence=Packed.of(table["confidence"], "float32"),
        face=Packed.of([place_of[max(own, key=length.__getitem__)] for own in numbers], "int32"),
    )


def person_entries(
    cast: Iterable[str], tables: Mapping[str, pd.DataFrame], pictures: Mapping[str, bytes], marks: Mapping[str, Mark]
) -> list[PersonEntry]:
    """Return the cast by name, seen or not, then the groups of unknown people that the films have."""
    kinds: dict[str, NameKind] = dict.fromkeys(cast, "cast")
    for table in tables.values():
        for person, cluster in set(zip(table["person"], table["cluster"].fillna(""), strict=True)):
            label = label_of(person, cluster)
            kinds[label.name] = label.kind
    known = (name for name, kind in kinds.items() if kind != "unknown")
    names = sorted(known, key=lambda name: (kinds[name] != "cast", natural(name)))
    return [
        PersonEntry(name, kinds[name], marks[name].colour, marks[name].symbol, _face(pictures.get(name), kinds[name]))
        for name in names
    ]


def best_face_pictures(tables: Mapping[str, tuple[pd.DataFrame, Path]]) -> dict[str, bytes]:
    """Return the JPEG of the best face of every named person, over all films.

    Args:
        tables: By film, its tracks as `facelib.page.film.shown_tracks` returns them, and its `looks.parquet`.
    """
    best: dict[str, tuple[float, bytes]] = {}
    for table, path in tables.values():
        with suppress(OSError):  # a film without faces that can be read is shown all the same
            looks = read_film_table(path, ["track", "quality"]).groupby("track")["quality"].max()
            # A sharp face with an uncertain name represents nobody.
            sure = table["confidence"].fillna(0.0).clip(0.05, 1.0).where(table["cluster"].fillna("") == "", 1.0)
            own = table.assign(name=labels(table), worth=table["track"].map(looks).fillna(0.0) * sure)
            first = own.sort_values("worth", ascending=False, kind="stable").drop_duplicates("name")
            wanted = {
                track: (name, worth)
                for track, name, worth in zip(first["track"], first["name"], first["worth"], strict=True)
            }
            for track, picture in best_pictures(path):
                name, worth = wanted.get(track, ("", -1.0))
                if name and worth > best.get(name, (-1.0, b""))[0]:
                    best[name] = worth, picture
    return {name: picture for name, (_, picture) in best.items()}


def _face(picture: bytes | None, kind: NameKind) -> str:
    if picture is None:
        return ""
    return jpeg_uri(encode_jpeg(np.asarray(tile(picture, _FACE if kind == "cast" else _SMALL_FACE)), quality=80))


def poster(keyframes: Path, tracks: pd.DataFrame) -> str:
    """Return the keyframe of the shot in which named people are seen longest, as a `data:` address."""
    table = read_whole(keyframes, ["shot", "picture"])
    if table is None or table.empty:
        return ""
    named = tracks[tracks["person"] != UNKNOWN]
    seconds = (named["end"] - named["start"]).groupby(named["shot"]).sum()
    longest = table["shot"].map(seconds).fillna(0.0).to_numpy()
    place = int(longest.argmax()) if longest.any() else len(table) // 2
    return jpeg_uri(table["picture"].iloc[place])
