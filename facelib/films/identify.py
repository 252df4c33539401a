"""Identify who is on screen, and when, in all films of a project."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.embed.shapes import evidence_shape
from facelib.films.indexed import index_film
from facelib.films.name import name_film
from facelib.films.naming import NamingSettings, Recognizer
from facelib.films.problems import LOOKING, Problems
from facelib.films.record import SUMMARY_COLUMNS, read_summary
from facelib.films.renamed import FormerResults
from facelib.films.settle import Settled, settle_films
from facelib.films.tracking import FilmTracks, TrackingSettings
from facelib.films.unknowns import Grouping, fit_grouping
from facelib.project import Project, write_table
from facelib.project.decisions import read_decisions
from facelib.project.names import NOT_A_FACE, UNKNOWN
from facelib.recognize import RecognizerInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class IdentifiedFilms(Settled):
    """The results of several films: settled tables of those that could be read, and a summary.

    Attributes:
        summary: One row per film: `film`, `shots with faces`, `tracks`, `named`, `by context`, `unknown`, `people`,
            `no face` (tracks dropped as false detections), `problem` (why it was left out, or what of it was lost),
            `notes` (what cannot be carried over into the annotated film, and `facelib.films.record.EARLIER`).
    """

    summary: pd.DataFrame


def identify_films(
    films: Iterable[Path],
    project: Project,
    detector: Detector,
    embedder: Embedder,
    recognizer: Recognizer,
    info: RecognizerInfo,
    *,
    tracking: TrackingSettings | None = None,
    naming: NamingSettings | None = None,
    longest_gap: float = 1.0,
    show_unknown: bool = False,
    regroup: bool = False,
    left_out: Mapping[str, str] | None = None,
    progress: bool = True,
) -> IdentifiedFilms:
    """Index films, name their tracks, settle the project, and write the tables.

    A film that was indexed before with the same detector, embedder and settings is not decoded again; its tracks are
    named again only where the recognizer or a setting has changed. A film's errors are listed in the summary with the
    remedy; the others are finished. Several processes may work on one project, but only one on each film.

    Args:
        films: Paths.
        project: Where the results go.
        detector: Finds the faces.
        embedder: Embeds them; the network the recognizer was fitted for.
        recognizer: Names them.
        info: What the recognizer was made from.
        tracking: How faces are found and tracked; None takes the defaults.
        naming: When a track is given a name; None takes the defaults.
        longest_gap: Seconds up to which the gap between two stretches of one person is closed.
        show_unknown: Also the groups of unknown people in the appearances that are returned.
        regroup: Group the unknown people of all films again, see `facelib.films.settle.settle_films`.
        left_out: Films that are not to be looked at, by file name, each with its problem: those that could not be
            indexed elsewhere, see `facelib.archive.cluster.index_films`.
        progress: Show a progress bar for each film, with rate and time left.

    Raises:
        ValueError: When there is no film, when none of them could be read, when `embedder` is not the network that the
            recognizer was fitted for, or when `corrections.csv` is damaged.
        BlockingIOError: When other runs hold all of them.
    """
    films = list(films)
    _check(films, project, embedder, info)
    problems, former = Problems(project), FormerResults(project, films)
    indexed: dict[str, FilmTracks] = {}
    named: list[Path] = []
    for film in films:
        if left_out and film.name in left_out:
            problems.add(film, left_out[film.name])
            continue
        with problems.of(film, LOOKING), project.hold(film) as files:
            content = project.digest(film)
            former.take_over(film, files, content)
            found = index_film(film, files, detector, embedder, content=content, tracking=tracking, progress=progress)
            indexed[film.name] = found
            with problems.of(film, "naming its tracks"):
                name_film(found, files, recognizer, info, settings=naming)
                named.append(film)
            if found.problem:
                problems.add(film, found.problem)
    if not named:
        listed = "; ".join(f"{film}: {problem}" for film, problem in problems.found.items())
        if not problems.lasting:
            raise BlockingIOError(f"none of the films could be read: {listed}")
        _summarise(project, films, {}, indexed, problems)
        raise ValueError(f"none of the films could be read: {listed}")
    settled = settle_films(
        project,
        named,
        threshold=grouping_of(embedder, recognizer, info).threshold,
        weights=embedder.sha256,
        regroup=regroup,
        longest_gap=longest_gap,
        show_unknown=show_unknown,
        problems=problems,
    )
    summary = _summarise(project, films, settled.tracks, indexed, problems)
    return IdentifiedFilms(**{one.name: getattr(settled, one.name) for one in fields(settled)}, summary=summary)


def _check(films: list[Path], project: Project, embedder: Embedder, info: RecognizerInfo) -> None:
    if not films:
        raise ValueError(f"expected at least one film in {str(project.videos)!r}, found none; put one there")
    info.check_embedder(embedder)
    read_decisions(project.corrections)  # a damaged file is told before the search, which may take hours
    if not evidence_shape(info.embedder, info.weights_sha256)[1]:
        _log.warning(
            "how much distances of %r say was not measured, so faces in context are named with caution; "
            "'facelib models calibrate' measures it",
            info.embedder,
        )


def grouping_of(embedder: Embedder, recognizer: Recognizer, info: RecognizerInfo) -> Grouping:
    """Return the grouping threshold for unknown tracks, fitted on the gallery where it is large enough."""
    own = embedder.threshold
    if not math.isfinite(own):
        own = info.threshold if info.kind == "knn" else float(getattr(recognizer, "farthest", math.inf))
    names = recognizer.classes_[recognizer.codes_]
    return fit_grouping(recognizer.vectors_, names, embedder=embedder.name, fallback=own)


def _summarise(
    project: Project,
    films: list[Path],
    tables: Mapping[str, pd.DataFrame],
    indexed: Mapping[str, FilmTracks],
    problems: Problems,
) -> pd.DataFrame:
    rows = [
        [
            film.name,
            *_counts(tables.get(film.name)),
            indexed[film.name].dropped if film.name in indexed else 0,
            problems.found.get(film.name, ""),
            "; ".join(indexed[film.name].notes) if film.name in indexed else "",
        ]
        for film in films
    ]
    summary = pd.DataFrame(rows, columns=pd.Index(SUMMARY_COLUMNS))
    ours = summary["film"].isin([*indexed, *problems.lasting])
    earlier = read_summary(project)
    others = earlier[earlier["film"].isin(summary.loc[~ours, "film"])]  # as those who hold them wrote them
    lasting = summary["film"].map(lambda film: problems.lasting.get(film, ""))
    write_table(pd.concat([summary.assign(problem=lasting)[ours], others]), project.film_summary)
    return summary


def _counts(tracks: pd.DataFrame | None) -> list[object]:
    if tracks is None:
        return [0, 0, 0, 0, 0, ""]
    unknown = int((tracks["person"] == UNKNOWN).sum())
    people = sorted(set(tracks["person"]) - {UNKNOWN, NOT_A_FACE})
    named = int(tracks["person"].isin(people).sum())
    context = int((tracks["source"] == "context").sum())
    return [tracks["shot"].nunique(), len(tracks), named, context, unknown, ", ".join(people)]
