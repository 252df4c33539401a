"""The newest picture of a live session, with its faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facelib.faces import Image
from facelib.live.drawing import annotate_picture
from facelib.live.frames import LiveFrame
from facelib.live.records import LiveFace, State


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """The newest picture of a source with its faces.

    Attributes:
        frame: The picture as it came, converted when asked for.
        faces: The faces in it, in the order of their tracks.
        delay: Seconds from the picture's arrival to its being shown here.
        recognition_delay: Seconds from the arrival of the picture last recognized to its names being known.
        frames_per_second: Pictures shown, over the last two seconds.
        recognitions_per_second: Pictures recognized, over the last five seconds.
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
