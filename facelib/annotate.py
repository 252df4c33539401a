"""Names drawn on a film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from matplotlib import font_manager
from PIL import Image as PillowImage
from PIL import ImageColor, ImageDraw, ImageFont
from tqdm.auto import tqdm

from facelib.faces import Image
from facelib.project import FilmFiles
from facelib.video import FilmFrame, probe, write_film

Colour = tuple[int, int, int]
Planes = tuple[Image, Image, Image]


class Mark(NamedTuple):
    """A box to draw, with its label; pixels of the film."""

    left: float
    top: float
    right: float
    bottom: float
    label: str
    colour: Colour


def annotate_film(
    video: str | Path,
    files: FilmFiles,
    tracks: pd.DataFrame,
    colours: Mapping[str, str],
    *,
    quality: int = 23,
    progress: bool = True,
) -> Path:
    """Write `annotated.mp4`: the film with a box and a name on every face, its sound and its times kept.

    Boxes are drawn on the picture's own Y, U and V planes: nothing else of it is converted, so
    that colours stay as they were. Memory does not grow with the film's length.

    Args:
        video: The film.
        files: Its results; `detections.parquet` is read a piece at a time.
        tracks: `track` and `person` of every track.
        colours: A colour such as `#0072B2` for every name, and for `unknown`.
        quality: x264's constant rate factor: 18 looks like the source, 28 is small.
        progress: Show a bar with rate and time left.

    Returns:
        The path of the film written.

    Raises:
        facelib.video.UnreadableFilm: When the film cannot be decoded.
        OSError: When the result cannot be written.
    """
    names = dict(zip(tracks["track"], tracks["person"], strict=True))
    info = probe(video)
    line = max(2, round(info.height / 240) // 2 * 2)
    rgb = {name: _rgb(colours[name]) for name in set(names.values())}
    marks = _marks_by_frame(files.detections, names, rgb)
    upcoming = next(marks, None)

    def draw(frame: FilmFrame) -> Planes:
        nonlocal upcoming
        bar.update()
        planes = frame.planes()
        if upcoming is not None and upcoming[0] == frame.index:
            for mark in upcoming[1]:
                draw_mark(planes, mark, line=line)
            upcoming = next(marks, None)
        return planes

    with tqdm(total=info.frames or None, unit=" frames", desc="drawing", disable=not progress) as bar:
        write_film(video, files.annotated, draw, quality=quality)
    return files.annotated


def _rgb(colour: str) -> Colour:
    red, green, blue, *_ = ImageColor.getrgb(colour)
    return red, green, blue


def _marks_by_frame(
    path: Path, names: Mapping[int, str], colours: Mapping[str, Colour]
) -> Iterator[tuple[int, list[Mark]]]:
    columns = ["frame", "track", "left", "top", "right", "bottom"]
    with pq.ParquetFile(path) as file:
        rows = (
            row
            for batch in file.iter_batches(batch_size=4096, columns=columns)
            for row in zip(*(batch[name].to_pylist() for name in columns), strict=True)
        )
        for frame, found in groupby(rows, key=lambda row: int(row[0])):
            yield (
                frame,
                [
                    Mark(left, top, right, bottom, names[track], colours[names[track]])
                    for _, track, left, top, right, bottom in found
                ],
            )


def draw_mark(planes: Planes, mark: Mark, *, line: int = 2) -> None:
    """Draw a box and its label on a picture's planes, in place; what lies outside is left away.

    Args:
        planes: Y `(h, w)`, U and V `(h/2, w/2)`, uint8.
        mark: What to draw.
        line: Thickness in pixels, even.
    """
    left, top, right, bottom = (round(value / 2) * 2 for value in mark[:4])
    colour = _to_yuv(np.array([[mark.colour]], np.uint8))
    for x0, y0, x1, y1 in (
        (left, top, right, top + line),
        (left, bottom - line, right, bottom),
        (left, top, left + line, bottom),
        (right - line, top, right, bottom),
    ):
        _fill(planes, x0, y0, x1, y1, colour)
    label = _label(mark.label, mark.colour, max(12, planes[0].shape[0] // 30))
    height, width = label[0].shape
    # Above the box, or inside it where there is no room above; moved left at the right border.
    y = top - height if top >= height else top
    x = max(0, min(left, planes[0].shape[1] // 2 * 2 - width))
    _paste(planes, x, y, label)


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
def _label(text: str, colour: Colour, size: int) -> Planes:
    font = _font(size)
    left, _, right, _ = font.getbbox(text)
    ascent, descent = font.getmetrics()
    pad = max(2, size // 5)
    width, height = (round(side) // 2 * 2 + 2 for side in (right - left + 2 * pad, ascent + descent + pad))
    picture = PillowImage.new("RGB", (width, height), colour)
    # Black or white letters, whichever stands out more from the label's own lightness.
    light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    ImageDraw.Draw(picture).text((pad - left, pad // 2), text, font=font, fill="black" if light > 140 else "white")
    return _to_yuv(np.asarray(picture))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # DejaVu comes with matplotlib and knows Latin, Greek, Cyrillic, Hebrew and Arabic letters.
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)
