"""Finding faces with the CNN: facelib against the installed face_recognition, on the same frames in one process.

Usage: python benchmarks/cnn_detection.py [--frames 4] [--repeats 5]
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from skimage import data
from timing import HEAD, by_turns, reference, row

from facelib.detect import load_detector
from facelib.faces import Image, iou


def frames(count: int) -> list[Image]:
    """Return frames of 640x360 with a face of about 110 pixels each, at changing places."""
    portrait = np.asarray(data.astronaut(), np.uint8)
    random = np.random.default_rng(0)
    made = []
    for _ in range(count):
        frame = cv2.resize(np.asarray(data.coffee(), np.uint8), (640, 360), interpolation=cv2.INTER_AREA)
        x, y = int(random.integers(0, 340)), int(random.integers(0, 60))
        frame[y : y + 300, x : x + 300] = portrait[:300, 60:360]
        made.append(np.asarray(frame, np.uint8))
    return made


def main() -> None:
    """Print one row of the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    face_recognition = reference()
    pictures = frames(arguments.frames)
    detector = load_detector("cnn", smallest_face=80)

    def ours() -> list[np.ndarray]:
        return [detector.detect(picture).boxes for picture in pictures]

    def theirs() -> list[np.ndarray]:
        found = face_recognition.batch_face_locations(pictures, number_of_times_to_upsample=0, batch_size=1)
        return [
            np.array([(left, top, right, bottom) for top, right, bottom, left in faces], np.float32) for faces in found
        ]

    overlap = min(float(iou(a, b).max(axis=1).min()) for a, b in zip(theirs(), ours(), strict=True))
    quick, slow = by_turns(ours, theirs, repeats=arguments.repeats)
    print(HEAD)
    print(row(f"CNN detection, 640x360 (least overlap {overlap:.2f})", quick, slow, count=arguments.frames))


if __name__ == "__main__":
    main()
