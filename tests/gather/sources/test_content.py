"""Only what holds its pictures itself is given to the decoder."""

from __future__ import annotations

import pytest

from facelib.films.media.decode import UnreadableFilm
from facelib.gather.sources.content import HEAD, container_suffix


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [
        ("a.mp4", "libx264", ".mp4"),
        ("a.mov", "libx264", ".mov"),
        ("a.m4v", "libx264", ".mp4"),
        ("a.mkv", "libx264", ".mkv"),
        ("a.webm", "libvpx", ".webm"),
        ("a.avi", "mpeg4", ".avi"),
        ("a.flv", "flv", ".flv"),
        ("a.ogv", "libvpx", ".ogv"),
        ("a.wmv", "wmv2", ".wmv"),
        ("a.mpg", "libx264", ".mpg"),
        ("a.ts", "libx264", ".ts"),
        ("a.m2ts", "libx264", ".m2ts"),
    ],
)
def test_each_kind_of_film_that_the_project_takes_is_known(name, codec, expected, make_film):
    head = make_film(name, codec=codec, sound=None).read_bytes()[:HEAD]
    assert container_suffix(head) == expected


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "an empty file"),
        (b"\xef\xbb\xbf\n <!doctype HTML>", "a web page"),
        (b'<?xml version="1.0"?>\n<html xmlns="x">', "a web page"),
        (b"<rss></rss>", "an XML document"),
        (b"#EXTM3U\n#EXT-X-VERSION:3", "a playlist: give the address of the film itself"),
        (b"PK\x03\x04", "a compressed archive"),
        (b'{"error": 404}', "a JSON document"),
        (b"\x89PNG\r\n", "a still picture"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a still picture"),
        (b"RIFF\0\0\0\0WAVEfmt ", "sound without pictures"),
        (b"GGGGGGGG", "a file of another kind"),
        (bytes(HEAD), "a file of another kind"),
    ],
)
def test_anything_else_is_named_and_refused(head, kind):
    with pytest.raises(UnreadableFilm, match=f"expected a film from 'x', got {kind}"):
        container_suffix(head, source="x")
