"""Films: times, turning, damage."""

from __future__ import annotations

import logging

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.films.media.decode import UnreadableFilm, probe, read_frame_at, read_frames
from facelib.films.media.encode import write_film
from facelib.films.media.reader import read_times
from facelib.project.content import why_no_film

MOVING = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=1"]
"""Inputs of ffmpeg for 25 pictures, each unlike the others."""


class TestReading:
    def test_counts_and_times(self, make_film):
        frames = list(read_frames(make_film(frames=30, rate=25)))
        assert [frame.index for frame in frames] == list(range(30))
        assert np.allclose([frame.time for frame in frames], np.arange(30) / 25, atol=1e-3)

    def test_variable_rate_keeps_presentation_times(self, make_film):
        times = [0, 0.04, 0.2, 0.24, 0.5, 1.1, 1.14]
        film = make_film(times=times, pictures=[np.full((48, 64, 3), 30 * i, np.uint8) for i in range(7)])
        assert np.allclose([frame.time for frame in read_frames(film)], times, atol=2e-3)

    def test_pictures_are_rgb(self, make_film):
        red = np.zeros((48, 64, 3), np.uint8)
        red[..., 0] = 220
        image = next(read_frames(make_film(pictures=[red] * 5))).image()
        assert image.shape == (48, 64, 3)
        assert image[..., 0].mean() > 180
        assert image[..., 1:].mean() < 40

    def test_turned_by_metadata_comes_upright(self, make_film, turn_quarter):
        film = make_film()
        plain = next(read_frames(film)).image()
        turn_quarter(film)
        frame = next(read_frames(film))
        assert (probe(film).width, probe(film).height) == (48, 64)
        assert frame.image().shape == (64, 48, 3)
        # Displayed, the stored left half comes to lie on top.
        assert frame.image()[:20].mean() < frame.image()[-20:].mean()
        assert [plane.shape for plane in frame.planes()] == [(64, 48), (32, 24), (32, 24)]
        assert np.abs(plain.mean() - frame.image().mean()) < 2

    @pytest.mark.parametrize(("seconds", "expected"), [(-1.0, 0.0), (0.0, 0.0), (0.5, 0.48), (99.0, 1.96)])
    def test_frame_at_a_time(self, make_film, seconds, expected):
        film = make_film(frames=50, rate=25)
        frame = read_frame_at(film, seconds)
        assert frame.time == pytest.approx(expected, abs=0.021)
        wanted = next(one for one in read_frames(film) if abs(one.time - frame.time) < 1e-6)
        assert np.array_equal(frame.image, wanted.image())

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("film.h264", ["-c:v", "libx264", "-bf", "2", "-g", "12"]),
            ("film.hevc", ["-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p"]),
            ("film.m2v", ["-c:v", "mpeg2video", "-bf", "2"]),
            ("film.drc", ["-c:v", "vc2", "-f", "dirac"]),
            ("film.mjpeg", ["-c:v", "mjpeg", "-f", "mjpeg"]),
            ("film.y4m", ["-pix_fmt", "yuv420p"]),
        ],
    )
    def test_frame_at_a_time_of_a_raw_stream(self, name, options, ffmpeg, tmp_path):
        """Of such files none can be read from the middle, and most know no times."""
        film = ffmpeg(*MOVING, *options, tmp_path / name)
        frames = list(read_frames(film))
        assert [frame.time for frame in frames] == pytest.approx(np.arange(25) / 25)
        for seconds, number in [(0.0, 0), (0.42, 10), (0.99, 24)]:
            frame = read_frame_at(film, seconds)
            assert frame.time == pytest.approx(number / 25, abs=1e-6)
            assert np.array_equal(frame.image, frames[number].image())

    def test_frame_at_a_time_of_joined_recordings(self, ffmpeg, tmp_path):
        """Their times restart: only the map made by reading the film tells where a moment lies."""
        parts = [
            ffmpeg(*MOVING, "-c:v", "libx264", "-g", "12", *more, tmp_path / f"{number}.ts")
            for number, more in enumerate([[], ["-vf", "negate"], ["-vf", "hflip", "-output_ts_offset", "700"]])
        ]
        film = tmp_path / "joined.ts"
        film.write_bytes(b"".join(part.read_bytes() for part in parts))
        frames, times = list(read_frames(film)), read_times(film)
        assert len(frames) == 75 and len(times.segments) == 3
        for number in (3, 30, 60):
            image = read_frame_at(film, frames[number].time, times=times).image
            assert np.array_equal(image, frames[number].image())

    def test_odd_sides(self, make_film):
        film = make_film("odd.mkv", pictures=[np.full((48, 64, 3), 99, np.uint8)] * 4, codec="mpeg4", sound=None)
        luma, first, _ = next(read_frames(film)).planes()
        assert luma.shape[0] == 2 * first.shape[0]


class TestDamage:
    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="gone"):
            probe(tmp_path / "gone.mp4")

    @pytest.mark.parametrize("content", [b"", b"this is not a film at all", bytes(5000)])
    def test_not_a_film(self, tmp_path, content):
        path = tmp_path / "text.mp4"
        path.write_bytes(content)
        with pytest.raises(UnreadableFilm, match=r"text\.mp4"):
            probe(path)

    def test_no_picture_stream(self, tmp_path):
        path = tmp_path / "sound.mp4"
        with av.open(str(path), "w") as container:
            tone = container.add_stream("aac", rate=16000, layout="mono")
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            block.sample_rate = 16000
            container.mux(tone.encode(block))
            container.mux(tone.encode(None))
        with pytest.raises(UnreadableFilm, match="only streams of"):
            probe(path)

    def test_no_frames(self, tmp_path):
        path = tmp_path / "empty.mkv"
        with av.open(str(path), "w") as container:
            video = container.add_stream("mpeg4", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            container.start_encoding()
        with pytest.raises(UnreadableFilm):
            list(read_frames(path))

    @pytest.mark.parametrize("name", ["film.ts", "film.mkv"])
    def test_cut_short_reads_what_is_there(self, make_film, name):
        pictures = [np.random.default_rng(i).integers(0, 255, (96, 128, 3), np.uint8) for i in range(60)]
        film = make_film(name, pictures=pictures)
        film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
        assert 10 < len(list(read_frames(film))) < 60

    def test_damaged_in_the_middle_goes_on_behind(self, make_film, tmp_path, caplog):
        film = make_film("film.ts", frames=100, size=(160, 120))
        content = bytearray(film.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
        film.write_bytes(content)
        with caplog.at_level(logging.WARNING):
            written = write_film(film, tmp_path / "out.mp4", lambda frame, planes: None)
        assert written >= 50
        times = [frame.time for frame in read_frames(tmp_path / "out.mp4")]
        assert np.all(np.diff(times) > 0)


@pytest.mark.parametrize("name", ["film.mjpeg", "film.mjpg", "film.apng"])
def test_a_row_of_pictures_is_a_film(name, scene, ffmpeg, tmp_path):
    film = ffmpeg(*scene(seconds=0.4)[:4], "-f", "apng" if name.endswith("apng") else "mjpeg", tmp_path / name)
    assert why_no_film(film) == "" and len(list(read_frames(film))) == 10
    renamed = film.rename(tmp_path / "picture.png")  # as animated PNGs are usually called
    assert why_no_film(renamed) == ("" if name.endswith("apng") else "a still picture")
    if not why_no_film(renamed):
        assert len(list(read_frames(renamed))) == 10


def test_a_png_of_one_picture_does_not_move(tmp_path):
    path = tmp_path / "picture.png"
    PillowImage.new("RGB", (32, 24)).save(path)
    assert why_no_film(path) == "a still picture"


@pytest.mark.parametrize("moving", [True, False])
def test_a_webp_that_moves_is_told_from_one_that_does_not(moving, tmp_path):
    path = tmp_path / "film.webp"
    pictures = [PillowImage.new("RGBA", (32, 24), (*colour, 128)) for colour in ((255, 0, 0), (0, 0, 255))]
    pictures[0].save(path, save_all=moving, append_images=pictures[1:] if moving else [])
    assert why_no_film(path).startswith("an animated WebP" if moving else "a still picture")
