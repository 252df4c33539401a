"""Detect what a file is by its content, and open a film so that FFmpeg reads no other file."""

from __future__ import annotations

import codecs
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facelib.images.finding import walk
from facelib.project.elsewhere import lies_elsewhere
from facelib.project.kept import kept_by_file
from facelib.project.ranges import RangedFile, open_file, place_of_film
from facelib.project.store import is_remote

if TYPE_CHECKING:
    from av.container import InputContainer

FILM_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mxf,asf,asf_o,flv,live_flv,kux,ogg,gif,apng,dv,nut,ivf,rm,"
    "wtv,gxf,mpegvideo,m4v,h261,h263,h264,hevc,vvc,av1,obu,mjpeg,yuv4mpegpipe,swf,nuv,nsv,bink,smk,vc1,vc1test,dirac,"
    "cavsvideo,avs,avs2,avs3,lxf,pva,mvi,film_cpk,roq,smush,thp,vivo,wc3movie,xmv,ty,cine,dhav,mods,moflex,mlv,"
    "flic,idcin,4xm,ea,rpl,psxstr,dxa,c93,evc,ipu,mv,mtv,r3d,gdv,hnm,jv,vmd,vividas,pmp,usm,filmstrip,dnxhd"
)
"""FFmpeg's names of the containers that hold moving pictures themselves.

Playlists, still pictures, subtitles and stream descriptions are excluded: they would make FFmpeg read other files.
"""

FILM_PROTOCOLS = "file"
"""FFmpeg's names of the protocols by which a container may read more.

FFmpeg allows every protocol to a film that is read from memory or in place from shared storage, the network too.
"""

VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".amv", ".apng", ".asf", ".avi", ".divx", ".dv", ".evo", ".f4v", ".flv", ".gif", ".gxf", ".ivf",
    ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mjpg", ".mkv", ".mod", ".mov", ".mp4",
    ".mp4v", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".tod",
    ".tp", ".trp", ".ts", ".vob", ".vro", ".webm", ".wmv", ".wtv", ".xvid", ".y4m",
})  # fmt: skip
"""Suffixes of films; a file with another suffix is a film as well when FFmpeg finds moving pictures in it."""

_HEAD = 4096
_STILL = "a still picture"
_SERIES = 10  # numbered pictures that are frames of a film
_NUMBERED = re.compile(r"(.*?)(\d+)(\.\w+)")
_BUFFER = 1 << 18  # bytes that FFmpeg asks for at once of a film that is read in place
_MOVING_WEBP = re.compile(  # the second bit of its flags
    rb"RIFF....WEBPVP8X....[" + re.escape(bytes(flags for flags in range(256) if flags & 2)) + rb"]", re.DOTALL
)
_OTHERS = (
    (re.compile(rb"#EXTM3U|ffconcat|\[playlist\]|<\?xml[^>]*>\s*<MPD|<MPD|v=0\r?\n", re.IGNORECASE), "a playlist"),
    (re.compile(rb"\s*(WEBVTT|1\r?\n\d\d:\d\d:\d\d,\d|\[Script Info\]|\{\d+\}\{\d+\})"), "subtitles"),
    (re.compile(rb"<!doctype html|<.{0,500}<html|<html", re.IGNORECASE | re.DOTALL), "a web page"),
    (re.compile(rb"<\?xml|<"), "an XML document"),
    (_MOVING_WEBP, "an animated WebP, which FFmpeg does not read: save it as GIF or MP4"),
    (re.compile(rb"\xff\xd8\xff|\x89PNG|BM.{12}|II\*\0|MM\0\*|RIFF....WEBP", re.DOTALL), _STILL),
    (re.compile(rb"....ftyp(avif|heic|heix|mif1)", re.DOTALL), _STILL),
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!"), "a compressed archive; unpack it"),
    (re.compile(rb"ID3|fLaC|RIFF....WAVE", re.DOTALL), "sound without pictures"),
)


def open_container(path: str | Path) -> InputContainer:
    """Open a file as a film: only containers that hold their pictures themselves, and no file that they refer to.

    A film on shared storage is read in place, by its address or by the path of the file that holds its place.

    Raises:
        av.FFmpegError: When FFmpeg cannot read it as one.
        OSError: When the storage does not answer; while the film is read, too.
    """
    import av

    options = {"protocol_whitelist": FILM_PROTOCOLS, "format_whitelist": FILM_FORMATS}
    # A row of JPEG pictures begins like a single one, which FFmpeg takes it for.
    kind = "mjpeg" if Path(path).suffix.lower() in {".mjpeg", ".mjpg"} and _head(path)[:2] == b"\xff\xd8" else None
    place = place_of_film(path)
    if is_remote(place):
        source = RangedFile(str(place))
        return av.open(source, "r", kind, options, metadata_errors="replace", buffer_size=_BUFFER)
    # As a `file:` URL: FFmpeg would take a file name such as `concat:a.mp4` for a URL.
    return av.open(f"file:{path}", format=kind, options=options, metadata_errors="replace")


def moving_streams(container: InputContainer) -> list[Any]:
    """Return the video streams of a film, without covers and thumbnails."""
    import av

    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return [one for one in container.streams.video if not one.disposition & still and one.codec_context is not None]


def files_below(folder: Path, begin: str = "") -> list[Path]:
    """Return the files of a folder and of the folders below, sorted; hidden and system ones are left out.

    Links are followed, each folder once; a broken link is returned as it is. Only files whose names begin with `begin`
    are looked for.
    """
    found = walk(folder, begin) if folder.is_dir() else ()
    return sorted(path for path, reason in found if not (reason and os.path.isdir(path)))


def unreadable_folders(folder: Path) -> list[tuple[Path, str]]:
    """Return the folders below a folder, and itself, that cannot be read, each with the reason."""
    found = walk(folder) if folder.is_dir() else ()
    return [(path, reason) for path, reason in found if reason and os.path.isdir(path) and not path.is_symlink()]


def why_no_film(path: Path) -> str:
    """Return why a file is not a film, or an empty text for one to read.

    A file with a film's suffix is always read, so that a damaged film is reported as one; the exceptions are still
    pictures and what is known to be something else, such as a playlist. Any other file is a film when FFmpeg finds
    moving pictures in it.
    """
    try:
        if path.is_symlink() and not path.exists():
            return f"a broken link to {str(path.readlink())!r}"
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            return "not a file"
        return _why_no_film(path)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


@kept_by_file(most=4096)
def _why_no_film(path: Path) -> str:
    import av

    if lies_elsewhere(path):  # only what is called a film does
        return ""
    head = _head(path)
    other = kind_of(head)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        still = head[:4] == b"GIF8" and _is_still(path)
        return "a picture that does not move" if still else other if other in {"a playlist", "subtitles"} else ""
    if other:
        return other
    try:
        with open_container(path) as container:
            streams = moving_streams(container)
    except (av.FFmpegError, ValueError):
        return "text" if _is_text(_without_mark(head)) else "a file of another kind"
    if not streams:
        return "sound without pictures"
    return "a picture that does not move" if head[:4] == b"GIF8" and _is_still(path) else ""


def other_kind(path: str | Path) -> str:
    """Return what a file is that is no film, by its first bytes; an empty text where they do not tell."""
    return kind_of(_head(path))


def kind_of(head: bytes) -> str:
    """Return what a file that begins so is, where that is no film; an empty text where it does not tell."""
    text = _without_mark(head).lstrip()
    other = next((kind for pattern, kind in _OTHERS if pattern.match(text) or pattern.match(head)), "")
    if not head:
        return "an empty file"
    return "" if other == _STILL and _moves(head) else other


def join_series(others: Iterable[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Return files with why they are no films, a row of numbered pictures as its first one."""
    listed: list[tuple[Path, str]] = []
    series: dict[tuple[Path, str, str], dict[int, Path]] = {}
    for path, reason in others:
        found = _NUMBERED.fullmatch(path.name) if reason == _STILL else None
        if found is None:
            listed.append((path, reason))
        else:
            series.setdefault((path.parent, found[1], found[3]), {})[int(found[2])] = path
    for (_, before, behind), paths in series.items():
        if len(paths) < _SERIES:
            listed += [(path, _STILL) for path in paths.values()]
            continue
        begin, lengths = min(paths), {len(path.name) for path in paths.values()}
        digits = f"0{lengths.pop() - len(before + behind)}" if len(lengths) == 1 else ""
        pattern = shlex.quote(f"{before}%{digits}d{behind}")
        command = f"ffmpeg -framerate 25 -start_number {begin} -i {pattern} film.mp4"
        listed.append((paths[begin], f"the first of {len(paths)} numbered pictures; join them to a film: {command}"))
    return sorted(listed)


def _head(path: str | Path) -> bytes:
    with open_file(path) as file:
        return file.read(_HEAD)


def _without_mark(head: bytes) -> bytes:
    """Return the beginning of a text in UTF-8 where a byte order mark tells how it is written, else as it is."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace").encode()
    return head.removeprefix(codecs.BOM_UTF8)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and sum(byte < 9 or 13 < byte < 32 for byte in head) == 0


def _moves(head: bytes) -> bool:
    """Return whether a PNG picture has several frames: it says so before its first one."""
    at = head.find(b"acTL")
    return (
        head.startswith(b"\x89PNG") and 0 < at < head.find(b"IDAT") and int.from_bytes(head[at + 4 : at + 8], "big") > 1
    )


def _is_still(path: Path) -> bool:
    import av

    try:
        with open_container(path) as container:
            pictures = sum(1 for _, packet in zip(range(3), container.demux(), strict=False) if packet.size)
    except av.FFmpegError:
        return False
    return pictures < 2
