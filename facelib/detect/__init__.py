"""Faces in a picture: boxes, scores and five landmarks, by seven detectors behind one Protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from facelib.detect.base import Detector, Engine, Options
from facelib.nets.runtime import Provider

DetectorName = Literal["haar", "hog", "cnn", "mtcnn", "centerface", "yunet"]

__all__ = ["Detector", "DetectorName", "Engine", "load_detector"]


def load_detector(
    name: DetectorName | str | Path = "centerface",
    *,
    smallest_face: float = 40,
    score: float | None = None,
    working_size: int | None = None,
    engine: Engine = "onnx",
    provider: Provider = "auto",
) -> Detector:
    """Open a detector.

    Args:
        name: `"haar"` (OpenCV's cascade), `"hog"` and `"cnn"` (face_recognition's two), `"mtcnn"`, `"centerface"`,
            `"yunet"` (fetched once), another detector in the catalogue of weights, or the path of an ONNX file of the
            output form of YuNet or SCRFD. The default is the best and the quickest of those whose weights come with
            installed packages.
        smallest_face: Longer side of the smallest face wanted, in pixels of the picture. Raising it is faster and
            gives fewer false faces.
        score: Minimum score of a face; None takes the detector's own. Raising it gives fewer and more certain faces.
        working_size: Longest side in pixels to which a larger picture is scaled down first. No detector enlarges a
            picture past it, so with a small one the smallest faces may be missed. None leaves the picture as it is.
        engine: `"dlib"` runs `"hog"` and `"cnn"` by dlib itself, as the reference; `"hog"` always is.
        provider: Where networks run: `"auto"`, `"cpu"` or `"cuda"`.

    Raises:
        ValueError: When the name, an option or the file's form is not known.
        FileNotFoundError: When the weights are missing (`MissingWeights` names where to get them).
        RuntimeError: When a GPU was asked for and there is none.

    Examples:
        >>> import numpy as np
        >>> len(load_detector("haar").detect(np.zeros((48, 64, 3), np.uint8)))
        0
    """
    options = Options(smallest_face=smallest_face, score=score, working_size=working_size)
    if engine not in get_args(Engine):
        raise ValueError(f"expected engine 'onnx' or 'dlib', got {engine!r}")
    if engine == "dlib" and name not in ("hog", "cnn"):
        raise ValueError(f"expected 'hog' or 'cnn' with engine='dlib', got {str(name)!r}")
    if name in get_args(DetectorName):
        return _builders(options, engine, provider)[str(name)]()
    return _from_file(name, options, provider)


def _from_file(name: str | Path, options: Options, provider: Provider) -> Detector:
    from facelib.detect.anchors import file_detector
    from facelib.nets.catalogue import find_weights
    from facelib.nets.weights import catalogue

    named = [weights.name for weights in catalogue() if weights.kind == "detector" and weights.name != "yunet"]
    if name not in named and Path(name).suffix.lower() != ".onnx":
        known = [*get_args(DetectorName), *named]
        raise ValueError(f"expected one of {known!r} or the path of an .onnx file, got {str(name)!r}")
    return file_detector(find_weights(name), options, provider=provider, name=str(name) if name in named else None)


def _builders(options: Options, engine: Engine, provider: Provider) -> dict[str, Callable[[], Detector]]:
    """Return how each named detector is opened, imported here because dlib and onnx take a second."""
    from facelib.detect.anchors import file_detector
    from facelib.detect.centerface import CenterFaceDetector
    from facelib.detect.cnn import CnnDetector, DlibCnnDetector
    from facelib.detect.haar import HaarDetector
    from facelib.detect.hog import HogDetector
    from facelib.detect.mtcnn import MtcnnDetector
    from facelib.nets.catalogue import find_weights

    return {
        "haar": lambda: HaarDetector(options, provider=provider),
        "hog": lambda: HogDetector(options, provider=provider),
        "cnn": lambda: (DlibCnnDetector if engine == "dlib" else CnnDetector)(options, provider=provider),
        "centerface": lambda: CenterFaceDetector(options, provider=provider),
        "mtcnn": lambda: MtcnnDetector(options, provider=provider),
        "yunet": lambda: file_detector(find_weights("yunet"), options, provider=provider, name="yunet"),
    }
