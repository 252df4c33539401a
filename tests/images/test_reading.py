"""Every kind of picture people have is read, or refused in words."""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import ExitStack, nullcontext

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from PIL import ImageFile

from facelib.images import (
    UnreadablePicture,
    check_picture,
    crop,
    encode_jpeg,
    is_picture,
    jpeg_uri,
    large,
    png,
    read_image,
    sharpness,
    thumbnail,
)
from facelib.images.reading import open_picture

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


def ramp(levels: int) -> np.ndarray:
    """A grey ramp from 0 to `levels - 1`, lighter from left to right, `(16, 64)`."""
    return np.broadcast_to(np.linspace(0, levels - 1, 64).round(), (16, 64)).copy()


GREY_RAMP = ramp(256)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("shares.tif", (ramp(256) / 255).astype(np.float32), {"photometric": "minisblack"}),
        ("levels.tif", ramp(256).astype(np.float32), {"photometric": "minisblack"}),
        ("double.tif", (ramp(256) / 255).astype(np.float64), {"photometric": "minisblack"}),
        ("ten.tif", ramp(2**10).astype(np.uint16), {"photometric": "minisblack"}),  # 10 bits in 16
        ("twelve.tif", ramp(2**12).astype(np.uint16), {"photometric": "minisblack"}),
        ("fourteen.tif", ramp(2**14).astype(np.uint16), {"photometric": "minisblack"}),
        ("sixteen.tif", ramp(2**16).astype(np.uint16), {"photometric": "minisblack"}),
        ("packed.tif", ramp(2**16).astype(np.uint16), {"photometric": "minisblack", "compression": "zlib"}),
        ("white.tif", (2**16 - 1 - ramp(2**16)).astype(np.uint16), {"photometric": "miniswhite"}),
        ("white8.tif", (255 - ramp(256)).astype(np.uint8), {"photometric": "miniswhite"}),
        (
            "planes.tif",
            np.stack([ramp(2**16)] * 3).astype(np.uint16),
            {"photometric": "rgb", "planarconfig": "separate"},
        ),
        ("planes8.tif", np.stack([ramp(256)] * 3).astype(np.uint8), {"photometric": "rgb", "planarconfig": "separate"}),
        ("rgb16.tif", np.stack([ramp(2**16)] * 3, -1).astype(np.uint16), {"photometric": "rgb"}),
        ("rgbfloat.tif", np.stack([ramp(256) / 255] * 3, -1).astype(np.float32), {"photometric": "rgb"}),
    ],
)
def test_deep_tiffs_are_read_right(tmp_path, name, content, options):
    tifffile.imwrite(tmp_path / name, content, **options)
    image = read_image(tmp_path / name)
    assert image.shape == (16, 64, 3)
    assert np.abs(image.astype(int) - GREY_RAMP[..., None]).max() <= 1


def test_a_deep_tiff_of_another_kind_is_refused_by_its_kind(tmp_path):
    tifffile.imwrite(tmp_path / "press.tif", np.zeros((8, 8, 4), np.uint16), photometric="separated")
    with pytest.raises(UnreadablePicture, match=r"press\.tif.*photometric interpretation 5"):
        read_image(tmp_path / "press.tif")


@pytest.mark.parametrize("kind", ["minisblack", "miniswhite", "float", "rgb"])
def test_a_deep_tiff_in_lzw_is_read(tmp_path, kind):
    levels = ramp(2**16)
    content = {"float": (levels / (2**16 - 1)).astype(np.float32), "rgb": np.stack([levels] * 3, -1).astype(np.uint16)}
    path, lzw = tmp_path / "packed.tif", [cv2.IMWRITE_TIFF_COMPRESSION, 5]
    cv2.imwrite(str(path), content.get(kind, levels.astype(np.uint16)), lzw)
    with tifffile.TiffFile(path, mode="r+b") as opened:
        page = opened.pages[0]
        assert page.compression == 5
        if kind == "miniswhite":
            page.tags["PhotometricInterpretation"].overwrite(0)
    shown = 255 - GREY_RAMP if kind == "miniswhite" else GREY_RAMP
    assert np.abs(read_image(path).astype(int) - shown[..., None]).max() <= 1


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_tiff_that_begins_with_its_thumbnail_is_read_large(tmp_path, depth):
    path, levels = tmp_path / "scan.tif", ramp(np.iinfo(depth).max + 1).astype(depth)
    tifffile.imwrite(path, levels[::4, ::4], photometric="minisblack", subfiletype=1)
    tifffile.imwrite(path, levels, photometric="minisblack", append=True)
    assert np.abs(read_image(path).astype(int) - GREY_RAMP[..., None]).max() <= 1


def test_values_below_zero_are_dark(tmp_path):
    tifffile.imwrite(tmp_path / "signed.tif", (ramp(256) - 128).astype(np.int8), photometric="minisblack")
    assert np.abs(read_image(tmp_path / "signed.tif").astype(int) - GREY_RAMP[..., None]).max() <= 1


@pytest.mark.parametrize("bits", [10, 12])
def test_a_png_that_uses_fewer_bits_than_it_has_is_not_black(tmp_path, bits):
    PillowImage.fromarray(ramp(2**bits).astype(np.uint16)).save(tmp_path / "camera.png")
    assert np.abs(read_image(tmp_path / "camera.png").astype(int) - GREY_RAMP[..., None]).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "JPEG2000", "TIFF", "GIF", "BMP", "PPM", "MPO"])
def test_the_content_tells_the_format_whatever_the_file_is_called(tmp_path, kind):
    picture = PillowImage.new("RGB", (64, 48), GREEN)
    path = tmp_path / "portrait.txt"
    picture.save(path, kind)
    assert is_picture(path)
    assert np.abs(read_image(path)[24, 32].astype(int) - GREEN).max() <= 12


@pytest.mark.parametrize("name", ["a.tga", "a.pcx", "a.ico", "a.icns", "a.qoi", "a.dds", "a.TGA"])
def test_other_formats_that_pillow_reads(tmp_path, name):
    path = saved(tmp_path, name, "RGB", GREEN)
    assert is_picture(path)
    assert np.abs(read_image(path)[0, 0].astype(int) - GREEN).max() <= 2


def test_a_format_without_a_mark_is_told_by_its_suffix_alone(tmp_path):
    path = saved(tmp_path, "a.tga", "RGB", GREEN).rename(tmp_path / "a.bin")
    assert not is_picture(path)


@pytest.mark.parametrize("quarter", [False, True])
def test_a_jpeg_of_200_million_pixels_is_read_at_half_its_size(tmp_path, quarter):
    width, height = 16_320, 12_240  # as of the largest telephones
    picture = PillowImage.new("L", (width, height), 90)
    picture.paste(200, (0, 0, width // 2, height))
    exif = picture.getexif()
    exif[0x0112] = 6 if quarter else 1
    picture.save(tmp_path / "telephone.jpg", exif=exif)
    assert is_picture(tmp_path / "telephone.jpg")
    assert check_picture(tmp_path / "telephone.jpg") == (width, height, "JPEG")
    image = read_image(tmp_path / "telephone.jpg")
    assert image.shape == ((width // 2, height // 2, 3) if quarter else (height // 2, width // 2, 3))
    upright = image.transpose(1, 0, 2) if quarter else image
    assert [int(upright[100, place, 0]) for place in (100, -100)] == [200, 90]


def test_other_pictures_beyond_100_million_pixels_are_made_smaller(tmp_path):
    PillowImage.new("L", (10_400, 10_000), 90).save(tmp_path / "scan.png", compress_level=1)
    image = read_image(tmp_path / "scan.png")
    assert image.shape == (5000, 5200, 3) and image.min() == image.max() == 90


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_strips_of_a_png_are_its_rows(tmp_path, monkeypatch, mode, steps):
    monkeypatch.setattr(png, "_STRIP", 4096)  # some strips, and a last one that is shorter
    values = np.random.default_rng(0).integers(0, 255, (61, 83, 4), np.uint8).cumsum(axis=1, dtype=np.uint8)
    picture = (
        PillowImage.fromarray(values).convert("RGB").convert(mode) if mode != "RGBA" else PillowImage.fromarray(values)
    )
    path = tmp_path / "picture.png"
    exif = picture.getexif()
    exif[0x0112] = 3
    picture.save(path, exif=exif)
    made = png.read_large_png(path, steps=steps, size=(83, 61))
    expected = png.on_white(picture).reduce(1 << steps)
    assert np.array_equal(np.asarray(made), np.asarray(expected)) and made.getexif()[0x0112] == 3


def large_png(path, width, height, *, depth=8, interlaced=0, rows=None):
    """Write a grey PNG, light above and dark below, without holding it."""
    packer = zlib.compressobj(1)
    row = {place: b"\0" + bytes([value]) * (width * depth // 8) for place, value in ((0, 200), (1, 90))}
    packed = b"".join(packer.compress(row[2 * at // height]) for at in range(height if rows is None else rows))
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlaced)
    chunks = [(b"IHDR", header), (b"IDAT", packed + packer.flush()), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    path.write_bytes(png.SIGNATURE + body)


def test_a_png_of_200_million_pixels_is_read_at_half_its_size(tmp_path):
    large_png(tmp_path / "poster.png", 16_320, 12_240)
    assert is_picture(tmp_path / "poster.png")
    image = read_image(tmp_path / "poster.png")
    assert image.shape == (6_120, 8_160, 3)
    assert [(int(half.min()), int(half.max())) for half in (image[:3_060], image[3_060:])] == [(200, 200), (90, 90)]


def test_a_large_png_is_measured_as_it_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 3000)
    monkeypatch.setattr(large, "LARGEST_WHOLE", 5000)
    monkeypatch.setattr(png, "_STRIP", 2000)
    large_png(tmp_path / "poster.png", 100, 120)
    assert check_picture(tmp_path / "poster.png") == (100, 120, "PNG")
    assert read_image(tmp_path / "poster.png").shape == (60, 50, 3)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"depth": 16}, "16 bits"), ({"interlaced": 1}, "an interlaced one"), ({"rows": 5}, "rows are missing")],
)
def test_a_large_png_that_cannot_be_read_in_strips_is_refused_in_words(tmp_path, options, reason):
    large_png(tmp_path / "poster.png", 16_320, 12_240, **{"rows": 1, **options})
    with pytest.raises(UnreadablePicture, match=reason):
        read_image(tmp_path / "poster.png")


def chunk(kind, content, *, damaged=False):
    checksum = zlib.crc32(kind + content) ^ damaged
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize(
    "metadata",
    [
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"zTXt", b"history\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"a" * 3_000_000)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"a" * 1_000_000)) * 70,
        chunk(b"eXIf", b"\xff\xff no EXIF data"),
        chunk(b"tEXt", b"name\0text", damaged=True),
        chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff\x12\1\3\0", damaged=True),
    ],
    ids=["profile", "text", "XMP", "many", "EXIF", "checksum", "EXIF and checksum"],
)
def test_metadata_do_not_cost_a_png_its_picture(tmp_path, metadata, behind):
    path = saved(tmp_path, "picture.png", "RGB", GREEN)
    content = path.read_bytes()
    at = len(content) - 12 if behind else 33
    (tmp_path / "picture").write_bytes(content[:at] + metadata + content[at:])
    assert is_picture(tmp_path / "picture")
    assert check_picture(tmp_path / "picture")[:2] == (8, 6)
    assert read_image(tmp_path / "picture")[3, 3].tolist() == list(GREEN)


def test_what_is_stripped_from_a_png_is_not_its_orientation(tmp_path):
    picture = PillowImage.new("RGB", (8, 6), GREEN)
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.png", exif=exif)
    content = (tmp_path / "turned.png").read_bytes()
    (tmp_path / "turned.png").write_bytes(content[:33] + chunk(b"tEXt", b"a\0b", damaged=True) + content[33:])
    assert read_image(tmp_path / "turned.png").shape == (8, 6, 3)


def test_pixels_with_a_wrong_checksum_are_no_picture(tmp_path):
    path = saved(tmp_path, "picture.png", "RGB", GREEN)
    content = bytearray(path.read_bytes())
    content[-20] ^= 255
    path.write_bytes(content)
    with pytest.raises(UnreadablePicture):
        read_image(path)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif", "tif", "png"])
@pytest.mark.parametrize(
    "exif", [b"II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\2\0\0\0six\0", b"junk"]
)
def test_exif_data_that_cannot_be_read_turn_nothing(tmp_path, suffix, exif):
    path = tmp_path / f"picture.{suffix}"
    picture = PillowImage.new("RGB", (16, 12), GREEN)
    try:
        picture.save(path, exif=exif)
    except Exception:  # Pillow reads them while it writes some formats
        pytest.skip("Pillow does not write them")
    image = read_image(path)
    assert image.shape == (12, 16, 3) and np.abs(image[6, 8].astype(int) - GREEN).max() < 12


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_white_stays_white_in_a_deep_jpeg_2000(tmp_path, bits):
    values = np.zeros((96, 128, 3), np.uint16)
    values[:48], values[48:, :64] = (1 << bits) - 1, (0, 0, (1 << bits) - 1)  # white, and red in BGR
    assert cv2.imwrite(str(tmp_path / "deep.jp2"), values)
    image = read_image(tmp_path / "deep.jp2")
    assert [image[place].tolist() for place in ((9, 9), (80, 9), (80, 99))] == [[255] * 3, [255, 0, 0], [0] * 3]


def test_a_grey_jpeg_2000_of_16_bits(tmp_path):
    PillowImage.fromarray(np.full((6, 8), 65535, np.uint16)).save(tmp_path / "deep.jp2")
    assert read_image(tmp_path / "deep.jp2").min() == 255


def test_a_header_that_asks_for_more_memory_than_there_is(tmp_path):
    path = tmp_path / "damaged.jp2"
    path.write_bytes(b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">I4sQ", 1, b"jp2h", 2**62) + bytes(40))
    with pytest.raises(UnreadablePicture, match=r"damaged\.jp2': it needs more memory than there is"):
        read_image(path)


def test_a_picture_that_goes_while_it_is_read_is_unreadable(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")

    def gone(path):
        path.unlink()
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("facelib.images.reading._read", gone)
    with pytest.raises(UnreadablePicture, match="No such file or directory"):
        read_image(path)


def test_a_jpeg_xl_is_called_so_whatever_its_suffix(tmp_path):
    path = tmp_path / "portrait.jpg"
    path.write_bytes(b"\xff\x0a\x00\x10")
    with pytest.raises(UnreadablePicture, match="a JPEG XL picture, which cannot be read: save it as JPEG"):
        read_image(path)


def test_of_a_raw_picture_the_thumbnail_is_not_taken(tmp_path):
    path = tmp_path / "portrait.tif"
    with tifffile.TiffWriter(path) as written:
        written.write(np.zeros((12, 16, 3), np.uint8), photometric="rgb", subfiletype=1, subifds=1)
        written.write(np.zeros((120, 160), np.uint16), photometric="cfa")
    with pytest.raises(UnreadablePicture, match=r"thumbnails only, beside a picture in a form .* save it as JPEG"):
        read_image(path)
    with pytest.raises(UnreadablePicture, match="a raw picture of a camera, which cannot be read: save it as JPEG"):
        check_picture(path.rename(tmp_path / "portrait.DNG"))


def test_a_tiff_without_its_end_is_called_truncated(tmp_path):
    path = tmp_path / "half.tif"
    path.write_bytes(b"II*\0" + (5000).to_bytes(4, "little") + bytes(1000))
    with pytest.raises(UnreadablePicture, match="image file is truncated: copy it again"):
        read_image(path)


@pytest.mark.parametrize("kind", ["tiff_lzw", "tiff_deflate", "group4", "deep lzw"])
def test_of_a_damaged_tiff_nothing_is_written_past_python(tmp_path, kind, capfd):
    rng, path = np.random.default_rng(1), tmp_path / "a.tif"
    if kind == "deep lzw":
        deep = rng.integers(0, 65536, (200, 300, 3), np.uint16)
        content = bytearray(cv2.imencode(".tiff", deep, [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1])
    else:
        picture = PillowImage.fromarray(rng.integers(0, 256, (200, 300, 3), np.uint8))
        picture.convert("1" if kind == "group4" else "RGB").save(path, compression=kind)
        content = bytearray(path.read_bytes())
    for at in rng.integers(300, len(content) - 600, 200):
        content[at] ^= 255
    path.write_bytes(content)
    with nullcontext() if kind == "group4" else pytest.raises(UnreadablePicture, match="pixels are damaged: copy it"):
        read_image(path)
    assert capfd.readouterr().err == ""


def test_an_empty_file_is_called_so(tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnreadablePicture, match="is empty: copy it again"):
        read_image(tmp_path / "empty.jpg")


@pytest.mark.parametrize("missing", [1, 2, 3, 10, 50])
def test_a_jpeg_without_its_last_bytes_is_read(tmp_path, missing):
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    PillowImage.fromarray(picture).save(whole)
    cut.write_bytes(whole.read_bytes()[:-missing])
    assert np.abs(read_image(cut).astype(int) - read_image(whole)).mean() < 2


def test_a_telephones_heic_is_read(pytestconfig):
    path = pytestconfig.rootpath.parent / "shared/cases/pictures/suffixes/people/Jackie Chan/09.heic"
    if not path.is_file():
        pytest.skip(f"expected the cases beside the checkout, found no {path.name}")
    assert is_picture(path) and read_image(path).std() > 20


def test_a_jpeg_of_which_an_eighth_is_missing_is_not(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    path = tmp_path / "cut.jpg"
    PillowImage.fromarray(picture).save(path)
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 8])
    with pytest.raises(UnreadablePicture, match="rows are missing"):
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


def test_pictures_that_are_open_at_once_leave_pillow_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    path, before = tmp_path / "a.png", list(warnings.filters)
    PillowImage.new("RGB", (4, 4)).save(path)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(open_picture(path))
        second.enter_context(open_picture(path))  # in another thread
        first.close()
        assert not ImageFile.LOAD_TRUNCATED_IMAGES
        second.close()
    assert ImageFile.LOAD_TRUNCATED_IMAGES and list(warnings.filters) == before


def test_bomb_is_refused(tmp_path):
    path = tmp_path / "huge.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + bytes(4)]
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert is_picture(path)
    with pytest.raises(UnreadablePicture, match=r"at most 1000 million pixels.*save it smaller"):
        read_image(path)


def test_a_deep_tiff_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path):
    tifffile.imwrite(tmp_path / "huge.tif", np.zeros((8, 8), np.uint16), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "huge.tif", mode="r+b") as opened:
        for side in ("ImageWidth", "ImageLength"):
            opened.pages[0].tags[side].overwrite(60_000)
    with pytest.raises(UnreadablePicture, match=r"at most 179 million pixels, got 60000 x 60000; save it smaller"):
        read_image(tmp_path / "huge.tif")


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
    image = np.random.default_rng(0).integers(0, 255, (120, 120, 3), np.uint8)
    values = [sharpness(cv2.GaussianBlur(image, (0, 0), sigma), [0, 0, 120, 120]) for sigma in (0.5, 1, 3)]
    assert values == sorted(values, reverse=True)
    assert sharpness(image, [500, 500, 600, 600]) == 0


@pytest.mark.parametrize(("shape", "expected"), [((100, 200), (48, 96)), ((10, 20), (10, 20)), ((1000, 1), (96, 1))])
def test_thumbnail(shape, expected):
    assert thumbnail(np.zeros((*shape, 3), np.uint8)).shape[:2] == expected


def test_jpeg_uri():
    assert jpeg_uri(encode_jpeg(np.zeros((4, 4, 3), np.uint8))).startswith("data:image/jpeg;base64,/9j/")
