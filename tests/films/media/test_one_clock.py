"""Pictures, sound, tables and exports of a film on one clock, however its file counts."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.films.exports import read_clock
from facelib.films.media.carried import plain_text, streams_left_out
from facelib.films.media.decode import read_frame_at, read_frames
from facelib.films.media.encode import WriteReport, write_film
from facelib.films.media.losses import PictureCount, SoundCount
from facelib.films.media.opening import open_film
from facelib.films.media.reader import open_reader, read_times
from facelib.films.media.soundtrack import COPIED
from facelib.films.media.timecode import first_frame
from facelib.films.media.timeline import ClockSegment, FrameTimes, PictureClock, StreamClock
from facelib.films.media.times import read_film_times, write_times
from facelib.project import FilmFiles
from facelib.project.content import why_no_film

H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "12", "-bf", "2"]
MPEG2 = ["-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-q:v", "3", "-bf", "2"]


def written(film, tmp_path, report=None):
    out = tmp_path / "written.mp4"
    write_film(film, out, lambda frame, planes: None, report=report)
    return out


def in_step(film, out, beeps, number=0):
    """Tell by how many seconds the beeps of a written film are off those of its source, at most."""
    before, after = beeps(film, number), beeps(out, number)
    before = before[before > -0.02]
    return max(np.abs(after - moment).min() for moment in before)


class TestPictureClock:
    @pytest.mark.parametrize(
        ("pts", "expected"),
        [
            ([], []),
            ([7, 8, 9], [0, 1, 2]),  # late
            ([-5, -4, -2], [0, 1, 3]),  # below 0, and a gap
            ([0, 1, 1, 2, 3], [0, 1, 2, 3, 4]),  # one time twice, and one that follows at once
            ([None, None, None], [0, 1, 2]),  # no times
            ([0, 1, 2, 90, 91], [0, 1, 2, 90, 91]),  # a real gap stays
            ([100, 101, 102, 0, 1, 2], [0, 1, 2, 3, 4, 5]),  # joined
            ([0, 1, 2, 3, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 6, 7]),  # joined with an overlap
        ],
    )
    def test_times_only_rise(self, pts, expected):
        clock = PictureClock(Fraction(1, 25), Fraction(25))
        assert [clock.place(one, 1) for one in pts] == expected

    def test_a_frame_out_of_order_does_not_move_those_behind_it(self):
        clock = PictureClock(Fraction(1, 1000), Fraction(25), joints=False)
        assert [clock.place(one, 40) for one in (0, 40, 200, 80, 120, 240)] == [0, 40, 200, 201, 202, 240]

    def test_a_leap_is_closed_only_where_packets_leap(self):
        plain, joined = (PictureClock(Fraction(1), Fraction(1), joints=False) for _ in range(2))
        joined.joint()
        assert [plain.place(one, 1) for one in (0, 1, 500)] == [0, 1, 500]
        joined = PictureClock(Fraction(1), Fraction(1), joints=False)
        times = [joined.place(0, 1), joined.place(1, 1)]
        joined.joint()
        assert [*times, joined.place(500, 1)] == [0, 1, 2]
        assert joined.segments == (ClockSegment(0, 2, 0), ClockSegment(500, 501, -498))


def test_another_stream_follows_the_segments_of_the_pictures():
    twice = (ClockSegment(Fraction(1), Fraction(4), Fraction(-1)), ClockSegment(Fraction(1), Fraction(4), Fraction(2)))
    clock, tenth = StreamClock(twice), Fraction(1, 10)
    times = [Fraction(number, 10) for number in [*range(9, 41), *range(9, 41)]]
    placed = [clock.place(time, tenth) for time in times]
    assert placed[:32] == [time - 1 for time in times[:32]]
    assert placed[32:] == [time + 2 for time in times[32:]]


CONTAINERS = {"ts": H264, "m2ts": H264, "mpg": MPEG2}
OFFSETS = (0, 7.3, 24549.8, 95442.2)  # the last wraps after 33 bits, in the middle
BOTH = ["-map", "0:v", "-map", "1:a"]


@pytest.fixture(scope="module")
def offset_films(scene, ffmpeg, tmp_path_factory):
    """The folder of the films whose clocks start anywhere, written by one run of ffmpeg, which takes long to start."""
    folder, outputs = tmp_path_factory.mktemp("offset"), []
    for suffix, video in CONTAINERS.items():
        sound = ["-c:a", "mp2" if suffix == "mpg" else "aac"]
        for offset in OFFSETS:
            outputs += [*BOTH, *video, *sound, "-output_ts_offset", offset, folder / f"{offset}.{suffix}"]
    ffmpeg(*scene(seconds=2), *outputs)
    return folder


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("offset", OFFSETS)
def test_a_clock_that_starts_anywhere(suffix, offset, offset_films, beeps, tmp_path):
    film = offset_films / f"{offset}.{suffix}"
    times = read_times(film)
    assert times.times == pytest.approx(np.arange(50) / 25, abs=1e-4) and times.seconds == pytest.approx(2, abs=1e-3)
    out = written(film, tmp_path)
    assert [frame.time for frame in read_frames(out)] == pytest.approx(times.times, abs=1e-6)
    with av.open(str(out)) as container:
        assert container.duration / 1e6 < 2.2
    assert in_step(film, out, beeps) < 0.02
    assert read_frame_at(film, 1.0).time == pytest.approx(1.0, abs=0.021)  # MPEG-2 does not tell every time


@pytest.mark.parametrize(
    ("name", "shift"), [("film.mkv", 0.6), ("film.mp4", 0.3), ("film.flv", 0.9), ("film.ts", -1.0)]
)
def test_pictures_that_come_before_or_after_the_sound(name, shift, scene, ffmpeg, beeps, tmp_path):
    inputs = scene(seconds=2)
    delayed = ["-itsoffset", max(shift, 0), *inputs[:4], "-itsoffset", max(-shift, 0), *inputs[4:]]
    sound = ["-c:a", "libmp3lame", "-ar", "44100"]
    film = ffmpeg(*delayed, *H264, "-fps_mode", "passthrough", *sound, tmp_path / name)
    times = read_times(film)
    assert times.times[0] == 0 and times.times[-1] == pytest.approx(1.96, abs=2e-3)
    assert in_step(film, written(film, tmp_path), beeps) < 0.02


@pytest.mark.parametrize(
    ("suffix", "video", "sound"),
    [("ts", H264, "aac"), ("ts", MPEG2, "mp2"), ("m2ts", H264, "ac3"), ("mpg", MPEG2, "mp2")],
)
def test_joined_films(suffix, video, sound, scene, ffmpeg, beeps, tmp_path):
    """Three pieces that all begin to count at the same time: 150 pictures, six seconds, and the sound of all."""
    piece = ffmpeg(*scene(seconds=2), *video, "-c:a", sound, tmp_path / f"piece.{suffix}")
    film = tmp_path / f"film.{suffix}"
    film.write_bytes(piece.read_bytes() * 3)
    times = read_times(film)
    assert len(times.ticks) == 150 and np.all(np.diff(times.ticks) > 0)
    assert times.seconds == pytest.approx(6, abs=0.15) and len(times.segments) == 3
    out = written(film, tmp_path)
    starts = beeps(out)
    begins = [float(one.start + one.shift) for one in times.segments]
    own = beeps(piece)[1:]
    expected = [begin + beep for begin in begins for beep in own]
    assert all(np.abs(starts - moment).min() < 0.02 for moment in expected)
    with open_reader(film) as reader:
        assert len(list(reader.frames(count_sound=True))) == 150 and reader.problem() == ""


def test_pieces_that_were_cut_without_encoding_and_joined_are_whole(scene, ffmpeg, tmp_path):
    whole = ffmpeg(*scene(seconds=3), *H264, "-bf", "3", "-c:a", "aac", tmp_path / "whole.mp4")
    piece = ffmpeg("-i", whole, "-c", "copy", "-t", "2", tmp_path / "piece.ts")  # some of its last pictures are missing
    film = tmp_path / "film.ts"
    film.write_bytes(piece.read_bytes() * 2)
    with open_reader(film) as reader:
        assert len(list(reader.frames(count_sound=True))) == 2 * len(list(read_frames(piece)))
        assert reader.problem() == ""


@pytest.mark.parametrize(("name", "video"), [("film.mkv", H264), ("film.mp4", H264), ("film.ts", H264)])
def test_a_gap_is_kept(name, video, scene, ffmpeg, tmp_path):
    gap = ["-vf", "setpts='PTS+gte(N,20)*7.5/TB'", "-an", "-fps_mode", "passthrough"]
    film = ffmpeg(*scene(seconds=2), *gap, *video, tmp_path / name)
    steps = np.diff(read_times(film).times)
    assert len(steps) == 49 and steps[19] == pytest.approx(7.54, abs=0.03) and np.delete(steps, 19).max() < 0.05
    assert [frame.time for frame in read_frames(written(film, tmp_path))] == pytest.approx(
        read_times(film).times, abs=1e-6
    )


class TestTable:
    def test_comes_back_as_it_was(self, tmp_path):
        segments = (
            ClockSegment(Fraction(1, 3), Fraction(7, 3), Fraction(-1, 3)),
            ClockSegment(Fraction(0), Fraction(9), Fraction(2)),
        )
        times = FrameTimes(
            np.array([0, 5]),
            np.array([1 / 3, np.nan]),
            9,
            Fraction(1, 3),
            Fraction(25),
            segments,
            "01:00:00:00",
            Fraction(25),
        )
        files = FilmFiles(tmp_path)
        write_times(times, files.times)
        back = read_film_times("gone.mp4", files)
        assert back.ticks.tolist() == [0, 5] and back.segments == segments and back.seconds == 3.0
        assert (back.timecode, back.timecode_rate, back.rate) == ("01:00:00:00", 25, 25)

    def test_one_that_is_damaged_is_made_anew(self, make_film, tmp_path):
        files = FilmFiles(tmp_path / "out")
        files.folder.mkdir()
        files.times.write_bytes(b"PAR1")
        assert len(read_film_times(make_film(frames=7), files).ticks) == 7


# What MP4 holds, from every container that holds it.
PAIRS = [
    *(
        (codec, suffix)
        for codec in ("aac", "libmp3lame", "ac3")
        for suffix in ("mp4", "mov", "mkv", "avi", "ts", "m2ts", "flv", "asf")
    ),
    *(("eac3", suffix) for suffix in ("mp4", "mov", "mkv", "ts")),
    *(("libopus", suffix) for suffix in ("mp4", "mkv", "webm", "ts", "ogv")),
    *(("flac", suffix) for suffix in ("mp4", "mkv", "ogv")),
    *(("alac", suffix) for suffix in ("mp4", "mov", "mkv")),
]
PAIRS.remove(("ac3", "flv"))
VIDEO = {"avi": ["-c:v", "mpeg4"], "asf": ["-c:v", "msmpeg4"], "webm": ["-c:v", "libvpx"], "ogv": ["-c:v", "libtheora"]}


def packets_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        kept = [bytes(packet) for packet in container.demux(stream) if packet.size]
        return stream.codec_context.codec.canonical_name, kept


@pytest.fixture(scope="module")
def paired_films(scene, ffmpeg, tmp_path_factory):
    """The folder of the films of all pairs, by one run of ffmpeg."""
    folder, outputs = tmp_path_factory.mktemp("pairs"), []
    for codec, suffix in PAIRS:
        video = VIDEO.get(suffix, H264)
        outputs += [*BOTH, *video, "-c:a", codec, "-strict", "-2", folder / f"{codec}.{suffix}"]
    ffmpeg(*scene(seconds=1.2, layout="stereo"), *outputs)
    return folder


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
def test_sound_that_mp4_holds_is_copied_bit_for_bit(codec, suffix, paired_films, beeps, tmp_path):
    film = paired_films / f"{codec}.{suffix}"
    out = written(film, tmp_path)
    (name, before), (other, after) = packets_of(film), packets_of(out)
    assert name == other and name in COPIED
    if before[0][:2] in (b"\xff\xf1", b"\xff\xf9"):  # AAC with headers of its own, which MP4 has no place for
        before = [packet[7:] for packet in before]
    assert after == before
    assert in_step(film, out, beeps) < 0.02


@pytest.mark.parametrize(
    ("codec", "suffix", "layout", "rate", "expected"),
    [
        ("pcm_s16le", "mov", "stereo", 48000, "aac"),
        ("pcm_s16le", "avi", "mono", 8000, "aac"),
        ("mp2", "ts", "stereo", 44100, "aac"),
        ("wmav2", "asf", "stereo", 44100, "aac"),
        ("wmav2", "avi", "stereo", 44100, "aac"),
        ("libvorbis", "mkv", "5.1", 48000, "aac"),
        ("dca", "mkv", "5.1(side)", 48000, "aac"),
        ("pcm_s24le", "mkv", "7.1", 48000, "aac"),
        ("pcm_s16le", "mov", "stereo", 192000, "flac"),  # a rate that AAC lacks
        ("pcm_s16le", "mov", "quad", 48000, "flac"),  # and a layout
    ],
)
def test_other_sound_keeps_its_channels_and_its_rate(
    codec, suffix, layout, rate, expected, scene, ffmpeg, beeps, tmp_path
):
    sound = scene(seconds=1.2, layout=layout, hz=rate)
    film = ffmpeg(*sound, *VIDEO.get(suffix, H264), "-c:a", codec, "-strict", "-2", tmp_path / f"film.{suffix}")
    out = written(film, tmp_path)
    with av.open(str(out)) as container:
        context = container.streams.audio[0].codec_context
        name, channels = context.codec.canonical_name, context.layout.nb_channels
        assert (name, context.sample_rate, channels) == (expected, rate, av.AudioLayout(layout).nb_channels)
        assert context.layout.name == layout.removesuffix("(side)")
    assert in_step(film, out, beeps) < 0.02


def test_sound_whose_times_are_rounded_to_pictures_has_no_gaps(scene, ffmpeg, beeps, tmp_path):
    """In GXF a packet of 0.683 seconds begins at a whole field, up to 20 ms late."""
    options = ["-c:v", "mpeg2video", "-b:v", "8M", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"]
    film = ffmpeg(*scene((720, 576), seconds=2), *options, tmp_path / "film.gxf")
    heard = beeps(written(film, tmp_path))[1:]  # the first began before the pictures
    assert np.diff(heard) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("rate", [44100, 48000, 96000, 192000])
def test_flac_keeps_the_length_of_its_packets_where_a_container_rounds_it(rate, scene, ffmpeg, tmp_path):
    """Matroska rounds to milliseconds, and FLAC has packets of 85.33 ms."""
    film = ffmpeg(*scene(seconds=2, hz=rate), *H264, "-c:a", "flac", tmp_path / "film.mkv")
    with av.open(str(film)) as container:
        samples = [frame.samples for frame in container.decode(audio=0)]
    with av.open(str(written(film, tmp_path))) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        times = [round(packet.pts * packet.time_base * rate) for packet in packets]
    assert np.diff(times).tolist() == samples[:-1]


def test_a_gap_in_the_sound_before_the_first_picture_is_not_taken_for_sound(scene, ffmpeg, beeps, tmp_path):
    """Without an edit list, ffmpeg lets the first packet of sound last until the pictures begin."""
    options = [*H264, "-bf", "3", "-c:a", "aac", "-use_editlist", "0"]
    film = ffmpeg(*scene(seconds=1.2), *options, tmp_path / "film.mp4")
    assert packets_of(film)[1][1:] == packets_of(written(film, tmp_path))[1]
    assert in_step(film, tmp_path / "written.mp4", beeps) < 0.02


def test_every_stream_comes_with_its_language_title_and_flag(scene, ffmpeg, beeps, tmp_path):
    facts = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", "-metadata:s:a:1", "title=Kommentar",
             "-metadata:s:a:2", "language=fra", "-disposition:a:0", "0", "-disposition:a:1", "default"]  # fmt: skip
    streams = [
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map",
        "1:a",
        "-map",
        "1:a",
        "-c:a:0",
        "aac",
        "-c:a:1",
        "ac3",
        "-c:a:2",
        "libvorbis",
    ]
    film = ffmpeg(*scene(seconds=1), *streams, *H264, *facts, tmp_path / "film.mkv")
    with av.open(str(written(film, tmp_path))) as container:
        sounds = container.streams.audio
        assert [one.metadata["language"] for one in sounds] == ["eng", "deu", "fra"]
        assert sounds[1].metadata.get("name", sounds[1].metadata.get("title")) == "Kommentar"
        assert [bool(one.disposition & av.stream.Disposition.default) for one in sounds] == [False, True, False]


SUBTITLES = "1\n00:00:00,200 --> 00:00:00,600\n<i>One</i>\n\n2\n00:00:00,900 --> 00:00:01,400\nTwo\nlines\n"


@pytest.mark.parametrize(
    ("name", "codec"), [("film.mkv", "srt"), ("film.mkv", "ass"), ("film.mp4", "mov_text"), ("film.mkv", "webvtt")]
)
def test_subtitles_chapters_title_and_date(name, codec, scene, ffmpeg, tmp_path):
    (tmp_path / "text.srt").write_text(SUBTITLES)
    (tmp_path / "facts.txt").write_text(
        ";FFMETADATA1\ntitle=My film\ndate=1942\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=Begin\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=2000\ntitle=End\n"
    )
    inputs = [*scene(seconds=2), "-i", tmp_path / "text.srt", "-i", tmp_path / "facts.txt"]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:s", "-map_metadata", "3", "-map_chapters", "3"]
    film = ffmpeg(
        *inputs, *maps, *H264, "-c:a", "aac", "-c:s", codec, "-metadata:s:s:0", "language=deu", tmp_path / name
    )
    with av.open(str(written(film, tmp_path))) as container:
        assert (container.metadata["title"], container.metadata["date"]) == ("My film", "1942")
        chapters = container.chapters()
        begins = [float(one["start"] * one["time_base"]) for one in chapters]
        assert [one["metadata"]["title"] for one in chapters] == ["Begin", "End"] and begins == pytest.approx(
            [0, 0.8], abs=0.03
        )
        stream = next(one for one in container.streams.subtitles if one.codec_context.name == "mov_text")
        assert stream.metadata["language"] == "deu"
        cues = []
        for packet in container.demux(stream):
            words = bytes(packet)[2 : 2 + int.from_bytes(bytes(packet)[:2], "big")].decode() if packet.size > 2 else ""
            if words:
                times = (float(packet.pts * packet.time_base), float((packet.pts + packet.duration) * packet.time_base))
                cues.append((words, *(round(time, 1) for time in times)))
    assert cues == [("One", 0.2, 0.6), ("Two\nlines", 0.9, 1.4)]


def test_subtitles_that_cannot_be_read_are_told_in_one_line(scene, ffmpeg, tmp_path, caplog):
    cues = (f"{n}\n00:00:00,{n}00 --> 00:00:00,{n}90\n{'?' if n % 3 else 'Hello'}\n\n" for n in range(1, 7))
    (tmp_path / "words.srt").write_text("".join(cues))
    maps = ["-map", "0:v", "-map", "2:s"]
    film = ffmpeg(*scene(), "-i", tmp_path / "words.srt", *maps, *H264, "-c:s", "srt", tmp_path / "film.mkv")
    film.write_bytes(film.read_bytes().replace(b"?", b"\xff"))  # no character in UTF-8
    written(film, tmp_path)
    (line,) = caplog.messages
    assert "film.mkv: 4 subtitles cannot be read and are left out, the first: " in line


def test_what_cannot_be_carried_over_is_said(scene, ffmpeg, tmp_path):
    words, cover = tmp_path / "words.srt", tmp_path / "cover.png"
    words.write_text("1\n00:00:00,100 --> 00:00:00,800\nHello\n")
    PillowImage.new("RGB", (32, 32)).save(cover)
    pictures = [*scene(), *scene((48, 32))[:4], "-i", words]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:v", "-map", "3"]
    mkv = ffmpeg(*pictures, *maps, *H264, "-c:a", "ac3", "-c:s", "srt", "-attach", cover,
                 "-metadata:s:t", "mimetype=image/png", tmp_path / "film.mkv")  # fmt: skip
    said = ["1 x further pictures not carried over", "1 x cover not carried over"]
    with open_film(mkv) as container:
        assert streams_left_out(container) == said
    data = ["-f", "data", "-i", words, "-map", "0:v", "-map", "1:a", "-map", "2", "-c:d", "copy"]
    ts = ffmpeg(*scene(), *data, *H264, tmp_path / "film.ts")
    with open_film(ts) as container:
        assert streams_left_out(container) == ["1 x data (bin_data) not carried over"]
    plain = ffmpeg(*scene(), *H264, "-timecode", "01:00:00:00", tmp_path / "film.mov")
    with open_film(plain) as container:
        assert len(container.streams) == 3 and streams_left_out(container) == []


def blu_ray_subtitle(colour=235):
    """Return a picture subtitle of Blu-ray discs: a bar of 32 x 8 pixels, shown from 0.2 to 0.8 seconds."""

    def segment(kind, content, ms):
        return b"PG" + struct.pack(">IIBH", 90 * ms, 0, kind, len(content)) + content

    def screen(number, objects):
        return struct.pack(">HHBHBBBB", 96, 64, 0x10, number, 0x80, 0, 0, len(objects)) + b"".join(objects)

    pixels = b"\0\xa0\x01\0\0" * 8  # a run of 32 pixels of colour 1, and the end of a line
    window = struct.pack(">BBHHHH", 1, 0, 32, 48, 32, 8)
    shown = [
        (0x16, screen(0, [struct.pack(">HBBHH", 0, 0, 0, 32, 48)])),
        (0x17, window),
        (0x14, bytes([0, 0, 1, colour, 128, 128, 255])),
        (
            0x15,
            struct.pack(">HBB", 0, 0, 0xC0) + (4 + len(pixels)).to_bytes(3, "big") + struct.pack(">HH", 32, 8) + pixels,
        ),
        (0x80, b""),
    ]
    hidden = [(0x16, screen(1, [])), (0x17, window), (0x80, b"")]
    return b"".join(segment(*one, ms) for ms, group in ((200, shown), (800, hidden)) for one in group)


@pytest.mark.parametrize(
    ("suffix", "codec", "video", "kind"),
    [
        ("mkv", "dvdsub", H264, "dvd_subtitle"),
        ("vob", "dvdsub", ["-c:v", "mpeg2video"], "dvd_subtitle"),
        ("mkv", "dvbsub", H264, "dvb_subtitle"),
        ("ts", "dvbsub", H264, "dvb_subtitle"),
        ("ts", "dvbsub", ["-c:v", "mpeg2video"], "dvb_subtitle"),
        ("mkv", "copy", H264, "hdmv_pgs_subtitle"),
        ("m2ts", "copy", H264, "hdmv_pgs_subtitle"),
    ],
)
def test_subtitles_that_are_pictures_are_told(suffix, codec, video, kind, scene, ffmpeg, beeps, tmp_path):
    pictures = tmp_path / "words.sup"
    pictures.write_bytes(blu_ray_subtitle())
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:s"]
    film = ffmpeg(*scene(seconds=1.2), "-i", pictures, *maps, *video, "-c:a", "ac3", "-c:s", codec,
                  tmp_path / f"film.{suffix}")  # fmt: skip
    with open_film(film) as container:
        assert streams_left_out(container) == [f"1 x subtitles that are pictures ({kind}) not carried over"]
    with open_reader(film) as reader:
        assert len(list(reader.frames(count_sound=True))) == 30 and reader.problem() == ""
    out = written(film, tmp_path)
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    assert in_step(film, out, beeps) < 0.02


def test_captions_for_televisions_are_not_called_pictures(ffmpeg, scene, tmp_path):
    words = tmp_path / "words.scc"
    words.write_text("Scenarist_SCC V1.0\n\n00:00:00:05\t9420 9420 c8e5 ecec ef80 942f 942f\n\n00:00:00:20\t942c\n")
    maps = ["-map", "0:v", "-map", "2:s", "-c:s", "copy"]
    with open_film(ffmpeg(*scene(), "-i", words, *maps, *H264, tmp_path / "film.mov")) as container:
        assert streams_left_out(container) == ["1 x captions (eia_608) not carried over"]


def test_words_of_a_line_of_dialogue():
    assert plain_text(rb"{\b1}Hello{\b0}\Nyou") == "Hello\nyou"


@pytest.mark.parametrize(("small", "large"), [("0", "default"), ("default", "default"), ("0", "0")])
def test_the_default_and_then_the_largest_pictures(small, large, scene, ffmpeg, tmp_path):
    inputs = scene(seconds=1)
    filters = ["-filter_complex", "[0:v]split[a][b];[a]scale=48:32,fps=5[p];[b]null[f]", "-map", "[p]", "-map", "[f]"]
    flags = ["-disposition:v:0", small, "-disposition:v:1", large]
    film = ffmpeg(*inputs[:4], *filters, *H264, *flags, tmp_path / "film.mkv")
    frames = list(read_frames(film))
    assert len(frames) == 25 and frames[0].width == 96


@pytest.mark.parametrize(
    ("name", "cover"), [("film.mkv", "mjpeg"), ("film.mp4", "mjpeg"), ("film.mov", "png"), ("film.mkv", "libx264")]
)
def test_a_cover_that_is_not_marked_as_one_is_not_the_film(name, cover, scene, ffmpeg, tmp_path):
    """The first stream, the default one and the largest: a single picture."""
    large = ["-f", "lavfi", "-i", "color=red:s=320x240:d=0.04"]
    streams = ["-map", "0:v", "-map", "1:v", "-c:v:0", cover, "-c:v:1", "libx264", "-pix_fmt", "yuv420p"]
    flags = ["-disposition:v:0", "default", "-disposition:v:1", "0"]
    film = ffmpeg(*large, *scene()[:4], *streams, *flags, tmp_path / name)
    frames = list(read_frames(film))
    assert len(frames) == 25 and frames[0].width == 96


def test_a_moving_avif_is_a_film(tmp_path):
    film = tmp_path / "moving.avif"
    pictures = [PillowImage.new("RGB", (96, 64), colour) for colour in ("red", "lime", "blue")]
    pictures[0].save(film, save_all=True, append_images=pictures[1:], duration=200)
    assert why_no_film(film) == ""
    assert [round(frame.time, 3) for frame in read_frames(film)] == [0.0, 0.2, 0.4]


NTSC, FAST = Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("label", "counted", "rate", "frame"),
    [
        ("01:00:00:00", Fraction(24000, 1001), Fraction(24000, 1001), 86_400),
        ("10:11:12:13", Fraction(24), Fraction(24), 880_141),
        ("10:11:12:13", Fraction(25), Fraction(25), 916_813),
        ("10:11:12:13", Fraction(25), Fraction(50), 1_833_626),  # half as fast
        ("10:11:12:13", Fraction(50), Fraction(50), 1_833_613),
        ("01:00:00:00", NTSC, NTSC, 108_000),
        ("01:00:00;00", NTSC, NTSC, 107_892),
        ("00:01:00;02", NTSC, NTSC, 1800),
        ("01:00:00;15", NTSC, FAST, 215_814),
        ("01:00:00;15", Fraction(30), FAST, 215_814),  # the same, told as a whole number
        ("01:00:00;30", FAST, FAST, 215_814),
        ("10:11:12:13", Fraction(30), Fraction(30), 1_100_173),
        ("23:59:59;29", NTSC, FAST, 2 * (2_589_408 - 1)),
        ("some day", Fraction(0), NTSC, 0),
    ],
)
def test_a_timecode_counts_at_its_own_rate(label, counted, rate, frame):
    assert first_frame(label, counted, rate) == frame


TIMECODES = {
    "film.mov": H264,
    "film.mxf": [*MPEG2, "-bf", "0"],
    "reordered.mxf": MPEG2,
    "film.mpg": [*MPEG2, "-bf", "0"],
    "film.ts": MPEG2,
}


LABELS = [
    ("24000/1001", "01:02:03:04"), ("24", "10:11:12:13"), ("25", "10:00:00:24"), ("30000/1001", "01:00:00;02"),
    ("30000/1001", "01:00:00:02"), ("30", "23:59:59:29"), ("50", "00:00:10:20"), ("60000/1001", "01:00:00;30"),
    ("60000/1001", "01:00:00:30"),
]  # fmt: skip


@pytest.fixture(scope="module")
def labelled_films(scene, ffmpeg, tmp_path_factory):
    """The folder of the films with timecodes, by one run of ffmpeg."""
    folder = tmp_path_factory.mktemp("timecodes")
    inputs, outputs = [], []
    for place, (rate, label) in enumerate(LABELS):
        inputs += scene(rate=rate, seconds=0.5)[:4]
        for name, video in TIMECODES.items():
            outputs += ["-map", f"{place}:v", *video, "-timecode", label, folder / f"{place} {name}"]
    ffmpeg(*inputs, *outputs)
    return folder


@pytest.mark.parametrize("name", TIMECODES)
@pytest.mark.parametrize(("rate", "label"), LABELS)
def test_the_timecodes_of_files(name, rate, label, labelled_films):
    assert_timecode(labelled_films / f"{LABELS.index((rate, label))} {name}", rate, label)


@pytest.mark.parametrize(
    ("rate", "label", "size", "pixels"),
    [("25", "10:00:00:24", "720x576", "yuv420p"), ("30000/1001", "01:00:00;02", "720x480", "yuv411p"),
     ("30000/1001", "01:00:00:02", "720x480", "yuv411p")],
)  # fmt: skip
def test_the_timecode_of_dv(rate, label, size, pixels, scene, ffmpeg, tmp_path):
    options = ["-s", size, "-pix_fmt", pixels, "-c:a", "pcm_s16le", "-timecode", label]
    film = ffmpeg(*scene(rate=rate, seconds=0.2, layout="stereo"), *options, tmp_path / "film.dv")
    assert_timecode(film, rate, label)


def assert_timecode(film, rate, label):
    clock = read_clock(film)
    assert clock.rate == Fraction(rate)
    assert clock.start == first_frame(label, Fraction(rate), Fraction(rate)) > 0
    assert clock.drop_frame == (";" in label)


def count_without_lengths(*times):
    """Return the gaps in packets of which the file tells only when they begin."""
    count = SoundCount(1)
    for time in times:
        count.add(time, 0.0)
    return count.gaps


@pytest.mark.parametrize("codec", ["wavpack", "truehd", "tta"])
def test_sound_in_packets_without_a_length_lacks_nothing(codec, scene, ffmpeg, tmp_path):
    film = ffmpeg(*scene(seconds=3), *H264, "-c:a", codec, "-strict", "-2", tmp_path / "film.mkv")
    with open_reader(film) as reader:
        assert len(list(reader.frames(count_sound=True))) == 75 and reader.problem() == ""


def test_sound_that_cannot_be_decoded_is_told_also_where_its_packets_have_no_length(scene, ffmpeg, tmp_path):
    # FFmpeg 8 does not decode what FFmpeg 5 writes of more than two channels.
    sound = ["-c:a", "truehd", "-strict", "-2"]
    film = ffmpeg(*scene(seconds=1, layout="5.1"), *H264, *sound, tmp_path / "film.mkv")
    report = WriteReport()
    with av.open(str(written(film, tmp_path, report))) as container:
        heard = sum(float(stream.duration * stream.time_base) for stream in container.streams.audio)
    lost = float(report.problem.split()[0]) if report.problem else 0.0
    assert heard + lost == pytest.approx(1.0, abs=0.06)


class TestLosses:
    @pytest.mark.parametrize(
        ("suffix", "video"), [("mp4", H264), ("mkv", H264), ("ts", MPEG2), ("avi", ["-c:v", "mpeg4", "-g", "12"])]
    )
    def test_damage_in_the_middle_is_told_and_all_else_stays(self, suffix, video, scene, ffmpeg, tmp_path):
        film = ffmpeg(*scene((192, 128), seconds=4), *video, "-c:a", "libmp3lame", tmp_path / f"film.{suffix}")
        content = bytearray(film.read_bytes())
        middle, size = int(len(content) * 0.45), len(content) // 5
        content[middle : middle + size] = np.random.default_rng(1).bytes(size)
        film.write_bytes(content)
        with open_reader(film) as reader:
            shown = len(list(reader.frames(count_sound=True)))
            problem = reader.problem()
        assert shown > 40
        if shown < 100:
            assert "pictures could not be read, near 0:0" in problem or "the rest is missing" in problem
        report = WriteReport()
        assert len(list(read_frames(written(film, tmp_path, report)))) == shown

    def test_a_whole_film_has_no_problem(self, make_film):
        for name, codec in (("a.mp4", "libx264"), ("b.mkv", "libx264"), ("c.avi", "mpeg4"), ("d.webm", "libvpx")):
            sound = "libopus" if name.endswith("webm") else "aac"
            with open_reader(make_film(name, codec=codec, sound=sound)) as reader:
                assert len(list(reader.frames(count_sound=True))) == 50 and reader.problem() == ""

    def test_fields_in_packets_of_their_own_are_no_loss(self):
        count = PictureCount(expected=100, shown=50, fields=True)
        assert count.sentence() == ""
        count.fail(3.0)
        assert count.sentence() == "50 of 100 pictures could not be read, near 0:03"

    def test_a_gap_in_the_sound_counts_where_there_are_pictures(self):
        times = FrameTimes(np.arange(100), np.arange(100) / 25, 100, Fraction(1, 25))
        count = SoundCount(2)
        for start in (0.0, 1.0, 3.5):
            count.add(start, 1.0)
        assert count.sentence(times) == "sound 2 lacks 1.5 seconds, near 0:02"
        assert count_without_lengths(0.0, 0.5, 1.0, 1.5) == []
        assert count_without_lengths(0.0, 0.5, 2.5, 3.0) == [(1.0, 2.5)]
        paused = FrameTimes(np.arange(50), np.arange(50) / 25, 50, Fraction(1, 25))
        assert count.sentence(paused) == ""
