"""Timelines for Final Cut Pro, as FCPXML 1.8, which DaVinci Resolve and others read as well.

Written here and not through OpenTimelineIO's adapter (otio-fcpx-xml-adapter 1.0): at 23.976, 29.97 and 59.94 frames
a second that leaves `frameDuration` empty, so that no time in the file means anything; it writes neither timecode
nor picture size, and it knows no keywords. Its reader counts these rates as 23, 29 and 59.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line, write_xml

_FORMAT, _ASSET = "r1", "r2"


def write_fcpxml(material: Material, path: Path) -> None:
    """Write the film as an event of Final Cut Pro: a clip with keywords, and a project with one lane per person.

    The clip carries a keyword range for each stretch on screen, so that the browser lists the film by person.
    In the project the film is the primary storyline; above it each person has a lane of connected clips, longest on
    screen lowest, without sound. All times are multiples of the frame, and start at the film's own timecode.

    A comma separates keywords: inside a name it becomes U+201A, which looks alike; the name itself stands in the note.
    """
    root = ElementTree.Element("fcpxml", version="1.8")
    name = one_line(material.info.path.stem)
    _add_resources(root, material, name)
    event = ElementTree.SubElement(root, "event", name=name)
    _add_keywords(_add_clip(event, material, name, 0, material.clock.frames), material)
    project = ElementTree.SubElement(event, "project", name=f"{name}: people")
    times = {"duration": _time(material, material.clock.frames), "tcStart": _time(material, material.clock.start)}
    shape = {"format": _FORMAT, **times, "tcFormat": _timecode_format(material)}
    spine = ElementTree.SubElement(ElementTree.SubElement(project, "sequence", shape), "spine")
    _add_lanes(_add_clip(spine, material, name, 0, material.clock.frames, offset=True), material)
    write_xml(root, path, doctype="fcpxml")


def _add_resources(root: ElementTree.Element, material: Material, name: str) -> None:
    clock, info = material.clock, material.info
    resources = ElementTree.SubElement(root, "resources")
    picture = {"width": str(info.width), "height": str(info.height)}
    ElementTree.SubElement(resources, "format", {"id": _FORMAT, "frameDuration": _time(material, 1)} | picture)
    asset = {
        "id": _ASSET,
        "name": name,
        "src": material.address,
        "start": _time(material, clock.start),
        "duration": _time(material, clock.frames),
        "hasVideo": "1",
        "hasAudio": str(int(info.has_sound)),
        "format": _FORMAT,
    }
    ElementTree.SubElement(resources, "asset", asset)


def _add_clip(
    parent: ElementTree.Element, material: Material, name: str, start: int, end: int, *, offset: bool = False
) -> ElementTree.Element:
    begin = _time(material, material.clock.start + start)
    attributes = {
        "ref": _ASSET,
        "name": name,
        "start": begin,
        "duration": _time(material, end - start),
        "format": _FORMAT,
        "tcFormat": _timecode_format(material),
    }
    return ElementTree.SubElement(parent, "asset-clip", attributes | ({"offset": begin} if offset else {}))


def _add_lanes(film: ElementTree.Element, material: Material) -> None:
    lanes = {person: lane for lane, person in enumerate(material.people, 1)}
    for person, start, end in material.spans().itertuples(index=False, name=None):
        # A connected clip's offset counts in its parent's time, which starts where the film's timecode does.
        clip = _add_clip(film, material, one_line(person), start, end, offset=True)
        clip.set("lane", str(lanes[person]))
        clip.set("srcEnable", "video")


def _add_keywords(clip: ElementTree.Element, material: Material) -> None:
    for person, start, end in material.spans().itertuples(index=False, name=None):
        name = one_line(person)
        times = {"start": _time(material, material.clock.start + start), "duration": _time(material, end - start)}
        ElementTree.SubElement(clip, "keyword", times, value=name.replace(",", "\u201a"), note=name)


def _timecode_format(material: Material) -> str:
    return "DF" if material.clock.drop_frame else "NDF"


def _time(material: Material, frames: int) -> str:
    """Return a number of timeline frames as FCPXML's rational seconds, exactly."""
    seconds = int(frames) / material.clock.rate
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"
