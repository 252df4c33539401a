"""The people of the demo: cut out of pictures that installed packages carry.

The two portraits are in the public domain: Eileen Collins is a NASA portrait (scikit-image's
`astronaut`), Grace Hopper one of the US Navy by James S. Davis (matplotlib's sample data). Works of the
federal government of the United States carry no copyright there. The strangers are faces of
scikit-image's `lfw_subset`, grey and 25 pixels wide, enlarged and given a drawn head and body.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import matplotlib.cbook
import numpy as np
from numpy.typing import NDArray
from skimage import data as skimage_data

from facelib.faces import FloatArray, Image
from facelib.images import read_image

COLLINS = "Eileen Collins"
HOPPER = "Grace Hopper"


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """One person to be set into pictures.

    Attributes:
        person: The name, or `unknown` for a stranger.
        image: `(height, width, 3)` uint8 RGB, the person before any background.
        alpha: `(height, width)` float32 from 0 to 1: how far a pixel belongs to the person.
        face: Left, top, right, bottom of the face in pixels of `image`: a square from above the brows to the chin.
    """

    person: str
    image: Image
    alpha: FloatArray
    face: tuple[float, float, float, float]

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the face, x and y in pixels of `image`."""
        left, top, right, bottom = self.face
        return (left + right) / 2, (top + bottom) / 2

    @property
    def side(self) -> float:
        """The height of the face, in pixels of `image`."""
        return self.face[3] - self.face[1]


@cache
def sample(name: str) -> NDArray[Any]:
    """Return one of the pictures that scikit-image carries, not to be changed; of a pair, the first."""
    found = getattr(skimage_data, name)()
    return np.asarray(found[0] if isinstance(found, tuple) else found)


@cache
def collins() -> Figure:
    """Return Eileen Collins, the mission's emblem on her suit painted over: it looks like a face to HOG."""
    portrait = np.asarray(sample("astronaut"), np.uint8)
    emblem = np.zeros(portrait.shape[:2], np.uint8)
    cv2.ellipse(emblem, (172, 384), (44, 44), 0, 0, 360, 255, -1)
    portrait = cv2.inpaint(portrait, emblem, 5, cv2.INPAINT_TELEA).astype(np.uint8)
    outline = (
        "182,146 164,128 146,92 158,40 190,14 226,6 262,16 292,48 306,92 300,120 282,140 276,166 312,210 314,250 "
        "350,280 372,330 378,352 440,334 500,380 512,440 512,512 15,512 12,480 28,330 40,260 110,205 108,180 130,150"
    )
    return Figure(COLLINS, portrait, _cut_out(portrait, _points(outline)), (178.0, 82.0, 272.0, 176.0))


@cache
def hopper() -> Figure:
    """Return Grace Hopper, her uniform extended downwards so that she can stand in a wide shot."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    portrait = read_image(str(path))[:566]
    outline = (
        "150,180 140,120 148,86 170,60 176,30 220,12 290,14 330,38 350,58 380,90 384,160 384,230 366,310 345,325 "
        "420,350 500,390 511,420 511,566 15,566 17,434 44,386 110,350 196,316 176,294 160,284 150,240"
    )
    alpha = _cut_out(portrait, _points(outline))
    more = 420
    rng = np.random.default_rng(0)
    # Below the last button there is nothing but dark cloth: its mean row goes on, with the grain of cloth.
    row = cv2.GaussianBlur(portrait[-10:].astype(np.float32).mean(axis=0, keepdims=True), (0, 0), 8)
    cloth = np.clip(row + rng.normal(0, 2.5, (more, portrait.shape[1], 1)), 0, 255)
    portrait = np.concatenate([portrait, cloth.astype(np.uint8)])
    alpha = cv2.copyMakeBorder(alpha[:-6], 0, more + 6, 0, 0, cv2.BORDER_REPLICATE).astype(np.float32)
    return Figure(HOPPER, portrait, alpha, (185.0, 152.0, 361.0, 328.0))


def _points(text: str) -> NDArray[np.int32]:
    """Read "x,y x,y ..." as `(n, 2)` int32."""
    return np.array([pair.split(",") for pair in text.split()]).astype(np.int32)


def _cut_out(portrait: Image, outline: NDArray[np.int32]) -> FloatArray:
    """Return the alpha of the person within a rough outline, by GrabCut (Rother et al., SIGGRAPH 2004)."""
    height, width = portrait.shape[:2]
    rough = np.zeros((height, width), np.uint8)
    cv2.fillPoly(rough, [outline], 255)
    # The picture's own border is no outline, so the person is taken to go on beyond it.
    beyond = cv2.copyMakeBorder(rough, 0, 40, 40, 40, cv2.BORDER_REPLICATE)
    sure = cv2.erode(beyond, np.ones((45, 45), np.uint8))[:height, 40:-40]
    labels = np.where(rough > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    labels[sure > 0] = cv2.GC_FGD
    cv2.setRNGSeed(1)  # GrabCut starts from clusters that OpenCV's own generator seeds
    colours = np.ascontiguousarray(portrait[..., ::-1])
    whole = (0, 0, 1, 1)  # not read when the labels are given
    cv2.grabCut(colours, labels, whole, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, parts, sizes, _ = cv2.connectedComponentsWithStats(closed)
    person = (parts == 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA]))).astype(np.float32)
    return cv2.GaussianBlur(cv2.erode(person, np.ones((3, 3))), (0, 0), 1.3).astype(np.float32)
