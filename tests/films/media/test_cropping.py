"""The part of the stored picture that a file says is shown, and frames that tell more than PyAV knows."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.films.media.cropping import WHOLE, Crop, read_crop
from facelib.films.media.decode import read_frame_at, read_frames
from facelib.films.media.encode import write_film
from facelib.films.media.reader import open_reader

LEFT, TOP, RIGHT, BOTTOM = 8, 4, 16, 12
BOX = (0.125, 0.125, 0.375, 0.5)
COLOURS = ("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")


def seen(width=96, height=64):
    """Return where the box lies in the part that is shown."""
    left, right = ((share * width - LEFT) / (width - LEFT - RIGHT) for share in BOX[::2])
    top, bottom = ((share * height - TOP) / (height - TOP - BOTTOM) for share in BOX[1::2])
    return left, top, right, bottom


def crop_matroska(path):
    """Put the four elements of the crop in the place of those of the colours."""
    content = bytearray(path.read_bytes())
    at = content.find(b"\x55\xb0", content.find(b"\xe0", content.find(b"\x16\x54\xae\x6b")))
    room = 3 + (content[at + 2] & 0x7F)
    edges = ((0xCC, LEFT), (0xBB, TOP), (0xDD, RIGHT), (0xAA, BOTTOM))
    crop = b"".join(bytes([0x54, edge, 0x81, pixels]) for edge, pixels in edges)
    assert 0x80 <= content[at + 2] <= 0xC0 and room >= len(crop) + 2
    content[at : at + room] = crop + bytes([0xEC, 0x80 | room - len(crop) - 2]) + bytes(room - len(crop) - 2)
    path.write_bytes(content)


def set_aperture(path, aperture):
    """Write a clean aperture in the place of the whole one that ffmpeg wrote."""
    content = path.read_bytes()
    at = content.find(b"clap") + 4
    assert at > 4
    path.write_bytes(content[:at] + struct.pack(">IIIIiIiI", *aperture) + content[at + 32 :])


@pytest.fixture
def make(scene, ffmpeg, tmp_path):
    def film_of(name, *options):
        return ffmpeg(*scene(seconds=0.4), *options, tmp_path / name)

    return film_of


def check(film, white_box, iou, tmp_path, size=(72, 48)):
    out = tmp_path / "written.mp4"
    write_film(film, out, lambda frame, planes: None)
    for path in (film, out):
        frames = list(read_frames(path))
        assert len(frames) == 10
        assert {(frame.width, frame.height) for frame in frames} == {size}
        assert [frame.image().shape[:2] for frame in frames] == [size[::-1]] * 10
        assert min(iou(white_box(frame.image()), seen()) for frame in frames) > 0.9
    assert iou(white_box(read_frame_at(film, 0.2).image), seen()) > 0.9
    with av.open(str(out)) as container:
        assert len(container.streams.audio) == 1


@pytest.mark.parametrize(
    "codec",
    [
        ["-c:v", "ffv1", "-c:a", "flac"],
        ["-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-bf", "2", "-c:a", "aac"],
        ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p", "-c:a", "ac3"],
    ],
    ids=lambda codec: codec[1],
)
def test_the_crop_of_matroska(codec, make, white_box, iou, tmp_path):
    film = make("film.mkv", *codec, *COLOURS)
    crop_matroska(film)
    check(film, white_box, iou, tmp_path)
    with open_reader(film) as reader:
        assert read_crop(reader.container, film, reader.stream) == Crop(LEFT, TOP, RIGHT, BOTTOM)


@pytest.mark.parametrize("codec", ["v210", "v308", "v410"])
def test_the_clean_aperture_of_quicktime(codec, make, white_box, iou, tmp_path):
    film = make("film.mov", "-c:v", codec, "-c:a", "pcm_s16le")
    # The middle of what is shown lies 4 pixels left of the picture's middle, and 4 above it.
    set_aperture(film, (72, 1, 48, 1, -4, 1, -4, 1))
    check(film, white_box, iou, tmp_path)


@pytest.mark.parametrize(
    "aperture",
    [(96, 1, 64, 1, 0, 1, 0, 1), (200, 1, 64, 1, 0, 1, 0, 1), (96, 0, 64, 1, 0, 1, 0, 1), (72, 1, 48, 1, 90, 1, 0, 1)],
    ids=["whole", "larger than the picture", "a division by zero", "beside the picture"],
)
def test_an_aperture_that_takes_nothing_away(aperture, make, tmp_path):
    film = make("film.mov", "-c:v", "v210", "-an")
    set_aperture(film, aperture)
    with open_reader(film) as reader:
        assert read_crop(reader.container, film, reader.stream) == WHOLE
        assert next(reader.frames()).image().shape == (64, 96, 3)


def exif_jpegs(orientation):
    """Return ten JPEG pictures, one after the other, each with EXIF data: white above, black below."""
    values = np.zeros((48, 64, 3), np.uint8)
    values[:24] = 255
    exif = PillowImage.Exif()
    exif[274] = orientation
    memory = io.BytesIO()
    PillowImage.fromarray(values).save(memory, "JPEG", quality=95, exif=exif)
    return memory.getvalue() * 10


@pytest.mark.parametrize("name", ["film.mjpeg", "film.avi", "film.mov", "film.mkv"])
@pytest.mark.parametrize("orientation", [1, 3])
def test_a_camera_that_writes_exif_into_each_picture(orientation, name, ffmpeg, tmp_path):
    pictures = tmp_path / "pictures.mjpeg"
    pictures.write_bytes(exif_jpegs(orientation))
    film = pictures if name == "film.mjpeg" else ffmpeg("-i", pictures, "-c", "copy", tmp_path / name)
    out = tmp_path / "written.mp4"
    write_film(film, out, lambda frame, planes: None)
    for path in (film, out):
        frames = [frame.image() for frame in read_frames(path)]
        assert len(frames) == 10
        light = frames[0].mean(axis=(1, 2))
        assert light[:20].min() > 200 and light[-20:].max() < 60 if orientation == 1 else light[:20].max() < 60


@pytest.mark.parametrize("space", ["ycgco", "chroma-derived-nc", "ictcp"])
def test_a_colour_space_that_the_scaler_does_not_know(space, make, white_box, iou, tmp_path):
    film = make("film.mkv", "-c:v", "libx264", "-pix_fmt", "yuv444p", "-colorspace", space, "-an")
    out = tmp_path / "written.mp4"
    write_film(film, out, lambda frame, planes: None)
    for path in (film, out):
        frame = next(read_frames(path))
        assert iou(white_box(frame.image()), BOX) > 0.9 and iou(white_box(frame.preview(96)), BOX) > 0.9
