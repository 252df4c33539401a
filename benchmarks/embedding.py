"""Embedding faces: facelib in batches against the installed face_recognition, on the same faces in one process.

Usage: python benchmarks/embedding.py [--faces 32] [--repeats 5]
"""

from __future__ import annotations

import argparse

import numpy as np
from skimage import data
from timing import HEAD, by_turns, reference, row

from facelib.embed import load_embedder
from facelib.faces import Faces

BOX = (175, 76, 265, 166)  # the astronaut's face: left, top, right, bottom


def main() -> None:
    """Print one row of the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    face_recognition = reference()
    picture = np.asarray(data.astronaut(), np.uint8)
    shifts = np.random.default_rng(0).integers(-6, 7, (arguments.faces, 2))
    boxes = np.array(BOX) + np.tile(shifts, 2)
    faces = Faces.of(boxes)
    places = [(int(top), int(right), int(bottom), int(left)) for left, top, right, bottom in boxes]
    embedder = load_embedder("dlib")

    def theirs() -> np.ndarray:
        return np.array(face_recognition.face_encodings(picture, places, model="small"))

    difference = float(np.abs(embedder.embed(picture, faces) - theirs()).max())
    ours, by_reference = by_turns(lambda: embedder.embed(picture, faces), theirs, repeats=arguments.repeats)
    print(HEAD)
    print(row(f"embedding a face (largest difference {difference:.0e})", ours, by_reference, count=arguments.faces))


if __name__ == "__main__":
    main()
