"""Convert stored pictures to those shown: upright, with square pixels, in 8 bits."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from facelib.faces import Image
from facelib.films.media.sidedata import side_data
from facelib.films.media.tones import HDR_CURVES, ToneMap

Planes = tuple[Image, Image, Image]
"""Y `(h, w)`, U and V `(h/2, w/2)`, uint8."""

_SQUARE = Fraction(1)
_PLANAR = frozenset({"yuv420p", "yuvj420p"})
_MOST_STRETCHED = 4  # a larger pixel aspect ratio is a damaged header
_SPACES = frozenset({0, 1, 2, 4, 5, 6, 7, 9})  # that FFmpeg's scaler knows
_UNTOLD = 2  # FFmpeg's AVCOL_SPC_UNSPECIFIED
_BT709 = 1  # FFmpeg's AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709
_LIMITED, _FULL = 1, 2  # FFmpeg's AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG
_TO_SCALER = {_BT709: 1, 4: 4, 7: 7, 9: 9, 10: 9}  # the numbers of colour spaces for FFmpeg's scaler


class Turn(NamedTuple):
    """How a stored picture is brought upright: transposed first, then mirrored, then turned upside down."""

    transposed: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array of rows and columns, upright and contiguous."""
        if not any(self):
            return array
        if self.transposed:
            array = array.swapaxes(0, 1)
        return np.ascontiguousarray(array[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1])


UPRIGHT = Turn()


def turn_of(matrix: bytes) -> Turn:
    """Read a display matrix: nine 32-bit integers by rows, a point being a row to its left, x first.

    A matrix that is no symmetry of a rectangle, such as ten degrees, is rounded to the nearest of the eight.

    Examples:
        >>> turn_of(struct.pack("9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30))
        Turn(transposed=True, mirrored=True, upside_down=False)
    """
    if len(matrix) < 36:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("9i", matrix[:36])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Turn(True, c < 0, b < 0)
    return Turn(False, a < 0, d < 0)


class Colours(NamedTuple):
    """The colour space of Y, U and V, in FFmpeg's numbers; 2, and 0 for the range, mean unspecified."""

    space: int
    range: int
    primaries: int
    curve: int


@dataclass(slots=True)
class Stage:
    """The frame size and colours of one film: all pictures are shown at those of the first one.

    Attributes:
        aspect: Width of a stored pixel divided by its height; the reader keeps it up to date.
        size: Width and height of the shown picture, None before the first.
        colours: Of the Y, U and V planes, None before the first.
    """

    aspect: Fraction = _SQUARE
    size: tuple[int, int] | None = None
    colours: Colours | None = None
    tones: dict[tuple[object, ...], ToneMap] = field(default_factory=dict)
    turns: dict[int, Turn] = field(default_factory=dict)
    _turn: Turn = field(default=UPRIGHT, init=False)
    _scalers: dict[object, VideoReformatter] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def turn(self, raw: av.VideoFrame) -> Turn:
        """Return how a frame is brought upright."""
        # The matrix is read once: with its side data PyAV keeps a frame until the next collection of garbage, and the
        # decoder cannot use its memory again.
        if raw.rotation not in self.turns:
            self.turns[raw.rotation] = turn_of(side_data(raw, "DISPLAYMATRIX") or b"")
        if raw.rotation or self.size is None:  # H.264 and HEVC may state it once, for all that follows
            self._turn = self.turns[raw.rotation]
        return self._turn

    def convert(self, raw: av.VideoFrame, width: int, height: int, form: str, interpolation: str) -> Image:
        """Return a stored picture in another size, by what was set up for the last one of its kind."""
        with self._lock:  # a scaler is not made for two threads at one time
            scaler = self._scalers.setdefault((width, height, form, interpolation), VideoReformatter())
            done = scaler.reformat(raw, width, height, form, interpolation=interpolation, threads=1)
        return np.asarray(done.to_ndarray(), np.uint8)

    def tone_map(self, raw: av.VideoFrame) -> ToneMap:
        """Return what maps pictures like `raw` from high dynamic range; made once for each kind."""
        key = (raw.width, raw.height, raw.color_trc)
        if key not in self.tones:
            self.tones[key] = ToneMap(*key)
        return self.tones[key]


class _Place(NamedTuple):
    """Where a picture lies on the stage: the size to which it is scaled when upright, and its corner."""

    width: int
    height: int
    left: int
    top: int


class FilmFrame:
    """A decoded frame whose picture is converted only when asked for, and only as large as needed.

    Attributes:
        index: 0-based number in the order of presentation.
        time: Seconds since the film's first shown picture.
        raw: As it was decoded.
        width: Pixels of the shown picture.
        height: Pixels of the shown picture.
        ticks: The same time in whole ticks of the film's stream.
        source: Its time in the file, seconds; None where that has none.
        garbled: Whether a part of it may be wrong, since something before it was lost.
    """

    __slots__ = ("_aspect", "_stage", "garbled", "height", "index", "raw", "source", "ticks", "time", "turn", "width")

    def __init__(
        self,
        raw: av.VideoFrame,
        index: int,
        time: float,
        *,
        stage: Stage | None = None,
        ticks: int = 0,
        source: float | None = None,
        garbled: bool = False,
    ) -> None:
        if raw.colorspace not in _SPACES:  # a rare one, or a damaged header: FFmpeg would convert nothing
            raw.colorspace = _UNTOLD
        self.raw, self.index, self.time, self.ticks, self.source = raw, index, time, ticks, source
        self.garbled = garbled
        self._stage = stage if stage is not None else Stage()
        self.turn = self._stage.turn(raw)
        self._aspect = self._stage.aspect
        if self._stage.size is None:
            self._stage.size = _natural_size(raw, self.turn, self._aspect)
            self._stage.colours = _colours(raw)
        self.width, self.height = self._stage.size

    @property
    def contrast(self) -> float:
        """Of grey in RGB, beside that of the Y plane: in the range of video, Y is 16 to 235 for 0 to 255."""
        return 1.0 if self.colours.range == _FULL else 255 / 219

    @property
    def colours(self) -> Colours:
        """The colour space of the planes."""
        assert self._stage.colours is not None
        return self._stage.colours

    def image(self) -> Image:
        """Return the picture as `(height, width, 3)` uint8 RGB, as it is shown."""
        place = self._place((self.width, self.height))
        if self._is_hdr or self._stored(place) != (self.raw.width, self.raw.height):
            stored = _array(self._scaled(place), "rgb24")
        else:
            stored = self._stage.convert(self.raw, self.raw.width, self.raw.height, "rgb24", "BILINEAR")
        return self._on_stage(self.turn.apply(stored), place, (self.width, self.height))

    def preview(self, longest: int) -> Image:
        """Return the picture, its longer side `longest` pixels, as `(h, w, 3)` uint8 in BGR order, for shot detection.

        Pixels are skipped rather than averaged, which is quicker.
        """
        return self._small(longest, "bgr24", "FAST_BILINEAR")

    def picture(self, longest: int) -> Image:
        """Return the picture, its longer side at most `longest` pixels, as `(h, w, 3)` uint8 RGB."""
        return self.image() if longest >= max(self.width, self.height) else self._small(longest, "rgb24", "AREA")

    def _small(self, longest: int, form: str, interpolation: str) -> Image:
        scale = longest / max(self.width, self.height)
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        place = self._place(size)
        if self._is_hdr:
            small = _array(self._scaled(place), form)
        else:
            across, down = self._stored(place)
            small = self._stage.convert(self.raw, across, down, form, interpolation)
        return self._on_stage(self.turn.apply(small), place, size)

    def planes(self, *, own: bool = True) -> Planes:
        """Return the picture as 8-bit Y, U and V planes as it is shown; sides even, U and V half as large each way.

        Args:
            own: Whether they may be written to; else they may be the decoder's memory.
        """
        size = self.width, self.height
        place = self._place(size)
        raw = self._in_yuv(self._scaled(place))
        pixels = (plane_pixels(plane) for plane in raw.planes)
        luma, *chroma = (self.turn.apply(one.copy() if own else one) for one in pixels)
        if (place.width, place.height) != size:
            luma = self._on_stage(luma, place, size, empty=16 if self.colours.range != _FULL else 0)
            half = _Place(chroma[0].shape[1], chroma[0].shape[0], place.left // 2, place.top // 2)
            chroma = [self._on_stage(one, half, (-(-size[0] // 2), -(-size[1] // 2)), empty=128) for one in chroma]
        # yuv420p has no odd sides when encoded: the last row or column is repeated.
        missing = [(0, side % 2) for side in luma.shape]
        luma = np.pad(luma, missing, mode="edge") if any(side % 2 for side in luma.shape) else luma
        return luma, chroma[0], chroma[1]

    @property
    def _is_hdr(self) -> bool:
        return self.raw.color_trc in HDR_CURVES

    def _place(self, size: tuple[int, int]) -> _Place:
        """Return where the picture lies on a stage of a size: as large as fits, in the middle."""
        width, height = _natural_size(self.raw, self.turn, self._aspect)
        if (width, height) == size:
            return _Place(width, height, 0, 0)
        scale = min(size[0] / width, size[1] / height)
        fitted = tuple(max(1, min(most, round(side * scale))) for side, most in zip((width, height), size, strict=True))
        # A pixel less than the stage is a rounding of the shape, not a border.
        wide, high = (most if most - side <= 1 else side for side, most in zip(fitted, size, strict=True))
        return _Place(wide, high, (size[0] - wide) // 4 * 2, (size[1] - high) // 4 * 2)

    def _stored(self, place: _Place) -> tuple[int, int]:
        """Return width and height of the picture at a place before it is turned."""
        return (place.height, place.width) if self.turn.transposed else (place.width, place.height)

    def _scaled(self, place: _Place) -> av.VideoFrame:
        """Return the stored picture at the size it is shown at, not yet turned, in standard dynamic range."""
        across, down = self._stored(place)
        raw = self.raw
        if (across, down) != (raw.width, raw.height):
            raw = raw.reformat(width=across, height=down)
        return self._stage.tone_map(raw)(raw) if self._is_hdr else raw

    def _in_yuv(self, raw: av.VideoFrame) -> av.VideoFrame:
        own = _colours(raw)
        wanted = self.colours
        if raw.format.name in _PLANAR and own == wanted:
            return raw
        if own.space == wanted.space and own.range == wanted.range and not _is_rgb(raw):
            return raw.reformat(format="yuv420p")
        space = _TO_SCALER.get(wanted.space, 5)  # where nothing is said, BT.601
        return raw.reformat(format="yuv420p", dst_colorspace=space, dst_color_range=wanted.range or _LIMITED)

    def _on_stage(self, array: Image, place: _Place, size: tuple[int, int], *, empty: int = 0) -> Image:
        if array.shape[:2] == (size[1], size[0]):
            return array
        full = np.full((size[1], size[0], *array.shape[2:]), empty, np.uint8)
        full[place.top : place.top + array.shape[0], place.left : place.left + array.shape[1]] = array
        return full


def plane_pixels(plane: Any) -> Image:
    """Return a plane's own memory as `(height, width)`; each of its rows may be followed by padding.

    Some decoders, such as those of AMV and VP6, keep the last row first: their lines have negative sizes.
    """
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))[:, : plane.width]
    return rows[::-1] if plane.line_size < 0 else rows


def pixel_aspect(told: Any) -> Fraction:
    """Return a sample aspect ratio if plausible, else 1."""
    aspect = Fraction(told) if told else _SQUARE
    return aspect if 1 / _MOST_STRETCHED <= aspect <= _MOST_STRETCHED else _SQUARE


def _natural_size(raw: av.VideoFrame, turn: Turn, aspect: Fraction) -> tuple[int, int]:
    # As browsers do: the longer side of a pixel is stretched, so that no pixel is lost.
    width, height = raw.width, raw.height
    if aspect > 1:
        width = max(1, round(width * aspect))
    elif aspect != 1:
        height = max(1, round(height / aspect))
    return (height, width) if turn.transposed else (width, height)


def _array(raw: av.VideoFrame, form: str) -> Image:
    return np.asarray(raw.to_ndarray(format=form), np.uint8)


def _is_rgb(raw: av.VideoFrame) -> bool:
    return raw.format.is_rgb or raw.format.has_palette


def _colours(raw: av.VideoFrame) -> Colours:
    """Return the colours of the planes that are made of a frame."""
    if _is_rgb(raw) or raw.color_trc in HDR_CURVES:
        return Colours(_BT709, _LIMITED, _BT709, _BT709)
    full = raw.color_range or (_FULL if raw.format.name.startswith("yuvj") else 0)
    return Colours(raw.colorspace, full, raw.color_primaries, raw.color_trc)
