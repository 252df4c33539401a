"""Who is on screen and when, in the forms that other programs read.

Every file is exact to the frame: an end is when the next frame begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from facelib.films.exports.annotations import write_annotations
from facelib.films.exports.clock import FrameClock, read_clock
from facelib.films.exports.ebucore import read_wikidata, write_ebucore
from facelib.films.exports.editing import write_edl, write_otio
from facelib.films.exports.elan import write_eaf
from facelib.films.exports.fcp7 import write_fcp7
from facelib.films.exports.fcpxml import write_fcpxml
from facelib.films.exports.iiif import write_iiif
from facelib.films.exports.markers import write_avid, write_resolve
from facelib.films.exports.material import Material, collect, exact_appearances
from facelib.films.exports.mot import write_mot
from facelib.films.exports.players import write_chapters, write_nfo, write_srt, write_vtt
from facelib.films.exports.tables import write_csv, write_graph, write_json, write_parquet, write_together
from facelib.project import FilmFiles

Format = Literal[
    "csv", "json", "parquet", "vtt", "srt", "otio", "edl", "fcpxml", "annotations", "mot", "graphml", "resolve", "fcp7",
    "avid", "eaf", "iiif", "ebucore", "chapters", "nfo",
]  # fmt: skip
"""What a film's timeline can be exported as; the module of each says what it holds and what it cannot."""

FORMATS: tuple[Format, ...] = get_args(Format)

_FORMS: dict[Format, tuple[Callable[[Material, Path], None], str, str]] = {
    "csv": (write_csv, "appearances.csv", "who is on screen from when to when, for spreadsheets"),
    "json": (write_json, "appearances.json", "the same for programs, with tracks and frames"),
    "parquet": (write_parquet, "appearances.parquet", "the same for pandas, Polars and DuckDB"),
    "vtt": (write_vtt, "people.vtt", "names as subtitles, for players in web pages"),
    "srt": (write_srt, "people.srt", "names as subtitles, for VLC and most players"),
    "otio": (write_otio, "timeline.otio", "one track per person, for editing programs that read OpenTimelineIO"),
    "edl": (write_edl, "timeline.edl", "every appearance as a cut, for older editing programs (CMX 3600)"),
    "fcpxml": (write_fcpxml, "timeline.fcpxml", "keywords, a lane per person, for Final Cut Pro and DaVinci Resolve"),
    "annotations": (write_annotations, "annotations.jsonld", "web annotations (W3C), for archives and catalogues"),
    "mot": (write_mot, "mot.txt", "every box, for tracking benchmarks (MOTChallenge)"),
    "graphml": (write_together, "people.graphml", "who appears with whom, for Gephi, yEd and Cytoscape"),
    "resolve": (write_resolve, "markers_resolve.edl", "a marker for each appearance, for DaVinci Resolve"),
    "fcp7": (write_fcp7, "timeline_fcp7.xml", "one track per person, for Premiere Pro (XML of Final Cut Pro 7)"),
    "avid": (write_avid, "markers_avid.txt", "a marker for each appearance, for Avid Media Composer"),
    "eaf": (write_eaf, "annotations.eaf", "one tier per person, for ELAN"),
    "iiif": (write_iiif, "manifest.json", "the film with its people, for viewers of libraries and archives (IIIF)"),
    "ebucore": (
        write_ebucore,
        "ebucore.ttl",
        "the film, its people and where they appear, for archives (EBUCore, RDF)",
    ),
    "chapters": (write_chapters, "chapters.ffmetadata", "chapters with names, to be put into MP4 or MKV by FFmpeg"),
    "nfo": (write_nfo, "film.nfo", "the people as actors, for Kodi and Jellyfin"),
}

FILE_NAMES: dict[Format, str] = {name: file for name, (_, file, _) in _FORMS.items()}
"""What the file of each format is called."""

PURPOSES: dict[str, str] = {file: purpose for _, file, purpose in _FORMS.values()} | {
    "mot_names.csv": "which name each number of mot.txt stands for",
    "annotated.mp4": "the film with boxes and names drawn on it, to give away",
    "select_reel.mp4": "the appearances of chosen people, cut together",
}
"""What each file made of a film is for, by its name."""


__all__ = [
    "FILE_NAMES",
    "FORMATS",
    "PURPOSES",
    "Format",
    "FrameClock",
    "Material",
    "check_formats",
    "exact_appearances",
    "export_film",
    "read_clock",
    "read_wikidata",
    "write_graph",
]


def export_film(
    video: str | Path,
    files: FilmFiles,
    *,
    formats: Sequence[Format] = FORMATS,
    unknown: bool = False,
    longest_gap: float = 1.0,
    drop_frame: bool | None = None,
    address: str = "",
    folder: Path | None = None,
    wikidata: Mapping[str, str] | None = None,
) -> dict[str, Path]:
    """Write who is on screen in a film, and when, in the forms that other programs read.

    Args:
        video: The film.
        files: Where its tracks lie; the exports go into the folder `files.exports`.
        formats: Which of `FORMATS`; all unless said otherwise.
        unknown: Also the groups of unknown people, `Unknown 1` and so on.
        longest_gap: Seconds up to which the gap between two stretches of one person is closed.
        drop_frame: Timecode at 29.97 and 59.94 frames a second; None as in `read_clock`.
        address: What the exports call the film, such as an `https` address; empty for the file's own, or for that in
            the storage in which the film is read. Editing programs find the film by it.
        wikidata: By name, the Wikidata id of a person, such as `{"Tony Soprano": "Q466110"}`; see `read_wikidata`.
        folder: Where they go; None is the folder `files.exports`.

    Returns:
        The file of each format. The names to the ids of `mot` lie beside it.

    Raises:
        FileNotFoundError: When there is no such film, or it has no tracks yet.
        facelib.films.media.decode.UnreadableFilm: When the film cannot be decoded.
        ValueError: When a format is not one of `FORMATS`.
        OSError: When a file cannot be written.
    """
    check_formats(formats)
    material = collect(
        video,
        files,
        unknown=unknown,
        longest_gap=longest_gap,
        drop_frame=drop_frame,
        address=address,
        wikidata=wikidata,
    )
    written: dict[str, Path] = {}
    for name in formats:
        write, file_name, _ = _FORMS[name]
        written[name] = (folder or files.exports) / file_name
        write(material, written[name])
    return written


def check_formats(formats: Sequence[str]) -> None:
    """Check that all are of `FORMATS`.

    Raises:
        ValueError: When a format is not known.
    """
    strange = [name for name in formats if name not in FORMATS]
    if strange:
        raise ValueError(f"expected formats among {', '.join(FORMATS)}, got {strange!r}")
