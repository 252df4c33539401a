"""Boxes, labels and blurred heads, drawn on the Y, U and V planes of a picture."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from facelib.faces import Image
from facelib.films.fonts import open_font
from facelib.films.media.shown import Planes
from facelib.project.wording import isolated

RGB = tuple[int, int, int]
_Box = tuple[int, int, int, int]  # left, top, right, bottom

# How far a head reaches past the box of its face, as shares of the box's sides: detectors differ, hair is high.
_SIDE, _ABOVE, _BELOW = 0.4, 0.5, 0.35
_CELLS = 6  # cells in a blurred head's width: about three values across the face


class LabelledBox(NamedTuple):
    """A box to draw, with its label; pixels of the film."""

    left: float
    top: float
    right: float
    bottom: float
    label: str
    colour: RGB


def draw_marks(planes: Planes, marks: Sequence[LabelledBox], *, line: int = 2) -> None:
    """Draw boxes and their labels on a picture's planes, in place; what lies outside is clipped.

    A label stands where it covers no face: above its box, else below, beside, or further off. Where the faces leave no
    room, it covers as little of them as it can. It is shortened to half the width of the picture, or to 15 times the
    height of its letters where that is more.

    Args:
        planes: Y `(h, w)`, U and V `(h/2, w/2)`, uint8.
        marks: What to draw, the last on top; those with an empty label get only the box.
        line: Thickness in pixels, even.
    """
    boxes = [_on_planes(mark) for mark in marks]
    for box, mark in zip(boxes, marks, strict=True):
        _draw_box(planes, box, mark.colour, line)
    height, width = planes[0].shape
    size = max(12, height // 30)
    taken: list[_Box] = []
    for box, mark in zip(boxes, marks, strict=True):
        if not mark.label.strip():
            continue
        label = _label(mark.label, mark.colour, size, min(width, max(width // 2, 15 * size)))
        high, wide = label[0].shape
        place = _freest(_places(box, wide, high, (width, height)), boxes, taken)
        taken.append(place)
        _paste(planes, place[0], place[1], label)


def _on_planes(mark: LabelledBox) -> _Box:
    """Return a box in even pixels, since the planes of colours are half as large."""
    left, top, right, bottom = (2 * round(side / 2) for side in mark[:4])
    return left, top, right, bottom


def _draw_box(planes: Planes, box: _Box, colour: RGB, line: int) -> None:
    for edge in _edges(box, line):
        _fill(planes, *edge, _tint(colour))
    # Within it a black or white line, half as thick: what is filmed may have the colour of the box.
    left, top, right, bottom = box
    rim = 16 if _is_light(colour) else 235
    for x0, y0, x1, y1 in _edges((left + line, top + line, right - line, bottom - line), line // 2):
        planes[0][max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = rim


def _edges(box: _Box, line: int) -> tuple[_Box, _Box, _Box, _Box]:
    """Return the four sides of a box, of a thickness."""
    left, top, right, bottom = box
    return (
        (left, top, right, top + line),
        (left, bottom - line, right, bottom),
        (left, top, left + line, bottom),
        (right - line, top, right, bottom),
    )


def _places(box: _Box, wide: int, high: int, picture: tuple[int, int]) -> Iterator[_Box]:
    """Yield where a label may stand in a picture of a width and height, the best place first."""
    left, top, right, bottom = box
    above_and_below = [(x, y) for y in (top - high, bottom) for x in (left, right - wide)]
    beside = [(x, y) for x in (right, left - wide) for y in (top, bottom - high)]
    further = [(left, top - 2 * high), (left, bottom + high)]
    corners = [(x, y) for y in (0, picture[1]) for x in (0, picture[0])]
    most = [max(0, side // 2 * 2 - size) for side, size in zip(picture, (wide, high), strict=True)]
    for x, y in (*above_and_below, *beside, *further, *corners):
        x, y = min(max(x, 0), most[0]), min(max(y, 0), most[1])
        yield x, y, x + wide, y + high


def _freest(places: Iterator[_Box], boxes: Sequence[_Box], taken: Sequence[_Box]) -> _Box:
    """Return the first place that covers no box and no label, else the one that covers least: of boxes, then labels."""
    costs: dict[_Box, tuple[int, int]] = {}
    for place in places:
        costs[place] = _covered(place, boxes), _covered(place, taken)
        if not any(costs[place]):
            return place
    return min(costs, key=costs.__getitem__)


def _covered(place: _Box, boxes: Sequence[_Box]) -> int:
    """Return how many square pixels of the boxes a place covers."""
    x0, y0, x1, y1 = place
    return sum(
        max(0, min(x1, right) - max(x0, left)) * max(0, min(y1, bottom) - max(y0, top))
        for left, top, right, bottom in boxes
    )


def blur_head(planes: Planes, left: float, top: float, right: float, bottom: float) -> None:
    """Make the head around a face's box unrecognisable, in place; what lies outside the picture is clipped.

    An ellipse that covers hair, ears and chin is averaged down to a few cells, blurred, and enlarged again: about three
    values across the face remain in each plane, so that there is no detail to restore. McPherson et al., "Defeating
    image obfuscation with deep learning" (2016), recognise faces of 8 and more pixels across among people they know, so
    cells are larger. The box is in pixels of the picture, right and bottom exclusive, the planes
    are those of `draw_marks`.
    """
    width, height = right - left, bottom - top
    if not (width > 0 and height > 0):
        return
    head = (left - _SIDE * width, top - _ABOVE * height, right + _SIDE * width, bottom + _BELOW * height)
    for plane, half in zip(planes, (1, 2, 2), strict=True):
        _blur_ellipse(plane, (head[0] / half, head[1] / half, head[2] / half, head[3] / half))


def _blur_ellipse(plane: Image, box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
    x1, y1 = min(plane.shape[1], math.ceil(right)), min(plane.shape[0], math.ceil(bottom))
    if x0 >= x1 or y0 >= y1:
        return
    area = plane[y0:y1, x0:x1]
    cell = (right - left) / _CELLS
    cells = tuple(max(1, round(side / cell)) for side in (x1 - x0, y1 - y0))
    few = cv2.GaussianBlur(cv2.resize(area, cells, interpolation=cv2.INTER_AREA), (3, 3), 0.6)
    smooth = cv2.resize(few, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros(area.shape, np.uint8)
    # In sixteenths of a pixel, since the planes of colours are half as large.
    centre = [round(16 * ((a + b) / 2 - start - 0.5)) for a, b, start in ((left, right, x0), (top, bottom, y0))]
    axes = [round(8 * (right - left)), round(8 * (bottom - top))]
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, thickness=-1, lineType=cv2.LINE_8, shift=4)
    cv2.copyTo(smooth, mask, area)


def _fill(planes: Planes, x0: int, y0: int, x1: int, y1: int, colour: Planes) -> None:
    for plane, value, half in zip(planes, colour, (1, 2, 2), strict=True):
        area = [max(0, edge // half) for edge in (y0, y1, x0, x1)]
        plane[area[0] : area[1], area[2] : area[3]] = value


def _paste(planes: Planes, x: int, y: int, picture: Planes) -> None:
    for plane, values, half in zip(planes, picture, (1, 2, 2), strict=True):
        area = plane[max(0, y // half) :, x // half :]
        height, width = min(area.shape[0], values.shape[0]), min(area.shape[1], values.shape[1])
        area[:height, :width] = values[:height, :width]


def _to_yuv(image: Image) -> Planes:
    """Convert RGB to Y, U and V in the limited range of video; U and V are made half as large."""
    red, green, blue = np.moveaxis(image.astype(np.float32), -1, 0)
    # ITU-R BT.601: a label's tint may be a little off on BT.709 material, which nobody can see.
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    first = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    second = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    y, u, v = (np.clip(np.round(plane), 0, 255).astype(np.uint8) for plane in (luma, first, second))
    return y, u[::2, ::2], v[::2, ::2]


@lru_cache(maxsize=512)
def _tint(colour: RGB) -> Planes:
    return _to_yuv(np.array([[colour]], np.uint8))


def _is_light(colour: RGB) -> bool:
    """Return whether black stands out more from a colour than white."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140


@lru_cache(maxsize=512)
def _label(text: str, colour: RGB, size: int, most: int) -> Planes:
    """Return a label with its ground, shortened where it would be wider than `most` pixels."""
    text = unicodedata.normalize("NFC", text)  # folders on some systems are named by letter and accent apart
    font = open_font(text, size)
    pad = max(2, size // 5)
    while font.getlength(text) > most - 2 * pad and len(text) > 2:
        text = f"{text[:-2].rstrip()}…"
    if font.layout_engine == ImageFont.Layout.RAQM:  # the basic one, without FriBidi, draws boxes for what is not seen
        text = isolated(text)
    left, _, right, _ = font.getbbox(text)
    ascent, descent = font.getmetrics()
    width, height = (round(side) // 2 * 2 + 2 for side in (right - left + 2 * pad, ascent + descent + pad))
    picture = PillowImage.new("RGB", (width, height), colour)
    ink = "black" if _is_light(colour) else "white"
    ImageDraw.Draw(picture).text((pad - left, pad // 2), text, font=font, fill=ink)
    return _to_yuv(np.asarray(picture))
