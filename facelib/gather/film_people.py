"""The people of films, grouped by their faces, and the best varied pictures of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX
from facelib.films.unknowns import group_unknowns
from facelib.project.names import UNKNOWN, group_number

PROPOSED_COLUMNS = ["person", "picture", "film", "track", "frame", "time", "quality", "sha256"]
"""One row per picture: whose, its path in the folder of proposals, and where in which film it was taken."""

PEOPLE_COLUMNS = ["person", "known_as", "seconds", "tracks", "films", "pictures", "first_film", "first_time"]
"""A row a proposed person, longest on screen first."""

_ALIKE = 0.2  # of the grouping's threshold: two faces so near each other show nothing new
_FAR = 1.4  # of it: a face this far from its person's mean is blurred, hidden or somebody else's


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSettings:
    """Who is proposed, and with which pictures.

    Attributes:
        most_people: Those longest on screen.
        least_seconds: On screen, over all films, to be proposed at all.
        most_pictures: Of each person. Raising it adds pictures that are less good or show less that is new.
        least_quality: See `facelib.embed.quality.quality`; a blurred or turned face teaches wrong things.
        smallest_face: The least shorter side of a face, in pixels of the film.

    Raises:
        ValueError: When a number is out of its range.
    """

    most_people: int = 30
    least_seconds: float = 1.0
    most_pictures: int = 12
    least_quality: float = 0.1
    smallest_face: float = 40.0

    def __post_init__(self) -> None:
        if self.most_people < 1 or self.most_pictures < 1:
            raise ValueError(f"expected most_people and most_pictures of 1 or more, got {self!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Who is proposed.

    Attributes:
        people: The columns `PEOPLE_COLUMNS`; only people with a picture.
        pictures: The columns `PROPOSED_COLUMNS`, the best of each person first.
        contents: The JPEG file of each picture, by its path.
    """

    people: pd.DataFrame
    pictures: pd.DataFrame
    contents: dict[str, bytes]


def choose_people(
    tables: Mapping[str, pd.DataFrame], looks: Mapping[str, pd.DataFrame], *, threshold: float, choice: ProposalSettings
) -> Chosen:
    """Group the tracks of films into people, number them by their time on screen, and choose pictures of each.

    Args:
        tables: By the film's file name, its tracks, see `films.unknowns`; `known` is the name that a
            track was given before, `unknown` for none.
        looks: By film, the columns of `looks.parquet`.
        threshold: See `facelib.films.unknowns.grouping_threshold`.
        choice: Who is proposed, and with which pictures.
    """
    stems = [Path(film).stem for film in tables]
    called = {film: stem if stems.count(stem) == 1 else film for film, stem in zip(tables, stems, strict=True)}
    contents: dict[str, bytes] = {}
    people: list[list[object]] = []
    pictures: list[list[object]] = []
    for own in _groups(tables, looks, threshold, choice):
        parts = [looks[str(film)].merge(one[["film", "track"]], on="track") for film, one in own.groupby("film")]
        every = pd.concat(parts, ignore_index=True)
        chosen = every.iloc[choose_varied(every, threshold, choice)]
        if len(chosen):
            person = f"Person {len(people) + 1}"
            people.append([person, *_facts(own, len(chosen))])
            for look in chosen.to_dict("records"):
                name = f"{person}/{called[look['film']]} {look['frame']}-{look['track']}.jpg"
                contents[name] = bytes(look["picture"])
                where = [look[column] for column in ("film", "track", "frame", "time", "quality")]
                pictures.append([person, name, *where, hashlib.sha256(contents[name]).hexdigest()])
    return Chosen(
        pd.DataFrame(people, columns=pd.Index(PEOPLE_COLUMNS)),
        pd.DataFrame(pictures, columns=pd.Index(PROPOSED_COLUMNS)),
        contents,
    )


def _groups(
    tables: Mapping[str, pd.DataFrame], looks: Mapping[str, pd.DataFrame], threshold: float, choice: ProposalSettings
) -> list[pd.DataFrame]:
    """Return the tracks of each person, with their `film`, longest on screen first."""
    grouped = group_unknowns(tables, threshold=threshold, looks=looks, least_seconds=choice.least_seconds)
    filled = [table.assign(film=film) for film, table in grouped.items() if len(table)]
    if not filled:
        return []
    rows = pd.concat(filled, ignore_index=True)
    numbers = rows["cluster"].map(group_number)
    groups = rows[numbers > 0].groupby(numbers[numbers > 0], sort=True)
    return [own for _, own in groups][: choice.most_people]


def _facts(tracks: pd.DataFrame, pictures: int) -> list[object]:
    seconds = tracks["end"] - tracks["start"]
    first = tracks.sort_values(["film", "start"]).iloc[0]
    known = str(seconds.groupby(tracks["known"]).sum().idxmax())
    known_as = "" if known == UNKNOWN or group_number(known) else known
    films, spent = tracks["film"].nunique(), round(float(seconds.sum()), 3)
    return [known_as, spent, len(tracks), films, pictures, first["film"], first["start"]]


def choose_varied(looks: pd.DataFrame, threshold: float, choice: ProposalSettings) -> NDArray[np.intp]:
    """Return the rows of the best samples that differ: each time the one whose worth times novelty is the largest.

    Novelty is the distance from the nearest one chosen before: a farthest-first traversal (Gonzalez, "Clustering to
    minimize the maximum intercluster distance", 1985) weighted by quality.
    """
    vectors = np.stack(looks["embedding"].to_list()).astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    worth = looks["quality"].to_numpy(np.float64)
    boxes = looks[BOX].to_numpy(np.float64)
    shorter = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    mean = np.average(vectors, axis=0, weights=worth + 1e-3)
    near = np.linalg.norm(vectors - mean / max(float(np.linalg.norm(mean)), 1e-12), axis=1) <= _FAR * threshold
    usable = (worth >= choice.least_quality) & (shorter >= choice.smallest_face) & (near | (len(looks) == 1))
    usable &= looks["picture"].map(len).to_numpy() > 0
    novelty = np.where(usable, 1.0, -np.inf)
    chosen: list[int] = []
    while len(chosen) < choice.most_pictures and np.isfinite(novelty).any():
        best = int(np.argmax(np.where(np.isfinite(novelty), worth * novelty, -np.inf)))
        chosen.append(best)
        novelty = np.minimum(novelty, np.linalg.norm(vectors - vectors[best], axis=1))
        novelty[novelty < _ALIKE * threshold] = -np.inf
        novelty[best] = -np.inf
    return np.array(chosen, np.intp)
