"""Markers for DaVinci Resolve and Avid Media Composer: one for each stretch of a person on screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facelib.films.exports.material import Material
from facelib.films.exports.text import edl_header, one_line
from facelib.project import write_text

_RESOLVE = ("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", "Lavender", "Sky", "Mint",
            "Lemon", "Sand", "Cocoa", "Cream")  # fmt: skip
_AVID = ("Blue", "Cyan", "Green", "Yellow", "Red", "Magenta", "White", "Black")


def write_resolve(material: Material, path: Path) -> None:
    """Write markers as DaVinci Resolve reads them: Timelines, Import, Timeline Markers from EDL.

    Each is an event of one frame with a comment that holds its colour, name and length in frames. A person keeps a
    colour; with more than sixteen people colours come again. `|` separates the parts of the comment: inside a name it
    becomes U+00A6, which looks alike. Timecodes start at the film's own, as the timeline's must.
    """
    lines = [edl_header(material)]
    for number, (start, length, person, colour) in enumerate(_markers(material), 1):
        begin, behind = (material.clock.timecode(frame) for frame in (start, start + 1))
        name = person.replace("|", "\u00a6")
        lines += [
            f"{number:03d}  001      V     C        {begin} {behind} {begin} {behind}  ",
            f" |C:ResolveColor{_RESOLVE[colour % len(_RESOLVE)]} |M:{name} |D:{length}",
            "",
        ]
    write_text("\n".join(lines), path)


def write_avid(material: Material, path: Path) -> None:
    """Write markers as Media Composer reads them: Markers window, Import Markers.

    One per line, parts separated by tabs: who set it, timecode, track, colour, comment, and its length in frames. The
    comment is the person's name.
    """
    lines = [
        f"facelib\t{material.clock.timecode(start)}\tV1\t{_AVID[colour % len(_AVID)]}\t{person}\t{length}"
        for start, length, person, colour in _markers(material)
    ]
    write_text("".join(f"{line}\n" for line in lines), path)


def _markers(material: Material) -> Iterator[tuple[int, int, str, int]]:
    """Yield first frame, length in frames, name and number of the person of each stretch, by time."""
    colours = {person: number for number, person in enumerate(material.people)}
    for person, start, end in material.spans().itertuples(index=False, name=None):
        yield int(start), int(end - start), one_line(person), colours[person]
