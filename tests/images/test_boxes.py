"""HEIC and AVIF pictures that are turned, mirrored or cut by the boxes of their file."""

from __future__ import annotations

import io
import struct
import subprocess

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.images import read_image
from tests.waiting import PATIENCE

WIDTH, HEIGHT = 96, 64
_CODECS = {
    "heic": (b"hvc1", b"hvcC", ["-c:v", "libx265", "-x265-params", "log-level=none:crf=5", "-tag:v", "hvc1"]),
    "avif": (b"av01", b"av1C", ["-c:v", "libaom-av1", "-still-picture", "1", "-cpu-used", "8", "-crf", "5"]),
}


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *parts)


@pytest.fixture(scope="module")
def stills(tmp_path_factory):
    """Return one coded picture of each kind, with what its decoder needs: white at the left, red above at the right."""
    folder = tmp_path_factory.mktemp("stills")
    values = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    values[:, : WIDTH // 4] = 255
    values[: HEIGHT // 4, WIDTH * 3 // 4 :] = (255, 0, 0)
    PillowImage.fromarray(values).save(folder / "picture.png")
    coded = {}
    for name, (_, _, options) in _CODECS.items():
        film = folder / f"{name}.mp4"
        plain = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(folder / "picture.png"), "-frames:v", "1"]
        subprocess.run([*plain, *options, "-pix_fmt", "yuv420p", str(film)], check=True, timeout=PATIENCE)
        with av.open(str(film)) as container:
            packet = next(container.demux(video=0))
            coded[name] = bytes(packet), bytes(container.streams.video[0].codec_context.extradata)
    return coded


def heif(name: str, still: tuple[bytes, bytes], *properties: bytes, exif: bytes = b"") -> bytes:
    """Return the file of one picture with the properties given, and EXIF data."""
    (code, setup, _), (data, told) = _CODECS[name], still
    brand = b"avif" if name == "avif" else b"heic"
    kind = box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf")
    size = full(b"ispe", struct.pack(">II", WIDTH, HEIGHT))
    own = [size, box(setup, told), full(b"pixi", b"\3\x08\x08\x08"), *properties]
    needed = bytes(place | (0x80 if one[4:8] not in (b"ispe", b"pixi") else 0) for place, one in enumerate(own, 1))
    items = [full(b"infe", struct.pack(">HH", 1, 0), code, b"\0", version=2)]
    links = b""
    if exif:
        items.append(full(b"infe", struct.pack(">HH", 2, 0), b"Exif", b"\0", version=2))
        links = full(b"iref", box(b"cdsc", struct.pack(">HHH", 2, 1, 1)))

    def description(at: int) -> bytes:
        places = [(1, at, len(data)), (2, at + len(data), len(exif))][: len(items)]
        listed = b"".join(struct.pack(">HHHII", number, 0, 1, begin, length) for number, begin, length in places)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", struct.pack(">HH", 0x4400, len(items)), listed),
            full(b"iinf", struct.pack(">H", len(items)), *items),
            links,
            box(b"iprp", box(b"ipco", *own), full(b"ipma", struct.pack(">IHB", 1, 1, len(own)), needed)),
        )

    begin = len(kind) + len(description(0)) + 8
    return kind + description(begin) + box(b"mdat", data, exif)


def turned(quarters: int) -> bytes:
    return box(b"irot", bytes([quarters]))


def mirrored(axis: int) -> bytes:
    return box(b"imir", bytes([axis]))


def exif_of(orientation: int) -> bytes:
    exif = PillowImage.Exif()
    exif[274] = orientation
    return bytes(4) + exif.tobytes().removeprefix(b"Exif\0\0")


# What lies where: the white stripe and the red corner, of the picture as it is shown.
SHOWN = {
    "as it is": ((), b"", "left", "top right"),
    "a quarter anticlockwise": ((turned(1),), b"", "bottom", "top left"),
    "half a turn": ((turned(2),), b"", "right", "bottom left"),
    "a quarter clockwise": ((turned(3),), b"", "top", "bottom right"),
    "mirrored top to bottom": ((mirrored(0),), b"", "left", "bottom right"),
    "mirrored left to right": ((mirrored(1),), b"", "right", "top left"),
    "turned, then mirrored": ((turned(1), mirrored(1)), b"", "bottom", "top right"),
    "turned, and EXIF data that say otherwise": ((turned(3),), exif_of(8), "top", "bottom right"),
    "EXIF data alone, which do not count": ((), exif_of(6), "left", "top right"),
}
_STRIPES = {
    "left": np.s_[:, :6],
    "right": np.s_[:, -6:],
    "top": np.s_[:6, :],
    "bottom": np.s_[-6:, :],
}
_CORNERS = {
    "top left": np.s_[3:8, 3:8],
    "top right": np.s_[3:8, -8:-3],
    "bottom left": np.s_[-8:-3, 3:8],
    "bottom right": np.s_[-8:-3, -8:-3],
}


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("name", _CODECS)
def test_a_picture_that_its_boxes_turn(name, kind, stills, tmp_path):
    properties, exif, stripe, corner = SHOWN[kind]
    path = tmp_path / f"picture.{name}"
    path.write_bytes(heif(name, stills[name], *properties, exif=exif))
    image = read_image(path)
    sideways = stripe in ("top", "bottom")
    assert image.shape == ((WIDTH, HEIGHT, 3) if sideways else (HEIGHT, WIDTH, 3))
    assert image[_STRIPES[stripe]].min() > 200
    assert image[_CORNERS[corner]].reshape(-1, 3).mean(axis=0) == pytest.approx([255, 0, 0], abs=30)


def test_the_clean_aperture_of_a_heic(stills, tmp_path):
    aperture = box(b"clap", struct.pack(">IIIIiIiI", 48, 1, 32, 1, 24, 1, -16, 1))  # the quarter above at the right
    path = tmp_path / "picture.heic"
    path.write_bytes(heif("heic", stills["heic"], aperture))
    image = read_image(path)
    assert image.shape == (32, 48, 3)
    assert image[_CORNERS["top right"]].reshape(-1, 3).mean(axis=0) == pytest.approx([255, 0, 0], abs=30)


def test_the_first_picture_of_an_animated_avif(tmp_path):
    frames = [PillowImage.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    memory = io.BytesIO()
    frames[0].save(memory, "AVIF", save_all=True, append_images=frames[1:], quality=100)
    (tmp_path / "moving.avif").write_bytes(memory.getvalue())
    assert read_image(tmp_path / "moving.avif")[8, 8].tolist() == pytest.approx([255, 0, 0], abs=10)
