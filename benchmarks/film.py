"""A film: facelib's film step against face_recognition's recipe of every frame by itself, on one clip in one process.

The recipe finds faces with HOG in every frame, encodes each, asks scikit-learn's nearest neighbours, draws with
OpenCV and writes with OpenCV. Seconds are also given as a multiple of the clip's own length.

Usage: python benchmarks/film.py [CLIP] [--people FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import cv2
import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from timing import reference, seconds

import facelib
from facelib.films.annotate import annotate_film
from facelib.films.index import find_tracks
from facelib.films.media.decode import probe
from facelib.gallery import build_gallery
from facelib.project import FilmFiles

SHARED = Path(__file__).parents[2] / "shared" / "data" / "film_clips"


def per_frame_recipe(clip: Path, destination: Path, classifier: KNeighborsClassifier) -> None:
    """Do what face_recognition's examples do with a film."""
    face_recognition = reference()

    film = cv2.VideoCapture(str(clip))
    size = (int(film.get(cv2.CAP_PROP_FRAME_WIDTH)), int(film.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    writer = cv2.VideoWriter(str(destination), cv2.VideoWriter.fourcc(*"mp4v"), film.get(cv2.CAP_PROP_FPS), size)
    while True:
        there, picture = film.read()
        if not there:
            break
        image = np.ascontiguousarray(picture[:, :, ::-1])
        places = face_recognition.face_locations(image)
        vectors = face_recognition.face_encodings(image, places)
        names = classifier.predict(vectors) if vectors else []
        for (top, right, bottom, left), name in zip(places, names, strict=True):
            cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 255), 2)
            cv2.putText(picture, str(name), (left, bottom + 20), cv2.FONT_HERSHEY_DUPLEX, 0.6, (255, 255, 255), 1)
        writer.write(picture)
    writer.release()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=SHARED / "videos" / "christian_bale1.mp4")
    parser.add_argument("--people", type=Path, default=SHARED / "people")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # face_recognition_models imports the outdated pkg_resources
    if not arguments.clip.is_file():
        print(f"left out: expected a clip at {arguments.clip}; name one, and --people with one folder a person")
        return
    with tempfile.TemporaryDirectory() as folder:
        project = facelib.Project("bench", Path(folder), Path(folder) / "out")
        project.data.mkdir()
        project.people.symlink_to(arguments.people.resolve())
        clip, length = arguments.clip, probe(arguments.clip).duration
        detector, embedder = facelib.load_detector(working_size=640), facelib.load_embedder("dlib")
        table = build_gallery(project, facelib.load_detector(), embedder, progress=False)
        known = table[table["used"]]
        classifier = KNeighborsClassifier(5).fit(np.stack(known["embedding"]), known["person"])
        files = FilmFiles(Path(folder) / "film")

        def look() -> None:
            find_tracks(clip, files, detector, embedder, progress=False)

        def look_and_draw() -> None:
            tracks = find_tracks(clip, files, detector, embedder, progress=False).tracks
            annotate_film(clip, files, tracks.assign(person="unknown"), {"unknown": "#888888"}, progress=False)

        look_and_draw()
        found = np.median([[seconds(look), seconds(look_and_draw)] for _ in range(3)], axis=0)
        theirs = seconds(lambda: per_frame_recipe(clip, Path(folder) / "recipe.mp4", classifier))
    print("| film step | seconds | of the clip's length | times as fast |\n|---|---|---|---|")
    rows = [("face_recognition, frame by frame", theirs), ("facelib", found[0]), ("facelib, drawing", found[1])]
    for what, took in rows:
        print(f"| {what}, {clip.stem} | {took:.2f} | {took / length:.2f} | {theirs / took:.1f} |")


if __name__ == "__main__":
    main()
