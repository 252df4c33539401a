"""Damage that only a file's structure shows, in every container, and none in whole files."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.films.media.opening import open_film
from facelib.films.media.reader import open_reader
from facelib.films.media.structure import first_break

H264, MPEG2 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "12"], ["-c:v", "mpeg2video", "-q:v", "4", "-g", "12"]
CARRIERS = {
    "film.mkv": [*H264, "-c:a", "aac"],
    "alone.mkv": ["-c:v", "ffv1", "-an"],  # no sound that could show a gap
    "live.mkv": [*H264, "-c:a", "aac", "-live", "1"],  # pieces of unknown length
    "film.webm": ["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-c:a", "libopus"],
    "film.ogv": ["-c:v", "libtheora", "-c:a", "libvorbis"],
    "film.mpg": [*MPEG2, "-c:a", "mp2"],
    "film.vob": [*MPEG2, "-an"],
    "film.ts": [*H264, "-c:a", "aac"],
    "film.m2ts": [*H264, "-c:a", "ac3"],
    "film.flv": ["-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"],
    "film.asf": ["-c:v", "wmv2", "-c:a", "wmav2"],
    "film.gif": ["-an"],
    "film.mxf": [*MPEG2, "-c:a", "pcm_s16le"],
    "film.avi": ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
    "film.mp4": [*H264, "-c:a", "aac", "-movflags", "faststart"],
    "pieces.mp4": [*H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
    "film.dv": ["-s", "720x576", "-c:a", "pcm_s16le"],
}


@pytest.fixture
def film(request, ffmpeg, tmp_path):
    """Return two seconds of noisy pictures, which fill the file evenly."""
    picture = "testsrc2=s=160x96:r=25:d=2,noise=c0s=8:c0f=t"
    sound = "sine=440:r=48000:d=2,aformat=channel_layouts=stereo"
    pixels = [] if request.param.endswith("gif") else ["-pix_fmt", "yuv420p"]
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *pixels]
    return ffmpeg(*inputs, *CARRIERS[request.param], tmp_path / request.param)


def read(path) -> tuple[int, str]:
    with open_reader(path) as reader:
        return len(list(reader.frames(count_sound=True))), reader.problem()


def kind(path) -> str:
    with open_film(path) as container:
        return container.format.name


def overwrite(content: bytearray, start: float, share: float) -> bytes:
    first, count = int(start * len(content)), int(share * len(content))
    content[first : first + count] = np.random.default_rng(5).bytes(count)
    return bytes(content)


@pytest.mark.parametrize("film", CARRIERS, indirect=True)
def test_what_a_damaged_file_lost_is_told(film):
    whole, problem = read(film)
    assert whole == 50 and problem == "" and first_break(film, kind(film)) is None
    content = film.read_bytes()
    damaged = {
        "near the head": overwrite(bytearray(content), 0.08, 0.08),
        "middle": overwrite(bytearray(content), 0.5, 0.08),
        "a hole": content[: len(content) * 61 // 100] + content[len(content) * 7 // 10 :],
        "half": content[: len(content) // 2 + 1],
        "without its last pictures": content[: len(content) * 94 // 100 + 7],
    }
    told = 0
    for name, data in damaged.items():
        film.write_bytes(data)
        if film.suffix in (".mp4", ".gif") and name == "a hole":
            continue  # no film any more, which is said; and a GIF has neither times nor checksums that show a hole
        shown, problem = read(film)
        assert shown == whole or problem, (name, shown)
        told += bool(problem)
    assert told >= 3


X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=2"]
RAW = {
    "film.h264": ["-c:v", "libx264", "-g", "12", "-bf", "3"],
    "slices.h264": ["-c:v", "libx264", "-x264-params", "slices=3:cabac=0", "-g", "12"],
    "film.hevc": X265,
    "film.mjpeg": ["-c:v", "mjpeg", "-q:v", "4"],
    "film.m2v": [*MPEG2, "-bf", "2"],
    "film.m4v": ["-c:v", "mpeg4", "-q:v", "4", "-f", "m4v"],
    "film.obu": ["-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"],
    "film.ivf": ["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M"],
    "grey.y4m": ["-pix_fmt", "gray"],
    "film.y4m": ["-pix_fmt", "yuv422p"],
    "film.drc": ["-c:v", "vc2", "-pix_fmt", "yuv422p"],
    "film.nut": ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
}


@pytest.mark.parametrize("name", RAW)
def test_the_tail_of_a_raw_stream(name, ffmpeg, tmp_path):
    picture = "testsrc2=s=161x96:r=25:d=1.2,noise=c0s=8:c0f=t,format=yuv444p"
    sound = ["-f", "lavfi", "-i", "sine=440:r=48000:d=1.2"] if name == "film.nut" else []
    size = ["-s", "160x96", "-pix_fmt", "yuv420p"] if not name.endswith("y4m") else []
    film = ffmpeg("-f", "lavfi", "-i", picture, *sound, *size, *RAW[name], tmp_path / name)
    assert read(film) == (30, "")
    content = film.read_bytes()
    for share in (0.35, 0.52, 0.77, 0.93, 1):
        film.write_bytes(content[: int(len(content) * share) - 40])
        frames, problem = read(film)
        assert problem and frames <= 30, (share, frames)


def test_a_raw_stream_that_ends_with_what_comes_before_a_picture(ffmpeg, tmp_path):
    options = ["-pix_fmt", "yuv420p", "-g", "5", "-bf", "0"]
    film = ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=1", *options, "-c:v", "libx264", tmp_path / "film.h264"
    )
    content = film.read_bytes()
    film.write_bytes(content[: content.rfind(b"\0\0\1\x65")])  # the parameters of the last key picture are left
    frames, problem = read(film)
    assert frames == 20 and problem.startswith("read to 0.8 seconds: the rest of the file is missing")


@pytest.mark.parametrize("film", ["film.ts", "film.mpg", "film.ogv"], indirect=True)
def test_joined_files_are_whole(film):
    film.write_bytes(film.read_bytes() * 2)
    frames, problem = read(film)
    assert frames == 100 and problem == ""


@pytest.mark.parametrize("film", ["film.mkv", "film.mp4", "film.flv"], indirect=True)
def test_a_file_joined_on_that_players_do_not_reach_is_told(film):
    content = film.read_bytes()
    film.write_bytes(content * 3)
    frames, problem = read(film)
    assert frames < 150
    assert problem == f"another file is joined on, and may not be read, from byte {len(content)} of {3 * len(content)}"


@pytest.mark.parametrize("film", ["film.mkv", "film.mp4", "film.mxf", "film.gif", "film.mpg"], indirect=True)
def test_zeros_after_the_end_are_no_damage(film):
    film.write_bytes(film.read_bytes() + bytes(1000))
    assert first_break(film, kind(film)) is None


@pytest.mark.parametrize("film", ["film.flv"], indirect=True)
def test_streams_that_only_damage_makes_ffmpeg_find(film):
    content = bytearray(film.read_bytes())
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(8):
        film.write_bytes(overwrite(bytearray(content), rng.uniform(0.3, 0.7), 0.05))
        frames.append(read(film)[0])
    assert min(frames) > 40


def test_a_picture_of_which_a_part_is_guessed_is_told(scene, ffmpeg, tmp_path):
    film = ffmpeg(*scene((192, 128), seconds=2), *H264, "-an", tmp_path / "film.mp4")
    content = bytearray(film.read_bytes())
    for place in np.random.default_rng(1).integers(len(content) // 10, len(content) * 8 // 10, 12):
        content[place] ^= 16
    film.write_bytes(content)
    frames, problem = read(film)
    assert frames <= 50 and ("pictures are damaged, near 0:0" in problem or "could not be read" in problem)


@pytest.mark.parametrize("name", ["", "matroska,webm", "ogg", "flv", "asf", "gif", "mxf", "avi", "mov", "dv", "mpegts"])
def test_an_empty_file_and_one_of_a_few_bytes(name, tmp_path):
    path = tmp_path / "film"
    for content in (b"", b"\x1a", b"GIF89a", bytes(30)):
        path.write_bytes(content)
        place = first_break(path, name)
        assert place is None or 0 <= place <= len(content)
