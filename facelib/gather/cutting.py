"""Crop one picture to its face; the crop file records what it was made from."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from facelib.detect import Detector, load_detector
from facelib.detect.portraits import find_portrait
from facelib.embed.align import DlibAligner, align, margin_chips
from facelib.faces import Image
from facelib.images import UnreadablePicture, read_image
from facelib.nets.dlib import landmark_file
from facelib.project import atomic_write
from facelib.project.digests import sha256_if_readable

AlignMethod = Literal["margin", "five points", "dlib"]
"""How a face is cut out: its box with a margin, or turned upright as ArcFace's networks or dlib's want it."""

NO_FACE = "no face"
DIED = "the process that looked at it died"
IN_THE_WAY = "a picture that is no crop stands in its place"

_LARGEST = 2048  # pixels of a side
_NOTE = "facelib"  # the PNG text entry that records what a crop was made from


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """How a picture's face is found and cut out.

    Attributes:
        image_size: Side of the square crop, pixels.
        margin: Of the method `"margin"`: fraction of the box's side added on each side.
        method: How the face is cut out.
        detector: Name or path, see `facelib.load_detector`.
        smallest_face: In pixels of the picture, or of its copy with a longer side of 1000.

    Raises:
        ValueError: When a value is out of its range.
    """

    image_size: int = 160
    margin: float = 0.125
    method: AlignMethod = "margin"
    detector: str = "centerface"
    smallest_face: float = 40

    def __post_init__(self) -> None:
        """Check the values."""
        if not 1 <= self.image_size <= _LARGEST:
            raise ValueError(f"expected image_size of 1 to {_LARGEST} pixels, got {self.image_size!r}")
        if not 0 <= self.margin <= 5:
            raise ValueError(
                f"expected margin as a fraction of the face's side, from 0 to 5, got {self.margin!r}; "
                f"32 of 160 pixels, as FaceNet has it, are 0.125 on each side"
            )
        if self.method not in get_args(AlignMethod):
            raise ValueError(f"expected method 'margin', 'five points' or 'dlib', got {self.method!r}")

    @property
    def description(self) -> str:
        """Everything the result of a picture depends on."""
        margin = f" {self.margin:g}" if self.method == "margin" else ""
        face = f"{self.detector}, smallest face {self.smallest_face:g}"
        return f"{self.method}{margin}, {self.image_size} pixels, {face}"


@dataclass(frozen=True, slots=True)
class Cut:
    """The result of one picture.

    Attributes:
        reason: Why there is no crop, or nothing where there is one.
        sha256: Of the picture; empty where it cannot be read.
    """

    reason: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CutTask:
    """A picture whose face is wanted, where its crop goes, and how an earlier run failed with the same picture."""

    picture: Path
    crop: Path
    known: Cut | None = None


def find_crop(cutting: Cutting, task: CutTask) -> Cut | None:
    """Return the known result of a picture without opening it, or None when it must be processed."""
    digest = sha256_if_readable(task.picture)
    there = _note_of(task.crop)
    if there == _note(cutting, digest):
        return Cut("", digest)
    if there == "":
        return Cut(IN_THE_WAY, digest)
    if task.known is not None and task.known.sha256 == digest:
        return task.known
    return None


def cut_out(cutting: Cutting, task: CutTask) -> Cut:
    """Make the crop of a picture, unless it is there already.

    Raises:
        OSError: When the crop cannot be written.
    """
    found = find_crop(cutting, task)  # several runs may write it at the same time
    if found is not None:
        return found
    digest, chip = sha256_if_readable(task.picture), _chip(cutting, task.picture)
    if isinstance(chip, str):
        task.crop.unlink(missing_ok=True)  # it shows what the picture was before
        return Cut(chip, digest)
    about = PngInfo()
    about.add_text(_NOTE, _note(cutting, digest))
    with atomic_write(task.crop) as temporary:
        PillowImage.fromarray(chip).save(temporary, "PNG", pnginfo=about)
    return Cut("", digest)


def _note(cutting: Cutting, digest: str) -> str:
    return json.dumps({"sha256": digest, "made": cutting.description})


def _note_of(crop: Path) -> str | None:
    """Return what a crop was made from: empty for a picture that is not a crop, None for a broken file."""
    try:
        with warnings.catch_warnings(action="ignore"), PillowImage.open(crop) as picture:
            note = str(picture.info.get(_NOTE, ""))
            picture.verify()
            return note
    except (OSError, SyntaxError, ValueError, PillowImage.DecompressionBombError):
        return None


def _chip(cutting: Cutting, picture: Path) -> Image | str:
    """Return the face, `(size, size, 3)` uint8 RGB, or why there is none."""
    try:
        image = read_image(picture)
    except (UnreadablePicture, OSError) as error:
        return f"unreadable: {error.__cause__ or error}".replace(str(picture), picture.name)
    detector, aligner = _tools(cutting)
    portrait = find_portrait(image, detector)
    if not len(portrait.faces):
        return NO_FACE
    image, face, size = portrait.image, portrait.main, cutting.image_size
    if cutting.method == "margin":
        chips = margin_chips(image, face.boxes, size=size, margin=cutting.margin)
    else:
        chips = align(image, face, cutting.method, size=size, aligner=aligner)
    return np.asarray(chips[0])


@lru_cache(maxsize=1)
def _tools(cutting: Cutting) -> tuple[Detector, DlibAligner | None]:
    """Load detector and aligner once for all pictures of a process."""
    aligner = DlibAligner(landmark_file(), size=cutting.image_size) if cutting.method == "dlib" else None
    return load_detector(cutting.detector, smallest_face=cutting.smallest_face), aligner
