"""Closed captions embedded in the pictures are reported, since they are not carried over."""

from __future__ import annotations

import pytest

from facelib.films.media.reader import left_out, open_reader

TOLD = ["closed captions embedded in the pictures not carried over"]
TEXT, PADDING = bytes([0xFC, 0xC8, 0xE5]), bytes([0xFC, 0x80, 0x80])  # "He", and nothing, both with parity
CODECS = {
    "h264": (["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", "-x264-params", "aud=1"], b"\0\0\0\x01\x09"),
    "hevc": (
        ["-c:v", "libx265", "-pix_fmt", "yuv420p", "-x265-params", "aud=1:bframes=0:log-level=none"],
        b"\0\0\0\x01\x46\x01",
    ),
    "m2v": (["-c:v", "mpeg2video", "-q:v", "3"], b"\0\0\x01\x01"),
}


def hidden(codec: str, triplet: bytes) -> bytes:
    """Return a unit with one pair of letters of line 21, as it lies in a stream of a codec."""
    data = b"GA94\x03" + bytes([0x41, 0xFF]) + triplet + b"\xff"
    if codec == "m2v":
        return b"\0\0\x01\xb2" + data
    message = bytes([4, len(data) + 3]) + b"\xb5\x00\x31" + data + b"\x80"
    return b"\0\0\0\x01" + (b"\x06" if codec == "h264" else b"\x4e\x01") + message


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
@pytest.mark.parametrize(
    ("triplet", "told"), [(TEXT, TOLD), (PADDING, []), (b"", [])], ids=["words", "nothing", "none"]
)
@pytest.mark.parametrize("codec", CODECS)
def test_captions_within_the_pictures_are_told(codec, triplet, told, suffix, scene, ffmpeg, tmp_path):
    options, mark = CODECS[codec]
    stream = ffmpeg(*scene(seconds=0.4), "-an", *options, tmp_path / f"stream.{codec}")
    content = stream.read_bytes()
    assert content.count(mark) >= 10
    if triplet:
        before = codec == "m2v"  # a picture's slices come after its user data; an access unit begins with its delimiter
        units = content.split(mark)
        glued = hidden(codec, triplet) + mark if before else mark
        if not before:  # the delimiter's one byte of content comes first
            units = [units[0], *(unit[:1] + hidden(codec, triplet) + unit[1:] for unit in units[1:])]
        stream.write_bytes(glued.join(units))
    film = ffmpeg("-fflags", "+genpts", "-r", "25", "-i", stream, "-c", "copy", tmp_path / f"film.{suffix}")
    with open_reader(film) as reader:
        assert len(list(reader.frames())) == 10
        assert left_out(reader) == told and reader.problem() == ""
