"""Films written again, with their sound and their times kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from facelib.films.media.decode import probe, read_frames
from facelib.films.media.encode import write_film
from facelib.films.media.reader import open_reader, read_times


def sound_of(path: Path) -> str:
    """Return a digest of the sound packets as they are stored."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[0]):
            digest.update(bytes(packet))
    return digest.hexdigest()


def parts_of(picture: bytes) -> int:
    """Return in how many slices an H.264 picture of an MP4 was encoded."""
    kinds = []
    while picture:
        length = int.from_bytes(picture[:4], "big")
        kinds.append(picture[4] & 31)
        picture = picture[4 + length :]
    return sum(kind in (1, 5) for kind in kinds)


class TestWriting:
    def test_same_times_and_same_sound(self, make_film, tmp_path):
        times = [0, 0.04, 0.2, 0.24, 0.5, 1.1, 1.14]
        film = make_film(times=times, pictures=[np.full((48, 64, 3), 30 * i, np.uint8) for i in range(7)])
        out = tmp_path / "out.mp4"
        assert write_film(film, out, lambda frame, planes: None) == 7
        assert sound_of(out) == sound_of(film)
        before, after = ([frame.time for frame in read_frames(path)] for path in (film, out))
        assert np.allclose(before, after, atol=1e-6)

    @pytest.mark.parametrize("cores", [1, 2, 3])
    def test_draws_what_it_is_told(self, make_film, tmp_path, cores):
        def blacken(frame, planes):
            planes[0][:] = 16

        out = tmp_path / "out.mp4"
        write_film(make_film(), out, blacken, cores=cores)
        assert max(frame.image().mean() for frame in read_frames(out)) < 10

    @pytest.mark.parametrize("cuts", [[], [0], [0, 9], [0, 3, 4, 11]])
    def test_players_can_jump_to_the_shots(self, make_film, tmp_path, cuts):
        film = make_film(pictures=[np.full((48, 64, 3), 10 * number, np.uint8) for number in range(12)])
        write_film(film, tmp_path / "out.mp4", lambda frame, planes: None, cuts=cuts)
        with av.open(str(tmp_path / "out.mp4")) as container:
            keys = [number for number, frame in enumerate(container.decode(video=0)) if frame.key_frame]
        assert keys == sorted({0, *cuts})

    def test_pictures_are_encoded_whole(self, make_film, tmp_path):
        film = make_film(pictures=[np.full((256, 64, 3), 20 * number, np.uint8) for number in range(8)])
        write_film(film, tmp_path / "out.mp4", lambda frame, planes: None, cores=2)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert [parts_of(bytes(packet)) for packet in container.demux(video=0) if packet.size] == [1] * 8

    def test_no_sound(self, make_film, tmp_path):
        out = tmp_path / "out.mp4"
        write_film(make_film(sound=None), out, lambda frame, planes: None)
        assert not probe(out).has_sound

    def test_sound_that_mp4_cannot_hold_is_encoded(self, make_film, tmp_path):
        film = make_film("film.mkv", sound="pcm_s16le")
        out = tmp_path / "out.mp4"
        write_film(film, out, lambda frame, planes: None)
        with av.open(str(out)) as container:
            stream = container.streams.audio[0]
            assert stream.codec_context.name == "aac"
            seconds = float(stream.duration * stream.time_base)
        assert seconds == pytest.approx(2.0, abs=0.15)

    def test_failure_leaves_the_old_file(self, make_film, tmp_path):
        out = tmp_path / "out.mp4"
        out.write_bytes(b"old")

        def fail(frame, planes):
            raise RuntimeError("stopped half-way")

        with pytest.raises(RuntimeError, match="half-way"):
            write_film(make_film(), out, fail)
        assert out.read_bytes() == b"old"
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_a_drive_that_goes_away_is_no_damage_of_the_film(self, make_film, tmp_path):
        film, short = tmp_path / "film.mp4", tmp_path / "short.mp4"
        pictures = [np.full((48, 64, 3), 10 * number, np.uint8) for number in range(25)]
        write_film(make_film(pictures=pictures), film, lambda frame, planes: None)  # its index at its beginning
        times = read_times(film)
        short.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
        with open_reader(short) as reader:
            assert 0 < sum(1 for _ in reader.frames()) < 25
            assert "the rest is missing" in reader.problem()
            content = short.read_bytes()
            short.unlink()
            with pytest.raises(OSError, match=r"expected to read .*short\.mp4' to its end"):
                reader.problem()
        short.write_bytes(content)
        with pytest.raises(OSError, match=r"expected to read .*short\.mp4' to its end"):
            write_film(short, tmp_path / "out.mp4", lambda frame, planes: short.unlink(missing_ok=True), times=times)
        assert not (tmp_path / "out.mp4").exists()

    def test_faststart(self, make_film, tmp_path):
        out = tmp_path / "out.mp4"
        write_film(make_film(), out, lambda frame, planes: None)
        content = out.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")
