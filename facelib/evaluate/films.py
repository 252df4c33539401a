"""The evaluation of a project's films against ground truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from facelib.evaluate.calibration import calibration_error, film_reliability
from facelib.evaluate.clusters import ClusterScore, track_clusters
from facelib.evaluate.counting import Score, confusion, count
from facelib.evaluate.identification import By, det_curve, fnir_at, searches
from facelib.evaluate.matching import found_faces, join_films, match_faces
from facelib.evaluate.mistakes import list_mistakes
from facelib.evaluate.tracking import TrackingScore, score_tracking
from facelib.evaluate.tracks import count_tracks, judge_tracks
from facelib.evaluate.truth import Truth, Truths, film_truth
from facelib.films.media.times import read_film_times
from facelib.project import FilmFiles, Project, read_csv_table, write_table, write_text
from facelib.project.plain import plain
from facelib.project.wording import counted, in_one_line

ALL = "all films"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The results of films compared with their truth; all tables are empty without a truth.

    Attributes:
        films: The films that were compared, by file name, and where they lie.
        matches: Every labelled and every found face; see `match_faces`.
        tracks: Every track, with its verdict; see `judge_tracks`.
        following: How faces were followed, by film and over `all films`.
        naming: The same with names as identities.
        left_out: Films with truth that could not be compared, and why.
        beyond: Of films whose truth labels frames after their last one, a sentence that says so.
    """

    films: Mapping[str, Path]
    matches: pd.DataFrame
    tracks: pd.DataFrame
    following: Mapping[str, TrackingScore]
    naming: Mapping[str, TrackingScore]
    left_out: Mapping[str, str]
    beyond: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """Which films were compared, why others were not, and whose truth labels frames that are not there."""
        rest = "".join(f"\nleft out: {film}: {reason}" for film, reason in self.left_out.items())
        rest += "".join(f"\n{film}: {reason}" for film, reason in self.beyond.items())
        return f"Compared {counted(len(self.films), 'film')} with ground truth.{rest}"

    @property
    def score(self) -> Score:
        """The counts of faces over all films."""
        return count(self.matches)

    @property
    def faces(self) -> pd.DataFrame:
        """Detection and naming of faces, one row per film and one for all; counts of faces in frames, shares 0 to 1."""
        return self._by_film(lambda matches, _: _face_figures(count(matches)))

    @property
    def followed(self) -> pd.DataFrame:
        """Tracking and naming of tracks, one row per film and one for all; see `TrackingScore` and `TrackScore`."""
        return self._by_film(lambda matches, film: self._track_figures(film))

    @property
    def clusters(self) -> ClusterScore:
        """How the tracks of all films were grouped by person."""
        return track_clusters(self.tracks)

    @property
    def reliability(self) -> pd.DataFrame:
        """How often names are right, by how sure they are; see `facelib.evaluate.reliability`."""
        return film_reliability(self.matches)

    @property
    def unknown_reliability(self) -> pd.DataFrame:
        """How often those called unknown are nobody in the cast, by how sure that is."""
        return film_reliability(self.matches, answer="unknown")

    @property
    def confusion(self) -> pd.DataFrame:
        """Which label got which name; see `facelib.evaluate.confusion`."""
        return confusion(self.matches)

    @property
    def mistakes(self) -> pd.DataFrame:
        """The mistakes, the worst first; see `list_mistakes`."""
        return list_mistakes(self.matches)

    def curve(self, by: By = "distance") -> pd.DataFrame:
        """Return FPIR and FNIR over thresholds; see `det_curve`."""
        return det_curve(searches(self.matches, by=by))

    @property
    def figures(self) -> pd.DataFrame:
        """The figures over all films in words: `figure`, `value`, `range`; no row where nothing was compared."""
        if not self.films:
            return pd.DataFrame(columns=pd.Index(["figure", "value", "range"]))
        tracks, curve, groups = self._track_figures(ALL), self.curve(), self.clusters
        rows = [
            ("faces found (recall)", self.score.recall, "0 to 1"),
            ("found faces that are faces (precision)", self.score.precision, "0 to 1"),
            ("faces of the cast named right", self.score.named_right, "0 to 1"),
            ("faces of the cast named wrong", self.score.named_wrong, "0 to 1, 0 is best"),
            ("tracks with the right answer", tracks["track accuracy"], "0 to 1"),
            ("tracks for each person and shot", tracks["tracks per person and shot"], "1 is best"),
            ("HOTA of tracks", tracks["HOTA"], "0 to 1"),
            ("IDF1 of tracks", tracks["IDF1"], "0 to 1"),
            ("identity switches", tracks["switches"], "0 is best"),
            ("IDF1 of names over films", tracks["IDF1 of names"], "0 to 1"),
            ("FNIR at FPIR 1 %, by the face alone", fnir_at(curve, 0.01), "0 to 1, 0 is best"),
            ("weighted cluster purity", groups.purity, "0 to 1"),
            ("number of clusters", groups.clusters, f"{groups.people} people"),
            ("normalised mutual information", groups.nmi, "0 to 1"),
            ("B-cubed F", groups.f1, "0 to 1"),
            ("calibration error of names", calibration_error(self.reliability), "0 to 1, 0 is best"),
            ("calibration error of unknown", calibration_error(self.unknown_reliability), "0 to 1, 0 is best"),
        ]
        rows = [(figure, value if isinstance(value, int) else round(value, 4), how) for figure, value, how in rows]
        return pd.DataFrame(rows, columns=["figure", "value", "range"], dtype=object)

    def write(self, project: Project, *, more: Mapping[str, object] | None = None) -> list[Path]:
        """Write `evaluation.csv`, one row per film, and `evaluation.json`, all figures; return their paths.

        Args:
            project: Where to write.
            more: Further figures for `evaluation.json`, by name: numbers, texts, tables, and lists and dicts of them.

        Raises:
            OSError: When the folder cannot be written.
        """
        table, figures = project.output / "evaluation.csv", project.output / "evaluation.json"
        write_table(self.faces.merge(self.followed, on="film"), table)
        record = {
            "films": list(self.films),
            "left_out": dict(self.left_out),
            "figures": dict(zip(self.figures["figure"], self.figures["value"], strict=True)),
            "score": asdict(self.score),
            "clusters": asdict(self.clusters),
            "reliability": self.reliability,
            "unknown_reliability": self.unknown_reliability,
            "confusion": {str(label): row.to_dict() for label, row in self.confusion.iterrows()},
            "mistakes": self.mistakes,
            "det": self.curve(),
            **(more or {}),
        }
        write_text(json.dumps(plain(record), indent=2, ensure_ascii=False), figures)
        return [table, figures]

    def _by_film(self, figures: Any) -> pd.DataFrame:
        rows = [{"film": film} | figures(self.matches[self.matches["film"] == film], film) for film in self.films]
        table = pd.DataFrame([*rows, {"film": ALL} | figures(self.matches, ALL)])
        return table if rows else table[:0]

    def _track_figures(self, film: str) -> dict[str, float]:
        own = self.tracks if film == ALL else self.tracks[self.tracks["film"] == film]
        tally, following, naming = count_tracks(own), self.following[film], self.naming[film]
        return {
            "tracks": tally.tracks,
            "track accuracy": tally.accuracy,
            "tracks per person and shot": following.found_per_labelled,
            "tracks on no face": tally.no_face,
            "HOTA": following.hota,
            "IDF1": following.idf1,
            "switches": following.switches,
            "IDF1 of names": naming.idf1,
        }


def evaluate_films(project: Project, truths: Truths, *, least_iou: float = 0.3, progress: bool = True) -> Evaluation:
    """Compare what `05_annotate_video` wrote with the truth, for all films that have one.

    A film that has not been annotated, or whose truth cannot be read, is left out with the reason. A found box that
    covers a labelled one by `least_iou`, 0 to 1, or more may match it.
    """
    films: dict[str, Path] = {}
    tables: list[pd.DataFrame] = []
    pairs: list[tuple[pd.DataFrame, Truth]] = []
    left_out: dict[str, str] = {}
    beyond: dict[str, str] = {}
    for film, path in tqdm(truths.of_film.items(), desc="films", unit=" films", leave=False, disable=not progress):
        try:
            found, truth = found_faces(project.film(film)), film_truth(path, project)
            if truth.cuts is None and project.film(film).shots.is_file():
                truth = replace(truth, cuts=_cuts(project.film(film).shots))
        except (OSError, ValueError) as error:
            left_out[film.name] = in_one_line(error)
            continue
        if said := _beyond_the_end(truth, film, project.film(film)):
            beyond[film.name] = said
        films[film.name] = film
        tables.append(match_faces(found, truth, least_iou=least_iou))
        pairs.append((found, truth))
    matches = join_films(tables, list(films))
    following, naming = (
        {name: score_tracking([pair], by=by, least_iou=least_iou) for name, pair in zip(films, pairs, strict=True)}
        | {ALL: score_tracking(pairs, by=by, least_iou=least_iou)}
        for by in ("track", "person")
    )
    return Evaluation(films, matches, judge_tracks(matches), following, naming, left_out, beyond)


def _beyond_the_end(truth: Truth, film: Path, files: FilmFiles) -> str:
    """Say how many labelled faces are in frames that the film has not; nothing where all are in it."""
    if not files.times.is_file():
        return ""
    count = len(read_film_times(film, files).ticks)
    after = int((truth.faces["frame"] >= count).sum())
    faces = f"{after} of {counted(len(truth.faces), 'labelled face')}"
    said = f"{faces} are in frames after its last one, {count - 1}: is the truth of another film, or at another rate?"
    return said if after else ""


def _cuts(shots: Path) -> tuple[int, ...]:
    table = read_csv_table(shots)
    if "start_frame" not in table:
        raise ValueError(f"expected the column start_frame in {str(shots)!r}, got {list(table)!r}; run 05 again")
    return tuple(table["start_frame"][1:])


def _face_figures(score: Score) -> dict[str, float]:
    return {
        "faces": score.labelled,
        "recall": score.recall,
        "precision": score.precision,
        "cast": score.cast,
        "right": score.right,
        "wrong": score.wrong,
        "missed": score.missed,
        "named right": score.named_right,
        "strangers": score.strangers,
        "strangers named": score.strangers_named,
        "false": score.false,
        "false named": score.false_named,
    }
