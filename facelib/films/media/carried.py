"""Subtitles, chapters, title and date, carried over when a film is written again."""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer

from facelib.films.media.opening import picture_stream
from facelib.films.media.timeline import ClockSegment, FrameTimes, StreamClock
from facelib.project.content import moving_streams

log = logging.getLogger(__name__)

TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text", "subviewer", "microdvd"})
"""Codecs of subtitles that are text, by FFmpeg's names; the others are pictures, or captions coded for televisions."""

_FACTS = frozenset({
    "title", "artist", "album", "album_artist", "date", "creation_time", "comment", "description", "synopsis",
    "genre", "composer", "copyright", "show", "episode_id", "season_number", "episode_sort", "network", "track",
    "location", "language",
})  # fmt: skip
_TICK = Fraction(1, 1000)  # of the subtitles that are written
_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, "
    b"SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0\n\n[Events]\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def streams_left_out(container: InputContainer) -> list[str]:
    """Return which streams of a film cannot be carried over, one sentence per kind; empty when all can."""
    streams: list[Any] = list(container.streams)
    told = Counter(filter(None, (_why_left_out(stream, container) for stream in streams)))
    return [f"{count} x {what} not carried over" for what, count in told.items()]


def _why_left_out(stream: Any, container: InputContainer) -> str:
    """Return what a stream is that cannot be carried over, empty for one that can."""
    context = stream.codec_context
    if stream.type == "video" and stream is not picture_stream(container):
        return "further pictures" if stream in moving_streams(container) else "cover"
    if stream.type == "subtitle" and not is_text(stream):
        if context is None:
            return "subtitles of an unknown kind"
        name = context.codec.canonical_name
        return f"subtitles that are pictures ({name})" if context.codec.bitmap_sub else f"captions ({name})"
    if stream.type == "audio" and (context is None or not context.sample_rate):
        return "sound of an unknown kind"
    if stream.type == "attachment":
        return "attached files"
    # Timecodes are read, and the text of chapters is.
    known = "timecode" in stream.metadata or not stream.name or bool(container.chapters())
    return f"data ({stream.name})" if stream.type == "data" and not known else ""


def is_text(stream: Any) -> bool:
    """Return whether a stream of subtitles is text."""
    return stream.codec_context is not None and stream.codec_context.codec.canonical_name in TEXT_SUBTITLES


def carry_facts(source: InputContainer, output: OutputContainer, times: FrameTimes) -> None:
    """Copy the title, date, similar tags and chapters of the source to a film that is being written."""
    output.metadata.update(facts_of(source.metadata))
    chapters: list[Any] = []
    for number, chapter in enumerate(source.chapters()):
        base = chapter["time_base"] or Fraction(1, 1000)
        start, end = (times.to_film(float(chapter[edge] * base)) for edge in ("start", "end"))
        if end > start and start < times.seconds:
            chapters.append(
                {
                    "id": number,
                    "start": round(start * 1000),
                    "end": round(min(end, times.seconds) * 1000),
                    "time_base": Fraction(1, 1000),
                    "metadata": dict(chapter["metadata"]),
                }
            )
    if chapters:
        output.set_chapters(chapters)


def facts_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the tags about the film itself, without those about the file or the program that wrote it.

    Examples:
        >>> facts_of({"TITLE": "Casablanca", "ENCODER": "Lavf59"})
        {'title': 'Casablanca'}
    """
    return {key.lower(): text for key, text in metadata.items() if key.lower() in _FACTS}


def carry_tags(source: Any, target: Any) -> None:
    """Give a stream that is written the language and the title of its source."""
    target.metadata.update({key: text for key, text in source.metadata.items() if key.lower() in {"language", "title"}})


class TrackWriter(ABC):
    """A stream that is written beside the pictures, with the language, title and flags of its source.

    Attributes:
        lost: Seconds that could not be written.
    """

    def __init__(self, stream: Any, target: Any, output: OutputContainer) -> None:
        carry_tags(stream, target)
        target.disposition = stream.disposition
        self.target, self._output = target, output
        self.lost = 0.0

    @abstractmethod
    def write(self, packet: Any) -> None:
        """Take the next packet of the source."""

    @abstractmethod
    def finish(self) -> None:
        """Write what is still held."""


class SubtitleTrack(TrackWriter):
    """Text subtitles, written as MP4 timed text."""

    def __init__(
        self, stream: Any, output: OutputContainer, segments: tuple[ClockSegment, ...], path: str | Path, until: float
    ) -> None:
        super().__init__(stream, output.add_stream("mov_text"), output)
        self.target.codec_context.subtitle_header = _HEADER
        self.target.time_base = self.target.codec_context.time_base = _TICK
        self._path = path
        self._clock = StreamClock(segments)
        self._until = round(until / _TICK)
        self._at = 0  # where the last cue ended
        self._unreadable: list[str] = []

    def write(self, packet: Any) -> None:
        """Write the cues of a packet."""
        text = self._read(packet)
        if text is None:
            return
        length = (packet.duration or 0) * packet.time_base
        begin = round(self._clock.place(packet.pts * packet.time_base, length) / _TICK)
        start, end = max(begin, self._at), min(begin + round((length or Fraction(4)) / _TICK), self._until)
        if not text or end <= start:
            return
        # An MP4 track is a sequence of samples without gaps: where there is no text, the sample is empty.
        self._mux(b"", start)
        self._mux(text.encode(), end)

    def _read(self, packet: Any) -> str | None:
        if not packet.size or packet.pts is None:
            return None
        try:
            found = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            self._unreadable.append(str(error))
            return None
        return "\n".join(filter(None, (plain_text(one.dialogue) for one in found if hasattr(one, "dialogue"))))

    def _mux(self, text: bytes, until: int) -> None:
        if until <= self._at:
            return
        packet = av.Packet(len(text[:65535]).to_bytes(2, "big") + text[:65535])
        packet.stream, packet.time_base = self.target, _TICK
        packet.pts = packet.dts = self._at
        packet.duration = until - self._at
        self._output.mux(packet)
        self._at = until

    def finish(self) -> None:
        """Fill the track up to the film's end, and tell of what could not be read."""
        if self._unreadable:
            count, first = len(self._unreadable), self._unreadable[0]
            log.warning("%s: %d subtitles cannot be read and are left out, the first: %s", self._path, count, first)
        self._mux(b"", self._until)


def plain_text(dialogue: bytes | str) -> str:
    r"""Return the words of a line of dialogue, without its marks of style.

    Examples:
        >>> plain_text(r"{\an8}One\Ntwo <i>three</i>")
        'One\ntwo three'
    """
    text = dialogue.decode("utf-8", "replace") if isinstance(dialogue, bytes) else dialogue
    text = re.sub(r"\{\\[^}]*\}|</?[bius]>|</?font[^>]*>", "", text)
    return text.replace("\ufeff", "").replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", " ").strip()
