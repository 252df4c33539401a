"""Face alignment for embedding networks: three methods, one for each family of networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facelib.faces import Faces, Image
from facelib.project.kept import kept_by_file

DLIB_SIZE = 150
MARGIN_SIZE = 160
WARP_SIZE = 112

# Where the two eyes, the tip of the nose and the corners of the mouth come to lie in a 112x112 chip.
# Source: the reference points of SphereFace (Liu et al. 2017) for 96x112, moved 8 pixels right, as ArcFace uses them.
FIVE_POINTS = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)


class DlibAligner:
    """dlib's face chip, `size` pixels each way: eyes and nose found by its predictor, turned upright, 25 % padding.

    Raises:
        FileNotFoundError: When there is no such file.
    """

    def __init__(self, predictor: str | Path, *, size: int = DLIB_SIZE) -> None:
        if not Path(predictor).is_file():
            raise FileNotFoundError(f"expected dlib's five-point predictor, found no file at {str(predictor)!r}")
        self._path = Path(predictor)
        _open_predictor(self._path)
        self.size = size

    def shapes(self, image: Image, boxes: ArrayLike) -> list[Any]:
        """Return dlib's five points for every box, as `dlib.full_object_detection`."""
        image, predictor = np.ascontiguousarray(image), _open_predictor(self._path)
        return [predictor(image, _rectangle(box)) for box in _checked(boxes)]

    def chips(self, image: Image, boxes: ArrayLike) -> Image:
        """Cut the faces out of an RGB picture, equal to face_recognition's: `(n, size, size, 3)` uint8 RGB.

        Args:
            image: `(height, width, 3)` uint8.
            boxes: `(n, 4)` left, top, right, bottom, as `face_recognition.face_locations` numbers them; they may
                reach over the picture's border, where the chip is black.

        Raises:
            ValueError: When a box is not finite.
        """
        image = np.ascontiguousarray(image)
        shapes = dlib.full_object_detections()
        for shape in self.shapes(image, boxes):
            shapes.append(shape)
        if not len(shapes):
            return np.empty((0, self.size, self.size, 3), np.uint8)
        return np.stack(dlib.get_face_chips(image, shapes, size=self.size, padding=0.25)).astype(np.uint8, copy=False)


@kept_by_file(most=1)
def _open_predictor(path: Path) -> Any:
    return dlib.shape_predictor(str(path))


def margin_chips(image: Image, boxes: ArrayLike, *, size: int = MARGIN_SIZE, margin: float = 0.125) -> Image:
    """Cut the faces out without turning them, with some of their surroundings, as FaceNet expects them.

    Args:
        image: `(height, width, 3)` uint8, RGB.
        boxes: `(n, 4)` left, top, right, bottom, in pixels.
        size: Side of the square chip.
        margin: Fraction of the box's side added on each side; 0.125 is FaceNet's 32 pixels of 160. Raising it shows
            more hair and background.

    Returns:
        `(n, size, size, 3)` uint8; what lies outside the picture repeats its border.

    Raises:
        ValueError: When a box is not finite.
    """
    found = _checked(boxes)
    grown = np.column_stack(
        [found[:, :2] - margin * (found[:, 2:] - found[:, :2]), found[:, 2:] + margin * (found[:, 2:] - found[:, :2])]
    )
    chips = np.empty((len(found), size, size, 3), np.uint8)
    for chip, (left, top, right, bottom) in zip(chips, grown, strict=True):
        across, down = max(right - left, 1.0) / size, max(bottom - top, 1.0) / size
        chip[:] = _cut(image, np.array([[across, 0, left], [0, down, top]]), size)
    return chips


def five_point_chips(image: Image, landmarks: ArrayLike, *, size: int = WARP_SIZE) -> Image:
    """Warp the faces so that eyes, nose and mouth lie where ArcFace's networks expect them.

    Turn, size and place are fitted to the five points by least squares (a similarity transform, Umeyama 1991).

    Args:
        image: `(height, width, 3)` uint8, RGB.
        landmarks: `(n, 5, 2)` x and y of the eye on the left of the picture, the eye on the right, the tip of the
            nose, the left and the right corner of the mouth, in pixels.
        size: Side of the square chip; the reference points grow with it.

    Returns:
        `(n, size, size, 3)` uint8; black where the picture ends.

    Raises:
        ValueError: When a landmark is missing (NaN).
    """
    points = np.asarray(landmarks, np.float64).reshape(-1, 5, 2)
    if not np.isfinite(points).all():
        raise ValueError(
            "expected five landmarks for every face, got NaN among them; the detectors of facelib give landmarks,"
            " or choose an embedder that aligns by the box"
        )
    wanted = np.asarray(FIVE_POINTS) * (size / WARP_SIZE)
    chips = np.empty((len(points), size, size, 3), np.uint8)
    for chip, five in zip(chips, points, strict=True):
        chip[:] = _cut(image, _similarity(wanted, five), size, border=cv2.BORDER_CONSTANT)
    return chips


def align(image: Image, faces: Faces, alignment: str, *, size: int, aligner: DlibAligner | None = None) -> Image:
    """Cut faces out by the named method: `"dlib"`, `"margin"` or `"five points"`.

    Raises:
        ValueError: When `alignment` is none of these, or what it needs is missing.
    """
    if alignment == "five points":
        return five_point_chips(image, faces.landmarks, size=size)
    if alignment == "margin":
        return margin_chips(image, faces.boxes, size=size)
    if alignment == "dlib" and aligner is not None:
        return aligner.chips(image, faces.boxes)
    raise ValueError(f"expected alignment 'dlib' (with an aligner), 'margin' or 'five points', got {alignment!r}")


def _similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the `(2, 3)` turn, scale and shift that brings `source` closest to `target` in least squares."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    norm = float((a * a).sum())
    cosine, sine = (a * b).sum() / norm, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / norm
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, target.mean(axis=0) - turn @ source.mean(axis=0)])


def _cut(image: Image, matrix: NDArray[np.float64], size: int, *, border: int = cv2.BORDER_REPLICATE) -> Image:
    """Sample a square chip; `matrix` `(2, 3)` takes a point of the chip to its place in the picture.

    A face larger than the chip is made smaller first, since sampling alone would skip pixels and alias.
    """
    step = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]]) @ matrix.T
    reach = 2 + int(step)
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - reach, 0, [image.shape[1] - 1, image.shape[0] - 1])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + reach, low + 1, [image.shape[1], image.shape[0]])
    part = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    moved = matrix.copy()
    moved[:, 2] -= low
    if step > 2 and min(part.shape[:2]) > step:
        width, height = max(1, round(part.shape[1] / step)), max(1, round(part.shape[0] / step))
        less = np.array([width / part.shape[1], height / part.shape[0]])
        moved[:, 2] += 0.5  # OpenCV numbers the middles of pixels; the reduction is about their corners
        moved = moved * less[:, None]
        moved[:, 2] -= 0.5
        part = np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(part, moved, (size, size), flags=flags, borderMode=border), np.uint8)


def _checked(boxes: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(boxes, np.float64).reshape(-1, 4)
    if not np.isfinite(found).all():
        raise ValueError(f"expected finite boxes, got {found[~np.isfinite(found).all(axis=1)][0].tolist()!r}")
    return found


def _rectangle(box: NDArray[np.float64]) -> dlib.rectangle:
    """Return dlib's rectangle with face_recognition's numbers; an empty one has no face and is made one pixel wide."""
    left, top, right, bottom = (round(float(value)) for value in box)
    return dlib.rectangle(left, top, max(right, left + 1), max(bottom, top + 1))
