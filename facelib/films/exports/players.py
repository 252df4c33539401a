"""For players and media centres: names as subtitles, chapters, and the people as Kodi and Jellyfin list them.

A cue lasts as long as the same people are on screen, and names all of them in one line. Times are those of the
film, to the thousandth of a second: a cue ends where the frame after its last one begins.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import webvtt

from facelib.films.appearances import on_screen, timecode
from facelib.films.exports.material import Material
from facelib.films.exports.text import BETWEEN, one_line, write_xml
from facelib.project import write_text

_NOBODY = "(nobody)"
_MARKS = re.compile(r"([=;#\\])")

_INVISIBLE = "\u2060"  # a word joiner: no width, no line break


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


def write_vtt(material: Material, path: Path) -> None:
    """Write WebVTT, whose text is escaped as HTML is; names come back exactly, but for line breaks."""
    document = webvtt.WebVTT()
    for start, end, text in _cues(material):
        document.captions.append(webvtt.Caption(start, end, html.escape(text, quote=False)))
    write_text(document.content, path)


def write_srt(material: Material, path: Path) -> None:
    """Write SubRip.

    The format has no way to escape: players take `<b>` and `{...}` for markup, and readers take `-->` for times. An
    invisible word joiner (U+2060) in these keeps the name as it looks. A film with nobody in it gives an empty file.
    """
    cues = []
    for number, (start, end, text) in enumerate(_cues(material), 1):
        for markup in ("<", "{", "--"):
            text = text.replace(markup, markup + _INVISIBLE)
        cues.append(f"{number}\n{start.replace('.', ',')} --> {end.replace('.', ',')}\n{text}\n")
    write_text("\n".join(cues), path)


def _cues(material: Material) -> Iterator[tuple[str, str, str]]:
    for start, end, people in on_screen(material.stretches).itertuples(index=False, name=None):
        yield timecode(max(start, 0.0)), timecode(end), BETWEEN.join(one_line(person) for person in people)
