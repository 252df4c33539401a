"""Open film files, choose their streams, and read and decode their packets despite damage."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from facelib.project.content import moving_streams, open_container, other_kind
from facelib.project.digests import sha256_of
from facelib.project.elsewhere import lies_elsewhere
from facelib.project.store import is_remote

log = logging.getLogger(__name__)
_DURATION = re.compile(r"(\d+):(\d\d):(\d\d\.\d+)")
_SHORT = 0.1  # of the film: a stream that ends before that is not its picture


class UnreadableFilm(ValueError):
    """A file that is not a film, has no pictures, or cannot be decoded."""


@contextmanager
def open_film(path: str | Path) -> Iterator[InputContainer]:
    """Open a film for reading, by its path or by its address on shared storage.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film or has no picture stream.
    """
    if not is_remote(path) and not Path(path).is_file():
        raise FileNotFoundError(f"expected a film, found no file at {str(path)!r}")
    try:
        container = open_container(path)
    except (av.FFmpegError, ValueError) as error:
        other = other_kind(path)
        reason = f"it is {other}" if other else getattr(error, "strerror", None) or str(error)
        raise UnreadableFilm(f"expected a film, could not read {str(path)!r}: {reason}") from error
    with container:
        if not moving_streams(container):
            kinds = [stream.type for stream in container.streams]
            raise UnreadableFilm(f"expected a film with pictures, {str(path)!r} has only streams of {kinds!r}")
        yield container


def picture_stream(container: InputContainer) -> Any:
    """Return the video stream of a film that `open_film` opened: the largest of its default ones.

    One that ends long before the film, such as a cover that is not marked as one, comes after all others.

    Raises:
        ValueError: When there are none.
    """
    whole = (container.duration or 0) / 1e6
    return min(moving_streams(container), key=lambda stream: _rank(stream, whole))


def _rank(stream: Any, whole: float) -> tuple[bool, bool, int, int]:
    context = stream.codec_context
    length = tagged_length(stream)
    if length is None and stream.duration:
        length = float(stream.duration * stream.time_base)
    short = length is not None and length < _SHORT * whole
    default = bool(stream.disposition & av.stream.Disposition.default)
    return short or stream.frames == 1, not default, -context.width * context.height, stream.index


def tagged_length(stream: Any) -> float | None:
    """Return how long Matroska's statistics say that a stream is, in seconds; None without any."""
    ends = next((text for key, text in stream.metadata.items() if key.upper().startswith("DURATION")), "")
    found = _DURATION.fullmatch(ends)
    if found is None:
        return None
    hours, minutes, rest = (float(part) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest


def read_packets(
    container: InputContainer,
    streams: Sequence[Any],
    path: str | Path,
    *,
    on_damage: Callable[[str], None] = lambda reason: None,
) -> Iterator[Any]:
    """Read the packets of some streams in the file's order; damage ends the film, is logged, and told as its reason."""
    waiting = {stream.index: stream for stream in streams}  # whose decoders are not flushed yet
    try:
        for packet in container.demux(list(streams)):
            if packet.dts is None and packet.pts is None and not packet.size:
                waiting.pop(packet.stream.index, None)
            yield packet
    except av.FFmpegError as error:
        log.warning("%s is damaged or cut short; what lies before the damage was read: %s", path, error.strerror)
        on_damage(error.strerror or str(error))
    except IndexError:  # PyAV flushes streams too that only damage made FFmpeg find
        log.warning("%s is damaged: it seems to have more streams than it names at its beginning", path)
    for stream in waiting.values():
        end = av.Packet()  # an empty packet flushes the decoder
        end.stream = stream
        yield end


def read_through(path: str | Path) -> None:
    """Read the file of a film that seems to end early: it may be whole, on a drive or network that is gone.

    Raises:
        OSError: When it cannot be read.
    """
    if is_remote(path) or lies_elsewhere(path):  # read in place: what cannot be read is told as it is asked for
        return
    try:
        sha256_of(path)
    except OSError as error:
        raise OSError(f"expected to read {str(path)!r} to its end, got: {error}") from error


def decode_packet(packet: Any, path: str | Path, *, on_damage: Callable[[], None] = lambda: None) -> list[Any]:
    """Decode a packet; what cannot be decoded is left out, for `on_damage` to count: a film may have thousands."""
    try:
        return list(packet.decode())
    except MemoryError:  # FFmpeg's own, too: the film is not damaged
        raise
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        log.debug("%s: a piece of the film could not be decoded and is left out: %s", path, reason)
        on_damage()
        return []
