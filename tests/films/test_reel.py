"""Select reels: the right frames, each with its own sound, whatever the film."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from facelib.films.media.decode import probe, read_frames
from facelib.films.present import cut_reels
from facelib.films.problems import Problems
from facelib.films.reel import write_reel
from facelib.films.settle import Settled
from facelib.films.spans import Span, merge_spans, spans_of
from facelib.project import FilmFiles, Project
from tests.waiting import kill_once

APPEARED = pd.DataFrame(
    {
        "person": ["Ada", "Bo", "Ada", "Cy"],
        "start": [1.0, 2.0, 8.0, 20.0],
        "end": [3.0, 5.0, 9.0, 20.04],
    }
)


def numbered(index: int, white: bool) -> np.ndarray:
    """Return a picture that tells its number by 16 black or white squares, and may flash below them."""
    picture = np.full((96, 64, 3), 16, np.uint8)
    bits = np.array([index >> bit & 1 for bit in range(16)], bool).reshape(4, 4)
    picture[:64][np.kron(bits, np.ones((16, 16), bool))] = 235
    picture[64:] = 235 if white else 16
    return picture


def number_of(image: np.ndarray) -> int:
    squares = image[:64].mean(axis=2).reshape(4, 16, 4, 16)[:, 4:12, :, 4:12].mean(axis=(1, 3))
    return int(((squares.ravel() > 128) << np.arange(16)).sum())


def sync_film(
    path: Path,
    times: Sequence[float] | np.ndarray,
    *,
    codec: str = "libx264",
    sound: str | None = "aac",
    rate: int = 48000,
    layout: str = "stereo",
    sound_from: float = 0.0,
    sound_to: float = np.inf,
    late: float = 0.0,
) -> Path:
    """Write a film of numbered frames in which the first of every second flashes and beeps."""
    times = np.asarray(times, float)
    flash = np.concatenate([[True], np.diff(np.floor(times + 1e-6)) > 0])
    ticks = Fraction(1, 90000)
    quick = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx" else {"preset": "ultrafast", "bf": "3"}
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=quick)
        video.height, video.width, video.pix_fmt = 96, 64, "yuv420p"
        video.codec_context.time_base = ticks if codec == "libx264" else Fraction(1, 1000)
        coder = {"aac_coder": "fast"} if sound == "aac" else {}
        tone = container.add_stream(sound, rate=rate, layout=layout, options=coder) if sound else None
        samples = beeps(times[flash] + late, sound_from, min(sound_to, times[-1] + 0.04), rate)
        written = 0
        for index, moment in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(index, bool(flash[index])), format="rgb24")
            frame.pts, frame.time_base = round(Fraction(moment) / ticks), ticks
            container.mux(video.encode(frame))
            while tone and written < len(samples) and written / rate + sound_from <= moment:
                block = np.repeat(samples[None, written : written + 1024], tone.codec_context.channels, axis=0)
                made = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
                made.sample_rate, made.pts, made.time_base = rate, written + round(sound_from * rate), Fraction(1, rate)
                container.mux(tone.encode(made))
                written += 1024
        for stream in filter(None, (video, tone)):
            container.mux(stream.encode(None))
    return path


def beeps(moments: np.ndarray, start: float, end: float, rate: int) -> np.ndarray:
    """Return samples from one time to another: a tone of 30 ms from each moment on."""
    made = np.zeros(round((end - start) * rate), np.float32)
    for moment in moments:
        first, last = (max(0, math.ceil((time - start - 1e-9) * rate)) for time in (moment, moment + 0.03))
        since = start + np.arange(first, min(last, len(made))) / rate - moment
        made[first:last] = 0.8 * np.cos(2 * np.pi * 1000 * since)
    return made


def hear(path: Path) -> tuple[np.ndarray, int]:
    """Return the first channel of a film's sound from time 0, and its rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", stream.layout.name, stream.rate)
        frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
    parts = [(round(part.pts * part.time_base * stream.rate), part.to_ndarray()[0]) for part in frames]
    heard = np.zeros(max(place + len(samples) for place, samples in parts), np.float32)
    for place, samples in parts:
        heard[place : place + len(samples)] = samples
    return heard, stream.rate


def lags(path: Path, starts: Sequence[float] = (0.0,)) -> np.ndarray:
    """Return by how many seconds each beep comes after its flash; only what follows the last cut is listened to."""
    heard, rate = hear(path)
    found = []
    for frame in read_frames(path):
        if frame.image()[70:90].mean() > 128:
            at = frame.source  # sound is heard on the file's own clock here
            begin = max(at - 0.3, max(start for start in starts if start <= at + 1e-4))
            first = max(0, round(begin * rate))
            loud = np.flatnonzero(np.abs(heard[first : round((at + 0.3) * rate)]) > 0.3)
            found.append((first + loud[0]) / rate - at if len(loud) else np.nan)
    return np.array(found)


def many_spans(times: np.ndarray, seed: int = 0) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    edges = times[0] + np.cumsum(rng.uniform(0.05, 0.9, 2 * len(times)))
    pairs = edges[edges < times[-1]]
    return [(round(a, 3), round(b, 3)) for a, b in zip(pairs[::2], pairs[1::2], strict=False)]


def inside(times: np.ndarray, spans: Sequence[tuple[float, float]]) -> list[int]:
    return [i for i, time in enumerate(times) if any(a - 6e-4 <= time < b - 6e-4 for a, b in spans)]


class TestSpans:
    @pytest.mark.parametrize(
        ("people", "together", "expected"),
        [
            (["Ada"], False, [(1, 3, ("Ada",)), (8, 9, ("Ada",))]),
            (["Ada", "Bo"], False, [(1, 5, ("Ada", "Bo")), (8, 9, ("Ada",))]),  # overlapping ones are one
            (["Ada", "Bo"], True, [(2, 3, ("Ada", "Bo"))]),
            (["Ada", "Cy"], True, []),  # never together
            (["Cy"], True, [(20, 20.04, ("Cy",))]),  # one frame
            ("Cy", False, [(20, 20.04, ("Cy",))]),  # a name is not a list of letters
            (["Cy", "Cy"], False, [(20, 20.04, ("Cy",))]),
        ],
    )
    def test_who_and_when(self, people, together, expected):
        assert spans_of(APPEARED, people, together=together) == expected

    def test_nobody(self):
        with pytest.raises(ValueError, match="got nobody"):
            spans_of(APPEARED, [])

    def test_who_never_appears_is_told_with_who_does(self):
        with pytest.raises(ValueError, match=r"\['Ada', 'Bo', 'Cy'\], got \['Zed'\]"):
            spans_of(APPEARED, ["Ada", "Zed"])

    def test_nothing_to_merge(self):
        assert merge_spans([]) == []

    def test_inner_span_does_not_shorten(self):
        assert merge_spans([Span(0, 9), Span(1, 2), Span(9, 10)]) == [(0, 10, ())]


STEADY = np.arange(500) / 25
FILMS = {
    "25 a second": ("film.mp4", STEADY, {}),
    "23.976 a second": ("film.mp4", np.arange(480) * 1001 / 24000, {"rate": 44100}),
    "variable": ("film.mkv", np.cumsum(np.random.default_rng(1).choice([0.02, 0.033, 0.1], 400)), {"rate": 44100}),
    "transport stream": ("film.ts", STEADY, {"sound": "mp2"}),
    "sound later": ("film.mp4", STEADY, {"sound_from": 3.5}),
    "sound earlier": ("film.mkv", 2.2 + STEADY, {}),
    "sound shorter": ("film.mp4", STEADY, {"sound_to": 12.0}),
    "mono": ("film.mkv", STEADY, {"layout": "mono", "rate": 16000}),
    "5.1": ("film.mkv", STEADY, {"layout": "5.1"}),
    "5.1 with channels at the sides": ("film.mov", STEADY, {"layout": "5.1(side)", "sound": "pcm_s16le"}),
    "a rate that AAC lacks": ("film.mov", STEADY, {"sound": "pcm_s16le", "rate": 192000}),
    "WebM": ("film.webm", STEADY, {"sound": "libopus", "codec": "libvpx"}),
}


class TestSync:
    @pytest.mark.parametrize("name", FILMS)
    def test_frames_and_sound(self, tmp_path, name):
        file, times, options = FILMS[name]
        film = sync_film(tmp_path / file, times, **options)
        shown = np.array([frame.time for frame in read_frames(film)])
        spans = many_spans(shown)
        reel = write_reel(film, tmp_path / "reel.mp4", spans, progress=False)
        frames = list(read_frames(reel.path))
        assert [number_of(frame.image()) for frame in frames] == inside(shown, spans)
        assert len(reel.pieces) > 15
        before, after = lags(film, (-9.0,)), lags(reel.path, list(reel.pieces["reel_start"]))
        assert np.isfinite(after).sum() >= 4
        # A beep that a cut has taken the beginning of comes in with the fade.
        assert np.nanmax(np.abs(after - np.nanmedian(before))) < 0.004
        with av.open(str(reel.path)) as container:
            lasts = [float(stream.duration * stream.time_base) for stream in container.streams]
        assert lasts == pytest.approx([reel.seconds] * 2, abs=0.03)

    def test_hundreds_of_cuts_do_not_drift(self, tmp_path):
        # Each piece is an odd number of samples: rounding the same way each time would add up to 4 ms a hundred.
        times = np.arange(24 * 200) * 1001 / 24000
        film = sync_film(tmp_path / "film.mp4", times, rate=44100, layout="mono")
        spans = [(k * 0.5 + 0.2, k * 0.5 + 0.55) for k in range(1, 396, 2)] + [(199.0, 200.0)]
        spans += [(k * 0.5 + 0.2, k * 0.5 + 0.25) for k in range(0, 396, 2)]
        reel = write_reel(film, tmp_path / "reel.mp4", spans, progress=False)
        assert len(reel.pieces) > 290
        found = lags(reel.path, list(reel.pieces["reel_start"]))
        assert len(found) > 150
        assert np.abs(found).max() < 0.004

    @pytest.mark.real_data
    def test_real_clip(self, shared_data, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        clip = shared_data / "film_clips" / "videos" / "will_smith1.mp4"
        shown = [frame.time for frame in read_frames(clip)]
        spans = [(0.333, 0.9), (1.2, 1.21), (2.0, 3.1), (4.567, 6.2)]
        reel = write_reel(clip, Path("to: me.mp4"), spans, quality=10, progress=False)  # no address of a protocol `to`
        assert list(reel.pieces["frames"]) == [17, 1, 33, 49]
        wanted = [frame.planes()[0] for frame in read_frames(clip) if frame.index in inside(np.array(shown), spans)]
        got = [frame.planes()[0] for frame in read_frames(reel.path)]
        errors = [np.abs(a.astype(int) - b).mean() for a, b in zip(wanted, got, strict=True)]
        assert max(errors) < 3
        before, after = hear(clip)[0], hear(tmp_path / reel.path)[0]
        for start, at, frames in reel.pieces[["start", "reel_start", "frames"]].itertuples(index=False):
            if frames > 1:
                length = round(frames / 30 * 48000)
                own, cut = before[round(start * 48000) :][:length], after[round(at * 48000) :][:length]
                middle = cut[2000:-2000]
                likeness = np.correlate(own, middle, "valid")
                assert np.argmax(likeness) == pytest.approx(2000, abs=2)
                assert np.corrcoef(own[2000:-2000], middle)[0, 1] > 0.99


class TestCuts:
    def test_spans_of_appearances_are_whole_frames(self, tmp_path):
        film = sync_film(tmp_path / "film.mp4", np.arange(100) * 1001 / 30000)
        times = [frame.time for frame in read_frames(film)]
        reel = write_reel(film, tmp_path / "reel.mp4", [(round(times[10], 3), round(times[21], 3))], progress=False)
        assert [number_of(frame.image()) for frame in read_frames(reel.path)] == list(range(10, 21))
        assert list(reel.pieces.iloc[0]) == pytest.approx([times[10], times[20], 0.0, 11, ""], abs=1e-6)
        assert reel.seconds == pytest.approx(11 * 1001 / 30000, abs=1e-4)

    def test_margin_joins_neighbours(self, tmp_path):
        film = sync_film(tmp_path / "film.mp4", STEADY)
        spans = [Span(2.0, 3.0, ("Ada",)), Span(3.6, 4.0, ("Bo",))]
        reel = write_reel(film, tmp_path / "reel.mp4", spans, margin=0.4, progress=False)
        assert list(reel.pieces["people"]) == ["Ada, Bo"]
        assert [number_of(frame.image()) for frame in read_frames(reel.path)] == list(range(40, 110))

    def test_no_fade_where_nothing_was_cut_out(self, make_film, tmp_path):
        film = make_film(frames=50)
        whole = write_reel(film, tmp_path / "whole.mp4", [(0.2, 1.8)], progress=False)
        halves = write_reel(film, tmp_path / "halves.mp4", [(0.2, 1.0), (1.0, 1.8)], progress=False)
        assert len(halves.pieces) == 1
        assert np.array_equal(hear(whole.path)[0], hear(halves.path)[0])

    def test_sound_fades_at_the_cuts(self, make_film, tmp_path):
        film = make_film(frames=50)  # a steady tone
        reel = write_reel(film, tmp_path / "reel.mp4", [(0.2, 0.6), (1.0, 1.4)], fade=0.02, progress=False)
        heard, rate = hear(reel.path)
        cut = round(reel.pieces["reel_start"][1] * rate)
        assert np.abs(heard[cut - 30 : cut + 30]).max() < 0.15
        assert np.abs(heard[cut + 800 : cut + 1600]).max() > 0.8

    def test_a_player_can_jump_to_every_piece(self, tmp_path):
        film = sync_film(tmp_path / "film.mp4", STEADY)
        reel = write_reel(film, tmp_path / "reel.mp4", many_spans(STEADY), progress=False)
        with av.open(str(reel.path)) as container:
            keys = [float(one.pts * one.time_base) for one in container.demux(video=0) if one.is_keyframe and one.size]
        assert all(min(abs(start - key) for key in keys) < 1e-4 for start in reel.pieces["reel_start"])

    def test_no_sound(self, make_film, tmp_path):
        reel = write_reel(make_film(sound=None), tmp_path / "reel.mp4", [(0.5, 1.0)], progress=False)
        assert not probe(reel.path).has_sound
        assert probe(reel.path).frames == 12

    def test_to_the_very_end(self, make_film, tmp_path):
        reel = write_reel(make_film(frames=50), tmp_path / "reel.mp4", [(1.9, 99.0)], progress=False)
        assert reel.pieces["frames"].tolist() == [2]
        assert reel.seconds == pytest.approx(0.08, abs=1e-3)

    def test_turned_and_odd(self, make_film, turn_quarter, tmp_path):
        film = make_film(size=(64, 48))
        turn_quarter(film)
        reel = write_reel(film, tmp_path / "reel.mp4", [(0.0, 0.5)], progress=False)
        assert (probe(reel.path).width, probe(reel.path).height) == (48, 64)
        source, cut = (next(read_frames(path)).image().astype(int) for path in (film, reel.path))
        assert np.abs(source - cut).mean() < 6
        odd = make_film("odd.mkv", pictures=[np.full((45, 63, 3), 99, np.uint8)] * 9, codec="ffv1", sound=None)
        write_reel(odd, tmp_path / "odd.mp4", [(0.0, 0.5)], progress=False)
        assert (probe(tmp_path / "odd.mp4").width, probe(tmp_path / "odd.mp4").height) == (64, 46)

    def test_truncated(self, tmp_path):
        film = sync_film(tmp_path / "film.mkv", STEADY)
        film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
        reel = write_reel(film, tmp_path / "reel.mp4", [(1.0, 2.5), (4.0, 99.0)], progress=False)
        assert len(reel.pieces) == 2
        assert np.nanmax(np.abs(lags(reel.path, list(reel.pieces["reel_start"])))) < 0.004

    def test_sound_that_is_damaged_is_silence(self, tmp_path, caplog):
        film = sync_film(tmp_path / "film.ts", STEADY, sound="mp2")
        content = bytearray(film.read_bytes())
        middle = len(content) // 2 // 188 * 188
        content[middle : middle + 188 * 300] = np.random.default_rng(0).bytes(188 * 300)
        film.write_bytes(content)
        reel = write_reel(film, tmp_path / "reel.mp4", [(1.0, 6.5), (13.0, 19.0)], progress=False)
        found = lags(reel.path, list(reel.pieces["reel_start"]))
        assert len(found) >= 8
        assert np.nanmax(np.abs(found)) < 0.01


class TestMistakes:
    @pytest.mark.parametrize(
        ("spans", "options", "message"),
        [
            ([], {}, "got none"),
            ([(2.0, 1.0)], {}, r"got \(2.0, 1.0\)"),
            ([(1.0, 1.0)], {}, "later end"),  # the end is exclusive
            ([(float("nan"), 1.0)], {}, "later end"),
            ([(0.0, 1.0)], {"margin": -1.0}, "margin of 0 seconds or more, got -1.0"),
            ([(0.0, 1.0)], {"fade": -0.1}, "fade of 0 seconds or more"),
            ([(500.0, 501.0)], {}, "spans with frames of"),
            ([(0.01, 0.02)], {}, "spans with frames of"),  # between two frames
        ],
    )
    def test_spans_without_sense(self, make_film, tmp_path, spans, options, message):
        old = tmp_path / "out" / "reel.mp4"
        old.parent.mkdir()
        old.write_bytes(b"old")
        with pytest.raises(ValueError, match=message):
            write_reel(make_film(), old, spans, progress=False, **options)
        assert old.read_bytes() == b"old"
        assert list(old.parent.iterdir()) == [old]

    def test_no_film(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="gone"):
            write_reel(tmp_path / "gone.mp4", tmp_path / "reel.mp4", [(0, 1)])

    def test_killed_half_way(self, make_film, tmp_path):
        film = make_film(frames=500, size=(640, 480), preset="ultrafast")
        out = tmp_path / "out" / "reel.mp4"
        code = (
            f"from facelib.films.reel import write_reel; write_reel({str(film)!r}, {str(out)!r}, [(0, 999)], quality=0)"
        )
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        kill_once(lambda: out.parent.is_dir() and list(out.parent.iterdir()), process)
        assert not out.exists()
        write_reel(film, out, [(0, 0.2)], progress=False)
        assert list(out.parent.iterdir()) == [out]  # what the killed one left is gone

    def test_memory_does_not_grow(self, make_film, tmp_path):
        film = make_film(frames=1500, size=(320, 240), preset="ultrafast")
        code = (
            "import resource; from facelib.films.reel import write_reel\n"
            "for end in (15, 60):\n"
            f"    write_reel({str(film)!r}, {str(tmp_path / 'reel.mp4')!r}, [(0, end)], progress=False)\n"
            "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        short, long = map(int, done.stdout.split())
        assert long < 1.1 * short  # 45 s more of raw pictures alone would be 130 MB


class TestProject:
    @pytest.fixture
    def project(self, make_film, tmp_path) -> Project:
        for name in ("one", "two", "none"):
            make_film(f"data/p/videos/{name}.mp4")
        return Project("p", tmp_path / "data", tmp_path / "out")

    @pytest.fixture
    def settled(self, project) -> Settled:
        people = {"one": ["Ada", "None"], "two": ["Ada"], "none": []}
        films = project.find_videos()
        for film in films:
            project.film(film).folder.mkdir(parents=True)
        rows = {film.name: [(who, 0.2 + k, 0.6 + k) for k, who in enumerate(people[film.stem])] for film in films}
        tables = {film: pd.DataFrame(spans, columns=["person", "start", "end"]) for film, spans in rows.items()}
        nothing = pd.DataFrame()
        problems = Problems(project)
        return Settled(films, {}, tables, {}, nothing, nothing, [], nothing, [], nothing, problems)

    def test_every_film_with_the_chosen(self, project, settled):
        project.film("none").reel.write_bytes(b"from when somebody was in it")
        table = cut_reels(settled, ["Ada", "None"], progress=False)
        assert table[["video", "people", "pieces"]].to_numpy().tolist() == [
            ["none.mp4", "", 0],
            ["one.mp4", "Ada, None", 2],
            ["two.mp4", "Ada", 1],
        ]
        assert table["seconds"].tolist() == pytest.approx([0, 0.8, 0.4], abs=0.01)
        assert not project.film("none").reel.exists()
        assert probe(project.film("two").reel).frames == 10

    def test_together_needs_all_of_them(self, settled):
        table = cut_reels(settled, ["Ada", "None"], together=True, progress=False)
        assert table["pieces"].tolist() == [0, 0, 0]

    def test_who_is_in_no_film(self, settled):
        with pytest.raises(ValueError, match=r"\['Ada', 'None'\], got \['Bo'\]"):
            cut_reels(settled, ["Ada", "Bo"])

    def test_of_the_annotated_film(self, project, make_film):
        files: FilmFiles = project.film("two")
        files.folder.mkdir(parents=True)
        make_film(str(files.annotated))
        reel = write_reel(files.annotated, files, [(0.2, 0.6)], progress=False)
        assert reel.path == files.folder / "select_reel.mp4"


def test_late_sound_is_heard_to_be_late(tmp_path):
    late = sync_film(tmp_path / "late.mp4", STEADY[:100], late=0.05)
    assert lags(late) == pytest.approx([0.05] * 4, abs=0.002)
    reel = write_reel(late, tmp_path / "reel.mp4", [(0.8, 1.5), (2.8, 3.5)], progress=False)
    assert lags(reel.path, list(reel.pieces["reel_start"])) == pytest.approx([0.05] * 2, abs=0.002)
