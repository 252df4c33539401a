"""When each frame of a film is shown, kept beside its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facelib.films.media.reader import read_times
from facelib.films.media.timeline import ClockSegment, FrameTimes
from facelib.project import FilmFiles, atomic_write

TIMES = pa.schema([("frame", pa.int32()), ("ticks", pa.int64()), ("time", pa.float64()), ("source_time", pa.float64())])
"""The columns of `times.parquet`: `time` in seconds of the film, `source_time` as its file counts, if it does."""

_KEY = b"facelib"


def write_times(times: FrameTimes, path: Path) -> None:
    """Write `times.parquet`; values of the whole film are JSON in the file's metadata."""
    facts = {
        "end": times.end,
        "tick": str(times.tick),
        "rate": str(times.rate),
        "segments": [[str(value) for value in (one.start, one.end, one.shift)] for one in times.segments],
        "timecode": times.timecode,
        "timecode_rate": str(times.timecode_rate),
        "timecode_lead": str(times.timecode_lead),
    }
    columns = [np.arange(len(times.ticks), dtype=np.int32), times.ticks, times.times, times.source]
    table = pa.Table.from_arrays([pa.array(column) for column in columns], schema=TIMES)
    with atomic_write(path) as temporary:
        # Each time is another one: dictionaries of them take nine times the memory, and two fifths more room.
        pq.write_table(table.replace_schema_metadata({_KEY: json.dumps(facts)}), temporary, use_dictionary=False)


def read_film_times(video: str | Path, files: FilmFiles | None = None) -> FrameTimes:
    """Return when the frames of a film are shown: from the table among its results, or by decoding it once more.

    Raises:
        FileNotFoundError: When there is no such film, and no table.
        facelib.films.media.decode.UnreadableFilm: When there is no table and it cannot be decoded.
    """
    kept = None if files is None else _kept(files.times)
    return kept if kept is not None else read_times(video)


def _kept(path: Path) -> FrameTimes | None:
    """Read `times.parquet`; None where there is none that can be read."""
    try:
        table = pq.read_table(path, columns=["ticks", "source_time"])
        facts: Mapping[str, object] = json.loads((table.schema.metadata or {})[_KEY])
        segments = facts["segments"]
        assert isinstance(segments, list)
        return FrameTimes(
            table["ticks"].to_numpy(),
            table["source_time"].to_numpy(),
            int(str(facts["end"])),
            Fraction(str(facts["tick"])),
            Fraction(str(facts["rate"])),
            tuple(ClockSegment(*(Fraction(value) for value in one)) for one in segments),
            str(facts["timecode"]),
            Fraction(str(facts["timecode_rate"])),
            Fraction(str(facts["timecode_lead"])),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def read_time_map(video: str | Path, files: FilmFiles | None = None) -> tuple[ClockSegment, ...]:
    """Return the map from the times of a film's file to the film's; the arguments are those of `read_film_times`.

    The annotated film keeps the film's own times, and needs no map.
    """
    if files is not None and Path(video) == files.annotated:
        return ()
    return read_film_times(video, files).segments
