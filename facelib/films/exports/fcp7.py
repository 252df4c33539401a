"""A timeline for Premiere Pro and others that read the XML of Final Cut Pro 7 (xmeml, version 5).

Written here and not through OpenTimelineIO's adapter (otio-fcp-adapter 1.0): that writes neither the picture's size nor
drop-frame timecode, and sound for a film that has none.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line, write_xml

Element = ElementTree.Element


def write_fcp7(material: Material, path: Path) -> None:
    """Write a sequence: the film, its sound, and above it a video track for each person, longest on screen lowest.

    Each clip of a person's track is a stretch on screen, in its place, and shows the film; clip and track are called
    by the person's name, and a marker over its whole length carries the name as well. All times are frames.
    """
    root = Element("xmeml", version="5")
    sequence = ElementTree.SubElement(root, "sequence", id="sequence-1")
    name, length = one_line(material.info.path.stem), material.clock.frames
    _add(sequence, name=name, duration=length)
    _add_rate(sequence, material)
    _add_timecode(sequence, material)
    media = ElementTree.SubElement(sequence, "media")
    video = ElementTree.SubElement(media, "video")
    _add_rate(_add_size(ElementTree.SubElement(video, "format"), material), material)
    _add_film(video, material, name, "film-video")
    tracks = {person: ElementTree.SubElement(video, "track") for person in material.people}
    if material.info.has_sound:
        _add_film(ElementTree.SubElement(media, "audio"), material, name, "film-audio")
    for person, start, end in material.spans().itertuples(index=False, name=None):
        _add_clip(tracks[person], material, one_line(person), int(start), int(end))
        marker = ElementTree.SubElement(sequence, "marker")
        _add(marker, name=one_line(person), comment="", **{"in": int(start), "out": int(end)})
    write_xml(root, path, doctype="xmeml")


def _add_film(parent: Element, material: Material, name: str, identity: str) -> None:
    """Add a track with the whole film; the first clip of the file describes it, the others refer to it."""
    track = ElementTree.SubElement(parent, "track")
    clip = _add_clip(track, material, name, 0, material.clock.frames, identity=identity)
    if identity == "film-audio":
        _add(ElementTree.SubElement(clip, "sourcetrack"), mediatype="audio", trackindex=1)
        return
    file = clip.find("file")
    assert file is not None
    _add(file, name=one_line(material.info.path.name), pathurl=material.address, duration=material.clock.frames)
    _add_rate(file, material)
    _add_timecode(file, material)
    media = ElementTree.SubElement(file, "media")
    _add_size(ElementTree.SubElement(media, "video"), material)
    if material.info.has_sound:
        ElementTree.SubElement(media, "audio")


def _add_clip(track: Element, material: Material, name: str, start: int, end: int, *, identity: str = "") -> Element:
    identity = identity or f"clip-{start}-{end}-{name}"
    clip = ElementTree.SubElement(track, "clipitem", id=identity)
    _add(clip, name=name, duration=material.clock.frames)
    _add_rate(clip, material)
    _add(clip, start=start, end=end, **{"in": start, "out": end})
    ElementTree.SubElement(clip, "file", id="file-1")
    return clip


def _add(parent: Element, **values: object) -> None:
    for name, value in values.items():
        ElementTree.SubElement(parent, name).text = str(value)


def _add_size(parent: Element, material: Material) -> Element:
    characteristics = ElementTree.SubElement(parent, "samplecharacteristics")
    _add(characteristics, width=material.info.width, height=material.info.height)
    return characteristics


def _add_rate(parent: Element, material: Material) -> None:
    """Add the rate as the format has it: a whole number, and whether it is slowed down by 1000 / 1001."""
    rate = material.clock.rate
    ntsc = "TRUE" if rate.denominator != 1 else "FALSE"
    _add(ElementTree.SubElement(parent, "rate"), timebase=round(rate), ntsc=ntsc)


def _add_timecode(parent: Element, material: Material) -> None:
    timecode, clock = ElementTree.SubElement(parent, "timecode"), material.clock
    _add_rate(timecode, material)
    _add(timecode, string=clock.timecode(0), frame=clock.start, displayformat="DF" if clock.drop_frame else "NDF")
