"""Segments of films with the known people in each: the protocol of FaceRec's evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.evaluate.truth import as_in_project, plain_label
from facelib.project import Project
from facelib.project.names import NOT_A_FACE, UNKNOWN, is_group
from facelib.project.spreadsheets import read_csv_table

SEGMENT = ["media", "start", "end"]
_NOBODY = frozenset({"", "0", UNKNOWN, NOT_A_FACE})


@dataclass(frozen=True, slots=True, eq=False)
class SegmentScore:
    """How well segments were named.

    A person counts as found in a segment or not, however often they are seen in it. Source: Lisena et al., "FaceRec:
    an interactive framework for face recognition in video archives" (DataTV 2021), where `precision`, `recall` and
    `f1` are published as means over the people, `unknown` apart.

    Attributes:
        people: Per person, by name, and last `unknown` for segments of nobody known: `person`, `segments` (of the
            truth), `right`, `wrong` (named in a segment without them), `missed`, `precision`, `recall`, `f1`
            (0 to 1; NaN where there is nothing to divide by, f1 then 0 or NaN).
        segments: Their number.
        nobody: Segments with nobody known in them.
        nobody_named: Of these, given a name.
    """

    people: pd.DataFrame
    segments: int
    nobody: int
    nobody_named: int

    @property
    def precision(self) -> float:
        """The mean over the people of the fraction of namings that are right; who was never named is left out."""
        return self._mean("precision")

    @property
    def recall(self) -> float:
        """The mean over the people of the fraction of their segments in which they were named."""
        return self._mean("recall")

    @property
    def f1(self) -> float:
        """The mean over the people of the harmonic mean of precision and recall."""
        return self._mean("f1")

    def _mean(self, column: str) -> float:
        cast = self.people[(self.people["person"] != UNKNOWN) & (self.people["segments"] > 0)]
        return float(cast[column].mean()) if cast[column].notna().any() else math.nan

    def __str__(self) -> str:
        """Return a one-line summary."""
        if not self.segments:
            return "No segments to compare."
        return (
            f"{self.segments} segments: precision {self.precision:.3f}, recall {self.recall:.3f}, F {self.f1:.3f}; "
            f"{self.nobody_named} of {self.nobody} segments with nobody known given a name"
        )


def read_segments(path: str | Path) -> pd.DataFrame:
    """Read a table of segments: the columns `media`, `start`, `end` (seconds) and `person`, and any others.

    Several people in one segment stand in several rows; `0`, `unknown` or nothing stands for nobody known. Rows with
    the same `segment`, where there is such a column, are of one segment, though their times may differ.

    Returns:
        `media`, `start`, `end` and `person`, which is `unknown` for nobody.

    Raises:
        ValueError: When a column is missing, or an end lies before its start.
    """
    table = read_csv_table(path, dtype={"media": str, "person": str})
    if missing := [name for name in [*SEGMENT, "person"] if name not in table]:
        raise ValueError(f"expected the columns media, start, end, person in {str(path)!r}: no {missing}")
    table = table.astype({"start": float, "end": float})
    if "segment" in table:
        own = table.groupby(["media", "segment"])
        table["start"], table["end"] = own["start"].transform("min"), own["end"].transform("max")
    table = table[[*SEGMENT, "person"]]
    backwards = table[table["end"] < table["start"]]
    if len(backwards):
        first = backwards.iloc[0].tolist()
        raise ValueError(f"expected segments that end after their start in {str(path)!r}, got {first!r}")
    person = table["person"].map(plain_label)
    nobody = person.isin(_NOBODY) | person.map(is_group).astype(bool)
    return table.assign(person=person.mask(nobody, UNKNOWN))


def people_in_segments(segments: pd.DataFrame, appearances: pd.DataFrame) -> pd.DataFrame:
    """Say who appears in each segment: facelib's answer in the form that `score_segments` compares.

    Args:
        segments: Of `read_segments`; only which segments there are counts.
        appearances: The columns of `appearances.csv`, and `media` as in `segments`.

    Returns:
        `media`, `start`, `end`, `person`; a row of `unknown` for a segment with nobody.
    """
    asked = segments[SEGMENT].drop_duplicates().reset_index(drop=True).reset_index(names="segment")
    seen = appearances.rename(columns={"start": "from", "end": "to"})[["media", "from", "to", "person"]]
    both = asked.merge(seen, on="media")
    both = both[both[["to", "end"]].min(axis=1) >= both[["from", "start"]].max(axis=1)]
    there = both[["segment", "person"]].drop_duplicates()
    named = asked.merge(there, on="segment", how="left")
    return named.assign(person=named["person"].fillna(UNKNOWN))[[*SEGMENT, "person"]]


def score_segment_table(project: Project, films: Iterable[Path], path: str | Path) -> SegmentScore:
    """Compare the appearances of a project's films with a table of segments.

    Args:
        project: Whose results.
        films: The films; segments of other media are left out.
        path: A table as `read_segments` reads it, whose `media` ends in the name of a film's file, with its suffix or
            without. Where there is no such file, nothing is compared: the score has no segments.

    Raises:
        ValueError: When the table is not of its form.
    """
    empty = pd.DataFrame({name: pd.Series(dtype=str) for name in [*SEGMENT, "person"]})
    if not Path(path).is_file():
        return score_segments(empty, empty)
    truth = read_segments(path)
    truth["person"] = truth["person"].map(as_in_project(truth["person"], project))
    parts, known = [], set()
    for film in films:
        files = project.film(film)
        media = {name for name in set(truth["media"]) if name.rsplit("/", 1)[-1] in (film.name, files.folder.name)}
        if media and files.appearances.is_file():
            appeared = read_csv_table(files.appearances, dtype={"person": str})
            parts += [appeared.assign(media=name) for name in sorted(media)]
            known |= media
    truth = truth[truth["media"].isin(known)]
    if truth.empty:
        return score_segments(empty, empty)
    return score_segments(people_in_segments(truth, pd.concat(parts, ignore_index=True)), truth)


def score_segments(found: pd.DataFrame, truth: pd.DataFrame) -> SegmentScore:
    """Compare who was named in segments with who is in them.

    Args:
        found: `media`, `start`, `end`, `person`, the segments as in the truth; rows of segments that the truth does
            not have are an error, segments without a row have nobody.
        truth: Of `read_segments`.

    Raises:
        ValueError: When `found` has a segment that the truth has not.
    """
    said, truly = _sets(found), _sets(truth)
    if extra := sorted(said.keys() - truly.keys()):
        raise ValueError(f"expected only segments that the truth has, got {len(extra)} others, such as {extra[0]!r}")
    nobody = [key for key, people in truly.items() if not people]
    named = sum(bool(said.get(key)) for key in nobody)
    people = sorted(frozenset().union(*truly.values(), *said.values()))
    there, here = (
        np.array([[person in who for person in people] + [not who] for who in side], bool).reshape(-1, len(people) + 1)
        for side in (truly.values(), [said.get(key, frozenset()) for key in truly])
    )
    table = pd.DataFrame({"person": [*people, UNKNOWN], "segments": there.sum(axis=0)})
    table["right"], table["wrong"] = (there & here).sum(axis=0), (~there & here).sum(axis=0)
    table["missed"] = table["segments"] - table["right"]
    table["precision"] = table["right"] / (table["right"] + table["wrong"])
    table["recall"] = table["right"] / table["segments"]
    table["f1"] = 2 * table["right"] / (2 * table["right"] + table["wrong"] + table["missed"])
    return SegmentScore(table, len(truly), len(nobody), named)


def _sets(table: pd.DataFrame) -> dict[tuple[str, float, float], frozenset[str]]:
    """Return the people of each segment; rows of nobody make the segment known, no more."""
    sets: dict[tuple[str, float, float], frozenset[str]] = {}
    for media, start, end, person in table[[*SEGMENT, "person"]].itertuples(index=False, name=None):
        key = (str(media), float(start), float(end))
        sets[key] = sets.get(key, frozenset()) | ({str(person)} - _NOBODY)
    return sets
