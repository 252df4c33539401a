"""Who is on screen, as subtitles: WebVTT for browsers, SubRip for everything else.

A cue lasts as long as the same people are on screen, and names all of them in one line. Times are those of the
film, to the thousandth of a second: a cue ends where the frame after its last one begins.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import webvtt

from facelib.films.appearances import on_screen, timecode
from facelib.films.exports.material import Material
from facelib.films.exports.text import BETWEEN, one_line
from facelib.project import write_text

_INVISIBLE = "\u2060"  # a word joiner: no width, no line break


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
