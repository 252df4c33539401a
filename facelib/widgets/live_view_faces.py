"""The faces that a live picture has shown lately, each with a small picture and a key to choose it by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import ImageColor

from facelib.images import crop, encode_jpeg, thumbnail
from facelib.live import LiveFace, LiveView
from facelib.plots.colours import GREY
from facelib.project.names import UNKNOWN
from facelib.widgets.live_view_log import clock

_DIGITS = range(1, 10)
_GROWTH = 1.15  # a face is cut out again where it is so much larger than the one kept


@dataclass(slots=True)
class SeenFace:
    """One track as the page lists it.

    Attributes:
        track: Its number in the session.
        digit: The key that chooses it, 1 to 9; it keeps it as long as it is listed.
        person: The last name it was given.
        confidence: Of that.
        first: Seconds of the source at which it was first seen.
        last: And last.
        now: Whether it is in the newest picture.
        picture: Its largest face, as JPEG.
        size: The shorter side of that face, in pixels of the source.
    """

    track: int
    digit: int
    person: str
    confidence: float
    first: float
    last: float
    now: bool = True
    picture: bytes = b""
    size: float = 0.0


@dataclass(slots=True)
class SeenFaces:
    """Who is in the picture, and who was a moment ago and may still be enrolled: nine at most, by their keys.

    Of people with a name only the newest track is kept; strangers stay until their key is needed.

    Attributes:
        colours: The colour of everyone of the cast, as the newest picture has them.
    """

    colours: Mapping[str, str] = field(init=False, default_factory=dict)
    _faces: dict[int, SeenFace] = field(init=False, default_factory=dict)

    def follow(self, view: LiveView) -> None:
        """Take in one picture."""
        self.colours = view.colours
        here = {face.track for face in view.faces}
        for seen in self._faces.values():
            seen.now = seen.track in here
        for face in view.faces:
            listed = self._faces.get(face.track) or self._listed(face, view.time)
            if listed is not None:
                listed.person, listed.confidence = face.person, face.confidence
                listed.last, listed.now = view.time, True
                self._picture(listed, face, view)
        self._forget_repeated()

    def enrolled(self, track: int, person: str) -> None:
        """Give a track the user's name for it; it may have left the picture already."""
        if track in self._faces:
            self._faces[track].person, self._faces[track].confidence = person, 1.0

    def listed(self) -> list[SeenFace]:
        """Return what is listed, by key."""
        return sorted(list(self._faces.values()), key=lambda seen: seen.digit)  # a copy: the list changes meanwhile

    def items(self) -> list[dict[str, object]]:
        """Return what is listed as the page takes it."""
        return [
            {
                "track": seen.track,
                "digit": seen.digit,
                "label": seen.person,
                "known": seen.person != UNKNOWN,
                "now": seen.now,
                "last": "" if seen.now else clock(seen.last),
                "colour": self._colour(seen.person),
            }
            for seen in self.listed()
        ]

    def thumbnails(self) -> dict[str, bytes]:
        """Return the pictures of what is listed, by track."""
        return {str(seen.track): seen.picture for seen in self.listed() if seen.picture}

    def boxes(self, view: LiveView) -> list[dict[str, object]]:
        """Return the faces of a picture as the page draws them; places are shares of its width and height."""
        height, width = view.image.shape[:2]
        boxes = []
        for face in view.faces:
            left, top, right, bottom = (float(edge) for edge in face.box)
            left, right = (min(max(edge / width, 0.0), 1.0) for edge in (left, right))
            top, bottom = (min(max(edge / height, 0.0), 1.0) for edge in (top, bottom))
            known, colour = face.person != UNKNOWN, self._colour(face.person)
            sure = f" {int(100 * face.confidence + 1e-6)} %" if known and not face.enrolled else ""
            boxes.append(
                {
                    "track": face.track,
                    "place": [round(share, 4) for share in (left, top, right - left, bottom - top)],
                    "label": f"{face.person}{sure}",
                    "known": known,
                    "digit": self._faces[face.track].digit if face.track in self._faces else 0,
                    "colour": colour,
                    "dark": _is_dark(colour),
                }
            )
        return boxes

    def _colour(self, person: str) -> str:
        return self.colours.get(person, self.colours.get(UNKNOWN, GREY))

    def _listed(self, face: LiveFace, time: float) -> SeenFace | None:
        """List a new track under a free key; where there is none, under that of the person gone longest."""
        taken = {seen.digit for seen in self._faces.values()}
        free = [digit for digit in _DIGITS if digit not in taken]
        if not free:
            gone = [seen for seen in self._faces.values() if not seen.now]
            if not gone:
                return None
            oldest = min(gone, key=lambda seen: (seen.person == UNKNOWN, seen.last))
            free = [self._faces.pop(oldest.track).digit]
        seen = SeenFace(face.track, free[0], face.person, face.confidence, time, time)
        self._faces[face.track] = seen
        return seen

    def _forget_repeated(self) -> None:
        newest: dict[str, SeenFace] = {}
        for seen in sorted(self._faces.values(), key=lambda seen: (seen.now, seen.last)):
            before = newest.get(seen.person)
            if seen.person != UNKNOWN and before is not None and not before.now:
                del self._faces[before.track]
            newest[seen.person] = seen

    @staticmethod
    def _picture(seen: SeenFace, face: LiveFace, view: LiveView) -> None:
        left, top, right, bottom = (float(edge) for edge in face.box)
        size = min(right - left, bottom - top)
        inside = left >= 0 and top >= 0 and right <= view.image.shape[1] and bottom <= view.image.shape[0]
        if size >= _GROWTH * seen.size and size >= 1 and (inside or not seen.picture):
            seen.picture = encode_jpeg(thumbnail(crop(view.image, face.box, margin=0.25), size=112))
            seen.size = size


def _is_dark(colour: str) -> bool:
    """Return whether white is more legible than black on a colour, by the relative luminance of WCAG 2."""
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 3295 for c in ImageColor.getrgb(colour)[:3]]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) < 0.179
