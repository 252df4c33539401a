"""Scene context: a sitcom scene named by the face alone and by what surrounds it, and with each person left out.

A person who is left out of the gallery is a stranger in the scene: every name that he or she gets is a mistake.

Usage: python benchmarks/context.py [FOLDER]   (with people/, videos/, truth/ and truth/<film>.frames)
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import facelib
from facelib.evaluate import Score, Truth, load_truth, score
from facelib.films.index import find_tracks
from facelib.films.naming import LOOK_COLUMNS, NamingSettings, name_tracks
from facelib.gallery import build_gallery
from facelib.recognize import UNKNOWN, OpenSetKNN, RecognizerInfo
from facelib.recognize.thresholds import confidence_model, trials

SHARED = Path(__file__).parents[2] / "shared" / "data" / "sitcom"


def info_for(known: pd.DataFrame, embedder: facelib.Embedder) -> RecognizerInfo:
    """Return what notebook 04 would write about a KNN with the embedder's own threshold."""
    outcome = trials(np.stack(known["embedding"]), known["person"].to_numpy())
    slope, intercept = confidence_model(outcome, fallback=embedder.threshold)
    return RecognizerInfo(
        kind="knn", k=5, threshold=embedder.threshold, wanted_fpir=0.01, fpir=0.0, fnir=0.0,
        fpir_interval=(0.0, 0.0), fnir_interval=(0.0, 0.0), impostor_trials=0, genuine_trials=0,
        detector="centerface", embedder=embedder.name, weights_sha256=embedder.sha256, facelib_version="",
        pictures=tuple(known["picture"]), confidence_slope=slope, confidence_intercept=intercept,
    )  # fmt: skip


@dataclass(frozen=True)
class Film:
    """A film that was looked through, and its truth."""

    name: str
    tracks: pd.DataFrame
    detections: pd.DataFrame
    looks: pd.DataFrame
    shots: pd.DataFrame
    truth: Truth

    @classmethod
    def find(cls, film: Path, project: facelib.Project, embedder: facelib.Embedder, truth: Path) -> Film:
        """Look through a film as notebook 05 does when nothing is said."""
        files, detector = project.film(film), facelib.load_detector(smallest_face=16, working_size=640)
        followed = find_tracks(film, files, detector, embedder, progress=False)
        return cls(
            film.stem,
            followed.tracks,
            pd.read_parquet(files.detections),
            pd.read_parquet(files.looks, columns=LOOK_COLUMNS),
            pd.read_csv(files.shots, keep_default_na=False),
            load_truth(truth / f"{film.stem}.csv"),
        )

    def score(self, known: pd.DataFrame, embedder: facelib.Embedder, *, context: bool) -> Score:
        """Name the tracks by a gallery and compare them with the truth, in which all others are strangers."""
        knn = OpenSetKNN(k=5, threshold=embedder.threshold).fit(
            np.stack(known["embedding"]), known["person"].to_numpy()
        )
        rules = NamingSettings(context=context)
        tracks = name_tracks(
            self.tracks, knn, info_for(known, embedder), looks=self.looks, shots=self.shots, rules=rules
        )
        faces = self.detections.merge(tracks[["track", "person"]], on="track")
        if self.truth.frames is not None:
            faces = faces[faces["frame"].isin(self.truth.frames)]
        labels = self.truth.faces["person"]
        return score(faces, self.truth.faces.assign(person=labels.where(labels.isin(known["person"]), UNKNOWN)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED)
    folder = parser.parse_args().folder.resolve()
    if not (folder / "people").is_dir():
        print(f"left out: expected people/, videos/ and truth/ in {folder}")
        return
    with tempfile.TemporaryDirectory() as place:
        project = facelib.Project("bench", Path(place), Path(place) / "out")
        project.data.mkdir()
        project.people.symlink_to(folder / "people")
        embedder = facelib.load_embedder("dlib")
        table = build_gallery(project, facelib.load_detector(), embedder, progress=False)
        known = table[table["used"]]
        films = [Film.find(film, project, embedder, folder / "truth") for film in sorted((folder / "videos").iterdir())]
    print("| film | in the gallery | context | cast named right | wrong | strangers named | names on no face |")
    print("|---|---|---|---|---|---|---|")
    for film, left_out, context in product(films, [None, *sorted(known["person"].unique())], (False, True)):
        one = film.score(known[known["person"] != left_out], embedder, context=context)
        print(
            f"| {film.name} | {'everybody' if left_out is None else 'without ' + left_out} | "
            f"{'on' if context else 'off'} | {one.named_right:.3f} of {one.cast} | {one.wrong} | "
            f"{one.strangers_named} of {one.strangers} | {one.false_named} |"
        )


if __name__ == "__main__":
    main()
