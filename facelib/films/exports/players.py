"""For players and media centres: chapters, and the people of a film as Kodi and Jellyfin list them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from facelib.films.appearances import on_screen
from facelib.films.exports.material import Material
from facelib.films.exports.text import BETWEEN, one_line, write_xml
from facelib.project import write_text

_NOBODY = "(nobody)"
_MARKS = re.compile(r"([=;#\\])")


def write_chapters(material: Material, path: Path) -> None:
    """Write a chapter for each span in which the same people are on screen, as metadata that FFmpeg reads.

    `ffmpeg -i film.mp4 -i chapters.ffmetadata -map_metadata 0 -map_chapters 1 -codec copy out.mp4` (or `out.mkv`) puts
    them into a film, without coding it again. In MP4 a chapter lasts until the next begins, so a span with nobody is a
    chapter as well, `(nobody)`. Times are whole frames of the film's rate, exactly; MP4 and Matroska round them to
    their own units.
    """
    rate = material.clock.rate
    lines = [";FFMETADATA1"]
    for start, end, title in _spans(material):
        lines += ["[CHAPTER]", f"TIMEBASE={rate.denominator}/{rate.numerator}", f"START={start}", f"END={end}"]
        lines.append("title=" + _MARKS.sub(r"\\\1", title))
    write_text("\n".join(lines) + "\n", path)


def _spans(material: Material) -> list[tuple[int, int, str]]:
    """Return the spans with names and those between, up to the film's end; none for a film with nobody in it."""
    found: list[tuple[int, int, str]] = []
    at = 0
    for start, end, people in on_screen(material.spans()).itertuples(index=False, name=None):
        if start > at:
            found.append((at, int(start), _NOBODY))
        found.append((int(start), int(end), BETWEEN.join(one_line(person) for person in people)))
        at = int(end)
    return [*found, (at, material.clock.frames, _NOBODY)] if 0 < at < material.clock.frames else found


def write_nfo(material: Material, path: Path) -> None:
    """Write the people as actors, longest on screen first, in the form that Kodi and Jellyfin keep beside a film.

    Name it as the film and lay it beside that: `film.mp4`, `film.nfo`.
    """
    root = ElementTree.Element("movie")
    ElementTree.SubElement(root, "title").text = one_line(material.info.path.stem)
    ElementTree.SubElement(root, "runtime").text = str(round(material.clock.end / 60))
    for order, person in enumerate(material.people):
        actor = ElementTree.SubElement(root, "actor")
        ElementTree.SubElement(actor, "name").text = one_line(person)
        ElementTree.SubElement(actor, "type").text = "Actor"
        ElementTree.SubElement(actor, "order").text = str(order)
    write_xml(root, path, standalone=True)
