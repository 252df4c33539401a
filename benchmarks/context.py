"""Scene context: films named by the face alone and by what surrounds it, and with each person left out.

A person who is left out of the gallery is a stranger in the scene: every name that he or she gets is a mistake.

Usage: python benchmarks/context.py [--sets sitcom ...] [--data ../shared/data] [--keep FOLDER] [--embedder dlib]

With --keep the tables of the films stay in a folder, and the next run only names.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import facelib
from facelib.embed import Embedder
from facelib.evaluate import Score, Truth, load_truth, score_table
from facelib.evaluate.truth import UNNAMED
from facelib.films.indexed import index_film
from facelib.films.naming import LOOK_COLUMNS, NamingSettings, name_tracks
from facelib.gallery import build_gallery
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN, RecognizerInfo
from facelib.recognize.thresholds import confidence_model, trials

SHARED = Path(__file__).parents[2] / "shared" / "data"

# The folders with people/, videos/ and truth/ of each set, under --data.
SETS = {
    "film_clips": ("film_clips", "film_clips", "film_clips"),
    "sitcom": ("sitcom", "sitcom", "sitcom"),
    "friends_four": ("scenes/friends_four", "scenes/friends_four", "scenes/friends_four"),
    "friends_six": ("sitcom", "scenes/friends_four", "scenes/friends_six"),
    "table_one": ("scenes/table_one", "scenes/table_one", "scenes/table_one"),
    "table_ten": ("scenes/table_ten", "scenes/table_one", "scenes/table_ten"),
}


def info_for(known: pd.DataFrame, embedder: Embedder) -> RecognizerInfo:
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
    """A film that was indexed, and its truth."""

    name: str
    tracks: pd.DataFrame
    detections: pd.DataFrame
    looks: pd.DataFrame
    shots: pd.DataFrame
    truth: Truth

    @classmethod
    def find(cls, film: Path, project: facelib.Project, embedder: Embedder, truth: Path) -> Film:
        """Index a film with the defaults of notebook 05, unless its tables are there."""
        files, detector = project.film(film), facelib.load_detector(smallest_face=16, working_size=640)
        found = index_film(film, files, detector, embedder, content=project.digest(film), progress=False)
        return cls(
            film.stem,
            found.tracks,
            pd.read_parquet(files.detections),
            pd.read_parquet(files.looks, columns=LOOK_COLUMNS),
            pd.read_csv(files.shots, keep_default_na=False),
            load_truth(truth / f"{film.stem}.csv"),
        )

    def named(self, known: pd.DataFrame, embedder: Embedder, *, context: bool) -> pd.DataFrame:
        """Name the tracks by a gallery."""
        knn = OpenSetKNN(k=5, threshold=embedder.threshold).fit(
            np.stack(known["embedding"]), known["person"].to_numpy()
        )
        settings = NamingSettings(context=context)
        info = info_for(known, embedder)
        return name_tracks(self.tracks, knn, info, looks=self.looks, shots=self.shots, settings=settings)

    def score(self, known: pd.DataFrame, embedder: Embedder, *, context: bool) -> Score:
        """Compare the names with the truth, in which all who are not in the gallery are strangers."""
        tracks = self.named(known, embedder, context=context)
        faces = self.detections.merge(tracks[["track", "person"]], on="track")
        if self.truth.frames is not None:
            faces = faces[faces["frame"].isin(self.truth.frames)]
        labels = self.truth.faces["person"]
        people = labels.where(labels.isin(known["person"]), UNKNOWN).mask(labels == "ignore", UNNAMED)
        return score_table(faces, self.truth.faces.assign(person=people))


@dataclass(frozen=True)
class FilmSet:
    """The gallery and the films of a set."""

    known: pd.DataFrame
    films: list[Film]

    @classmethod
    def find(cls, name: str, data: Path, keep: Path, embedder: Embedder) -> FilmSet:
        """Embed the people and index the films of a set, unless their tables are kept."""
        people, videos, truth = (data / folder for folder in SETS[name])
        kept = keep / f"{name} {embedder.name}.parquet"
        if not kept.is_file():
            project = facelib.Project(name, keep / "data", keep)
            project.data.mkdir(parents=True, exist_ok=True)
            if not project.people.exists():
                project.people.symlink_to(people / "people")
            build_gallery(project, facelib.load_detector(), embedder, progress=False).to_parquet(kept)
        table = pd.read_parquet(kept)
        project = facelib.Project(videos.name, keep / "data", keep)
        films = sorted((videos / "videos").iterdir())
        return cls(table[table["used"]], [Film.find(film, project, embedder, truth / "truth") for film in films])

    def score(self, left_out: str | None, embedder: Embedder, *, context: bool) -> Score:
        """Add up the films, named by the gallery without one person."""
        known = self.known[self.known["person"] != left_out]
        return sum((film.score(known, embedder, context=context) for film in self.films), Score())


def ask(description: str) -> argparse.Namespace:
    """Return what a benchmark of the labelled films is asked for: `sets`, `data`, `keep`, and the `embedder` itself."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=[*SETS])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--embedder", type=facelib.load_embedder, default="dlib-mirrored")
    return parser.parse_args()


def labelled_sets(asked: argparse.Namespace) -> Iterator[tuple[str, FilmSet]]:
    """Yield the sets that were asked for, each with its name, and say which are not there."""
    data = asked.data.resolve()
    with tempfile.TemporaryDirectory() as place:
        for name in asked.sets:
            if (data / SETS[name][1] / "videos").is_dir():
                yield name, FilmSet.find(name, data, (asked.keep or Path(place)).resolve(), asked.embedder)
            else:
                print(f"left out: expected videos/ in {data / SETS[name][1]}")


def main() -> None:
    """Print the table."""
    asked = ask(__doc__)
    print("| films | in the gallery | context | cast named right | wrong | strangers named | names on no face |")
    print("|---|---|---|---|---|---|---|")
    for name, films in labelled_sets(asked):
        for left_out, context in product([None, *sorted(films.known["person"].unique())], (False, True)):
            one = films.score(left_out, asked.embedder, context=context)
            print(
                f"| {name} | {'everybody' if left_out is None else 'without ' + left_out} | "
                f"{'on' if context else 'off'} | {one.named_right:.3f} of {one.cast} | {one.wrong} | "
                f"{one.strangers_named} of {one.strangers} | {one.false_named} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
