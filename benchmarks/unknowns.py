"""Unknown people: how well tracks of strangers are grouped, at which threshold, and what it costs.

Four parts: the strangers of the film clips, found, followed and grouped as `05_annotate_video` does; people of LFW as
strangers, each track the mean of 1 to 5 pictures, over thresholds and seeds; the tracks of
the labelled films, with nobody known; time and memory of many tracks.

Usage: python benchmarks/unknowns.py [--data ../shared/data] [--embedder dlib] [--seeds 5] [--only clips lfw scale ...]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from context import FilmSet
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score

import facelib
from facelib.embed import Embedder
from facelib.evaluate import match_faces
from facelib.evaluate.matching import NO_FACE, NOBODY
from facelib.films.identify import identify_films
from facelib.films.linkage import link
from facelib.films.naming.places import tracks_of_one_place
from facelib.films.unknowns import fit_grouping, group_unknowns, grouping_threshold, join_by_context
from facelib.gallery import build_gallery, read_gallery, write_gallery
from facelib.project import Project
from facelib.project.names import UNKNOWN
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune

SHARED = Path(__file__).parents[2] / "shared" / "data"
PARTS = ("clips", "lfw", "labelled", "scale")
THRESHOLDS = {"dlib": np.arange(0.27, 0.391, 0.02), "mobilefacenet": np.arange(0.84, 1.21, 0.06)}

# Who the strangers of the clips are, by eye: clip, from and to (seconds), left and right limit of the face's middle
# (pixels of 1280), who. Those of the last three rows stand blurred in the background, and in no truth table.
STRANGERS = (
    ("other1", 0.0, 1.25, 0, 1280, "other1: bearded man"),
    ("other1", 1.25, 2.88, 0, 1280, "other1: bald man"),
    ("other1", 2.88, 9.0, 0, 1280, "other1: bearded man"),
    ("will_smith1", 1.74, 3.99, 0, 1280, "other1: bearded man"),
    ("other2", 0.0, 9.0, 0, 1280, "other2: man in a dark suit"),
    ("other4", 0.0, 9.0, 0, 1280, "other4: man in a turtleneck"),
    ("other5", 0.0, 9.0, 0, 1280, "other5: white-haired man"),
    ("christian_bale1", 0.0, 1.0, 900, 1280, "christian_bale1: man at the right"),
    ("christian_bale1", 2.5, 4.3, 400, 700, "christian_bale1: man at the left"),
    ("toby_maguire1", 3.5, 4.5, 200, 420, "toby_maguire1: boy at the left"),
)
TABLE = "| {} | tracks | people | groups | by people | purity | B-cubed | NMI |\n|" + "---|" * 8


def rates(whose: Sequence[object], groups: Sequence[object], weights: NDArray[np.float64] | None = None) -> list[float]:
    """Return people, groups, groups by people, weighted purity, B-cubed F, NMI."""
    people, groups_of = np.asarray(whose, str), np.asarray(groups, str)
    weight = np.ones(len(people)) if weights is None else weights
    table = pd.crosstab(people, groups_of, values=weight, aggfunc="sum").fillna(0).to_numpy(float)
    total = table.sum()
    precision = float((table**2 / table.sum(axis=0)).sum() / total)
    recall = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / total)
    purity = float(table.max(axis=0).sum() / total)
    f = 2 * precision * recall / (precision + recall)
    ratio = table.shape[1] / table.shape[0]
    return [*table.shape, ratio, purity, f, float(normalized_mutual_info_score(people, groups_of))]


def show(what: str, tracks: int, values: Sequence[float]) -> None:
    """Print a row of `TABLE`."""
    people, groups, ratio, purity, b_cubed, nmi = values
    print(
        f"| {what} | {tracks} | {people:.0f} | {groups:.1f} | {ratio:.2f} | {purity:.4f} | {b_cubed:.4f} | {nmi:.4f} |"
    )


def stranger(clip: str, tracks: pd.Series, boxes: pd.DataFrame) -> str:
    """Return who a track is, by its middle, or nothing."""
    own = boxes[boxes["track"] == tracks["track"]]
    middle = own.iloc[len(own) // 2]
    x = (middle["left"] + middle["right"]) / 2
    for name, start, end, left, right, who in STRANGERS:
        if name == clip and start <= middle["time"] <= end and left <= x <= right:
            return who
    return ""


def clips(data: Path, embedder: Embedder) -> None:
    """Print how the strangers of the film clips are grouped."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project("clips", Path(folder) / "data", Path(folder) / "output")
        project.data.mkdir(parents=True)
        for name in ("people", "videos"):
            (project.data / name).symlink_to((data / "film_clips" / name).resolve())
        gallery = build_gallery(project, facelib.load_detector(), embedder, progress=False)
        write_gallery(gallery, project.faces, detector="mtcnn", embedder=embedder.name, weights_sha256=embedder.sha256)
        tuning = tune(read_gallery(project.faces), fallback=embedder.threshold, progress=False)
        tuning.save(project.recognizer)
        recognizer, info = load_recognizer(project.recognizer)
        films = project.find_videos()
        detector = facelib.load_detector(working_size=640)
        identify_films(films, project, detector, embedder, recognizer, info, progress=False)
        files = {film.name: project.film(film) for film in films}
        tables = {name: pd.read_parquet(one.tracks) for name, one in files.items()}
        looks = {name: pd.read_parquet(one.looks) for name, one in files.items() if one.looks.is_file()}
        tables = group_unknowns(tables, threshold=grouping_threshold(embedder.name, embedder.threshold), looks=looks)
        rows = []
        for name, table in tables.items():
            boxes = pd.read_parquet(files[name].detections)
            for _, track in table[table["person"] == UNKNOWN].iterrows():
                rows.append(
                    [name, stranger(Path(name).stem, track, boxes), track["cluster"], track["end"] - track["start"]]
                )
    found = pd.DataFrame(rows, columns=pd.Index(["film", "who", "cluster", "seconds"]))
    print(found.to_string(index=False), "\n")
    print(TABLE.format("strangers of the clips"))
    grouped = found[found["cluster"] != ""]
    named = grouped["who"].str.startswith("other")
    for what, part in (("in the truth tables", grouped[named]), ("and in the background", grouped)):
        show(what, len(part), rates(part["who"], part["cluster"], part["seconds"].to_numpy(float) + 1e-3))
    print(f"\n{len(found) - len(grouped)} of {len(found)} unknown tracks without a group\n")


def embed_lfw(data: Path, embedder: Embedder) -> pd.DataFrame:
    """Return `person`, `stranger` (of the set with one picture each) and `embedding` of LFW's used pictures."""
    tables = []
    for name in ("people", "strangers"):
        with tempfile.TemporaryDirectory() as folder:
            project = Project("lfw", Path(folder) / "data", Path(folder) / "output")
            project.data.mkdir(parents=True)
            project.people.symlink_to((data / "lfw" / name).resolve())
            table = build_gallery(project, facelib.load_detector(), embedder, progress=False)
        table = table[(table["face"] >= 0) & table["used"]]
        tables.append(table[["person", "embedding"]].assign(stranger=name == "strangers"))
    return pd.concat(tables, ignore_index=True)


def simulate(
    table: pd.DataFrame, *, most_pictures: int, others: int, seed: int
) -> tuple[NDArray[np.float64], list[str]]:
    """Return simulated tracks, each the mean of 1 to 5 pictures, and whose they are."""
    random = np.random.default_rng(seed)
    means, whose = [], []
    for person, own in table[~table["stranger"]].groupby("person"):
        vectors = np.stack(own["embedding"].to_list()).astype(float)
        vectors = vectors[random.permutation(len(vectors))[: random.integers(3, most_pictures + 1)]]
        cuts = np.cumsum(random.integers(1, 6, len(vectors)))
        for part in np.split(vectors, cuts[cuts < len(vectors)]):
            means.append(part.mean(axis=0))
            whose.append(str(person))
    single = table[table["stranger"]]
    for _, row in single.iloc[random.permutation(len(single))[:others]].iterrows():
        means.append(np.asarray(row["embedding"], float))
        whose.append(f"stranger {row['person']}")
    return np.array(means), whose


def lfw(data: Path, embedder: Embedder, seeds: int) -> None:
    """Print how simulated tracks of LFW are grouped, over thresholds."""
    table = embed_lfw(data, embedder)
    chosen = grouping_threshold(embedder.name, embedder.threshold)
    for most, others in ((20, 0), (500, 0), (20, 500), (500, 500), (20, 1000)):
        print(TABLE.format(f"62 people, up to {most} pictures, {others} others of one; threshold"))
        for threshold in sorted({*THRESHOLDS.get(embedder.name, []).round(3), chosen}):
            values, counts = [], []
            for seed in range(seeds):
                vectors, whose = simulate(table, most_pictures=most, others=others, seed=seed)
                values.append(rates(whose, link(vectors, threshold=threshold).tolist()))
                counts.append(len(whose))
            mark = " (chosen)" if threshold == chosen else ""
            show(f"{threshold:.2f}{mark}", round(np.mean(counts)), np.mean(values, axis=0).tolist())
        print()
    known = table[~table["stranger"]]
    vectors, names = np.stack(known["embedding"].to_list()), known["person"].to_numpy()
    print(fit_grouping(vectors, names, embedder=embedder.name, fallback=embedder.threshold), "\n")


def row_of_groups(what: str, found: dict[str, pd.DataFrame], whose: dict[tuple[str, int], str]) -> str:
    """Return the line of the table for groups of labelled tracks."""
    clusters = {film: dict(zip(table["track"], table["cluster"], strict=True)) for film, table in found.items()}
    rows = [(who, clusters[film][track]) for (film, track), who in whose.items()]
    grouped = [row for row in rows if row[1]]
    purity = rates(*zip(*grouped, strict=True))[3]
    people, groups = len({who for who, _ in rows}), len({cluster for _, cluster in grouped})
    return f"| {what} | {purity:.3f} | {groups / people:.2f} | {1 - len(grouped) / len(rows):.2f} |"


def labelled(data: Path, embedder: Embedder) -> None:
    """Print how the tracks of the labelled films are grouped as though nobody were known, with their places and not."""
    tables, looks, places, shots, whose = {}, {}, {}, {}, {}
    threshold = grouping_threshold(embedder.name, embedder.threshold)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("friends_six", "sitcom", "table_one", "film_clips"):
            for film in FilmSet.find(name, data.resolve(), Path(folder), embedder).films:
                key = f"{name}/{film.name}"
                tables[key], looks[key] = film.tracks.assign(person=UNKNOWN), film.looks
                shots[key] = film.shots
                places[key] = tracks_of_one_place(tables[key], film.looks, film.shots, threshold=threshold)
                matches = match_faces(film.detections.assign(person="anybody"), film.truth)
                matches = matches[(matches["name"] != NOBODY) & ~matches["label"].isin([NO_FACE, "ignore", ""])]
                label = matches.groupby("track")["label"].agg(lambda labels: labels.mode().iloc[0])
                whose |= {(key, track): f"{key}?" if who == UNKNOWN else who for track, who in label.items()}
    print("| labelled films | purity | groups for each person | tracks without a group |\n|---|---|---|---|")
    options = {"threshold": threshold, "looks": looks}
    joined = group_unknowns(tables, together=places, **options)
    found = {
        "by the face alone": group_unknowns(tables, **options),
        "those of one place together": joined,
        "and joined by context": {
            key: join_by_context(table, looks[key], shots[key], threshold=threshold) for key, table in joined.items()
        },
    }
    for what, grouped in found.items():
        print(row_of_groups(what, grouped, whose))
    print()


def scale() -> None:
    """Print what grouping many tracks takes."""
    random = np.random.default_rng(0)
    print("| tracks | people | seconds | more memory, MB |\n|---|---|---|---|")
    for count, people in ((2_000, 100), (10_000, 300), (10_000, 10_000), (20_000, 1_000)):
        middles = random.normal(size=(people, 128))
        vectors = (middles[random.integers(0, people, count)] + random.normal(size=(count, 128)) * 0.6).astype(
            np.float32
        )
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        link(vectors, threshold=0.95)
        seconds = time.perf_counter() - start
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
        print(f"| {count} | {people} | {seconds:.1f} | {more:.0f} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--embedder", default="dlib")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # face_recognition_models imports the outdated pkg_resources
    embedder = facelib.load_embedder(arguments.embedder)
    there = (arguments.data / "film_clips").is_dir()
    if not there:
        print(f"left out: expected the labelled data in {arguments.data}; name its place with --data")
    if "clips" in arguments.only and there:
        clips(arguments.data, embedder)
    if "lfw" in arguments.only and there:
        lfw(arguments.data, embedder, arguments.seeds)
    if "labelled" in arguments.only and there:
        labelled(arguments.data, embedder)
    if "scale" in arguments.only:
        scale()


if __name__ == "__main__":
    main()
