"""WebVTT and SubRip, read again by FFmpeg's demuxers."""

from __future__ import annotations

import html
from pathlib import Path

import av
import pytest
import webvtt

from facelib.films.appearances import on_screen
from facelib.films.exports import export_film
from facelib.films.exports.material import collect

FORMATS = ("vtt", "srt")


def cues(path: Path, kind: str) -> list[tuple[float, float, str]]:
    """Read subtitles through FFmpeg: start, end and text of each cue, the text as it looks."""
    with av.open(str(path), format={"vtt": "webvtt", "srt": "srt"}[kind]) as container:
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        tick = stream.time_base
        texts = [bytes(packet).decode() for packet in packets]
        shown = [html.unescape(text) if kind == "vtt" else text.replace("\u2060", "") for text in texts]
        return [
            (float(packet.pts * tick), float((packet.pts + packet.duration) * tick), text)
            for packet, text in zip(packets, shown, strict=True)
        ]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cue_changes_whenever_the_set_of_people_does(film_at, files_of, kind):
    film = film_at(25, 100)
    files = files_of(film, ("Ada", 0, 49), ("Grace", 25, 49), ("Ada", 50, 74), ("Grace", 99, 99), ("unknown", 60, 99))
    written = export_film(film, files, formats=[kind], longest_gap=0.5)
    assert cues(written[kind], kind) == [
        (0.0, 1.0, "Ada"),
        (1.0, 2.0, "Ada · Grace"),
        (2.0, 3.0, "Ada"),  # a new track of the same person is no change, and nobody follows
        (3.96, 4.0, "Grace"),  # a single frame
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_awkward_names_come_back(film_at, files_of, awkward_names, kind):
    film = film_at(25, 10 * len(awkward_names))
    files = files_of(film, *((name, 10 * i, 10 * i + 9) for i, name in enumerate(awkward_names)))
    written = export_film(film, files, formats=[kind])
    assert [text for *_, text in cues(written[kind], kind)] == [" ".join(name.split()) for name in awkward_names]


def test_webvtt_reads_what_it_wrote_strictly_and_srt_is_no_markup(film_at, files_of, awkward_names):
    film = film_at(25, 10 * len(awkward_names))
    files = files_of(film, *((name, 10 * i, 10 * i + 9) for i, name in enumerate(awkward_names)))
    written = export_film(film, files, formats=FORMATS)
    read = webvtt.from_string(written["vtt"].read_text("utf-8"), strict=True)
    assert [html.unescape(caption.raw_text) for caption in read] == [" ".join(name.split()) for name in awkward_names]
    with av.open(str(written["srt"]), format="srt") as container:  # decoded, so that markup would be gone
        packets = [packet for packet in container.demux() if packet.size]
        lines = [line.ass.decode() for packet in packets for line in packet.decode()]
    assert "<\u2060b>bold<\u2060/b>" in lines[2] and "an8}" in lines[2]


@pytest.mark.parametrize("kind", FORMATS)
def test_nobody_on_screen_is_still_a_file_of_subtitles(film_at, files_of, kind):
    film = film_at(25, 10)
    path = export_film(film, files_of(film), formats=[kind])[kind]
    assert cues(path, kind) == []
    assert path.read_text() == {"vtt": "WEBVTT\n", "srt": ""}[kind]


@pytest.mark.real_data
@pytest.mark.parametrize("kind", FORMATS)
def test_the_shots_of_a_real_scene_at_23_976(shared_data, files_of, kind):
    film = shared_data / "sitcom" / "videos" / "scene_a.mp4"
    lines = (shared_data / "sitcom" / "truth" / "scene_a.shots").read_text().splitlines()
    shots = [tuple(int(number) for number in line.split()) for line in lines if line.strip()]
    files = files_of(film, *((f"Shot {i}", *shot) for i, shot in enumerate(shots)))
    read = cues(export_film(film, files, formats=[kind])[kind], kind)
    assert len(read) == len(shots) == 16
    for (start, end, text), (i, (first, last)) in zip(read, enumerate(shots), strict=True):
        assert text == f"Shot {i}"
        assert (start, end) == pytest.approx((first * 1001 / 24000, (last + 1) * 1001 / 24000), abs=6e-4)


def test_on_screen_and_cues_agree_on_a_crowd(film_at, files_of):
    film = film_at(25, 120)
    files = files_of(film, *((f"P{i}", (7 * i) % 90, (7 * i) % 90 + 5 + i) for i in range(20)))
    written = export_film(film, files, formats=["vtt"])
    expected = on_screen(collect(film, files).stretches)
    read = cues(written["vtt"], "vtt")
    assert [tuple(text.split(" · ")) for *_, text in read] == expected["people"].to_list()
    assert [start for start, *_ in read] == pytest.approx(expected["start"].to_list(), abs=1e-3)
