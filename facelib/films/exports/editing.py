"""Timelines for editing programs: OpenTimelineIO, and the edit decision list of CMX 3600."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import opentimelineio as otio

from facelib.films.appearances import on_screen
from facelib.films.exports.material import Material
from facelib.films.exports.text import edl_header, one_line
from facelib.project import write_text


def write_otio(material: Material, path: Path) -> None:
    """Write an OpenTimelineIO timeline: the film, its sound, and above it a video track for each person.

    Each clip of a person's track is a stretch on screen, in its place, and shows the film; the names of track and
    clip are the person's. The clips' metadata `facelib` hold `confidence` and `tracks`. The longest on screen come
    first. Times start at the film's own timecode, if it has one.
    """
    timeline = otio.schema.Timeline(one_line(material.info.path.stem), global_start_time=_time(material, 0, film=True))
    whole = _range(material, 0, material.clock.frames)
    kinds = [otio.schema.TrackKind.Video] + [otio.schema.TrackKind.Audio] * material.info.has_sound
    for kind in kinds:
        clip = otio.schema.Clip("film", media_reference=_film(material), source_range=whole)
        timeline.tracks.append(otio.schema.Track("film", [clip], kind=kind))
    for person in material.people:
        timeline.tracks.append(_person_track(material, person))
    write_text(otio.adapters.write_to_string(timeline, "otio_json"), path)


def _person_track(material: Material, person: str) -> otio.schema.Track:
    track = otio.schema.Track(one_line(person), kind=otio.schema.TrackKind.Video)
    own = material.stretches[material.stretches["person"] == person]
    at = 0
    columns = ["timeline_start", "timeline_end", "confidence", "tracks"]
    for start, end, confidence, tracks in own[columns].itertuples(index=False, name=None):
        if start > at:
            track.append(otio.schema.Gap(duration=_time(material, start - at)))
        facts = {"confidence": float(confidence), "tracks": str(tracks)}
        clip = otio.schema.Clip(
            one_line(person),
            media_reference=_film(material),
            source_range=_range(material, start, end),
            metadata={"facelib": facts},
        )
        track.append(clip)
        at = end
    return track


def _time(material: Material, frames: int, *, film: bool = False) -> otio.opentime.RationalTime:
    """Return a number of frames as a time, on the film's own timecode or as a length."""
    return otio.opentime.RationalTime(frames + material.clock.start * film, float(material.clock.rate))


def _range(material: Material, start: int, end: int) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(_time(material, start, film=True), _time(material, end - start))


def _film(material: Material) -> otio.schema.ExternalReference:
    whole = _range(material, 0, material.clock.frames)
    return otio.schema.ExternalReference(target_url=material.address, available_range=whole)


def write_edl(material: Material, path: Path) -> None:
    """Write a CMX 3600 edit decision list: an event for each span in which the same people are on screen.

    An event is recorded where it lies in the film, so that source and record times are equal. The format knows one
    video track, so that people on screen together share an event: its clip name joins their names with ` + `, and
    each name stands in a `* PERSON:` comment of its own.

    What the format cannot hold: reel names are eight letters and digits, made of the film's name; its own counting ends
    at 999 events (further ones are written with four digits, which most programs read); old programs want comments in
    ASCII, these are UTF-8. Timecodes are drop-frame or not as the film's clock says, and the line `FCM` says which.
    """
    # Written line by line: OpenTimelineIO's adapter looks for each clip's place anew, which grows with their square.
    clock, reel = material.clock, _reel(material.info.path.stem)
    lines = [edl_header(material)]
    for number, (start, end, people) in enumerate(on_screen(material.spans()).itertuples(index=False, name=None), 1):
        names = [one_line(person) for person in people]
        times = f"{clock.timecode(start)} {clock.timecode(end)}"
        lines += [
            f"{number:03d}  {reel:8} V     C        {times} {times}",
            f"* FROM CLIP NAME:  {' + '.join(names)}",
            f"* FROM CLIP: {material.address}",
            *(f"* PERSON: {name}" for name in names),
        ]
    write_text("\n".join([*lines, ""]), path)


def _reel(stem: str) -> str:
    """Return the eight letters and digits by which an edit decision list calls a film.

    Accents fall away; a name in another script leaves nothing, and the reel is called FILM.
    """
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    reel = re.sub(r"[^A-Za-z0-9]", "", ascii_only)[:8].upper()
    # These mean "auxiliary source", "black" and "bars" and would lose the film.
    return reel if reel and reel not in {"AX", "BL", "BLACK", "BARS"} else "FILM"
