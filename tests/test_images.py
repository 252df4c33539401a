"""Every kind of picture people have is read, or refused in words."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageFile

from facelib.images import UnreadablePicture, crop, data_uri, read_image, sharpness, thumbnail

GREEN = (20, 200, 40)


def saved(tmp_path, name, mode, colour, **options):
    path = tmp_path / name
    PillowImage.new(mode, (8, 6), colour).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "mode", "colour", "expected"),
    [
        ("rgb.png", "RGB", GREEN, GREEN),
        ("grey.png", "L", 90, (90, 90, 90)),
        ("deep.png", "I;16", 90 * 257, (90, 90, 90)),  # 16 bits a pixel
        ("float.tif", "F", 90.0, (90, 90, 90)),
        ("alpha.png", "RGBA", (*GREEN, 255), GREEN),
        ("clear.png", "RGBA", (*GREEN, 0), (255, 255, 255)),  # transparent lies on white
        ("greyalpha.png", "LA", (90, 255), (90, 90, 90)),
        ("palette.png", "P", 0, (0, 0, 0)),
        ("bits.png", "1", 1, (255, 255, 255)),
        ("press.tif", "CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("naïve name, Ł.png", "RGB", GREEN, GREEN),
    ],
)
def test_kinds(tmp_path, name, mode, colour, expected):
    image = read_image(saved(tmp_path, name, mode, colour))
    assert image.shape == (6, 8, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - expected).max() <= 2


def test_first_picture_of_an_animation(tmp_path):
    path = tmp_path / "moving.gif"
    frames = [PillowImage.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read_image(path)[0, 0].tolist() == [255, 0, 0]


def test_exif_rotation(tmp_path):
    picture = PillowImage.new("RGB", (8, 6), "black")
    picture.paste("white", (0, 0, 4, 6))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn clockwise to view
    picture.save(tmp_path / "turned.png", exif=exif)
    image = read_image(tmp_path / "turned.png")
    assert image.shape == (8, 6, 3)
    assert image[:4].min() == 255
    assert image[4:].max() == 0


@pytest.mark.parametrize("content", [b"", b"hello, I am no picture", b"\xff\xd8\xff\xe0 broken"])
def test_no_picture(tmp_path, content):
    path = tmp_path / "text.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadablePicture, match=r"text\.jpg"):
        read_image(path)


@pytest.mark.parametrize("forgiving", [False, True])  # as it is after an import of face_recognition
def test_truncated(tmp_path, monkeypatch, forgiving):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", forgiving)
    path = tmp_path / "half.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    PillowImage.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(UnreadablePicture, match="truncated"):
        read_image(path)


def test_bomb_is_refused(tmp_path):
    path = tmp_path / "huge.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + bytes(4)]
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(UnreadablePicture, match="pixels"):
        read_image(path)


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        read_image(tmp_path / "gone.jpg")


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ([10, 10, 20, 20], (14, 14)),  # a fifth of the side on each side
        ([-5, -5, 5, 5], (7, 7)),  # cut at the border
        ([95, 95, 105, 105], (7, 7)),
        ([3, 3, 3, 3], (1, 1)),  # no area: at least one pixel
    ],
)
def test_crop(box, shape):
    assert crop(np.zeros((100, 100, 3), np.uint8), box).shape[:2] == shape


def test_sharpness_falls_with_blur():
    import cv2

    image = np.random.default_rng(0).integers(0, 255, (120, 120, 3), np.uint8)
    values = [sharpness(cv2.GaussianBlur(image, (0, 0), sigma), [0, 0, 120, 120]) for sigma in (0.5, 1, 3)]
    assert values == sorted(values, reverse=True)
    assert sharpness(image, [500, 500, 600, 600]) == 0


@pytest.mark.parametrize(("shape", "expected"), [((100, 200), (48, 96)), ((10, 20), (10, 20)), ((1000, 1), (96, 1))])
def test_thumbnail(shape, expected):
    assert thumbnail(np.zeros((*shape, 3), np.uint8)).shape[:2] == expected


def test_data_uri():
    assert data_uri(np.zeros((4, 4, 3), np.uint8)).startswith("data:image/jpeg;base64,/9j/")
