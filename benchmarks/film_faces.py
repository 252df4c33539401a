"""People proposed from films: how pure their folders are, how many a person has, and whether they teach what they show.

The film clips are looked through as notebook 01 does. Who each proposed picture shows comes from the clips' truth, and
for strangers from `benchmarks/unknowns.py`. Then the proposed people of the cast name the cast's own pictures by the
nearest face, as a gallery of the film's faces would.

Usage: python benchmarks/film_faces.py [--data ../shared/data] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from unknowns import stranger

import facelib
from facelib.detect.portraits import find_portrait
from facelib.evaluate import load_truth
from facelib.faces import iou
from facelib.gather.film_faces import Proposed, propose_people
from facelib.project import Project
from facelib.project.names import UNKNOWN

SHARED = Path(__file__).parents[2] / "shared" / "data"
SIDES = ["left", "top", "right", "bottom"]


def whose(row: pd.Series, project: Project, data: Path) -> str:
    """Return who a proposed picture shows, or nothing where nobody has said."""
    stem, files = Path(row["film"]).stem, project.film(row["film"])
    boxes = pd.read_parquet(files.detections)
    own = boxes[(boxes["track"] == row["track"]) & (boxes["frame"] == row["frame"])]
    truth = load_truth(data / "film_clips" / "truth" / f"{stem}.csv").faces
    there = truth[truth["frame"] == row["frame"]]
    over = iou(own[SIDES].to_numpy(), there[SIDES].to_numpy()).max(axis=0) if len(own) and len(there) else np.zeros(1)
    name = str(there["person"].iloc[int(over.argmax())]) if over.max() >= 0.3 else UNKNOWN
    return stranger(stem, pd.Series({"track": row["track"]}), boxes) if name == UNKNOWN else name


def names_right(found: Proposed, people: dict[str, str], project: Project, data: Path) -> tuple[int, int]:
    """Return how many of the cast's own pictures are nearest to the right proposed folder, and how many there are."""
    embedder, detector = facelib.load_embedder("dlib"), facelib.load_detector()
    known, names = [], []
    for person, name in people.items():
        for path in sorted((found.folder / person).glob("*.jpg")):
            image = facelib.read_image(path)
            faces = find_portrait(image, detector).faces
            if len(faces):
                known.append(embedder.embed(image, faces[:1])[0])
                names.append(name)
    right = total = 0
    for name in sorted(set(people.values())):
        for path in sorted((data / "film_clips" / "people" / name).iterdir()):
            image = facelib.read_image(path)
            faces = find_portrait(image, detector).faces
            if len(faces) == 1:
                distances = np.linalg.norm(np.stack(known) - embedder.embed(image, faces)[0], axis=1)
                right, total = right + (names[int(distances.argmin())] == name), total + 1
    return right, total


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--keep", type=Path, help="a folder for what is made, to go on from")
    arguments = parser.parse_args()
    if not (arguments.data / "film_clips").is_dir():
        print(f"left out: expected the labelled clips in {arguments.data}; name their place with --data")
        return
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.keep or Path(folder)
        project = Project("clips", place / "data", place / "out")
        project.data.mkdir(parents=True, exist_ok=True)
        if not project.videos.exists():
            project.videos.symlink_to((arguments.data / "film_clips" / "videos").resolve())
        found = propose_people(project)
        table = found.pictures.assign(
            whose=[whose(row, project, arguments.data) for _, row in found.pictures.iterrows()]
        )
        counts = pd.crosstab(table["person"], table["whose"])
        print(counts.to_string(), "\n")
        people = {str(person): str(name) for person, name in counts.idxmax(axis=1).items()}
        cast = {
            person: name for person, name in people.items() if (arguments.data / "film_clips/people" / name).is_dir()
        }
        right, total = names_right(found, cast, project, arguments.data)
    print(
        "| folders | people | pictures | of their folder's person | cast pictures named right |\n|---|---|---|---|---|"
    )
    pure = int(counts.max(axis=1).sum())
    print(
        f"| {len(counts)} | {counts.shape[1]} | {len(table)} | {pure} ({pure / len(table):.1%}) "
        f"| {right} of {total} ({right / max(total, 1):.1%}) |"
    )


if __name__ == "__main__":
    main()
