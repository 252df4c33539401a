"""Shots: where one picture of a film is cut to the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from facelib.video import FilmFrame

_PREVIEW_WIDTH = 160  # pixels: enough to see a cut, small enough to cost a millisecond


@dataclass(frozen=True, slots=True)
class ShotFrame:
    """A frame of a film, and where in its shot it stands.

    Attributes:
        frame: The frame.
        shot: 0-based number of its shot.
        first: Whether it is the first frame of its shot.
        last: Whether it is the last frame of its shot.
    """

    frame: FilmFrame
    shot: int
    first: bool
    last: bool


def split_shots(
    frames: Iterator[FilmFrame], *, threshold: float = 3.0, least_change: float = 15.0, shortest: int = 8
) -> Iterator[ShotFrame]:
    """Tell for every frame of a film which shot it belongs to; runs three frames behind the decoder.

    A cut is a change of colour and light between two frames that stands out from the frames
    around it, by PySceneDetect's adaptive detector.

    Args:
        frames: The film's frames in order.
        threshold: How many times larger than its neighbours' a change must be. Raising it finds fewer cuts.
        least_change: The smallest mean change of hue, saturation and lightness, 0 to 255, that can be a cut.
        shortest: The least number of frames of a shot.
    """
    detector = AdaptiveDetector(
        adaptive_threshold=threshold, min_scene_len=shortest, min_content_val=least_change, window_width=2
    )
    cuts: set[int] = set()
    waiting: deque[FilmFrame] = deque()
    shot = 0
    first = True
    for frame in frames:
        # Frames are counted, so any rate will do here: the detector asks for one to build its time stamp.
        found = detector.process_frame(FrameTimecode(frame.index, 25.0), frame.preview(_PREVIEW_WIDTH))
        cuts.update(cut.frame_num for cut in found)
        waiting.append(frame)
        # The detector looks two frames ahead, and a frame is its shot's last when the next begins another.
        while len(waiting) > 3:
            ready = waiting.popleft()
            last = waiting[0].index in cuts
            yield ShotFrame(ready, shot, first, last)
            shot, first = shot + last, last
    while waiting:
        ready = waiting.popleft()
        last = not waiting or waiting[0].index in cuts
        yield ShotFrame(ready, shot, first, last)
        shot, first = shot + last, last
