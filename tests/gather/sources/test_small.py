"""Small things are fetched whole or not at all, and bytes are a picture or not, whatever is said of them."""

from __future__ import annotations

import io
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.gather.sources.fetched import check_fetched
from facelib.gather.sources.small import fetch_bytes
from facelib.images import UnreadablePicture


def encoded(kind: str, *, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    PillowImage.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("GIF", ".gif"), ("BMP", ".bmp"), ("TIFF", ".tif"), ("WEBP", ".webp")],
)
def test_pictures(kind, suffix):
    picture = check_fetched(encoded(kind))
    assert (picture.suffix, picture.width, picture.height) == (suffix, 40, 30)
    assert len(picture.sha256) == 64


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_half_a_picture_is_none(kind):
    content = encoded(kind)
    with pytest.raises(UnreadablePicture):
        check_fetched(content[: len(content) // 2])


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"<html></html>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a"])
def test_what_is_no_picture(content):
    with pytest.raises(UnreadablePicture):
        check_fetched(content)


def test_garbage_never_raises_anything_else():
    """Bytes of real pictures, some of them changed at random, as a broken or malicious server sends them."""
    random = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"):
        whole = np.frombuffer(encoded(kind), np.uint8)
        for _ in range(60):
            broken = whole.copy()
            places = random.integers(0, len(whole) if random.random() < 0.5 else min(64, len(whole)), 8)
            broken[places] = random.integers(0, 256, 8)
            try:
                check_fetched(broken.tobytes(), most_pixels=10**6)
            except UnreadablePicture as error:
                assert str(error)


def test_sizes():
    content = encoded("PNG")
    assert check_fetched(content, most_pixels=1200, least_side=30).width == 40
    with pytest.raises(UnreadablePicture, match="announces 40x30"):
        check_fetched(content, most_pixels=1199)
    with pytest.raises(UnreadablePicture, match="too small: 40x30 pixels, at least 31"):
        check_fetched(content, least_side=31)
    with warnings.catch_warnings(action="error"), pytest.raises(UnreadablePicture, match="too large"):
        # A bitmap's header of 60,000 x 60,000, which Pillow itself would refuse in other words.
        check_fetched(b"BM" + bytes(8) + b"\x36\0\0\0\x28\0\0\0\x60\xea\0\0\x60\xea\0\0\1\0\x18\0" + bytes(24))


def test_passing_trouble_is_tried_again(site, limits):
    answers = [503, 200]
    address = site.put("/a", lambda asked: asked.send_text("text", status=answers.pop(0)))
    assert fetch_bytes(address, limits) == b"text"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(status, site, limits):
    with pytest.raises(OSError, match=str(status)):
        fetch_bytes(site.put("/a", lambda asked: asked.send_text("", status=status)), limits)
    assert len(site.asked) == 1


def test_too_much(site, limits):
    few = replace(limits, largest=100)
    assert len(fetch_bytes(site.put("/a", lambda asked: asked.send_text("x" * 100)), few)) == 100
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        fetch_bytes(site.put("/a", lambda asked: asked.send_text("x" * 101)), few)


def test_an_answer_has_an_end_whoever_sends_it(site, limits):
    """Each byte comes well within a socket's timeout, in the header as in the body."""

    def header(asked):
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not site.stopping.wait(0.02):
            asked.wfile.write(b"a")

    for answer in (header, lambda asked: site.dribble(asked, bytes(10_000))):
        began = time.monotonic()
        with pytest.raises(TimeoutError, match=r"in 0\.5 s"):
            fetch_bytes(site.put("/a", answer), replace(limits, longest=0.5, slowest=0))
        assert time.monotonic() - began < 10
    assert fetch_bytes(site.put("/a", lambda asked: asked.send_text("text")), replace(limits, longest=5)) == b"text"


@pytest.mark.parametrize(
    "address", ["", "a.jpg", "file:///etc/passwd", "http://", "http://[::1", "http://\udc80/", "ftp://a/b"]
)
def test_what_is_no_address(address, limits):
    with pytest.raises(ValueError):
        fetch_bytes(address, limits)
