"""The select reel: all appearances of chosen people, cut together with their sound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pandas as pd
from av.container import OutputContainer
from tqdm.auto import tqdm

from facelib.films.media.decode import FilmFrame, probe, read_frames
from facelib.films.media.encode import PictureWriter
from facelib.films.media.opening import open_film, picture_stream
from facelib.films.media.sound import Samples, Sound, frame_of, open_sound
from facelib.films.media.times import read_time_map
from facelib.films.spans import Span, chosen_people, merge_spans, spans_of
from facelib.project import FilmFiles, atomic_write

PIECE_COLUMNS = ["start", "end", "reel_start", "frames", "people"]
REEL_COLUMNS = ["video", "people", "pieces", "seconds", "path"]

# Seconds that a time in a table may be off: people write thousandths.
_ROUNDING = 0.0006


@dataclass(frozen=True, slots=True, eq=False)
class Reel:
    """A select reel that was written.

    Attributes:
        path: The film.
        pieces: One row per piece: `start`, `end` (presentation times in the film of its first and its last frame, in
            seconds), `reel_start` (seconds in the reel), `frames`, `people`.
        seconds: How long it runs.
    """

    path: Path
    pieces: pd.DataFrame
    seconds: float


def write_reel(
    video: str | Path,
    files: FilmFiles | str | Path,
    spans: Sequence[Span] | Sequence[tuple[float, float]],
    *,
    margin: float = 0.0,
    fade: float = 0.005,
    quality: int = 20,
    progress: bool = True,
) -> Reel:
    """Cut spans of a film together, frame by frame, with their sound to the sample.

    A frame is shown when its presentation time lies in a span, whose end is exclusive, for as long as in the film; the
    sound is that of the same stretch. Both are counted from the beginning of the reel, so that they do not drift apart,
    however many cuts there are. The film is decoded once, up to the end of the last span; memory does not grow with it.
    Given `annotated.mp4` as the film, the reel has the names on it.

    Args:
        video: Any film PyAV reads.
        files: The film's results, where `select_reel.mp4` is written; or the path to write, `.mp4`.
        spans: What to show, as from `spans_of`, or pairs of start and end in seconds.
        margin: Seconds shown before and after each span as well; spans that then overlap are one.
        fade: Seconds over which the sound fades in and out at each cut, so that it does not click.
        quality: x264's constant rate factor: 18 looks like the source, 28 is small.
        progress: Show a bar with rate and time left.

    Raises:
        ValueError: When there are no spans, one does not end after its start, or none has a frame of the film in it.
        FileNotFoundError: When there is no such film.
        facelib.films.media.decode.UnreadableFilm: When it cannot be decoded.
        OSError: When the reel cannot be written.
    """
    wanted = _widened(spans, margin)
    if not 0 <= fade < math.inf:
        raise ValueError(f"expected a fade of 0 seconds or more, got {fade!r}")
    info, first = probe(video), next(read_frames(video))
    step = 1 / (info.rate or 25)
    segments = read_time_map(video, files if isinstance(files, FilmFiles) else None)
    path = files.reel if isinstance(files, FilmFiles) else Path(files)
    total = min(info.frames, math.ceil((wanted[-1].end - first.time) * info.rate) + 2) if info.frames else None
    with atomic_write(path) as temporary, ExitStack() as opened:
        film = opened.enter_context(open_film(video))
        output = opened.enter_context(av.open(f"file:{temporary}", "w", options={"movflags": "faststart"}))
        pictures = PictureWriter(output, picture_stream(film), first, quality=quality)
        sound = open_sound(film, video, segments)
        writer = _ReelWriter(pictures, None if sound is None else _ReelSound(output, sound, fade))
        bar = tqdm(
            read_frames(video), total=total, unit=" frames", desc="select reel", leave=False, disable=not progress
        )
        with bar:
            for cut in _cut(bar, wanted, step):
                writer.write(cut)
        if not writer.pieces:
            raise ValueError(f"expected spans with frames of {str(video)!r} in them, got {list(spans)!r}")
        writer.finish()
    pieces = pd.DataFrame([piece.row() for piece in writer.pieces], columns=pd.Index(PIECE_COLUMNS))
    return Reel(path, pieces, float(writer.at * pictures.ticks))


def check_people(tables: Iterable[pd.DataFrame], people: Sequence[str]) -> None:
    """Check that people are chosen, and that each is in one of the tables of appearances.

    Raises:
        ValueError: When nobody is chosen, or somebody who is in none of the films.
    """
    columns = ["person", "start", "end"]
    filled = [table[columns] for table in tables if len(table)]
    spans_of(pd.concat(filled) if filled else pd.DataFrame(columns=pd.Index(columns)), people)


def write_reel_of(
    film: Path,
    files: FilmFiles,
    appeared: pd.DataFrame,
    people: Sequence[str],
    *,
    together: bool = False,
    margin: float = 0.0,
    quality: int = 20,
    progress: bool = True,
) -> tuple[str, str, int, float, str]:
    """Write `select_reel.mp4` of one film, where chosen people appear in it, else remove it; return `REEL_COLUMNS`.

    `together` shows only where all of them are on screen at once; the other options are those of `write_reel`.
    """
    here = [name for name in chosen_people(people) if name in set(appeared["person"])]
    everybody = len(here) == len(chosen_people(people))
    spans = spans_of(appeared, here, together=together) if here and (everybody or not together) else []
    if not spans:
        files.reel.unlink(missing_ok=True)
        return film.name, ", ".join(here), 0, 0.0, ""
    reel = write_reel(film, files, spans, margin=margin, quality=quality, progress=progress)
    return film.name, ", ".join(here), len(reel.pieces), round(reel.seconds, 3), str(reel.path)


def _widened(spans: Sequence[Span] | Sequence[tuple[float, float]], margin: float) -> list[Span]:
    if not 0 <= margin < math.inf:
        raise ValueError(f"expected a margin of 0 seconds or more, got {margin!r}")
    if not spans:
        raise ValueError("expected at least one span to show, got none")
    for start, end, *_ in spans:
        if not (math.isfinite(start) and start < end < math.inf):
            raise ValueError(f"expected spans of a start and a later end in seconds, got {(start, end)!r}")
    return merge_spans(
        Span(start - margin - _ROUNDING, end + margin - _ROUNDING, *people) for start, end, *people in spans
    )


class _Cut(NamedTuple):
    """A frame of the reel."""

    frame: FilmFrame
    until: float  # when in the film the next frame takes its place
    begins: bool  # whether it is the first of a piece
    ends: bool  # whether it is the last of a piece
    people: tuple[str, ...]


def _cut(frames: Iterable[FilmFrame], spans: list[Span], step: float) -> Iterator[_Cut]:
    """Yield the frames inside the spans; pieces are runs of frames, whatever the spans are."""
    upcoming = iter(spans)
    span = next(upcoming, None)
    held: FilmFrame | None = None  # a frame's end is known when the next one comes
    begins = True
    people: tuple[str, ...] = ()
    for frame in frames:
        while span is not None and span.end <= frame.time:
            span = next(upcoming, None)
        inside = span is not None and span.start <= frame.time
        if held is not None:
            yield _Cut(held, frame.time, begins, not inside, people)
            step = frame.time - held.time
        if span is None:
            return
        begins, people = held is None, span.people
        held = frame if inside else None
    if held is not None:
        yield _Cut(held, held.time + step, begins, True, people)


@dataclass(slots=True)
class _Piece:
    start: float
    reel_start: float
    end: float = 0.0
    frames: int = 0
    people: tuple[str, ...] = ()

    def add(self, cut: _Cut) -> None:
        self.end = cut.frame.time
        self.frames += 1
        if cut.people != self.people:
            self.people = tuple(dict.fromkeys((*self.people, *cut.people)))

    def row(self) -> tuple[object, ...]:
        return self.start, self.end, self.reel_start, self.frames, ", ".join(self.people)


class _ReelWriter:
    """A reel being written: its position, and its pieces of the film."""

    def __init__(self, pictures: PictureWriter, sound: _ReelSound | None) -> None:
        self.pictures, self.sound = pictures, sound
        self.at = 0  # ticks of the reel
        self.pieces: list[_Piece] = []

    def write(self, cut: _Cut) -> None:
        ticks = self.pictures.ticks
        start, until = (self.pictures.to_ticks(time) for time in (cut.frame.time, cut.until))
        lasts = max(1, until - start)
        if cut.begins:
            self.pieces.append(_Piece(cut.frame.time, float(self.at * ticks)))
        self.pieces[-1].add(cut)
        self.pictures.write(cut.frame.planes(own=False), self.at, lasts=lasts, key=cut.begins)
        self.at += lasts
        if self.sound is not None:
            self.sound.write(start * ticks, self.at * ticks, cut.begins, cut.ends)

    def finish(self) -> None:
        self.pictures.finish()
        if self.sound is not None:
            self.sound.finish()


class _ReelSound:
    """The sound of a reel, written picture by picture."""

    def __init__(self, output: OutputContainer, source: Sound, fade: float) -> None:
        self.output, self.source = output, source
        self.stream = output.add_stream("aac", rate=source.rate, layout=source.layout)
        self.stream.bit_rate = 2 * source.rate * source.channels  # 96 kbit/s a channel at 48 kHz
        self.ramp = round(fade * source.rate)
        self.written = 0  # samples of the reel
        self.place = 0  # in the film, of the next sample

    def write(self, start: Any, until: Any, begins: bool, ends: bool) -> None:
        """Write the sound of one picture: `start` is its time in the film, `until` its end in the reel, both exact."""
        if begins:
            self.place = round(start * self.source.rate)
        # Counted from the reel's beginning, so that rounding does not add up.
        count = round(until * self.source.rate) - self.written
        samples = self.source.take(self.place, count)
        if begins:
            samples[:, : self.ramp] *= _ramp(min(self.ramp, count))
        if ends:
            samples[:, max(0, count - self.ramp) :] *= _ramp(min(self.ramp, count))[::-1]
        self._encode(samples)
        self.place += count
        self.written += count

    def _encode(self, samples: Samples) -> None:
        if samples.shape[1] == 0:
            return
        self.output.mux(self.stream.encode(frame_of(samples, self.source.layout, self.source.rate, self.written)))

    def finish(self) -> None:
        self.output.mux(self.stream.encode(None))


def _ramp(count: int) -> Samples:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(1, count))).astype(np.float32)
