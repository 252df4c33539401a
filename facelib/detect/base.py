"""The base of all detectors: the Protocol, the working size, and the removal of overlapping boxes."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facelib.faces import Faces, FloatArray, Image, shared_area

Engine = Literal["onnx", "dlib"]

STRIDE = 32  # pixels, the largest of the networks that look at a whole picture: its sides must be multiples of it


class Detector(Protocol):
    """Anything that finds faces in a picture."""

    @property
    def name(self) -> str:
        """What the detector is called in tables and file names."""

    @property
    def description(self) -> str:
        """Its name and every option on which it depends what is found."""

    @property
    def score(self) -> float:
        """The minimum score of a face."""

    def at_score(self, score: float) -> Detector:
        """Return the same detector with another least score."""

    def detect(self, image: Image) -> Faces:
        """Return the faces of an RGB picture `(height, width, 3)` uint8, most certain first, in its pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user asks of a detector.

    Attributes:
        smallest_face: Longer side, in pixels of the picture, of the smallest face wanted. A larger value is faster
            and returns fewer false faces.
        score: Minimum score of a face; None takes the detector's own. Raising it gives fewer, more certain faces.
        working_size: Longest side, in pixels, at which the picture is looked at: larger pictures are made smaller
            first, and no detector enlarges a picture past it. None leaves the picture as it is.

    Raises:
        ValueError: When a size is not positive.
    """

    smallest_face: float = 40
    score: float | None = None
    working_size: int | None = None

    def __post_init__(self) -> None:
        if not self.smallest_face > 0:
            raise ValueError(f"expected smallest_face above 0 pixels, got {self.smallest_face!r}")
        if self.working_size is not None and not self.working_size >= 1:
            raise ValueError(f"expected working_size of at least 1 pixel, or None, got {self.working_size!r}")


class PictureDetector(ABC):
    """The base of all detectors: check the picture, bring it to the working size, find, clean up.

    A subclass finds faces in a picture that already has its working size.
    """

    name: str
    weights: str = ""  # SHA-256 of a user's file, which may change under the same name
    default_score: ClassVar[float]
    tolerance: ClassVar[float] = 0.9  # boxes are never exact: a face this much smaller than asked for is still given
    regional: ClassVar[bool] = False  # finds the same faces in a part of a picture as in the whole

    def __init__(self, options: Options) -> None:
        self.options = options
        self.score = self.default_score if options.score is None else options.score

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.options}>"

    @property
    def description(self) -> str:
        """Its name and every option on which it depends what is found."""
        size = self.options.working_size
        searched = "" if size is None else f", working size {size}"
        weights = f", weights {self.weights}" if self.weights else ""
        return f"{self.name}, smallest face {self.options.smallest_face:g}, score {self.score:g}{searched}{weights}"

    def at_score(self, score: float) -> Self:
        """Return a detector with another least score, which shares the networks of this one."""
        other = copy.copy(self)
        other.score = score
        return other

    def with_options(self, **changes: Any) -> Self:
        """Return a detector with other `Options`, which shares the networks of this one.

        Raises:
            ValueError: When a size is not positive.
        """
        other = copy.copy(self)
        other.options = replace(self.options, **changes)
        return other

    def detect(self, image: Image) -> Faces:
        """Return the faces of an RGB picture, most certain first.

        Args:
            image: `(height, width, 3)` uint8, RGB.

        Returns:
            Faces in pixels of `image`, with boxes inside the picture.

        Raises:
            ValueError: When `image` is not such an array.
        """
        image = checked(image)
        height, width = image.shape[:2]
        small, factor = shrunk(image, self.options.working_size)
        found = self._find(small, self.options.smallest_face * factor)
        if not len(found):
            return Faces.empty()
        faces = found if factor == 1 else stretched(found, small.shape, image.shape)
        sides = np.maximum(faces.widths, faces.heights)
        inside = np.clip(faces.boxes, 0, np.array([width, height, width, height], np.float32))
        faces = Faces(inside, faces.scores, faces.landmarks)
        wanted = (sides >= self.tolerance * self.options.smallest_face) & (faces.widths > 0) & (faces.heights > 0)
        faces = faces[wanted]
        return faces[np.argsort(-faces.scores, kind="stable")]

    @abstractmethod
    def _find(self, image: Image, smallest_face: float) -> Faces:
        """Find faces in a checked picture of working size; `smallest_face` is in its pixels."""

    def _largest_enlargement(self, image: Image) -> float:
        """Return the factor that would bring a picture to the working size, at least 1."""
        limit = self.options.working_size
        return math.inf if limit is None else max(1.0, limit / max(image.shape[0], image.shape[1]))

    def _enlargement(self, image: Image, wanted: float) -> float:
        """Return the factor to scale a picture by: `wanted`, but not enlarged past the working size."""
        return min(wanted, self._largest_enlargement(image))


def checked(image: Any) -> Image:
    """Return the picture as a contiguous array.

    Raises:
        ValueError: When it is not `(height, width, 3)` uint8 with at least one pixel.
    """
    if not isinstance(image, np.ndarray):
        raise ValueError(f"expected an RGB picture as a numpy array, got {type(image).__name__}; see read_image")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            "expected an RGB picture of shape (height, width, 3) and dtype uint8,"
            f" got shape {image.shape!r} and dtype {str(image.dtype)!r}; read_image gives the right form"
        )
    return np.ascontiguousarray(image)


def resized(image: Image, factor: float) -> Image:
    """Return the picture with sides `factor` times as long, at least one pixel each."""
    if factor == 1:
        return image
    width, height = (max(1, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    if (height, width) == image.shape[:2]:
        return image
    # the mean of the pixels, so that a strong reduction does not alias
    method = cv2.INTER_AREA if factor < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def shrunk(image: Image, working_size: int | None) -> tuple[Image, float]:
    """Return the picture with its longest side at most `working_size` pixels, and the factor taken."""
    longest = max(image.shape[:2])
    if working_size is None or longest <= working_size:
        return image, 1.0
    factor = working_size / longest
    return resized(image, factor), factor


def padded(picture: Image, sides: tuple[int, int] | None = None) -> Image:
    """Pad a picture with black, right and below, to a height and width; None takes the next multiples of `STRIDE`."""
    height, width = sides or tuple(-(-side // STRIDE) * STRIDE for side in picture.shape[:2])
    if picture.shape[:2] == (height, width):
        return picture
    canvas = np.zeros((height, width, 3), np.uint8)
    part = picture[:height, :width]
    canvas[: part.shape[0], : part.shape[1]] = part
    return canvas


def planar(picture: Image) -> FloatArray:
    """Return a picture `(height, width, 3)` as a network takes it: `(1, 3, height, width)` float32.

    OpenCV's `blobFromImage` does the same in seven times the time and more.
    """
    return np.stack(cv2.split(picture), dtype=np.float32)[None]


def suppress(
    boxes: FloatArray, scores: FloatArray, *, overlap: float, of: Literal["union", "smaller"] = "union"
) -> NDArray[np.intp]:
    """Return the indices of the boxes that stay when of each overlapping group the best is kept, best first.

    Args:
        boxes: `(n, 4)`, left, top, right, bottom.
        scores: `(n,)`.
        overlap: How much two boxes may share before the weaker one goes. Raising it keeps more boxes.
        of: What the shared area is divided by: both boxes together, or the smaller one, which also takes a box away
            that lies inside another.
    """
    if not len(boxes):
        return np.empty(0, np.intp)
    if of == "smaller":
        return _suppress_inside(boxes, scores, overlap)
    sides = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).astype(np.float64)
    above = (scores - scores.min() + 1).astype(np.float32)  # OpenCV takes no negative scores; only their order counts
    return np.asarray(cv2.dnn.NMSBoxes(sides.tolist(), above.tolist(), 0.0, overlap), np.intp).reshape(-1)


def _suppress_inside(boxes: FloatArray, scores: FloatArray, overlap: float) -> NDArray[np.intp]:
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        shared = shared_area(boxes[order], boxes[best])
        order = order[shared <= overlap * np.minimum(areas[order], areas[best])]
    return np.array(kept, np.intp)


def stretched(faces: Faces, small: tuple[int, ...], full: tuple[int, ...]) -> Faces:
    """Bring faces back from a small picture, by its shape, to the full one; each side has its own rounded factor."""
    across = np.array([full[1] / small[1], full[0] / small[0]], np.float32)
    return Faces(faces.boxes * np.tile(across, 2), faces.scores, faces.landmarks * across)
