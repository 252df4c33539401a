"""Films of every container, rate, shape, scan, sound and damage, each with each other at least once.

Of every film: its frames on one clock, the marker where it is shown, in the film and in the annotated one, the sound
in step, the exports equal to the tables to the frame, and what is lost told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from allpairspy import AllPairs

from facelib.films.annotate import annotate_film
from facelib.films.exports import export_film
from facelib.films.media.decode import UnreadableFilm, read_frames
from facelib.films.media.encode import WriteReport
from facelib.films.media.reader import open_reader
from facelib.films.media.times import write_times
from facelib.films.naming import TRACK_COLUMNS
from facelib.films.tracking import DETECTIONS
from facelib.project import FilmFiles

H264, MPEG2 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "1"], ["-c:v", "mpeg2video", "-q:v", "3", "-bf", "1"]

# Container and pictures: options, the depths and scans that the codec knows, the sounds that the container holds.
CARRIERS = {
    "mp4 h264": (
        H264,
        ("yuv420p", "yuv444p", "yuv420p10le", "interlaced"),
        ("aac", "libmp3lame", "ac3", "alac", "libopus", "flac"),
    ),
    "mp4 mpeg4": (["-c:v", "mpeg4", "-q:v", "3"], ("yuv420p",), ("aac", "eac3")),
    "mov h264": (H264, ("yuv420p", "yuv420p10le", "interlaced"), ("aac", "alac", "pcm_s16le")),
    "mov prores_ks": (["-c:v", "prores_ks"], ("yuv422p10le",), ("pcm_s16le", "aac")),
    "3gp h264": (H264, ("yuv420p",), ("aac",)),
    "mkv h264": (
        H264,
        ("yuv420p", "yuv444p", "yuv420p10le", "interlaced"),
        ("aac", "libmp3lame", "ac3", "eac3", "libopus", "flac", "libvorbis", "pcm_s16le"),
    ),
    "mkv ffv1": (["-c:v", "ffv1"], ("yuv420p", "bgr0", "gray"), ("flac", "libvorbis")),
    "avi mpeg4": (
        ["-c:v", "mpeg4", "-q:v", "3", "-vtag", "XVID", "-bf", "1"],
        ("yuv420p",),
        ("libmp3lame", "pcm_s16le", "ac3", "wmav2", "aac"),
    ),
    "avi mjpeg": (["-c:v", "mjpeg", "-q:v", "2"], ("yuvj420p", "yuvj444p"), ("pcm_s16le", "libmp3lame")),
    "ts h264": (H264, ("yuv420p", "yuv420p10le", "interlaced"), ("aac", "libmp3lame", "mp2", "ac3", "libopus")),
    "ts mpeg2video": (MPEG2, ("yuv420p", "interlaced"), ("mp2", "ac3")),
    "m2ts h264": (H264, ("yuv420p", "interlaced"), ("ac3", "aac", "eac3")),
    "webm libvpx": (
        ["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M"],
        ("yuv420p",),
        ("libopus", "libvorbis"),
    ),
    "webm libvpx-vp9": (
        ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"],
        ("yuv420p", "yuv444p"),
        ("libopus",),
    ),
    "mxf mpeg2video": (MPEG2, ("yuv420p", "interlaced"), ("pcm_s16le",)),
    "vob mpeg2video": (MPEG2, ("yuv420p", "interlaced"), ("mp2", "ac3")),
    "flv h264": (H264, ("yuv420p",), ("aac", "libmp3lame")),
    "flv flv": (["-c:v", "flv", "-q:v", "3"], ("yuv420p",), ("libmp3lame",)),
    "asf wmv2": (["-c:v", "wmv2", "-q:v", "3"], ("yuv420p",), ("wmav2", "libmp3lame")),
    "gif gif": (["-c:v", "gif"], ("bgr8",), ()),
    "ogv libtheora": (["-c:v", "libtheora", "-q:v", "9"], ("yuv420p", "yuv444p"), ("libvorbis", "flac", "libopus")),
}  # fmt: skip
RATES = ("1", "24000/1001", "25", "30000/1001", "50", "60000/1001", "120", "variable")
SQUARE, SQUEEZED, TURNED = (
    "square",
    ("2", "64/45", "16/15", "4/3"),
    ("mirrored", "upside down", "quarter", "transposed"),
)
SHAPES = (SQUARE, *SQUEEZED, *TURNED, "odd")
MATRICES = {
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "quarter": (0, 1, -1, 0),
    "transposed": (0, 1, 1, 0),
}
BOX = np.array([0.125, 0.125, 0.375, 0.5])
DAMAGES = ("none", "head", "middle", "tail", "header")
SOUNDS, DEPTHS = range(6), range(4)  # which of those that the carrier knows
MPEG2_RATES = frozenset({"24000/1001", "25", "30000/1001", "50", "60000/1001"})


def is_possible(row):
    """Tell whether such a film can be made; called with the first columns alone too."""
    carrier, rate, shape, depth, sound, damage = [*row, *[None] * (6 - len(row))]
    container, codec = carrier.split()
    _, depths, sounds = CARRIERS[carrier]
    fixed = "mpeg2video" in codec or container in ("vob", "mxf")
    return not (
        (rate is not None and fixed and rate not in MPEG2_RATES)
        or (rate == "variable" and container in ("avi", "gif", "ts", "m2ts", "flv", "asf", "ogv"))
        or (rate == "variable" and codec == "mpeg4")
        or (rate == "120" and container in ("gif", "3gp"))  # hundredths of a second
        or (rate in ("24000/1001", "30000/1001", "60000/1001") and container == "gif")
        or (shape in TURNED and container not in ("mp4", "mov", "3gp"))
        or (
            shape in SQUEEZED
            and (container in ("flv", "gif", "asf") or codec in ("mpeg2video", "libvpx", "libvpx-vp9"))
        )
        or (shape == "odd" and codec not in ("ffv1", "mjpeg", "libvpx", "libvpx-vp9", "gif", "libtheora", "mpeg4"))
        or (depth is not None and depth >= len(depths))
        or (sound is not None and sound > len(sounds))
        or (damage == "middle" and container == "gif")
    )


def cross() -> list[tuple]:
    """Return rows with every pair of values that can be made, in three orders, since many cannot."""
    columns = [list(CARRIERS), list(RATES), list(SHAPES), list(DEPTHS), list(SOUNDS), list(DAMAGES)]
    rows: dict[tuple, None] = {}
    for turn in range(3):
        turned = [column[-turn * 2 :] + column[: -turn * 2] if turn else column for column in columns]
        rows |= dict.fromkeys(tuple(row) for row in AllPairs(turned, filter_func=is_possible))
    return list(rows)


ROWS = cross()


def test_there_are_enough():
    assert len(ROWS) >= 150
    assert {row[0] for row in ROWS} == set(CARRIERS) and {row[1] for row in ROWS} == set(RATES)
    assert {row[2] for row in ROWS} == set(SHAPES) and {row[5] for row in ROWS} == set(DAMAGES)


@pytest.fixture(scope="module")
def films(scene, ffmpeg, tmp_path_factory) -> Callable[[tuple], Path]:
    """Return a function that gives the film of a row as ffmpeg makes it; one run of ffmpeg makes those of ten rows."""
    folder = tmp_path_factory.mktemp("whole")

    def path_of(number: int) -> Path:
        return folder / f"{number}.{ROWS[number][0].split()[0]}"

    def film_of(row: tuple) -> Path:
        number = ROWS.index(row)
        if not path_of(number).exists():
            together = range(number // 10 * 10, min(number // 10 * 10 + 10, len(ROWS)))
            parts = [arguments(ROWS[each], scene, 2 * place) for place, each in enumerate(together)]
            outputs = [[*options, path_of(each)] for each, (_, options) in zip(together, parts, strict=True)]
            ffmpeg(*(text for inputs, _ in parts for text in inputs), *(text for output in outputs for text in output))
        return path_of(number)

    return film_of


def arguments(row: tuple, scene: Callable[..., list[str]], first: int) -> tuple[list[str], list[str]]:
    """Return ffmpeg's inputs for the film of a row, the first of which has a number, and the options of its output."""
    carrier, rate, shape, depth, sound, _ = row
    options, depths, sounds = CARRIERS[carrier]
    wanted = depths[depth]
    filters = [f"setsar={shape}"] if shape in SQUEEZED else []
    extra = []
    if wanted == "interlaced":
        filters.insert(0, "setfield=tff")
        extra = ["-flags", "+ildct+ilme"] if "mpeg2video" in options else ["-x264-params", "tff=1"]
    if rate == "variable":
        filters.append("setpts='PTS+0.5*mod(N,3)/25/TB'")
        extra += ["-fps_mode", "passthrough"]
    pixels = "yuv420p" if wanted == "interlaced" else wanted
    tone = ["-map", f"{first + 1}:a", "-c:a", sounds[sound - 1], "-strict", "-2"] if sound else []
    plain, seconds = "25" if rate == "variable" else rate, 3 if rate == "1" else 1
    filtered = ["-vf", ",".join(filters)] if filters else []
    video = ["-map", f"{first}:v", *options, *extra, "-pix_fmt", pixels, "-g", "12", *filtered]
    return scene(size_of(row), plain, seconds=seconds, layout="stereo"), [*video, *tone]


def size_of(row: tuple) -> tuple[int, int]:
    return (97, 63) if row[2] == "odd" else (96, 64)


@pytest.fixture
def make(films, set_matrix, tmp_path):
    """Return a function that makes the film of a row, whole: its path, the box and the size that it is shown with."""

    def film_of(row) -> tuple[Path, np.ndarray, tuple[int, int]]:
        shape = row[2]
        film = Path(shutil.copy(films(row), tmp_path / f"film.{row[0].split()[0]}"))
        box = BOX
        width, height = size_of(row)
        if shape in SQUEEZED:
            width = round(width * Fraction(shape))
        if shape in TURNED:
            set_matrix(film, MATRICES[shape])
            left, top, right, bottom = BOX
            corners = [
                (1 - right, top, 1 - left, bottom),
                (left, 1 - bottom, right, 1 - top),
                (1 - bottom, left, 1 - top, right),
                (top, left, bottom, right),
            ]
            box = np.array(corners[TURNED.index(shape)])
            if shape in ("quarter", "transposed"):
                width, height = height, width
        return film, box, (width, height)

    return film_of


def harm(path: Path, damage: str) -> None:
    """Damage a film: random bytes near its head or in its middle, its tail cut off, or its header gone."""
    content = bytearray(path.read_bytes())
    length, rng = len(content), np.random.default_rng(3)
    if damage == "tail":
        del content[length * 7 // 10 :]
    else:
        start, size = {"head": (length // 20, length // 20), "middle": (length // 2, length // 12), "header": (0, 16)}[
            damage
        ]
        content[start : start + size] = rng.bytes(size)
    path.write_bytes(content)


def read(path: Path):
    """Return the frames of a film, its times and its problem."""
    with open_reader(path) as reader:
        frames = [(frame.image(), frame.time) for frame in reader.frames(count_sound=True)]
        return frames, reader.times(), reader.problem()


def write_tables(files: FilmFiles, times, box, size) -> tuple[int, int]:
    """Write the tables of a person who is on screen in the middle of a film; return her first and her last frame."""
    last = len(times.ticks) - 1
    first, end = last // 3, max(last // 3, last * 2 // 3)
    seconds = times.times
    whose = {"track": 0, "shot": 0, "person": "Ada", "cluster": "", "confidence": 0.9}
    when = {"start": seconds[first], "end": seconds[end], "until": np.append(seconds, times.seconds)[end + 1]}
    track = {**whose, **when, "start_frame": first, "end_frame": end}
    pd.DataFrame([track]).reindex(columns=[*dict.fromkeys([*TRACK_COLUMNS, *track])]).to_parquet(files.tracks)
    corners = [float(value) for value in box * np.array([*size, *size])]
    rows = [(number, seconds[number], 0, 0, *corners, 0.9, False) for number in range(first, end + 1)]
    table = pd.DataFrame(rows, columns=DETECTIONS.names)
    pq.write_table(pa.Table.from_pandas(table, DETECTIONS, preserve_index=False), files.detections)
    write_times(times, files.times)
    return first, end


@pytest.mark.every_film
@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row)).replace(" ", "-"))
def test_a_film(row, make, iou, white_box, beeps, tmp_path):
    film, box, size = make(row)
    whole = len(list(read_frames(film))) if row[5] != "none" else 0
    if row[5] != "none":
        harm(film, row[5])
    try:
        frames, times, problem = read(film)
    except UnreadableFilm as error:
        assert row[5] in ("head", "header", "tail") and "film" in str(error)
        return
    if not frames:
        assert row[5] != "none"
        return
    if row[5] == "none":
        assert problem == ""
        expected = 3 if row[1] == "1" else round(float(Fraction(25 if row[1] == "variable" else row[1])))
        # Theora leaves out pictures that are like the one before.
        assert abs(len(frames) - expected) <= 1 or row[0].startswith("ogv")
        assert {(image.shape[1], image.shape[0]) for image, _ in frames} == {size}
    else:
        assert len(frames) >= whole or problem
    assert times.ticks[0] == 0 and np.all(np.diff(times.ticks) > 0) and times.end > times.ticks[-1]

    files = FilmFiles(tmp_path / "out")
    files.folder.mkdir()
    shape = (frames[0][0].shape[1], frames[0][0].shape[0])
    first, end = write_tables(files, times, box, shape)
    table = pd.read_csv(export_film(film, files, formats=["csv", "edl", "vtt"])["csv"])
    assert (table["start_frame"].item(), table["end_frame"].item()) == (first, end)
    shown = np.append(times.times, times.seconds)
    assert table["start"].item() == pytest.approx(shown[first], abs=2e-6)
    assert table["end"].item() == pytest.approx(shown[end + 1], abs=2e-6)

    report = WriteReport()
    tracks = pd.read_parquet(files.tracks)
    annotate_film(film, files, tracks, {"Ada": "#000000"}, boxes="nobody", progress=False, report=report)
    drawn, _, _ = read(files.annotated)
    assert [time for _, time in drawn] == pytest.approx(times.times, abs=1e-6)
    if row[5] != "none":
        return
    for image, _ in (frames[0], frames[-1], drawn[0], drawn[-1]):
        assert iou(white_box(image), box) > 0.8
    if row[4]:
        before, after = beeps(film), beeps(files.annotated)
        heard = [np.abs(after - moment).min() for moment in before[before > -0.02]]
        assert heard and max(heard) < 0.02 and report.problem == ""
