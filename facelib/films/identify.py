"""The main job for all films of a project: who is on screen, and when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.films.appearances import appearances
from facelib.films.corrections import CORRECTION_COLUMNS, NOT_A_FACE, Corrected, correct_films, read_corrections
from facelib.films.decode import UnreadableFilm
from facelib.films.index import TrackingSettings
from facelib.films.indexed import index_film, weights_of
from facelib.films.naming import LOOK_COLUMNS, NamingSettings, Recognizer, name_tracks
from facelib.films.settle import match_project
from facelib.films.unknowns import Grouping, fit_grouping, group_unknowns, unknown_people
from facelib.project import Project, write_table
from facelib.recognize import UNKNOWN, RecognizerInfo


@dataclass(frozen=True, slots=True, eq=False)
class IdentifiedFilms:
    """What came of several films.

    Attributes:
        films: The films that could be read, in order.
        summary: One row a film: `film`, `shots with faces`, `tracks`, `named`, `by context`, `unknown`, `people`,
            `no face` (tracks left out as such), `problem` (why it was left out, or not read to its end).
        unknown: The unknown people of all films of the project, see `facelib.films.unknowns.unknown_people`.
        left_out: The user's decisions that could not be applied, and `why`.
        warnings: A sentence for each person whom the user named twice in one moment.
    """

    films: list[Path]
    summary: pd.DataFrame
    unknown: pd.DataFrame
    left_out: pd.DataFrame
    warnings: list[str]


def identify_films(
    films: Iterable[Path],
    project: Project,
    detector: Detector,
    embedder: Embedder,
    recognizer: Recognizer,
    info: RecognizerInfo,
    *,
    search: TrackingSettings | None = None,
    rules: NamingSettings | None = None,
    longest_gap: float = 1.0,
    progress: bool = True,
) -> IdentifiedFilms:
    """Find, follow and name the faces of films, group the unknown ones, heed the user's corrections; write the tables.

    A film that was looked through before, with the same detector, embedder and search, is only named again. A film that
    cannot be read is left out and stands in the summary with the reason; the others go on.

    Args:
        films: Paths.
        project: Where the results go.
        detector: Finds the faces.
        embedder: Embeds them; the network the recognizer was fitted for.
        recognizer: Names them.
        info: What the recognizer was made from.
        search: How the films are looked through; None takes the defaults.
        rules: When a track is given a name; None takes the defaults.
        longest_gap: Stretches of one person at most so many seconds apart become one appearance.
        progress: Show a bar for each film, with rate and time left.

    Raises:
        ValueError: When there is no film, when none of them could be read, or when `embedder` is not the network
            that the recognizer was fitted for.
    """
    films = list(films)
    if not films:
        raise ValueError(f"expected at least one film in {str(project.videos)!r}, found none; put one there")
    if embedder.sha256 != info.weights_sha256:
        raise ValueError(
            f"expected the embeddings of {info.embedder!r}, on which the recognizer was fitted, got {embedder.name!r}; "
            f"run 02 and 04 again with this embedder, or choose the other one here"
        )
    tables: dict[Path, pd.DataFrame] = {}
    problems: dict[Path, str] = {}
    dropped: dict[Path, int] = {}
    for film in films:
        files = project.film(film)
        try:
            followed = index_film(film, files, detector, embedder, search=search, progress=progress)
        except UnreadableFilm as error:
            problems[film] = str(error)
            continue
        looks = pd.read_parquet(files.looks, columns=LOOK_COLUMNS)
        shots = pd.read_csv(files.shots, keep_default_na=False)
        tables[film] = name_tracks(followed.tracks, recognizer, info, looks=looks, shots=shots, rules=rules)
        problems[film], dropped[film] = followed.problem, followed.dropped
    if not tables:
        _summarise(project, films, {}, {}, problems)
        raise ValueError(f"none of the films could be read: {'; '.join(problems.values())}")
    corrected = _settle(project, tables, grouping_of(embedder, recognizer, info).threshold, embedder.sha256)
    for film in tables:
        after = corrected.tables[film.name]
        write_table(after, project.film(film).tracks)
        write_table(appearances(after, longest_gap=longest_gap), project.film(film).appearances)
    return IdentifiedFilms(
        list(tables),
        _summarise(project, films, corrected.tables, dropped, problems),
        unknown_people(corrected.tables, looks=_looks(project, corrected.tables)),
        corrected.left_out,
        corrected.warnings,
    )


def grouping_of(embedder: Embedder, recognizer: Recognizer, info: RecognizerInfo) -> Grouping:
    """Return how alike two unknown tracks must be to be one person, fitted on the gallery where it is large enough."""
    own = embedder.threshold
    if not math.isfinite(own):
        own = info.threshold if info.kind == "knn" else float(getattr(recognizer, "farthest", math.inf))
    names = recognizer.classes_[recognizer.codes_]
    return fit_grouping(recognizer.vectors_, names, embedder=embedder.name, fallback=own)


def _settle(project: Project, tables: dict[Path, pd.DataFrame], threshold: float, weights: str) -> Corrected:
    """Group the unknown people over all films of the project, and apply what its user decided.

    The tables of films that are not of this run are written as well where their groups have changed. Films that were
    looked through with another network are left as they are.
    """
    seen = {film: weights_of(project.film(film)) for film in project.find_videos() if film not in tables}
    others = {film: project.film(film).tracks for film, used in seen.items() if used == weights}
    before = {film.name: pd.read_parquet(path) for film, path in others.items()}
    # What another network made of a face says nothing beside what this one makes of it: those groups only keep their
    # names to themselves.
    foreign = [project.film(film).tracks for film, used in seen.items() if used not in ("", weights)]
    labels = [pd.read_parquet(path, columns=["cluster"])["cluster"] for path in foreign if path.is_file()]
    taken = {str(name) for column in labels for name in column} - {""}
    paths = {film.name: film for film in [*tables, *others]}
    undecided = correct_films(before, pd.DataFrame(columns=pd.Index([*CORRECTION_COLUMNS, "matched"]))).tables
    every = {film.name: table for film, table in tables.items()} | undecided
    grouped = group_unknowns(every, threshold=threshold, looks=_looks(project, every), reserved=taken)
    fresh = {name: table.drop(columns="auto_cluster", errors="ignore") for name, table in grouped.items()}
    films = [paths[name] for name in fresh]
    corrected = correct_films(fresh, match_project(project, films, read_corrections(project.corrections)))
    for name, table in before.items():
        if not table["cluster"].equals(corrected.tables[name]["cluster"]):
            write_table(corrected.tables[name], project.film(paths[name]).tracks)
    return corrected


def _looks(project: Project, films: Iterable[str]) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(project.film(name).looks, columns=["track", "quality"]) for name in films}


def _summarise(
    project: Project,
    films: list[Path],
    tables: Mapping[str, pd.DataFrame],
    dropped: Mapping[Path, int],
    problems: Mapping[Path, str],
) -> pd.DataFrame:
    rows = [[film.name, *_counts(tables.get(film.name)), dropped.get(film, 0), problems[film]] for film in films]
    columns = ["film", "shots with faces", "tracks", "named", "by context", "unknown", "people", "no face", "problem"]
    summary = pd.DataFrame(rows, columns=pd.Index(columns))
    write_table(summary, project.film_summary)
    return summary


def _counts(tracks: pd.DataFrame | None) -> list[object]:
    if tracks is None:
        return [0, 0, 0, 0, 0, ""]
    unknown = int((tracks["person"] == UNKNOWN).sum())
    people = sorted(set(tracks["person"]) - {UNKNOWN, NOT_A_FACE})
    named = int(tracks["person"].isin(people).sum())
    context = int((tracks["source"] == "context").sum())
    return [tracks["shot"].nunique(), len(tracks), named, context, unknown, ", ".join(people)]
