"""Tiny films of any frame rate, and the tables that 05_annotate_video would have left of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facelib.films.media.reader import read_times
from facelib.films.media.timeline import FrameTimes
from facelib.films.naming import TRACK_COLUMNS
from facelib.films.tracking import DETECTIONS
from facelib.project import FilmFiles


@pytest.fixture
def awkward_names() -> list[str]:
    """What a folder's name may hold, and what some format or other takes for its own."""
    return [
        'Smith, "Jr." Ö',
        "a --> b",
        "R&D <b>bold</b> {\\an8}",
        "山田太郎 · שלום",
        "two\nlines",
        "x" * 300,
        "007",
        "* FROM CLIP NAME: nobody",
        "'; DROP",
    ]


@pytest.fixture(scope="session")
def film_in() -> Callable[..., Path]:
    """Return a factory of films in a folder, their frames exactly at a rate, or at the given ticks of a time base."""

    def make(
        folder: Path,
        rate: Fraction | int = 25,
        frames: int = 50,
        *,
        name: str = "film.mp4",
        ticks: Sequence[int] | None = None,
        time_base: Fraction | None = None,
        timecode: str = "",
        sound: bool = False,
    ) -> Path:
        path = folder / name
        base = time_base or 1 / Fraction(rate)
        with av.open(str(path), "w") as container:
            if timecode:
                container.metadata["timecode"] = timecode
            video = container.add_stream("libx264", rate=Fraction(rate), options={"preset": "ultrafast"})
            video.width, video.height, video.pix_fmt = 32, 24, "yuv420p"
            video.time_base = video.codec_context.time_base = base
            tone = container.add_stream("aac", rate=16000, layout="mono") if sound else None
            for i, tick in enumerate(range(frames) if ticks is None else ticks):
                picture = np.full((24, 32, 3), i % 200 + 20, np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = tick, base
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if tone is not None:
                for start in range(0, 16000, 1024):
                    samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                    samples.sample_rate, samples.pts = 16000, start
                    container.mux(tone.encode(samples))
                container.mux(tone.encode(None))
        return path

    return make


@pytest.fixture
def film_at(tmp_path: Path, film_in: Callable[..., Path]) -> Callable[..., Path]:
    """Return the factory `film_in` for the test's own folder."""
    return partial(film_in, tmp_path)


@pytest.fixture(scope="session")
def files_in() -> Callable[..., FilmFiles]:
    """Return a factory of a film's tables in a folder, from rows of person, first and last frame, and a cluster."""

    def make(
        folder: Path, film: Path, *rows: tuple[object, ...], box: tuple[float, ...] = (4.4, 5.6, 12.4, 15.6)
    ) -> FilmFiles:
        files = FilmFiles(folder / "output" / film.stem)
        files.folder.mkdir(parents=True, exist_ok=True)
        found = read_times(film)
        times = found.times.tolist()
        tracks = pd.DataFrame([_track(number, row, found) for number, row in enumerate(rows)])
        tracks.reindex(columns=[*TRACK_COLUMNS, "until"]).to_parquet(files.tracks)
        found = [
            (frame, times[frame], row["shot"], row["track"], *box, 0.987654, False)
            for _, row in tracks.iterrows()
            for frame in range(row["start_frame"], row["end_frame"] + 1)
        ]
        detections = pd.DataFrame(found, columns=DETECTIONS.names).sort_values(["frame", "track"])
        pq.write_table(pa.Table.from_pandas(detections, DETECTIONS, preserve_index=False), files.detections)
        return files

    return make


@pytest.fixture
def files_of(tmp_path: Path, files_in: Callable[..., FilmFiles]) -> Callable[..., FilmFiles]:
    """Return the factory `files_in` for the test's own folder."""
    return partial(files_in, tmp_path)


def _track(number: int, row: tuple[object, ...], film: FrameTimes) -> dict[str, object]:
    person, first, last, cluster = (*row, "")[:4]
    assert isinstance(first, int) and isinstance(last, int)
    times = film.times.tolist()
    until = [*times, film.seconds][last + 1]
    return {
        "track": number,
        "shot": first // 20,
        "start_frame": first,
        "end_frame": last,
        "start": times[first],
        "end": times[last],
        "until": until,
        "person": person,
        "cluster": cluster,
        "confidence": 0.9,
        "reason": "face: 0.31 from people/Ada/3.jpg",
    }
