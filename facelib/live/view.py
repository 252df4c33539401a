"""The newest picture of a live session, with its faces, and their names drawn on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import av
import numpy as np
from PIL import ImageColor

from facelib.faces import Image
from facelib.films.draw import LabelledBox, draw_marks
from facelib.films.media.decode import FilmFrame
from facelib.films.media.shown import Planes
from facelib.live.frames import LiveFrame
from facelib.live.records import LiveFace, State
from facelib.plots.colours import GREY, colours_of
from facelib.project.names import UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """The newest picture of a source with its faces.

    Attributes:
        frame: The picture as it came, converted when asked for.
        faces: The faces in it, in the order of their tracks.
        delay: Seconds from the picture's arrival to its being shown here.
        recognition_delay: Seconds from the arrival of the picture last recognised to its names being known.
        frames_per_second: Pictures shown, over the last two seconds.
        recognitions_per_second: Pictures recognised, over the last five seconds.
        state: What the session is at.
        message: Why it waits or failed, or nothing; made for people to read.
        colours: A colour such as `#0072B2` for everyone of the cast and for `unknown`, the same in every picture.
    """

    frame: LiveFrame
    faces: tuple[LiveFace, ...] = ()
    delay: float = 0.0
    recognition_delay: float = 0.0
    frames_per_second: float = 0.0
    recognitions_per_second: float = 0.0
    state: State = "playing"
    message: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)

    @property
    def image(self) -> Image:
        """The picture without anything drawn on it, `(height, width, 3)` uint8 RGB; not to be written to."""
        return self.frame.image

    @property
    def number(self) -> int:
        """0-based number of the picture; skipped pictures are counted too."""
        return self.frame.number

    @property
    def time(self) -> float:
        """Seconds of the source since the session's first picture; continues after an interruption."""
        return self.frame.time

    def annotated(self) -> Image:
        """Return the picture with a box and a name on every face, `(height, width, 3)` uint8 RGB."""
        return annotate_picture(self.image, self.faces, self.colours or None)


def annotate_picture(image: Image, faces: Iterable[LiveFace], colours: Mapping[str, str] | None = None) -> Image:
    """Return a copy of an RGB picture with a box and a name on every face.

    Args:
        image: `(height, width, 3)` uint8.
        faces: Boxes in pixels of it.
        colours: A colour such as `#0072B2` for every name; a person without one gets that of `unknown`, else grey.
            None chooses one for each.
    """
    faces = list(faces)
    if not faces:
        return image.copy()
    raw = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
    planes = FilmFrame(raw, 0, 0.0).planes()
    draw_faces(planes, faces, colours_of([face.person for face in faces]) if colours is None else colours)
    height, width = planes[0].shape
    drawn = av.VideoFrame.from_ndarray(
        np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width), "yuv420p"
    )
    return np.asarray(drawn.to_ndarray(format="rgb24"), np.uint8)[: image.shape[0], : image.shape[1]]


def draw_faces(planes: Planes, faces: Iterable[LiveFace], colours: Mapping[str, str]) -> None:
    """Draw a box and a name on every face, in place, those of the cast last and so on top.

    Args:
        planes: Y `(h, w)`, U and V `(h/2, w/2)`, uint8.
        faces: Boxes in pixels of the picture.
        colours: As in `annotate_picture`.
    """
    line = max(2, round(planes[0].shape[0] / 240) // 2 * 2)
    marks = []
    for face in sorted(faces, key=lambda face: face.person != UNKNOWN):
        red, green, blue, *_ = ImageColor.getrgb(colours.get(face.person, colours.get(UNKNOWN, GREY)))
        left, top, right, bottom = (float(side) for side in face.box)
        marks.append(LabelledBox(left, top, right, bottom, face.person, (red, green, blue)))
    draw_marks(planes, marks, line=line)
