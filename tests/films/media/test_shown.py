"""The picture as it is shown: turned, stretched, whole, in ordinary light, at one size."""

from __future__ import annotations

import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facelib.films.media.decode import probe, read_frames
from facelib.films.media.encode import write_film
from facelib.films.media.shown import Turn, pixel_aspect, turn_of
from facelib.films.media.tones import HLG, PQ, to_ordinary
from facelib.images import sharpness

BOX = (0.125, 0.125, 0.375, 0.5)
# The eight ways to lay a rectangle on itself: a, b, c and d of the matrix, and where the box then is.
EIGHT = {
    "as it is": ((1, 0, 0, 1), BOX),
    "mirrored": ((-1, 0, 0, 1), (0.625, 0.125, 0.875, 0.5)),
    "upside down and mirrored": ((1, 0, 0, -1), (0.125, 0.5, 0.375, 0.875)),
    "half a turn": ((-1, 0, 0, -1), (0.625, 0.5, 0.875, 0.875)),
    "a quarter clockwise": ((0, 1, -1, 0), (0.5, 0.125, 0.875, 0.375)),
    "a quarter anticlockwise": ((0, -1, 1, 0), (0.125, 0.625, 0.5, 0.875)),
    "transposed": ((0, 1, 1, 0), (0.125, 0.125, 0.5, 0.375)),
    "transposed the other way": ((0, -1, -1, 0), (0.5, 0.625, 0.875, 0.875)),
}


def written(film, tmp_path):
    out = tmp_path / "written.mp4"
    write_film(film, out, lambda frame, planes: None)
    return out


NAMES = ("film.mp4", "film.mov", "film.3gp")


@pytest.fixture(scope="module")
def straight_films(scene, ffmpeg, tmp_path_factory):
    """The folder of films that are shown as they are, by one run of ffmpeg, which takes long to start."""
    folder, outputs = tmp_path_factory.mktemp("straight"), []
    for name in NAMES:
        outputs += ["-map", "0:v", "-c:v", "libx264", "-pix_fmt", "yuv420p", folder / name]
    ffmpeg(*scene(seconds=0.2)[:4], *outputs)
    return folder


@pytest.mark.parametrize("kind", EIGHT)
@pytest.mark.parametrize("name", NAMES)
def test_the_whole_display_matrix(kind, name, straight_films, set_matrix, white_box, iou, tmp_path):
    matrix, box = EIGHT[kind]
    film = Path(shutil.copy(straight_films / name, tmp_path))
    set_matrix(film, matrix)
    size = (96, 64) if matrix[0] else (64, 96)
    for path in (film, written(film, tmp_path)):
        frame = next(read_frames(path))
        assert (frame.width, frame.height) == size
        assert iou(white_box(frame.image()), box) > 0.9
        assert iou(white_box(frame.preview(96)), box) > 0.9


def test_a_decoder_that_keeps_the_last_row_first(scene, ffmpeg, white_box, iou, tmp_path):
    """As those of AMV and of Flash's VP6 do."""
    sound = ["-c:a", "adpcm_ima_amv", "-ar", "22050", "-ac", "1", "-block_size", "882"]
    film = ffmpeg(
        *scene(seconds=0.2), "-c:v", "amv", "-pix_fmt", "yuvj420p", "-q:v", "2", *sound, tmp_path / "film.amv"
    )
    for path in (film, written(film, tmp_path)):
        assert iou(white_box(next(read_frames(path)).image()), BOX) > 0.85


ORIENTED = {
    "rotate=180": (0.625, 0.5, 0.875, 0.875),
    "flip=horizontal": (0.625, 0.125, 0.875, 0.5),
    "rotate=90": (0.125, 0.625, 0.5, 0.875),
    "rotate=90:flip=horizontal": (0.125, 0.125, 0.5, 0.375),  # mirrored first
}


SUFFIXES = ("h264", "ts", "mkv", "mp4")


@pytest.fixture(scope="module")
def oriented_films(scene, ffmpeg, tmp_path_factory):
    """The folder of the films of which some frames state an orientation, by one run of ffmpeg."""
    folder, outputs = tmp_path_factory.mktemp("oriented"), []
    for number, kind in enumerate(ORIENTED):
        for suffix in SUFFIXES:
            stated = ["-bsf:v", f"h264_metadata=display_orientation=insert:{kind}"]
            outputs += ["-map", "0:v", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "6", "-bf", "2", *stated]
            outputs += [folder / f"{number}.{suffix}"]
    ffmpeg(*scene(seconds=0.6)[:4], *outputs)
    return folder


@pytest.mark.parametrize("kind", ORIENTED)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_orientation_that_only_some_frames_state(kind, suffix, oriented_films, white_box, iou, tmp_path):
    film = oriented_films / f"{list(ORIENTED).index(kind)}.{suffix}"
    for path in (film, written(film, tmp_path)):
        frames = list(read_frames(path))
        assert len(frames) == 15
        assert min(iou(white_box(frame.image()), ORIENTED[kind]) for frame in frames) > 0.85


def test_a_matrix_that_is_none_of_the_eight_is_the_nearest():
    ten_degrees = [round(value * 65536) for value in (0.985, 0.174, 0, -0.174, 0.985, 0, 0, 0)]
    assert turn_of(struct.pack("9i", *ten_degrees, 1 << 30)) == Turn()
    assert turn_of(b"") == Turn()


SQUEEZED = [
    *(("film.mp4", "libx264", aspect) for aspect in ("2/1", "64/45", "16/15", "4/3", "8/9")),
    *(("film.mkv", "libx265", aspect) for aspect in ("2/1", "64/45", "16/15")),
    *(("film.avi", "mpeg4", aspect) for aspect in ("2/1", "64/45", "16/15")),
    *(("film.vob", "mpeg2video", aspect) for aspect in ("32/27", "8/9")),  # MPEG-2 knows the shapes 16:9 and 4:3
]


@pytest.fixture(scope="module")
def squeezed_films(scene, ffmpeg, tmp_path_factory):
    """The folder of the films whose pixels are not square, by one run of ffmpeg."""
    folder, outputs = tmp_path_factory.mktemp("squeezed"), []
    for number, (name, codec, aspect) in enumerate(SQUEEZED):
        options = ["-x265-params", "log-level=none"] if codec == "libx265" else []
        video = ["-vf", f"setsar={aspect}", "-c:v", codec, *options, "-pix_fmt", "yuv420p"]
        outputs += ["-map", "0:v", *video, folder / f"{number} {name}"]
    ffmpeg(*scene(seconds=0.2)[:4], *outputs)
    return folder


@pytest.mark.parametrize(("name", "codec", "aspect"), SQUEEZED)
def test_pixels_that_are_not_square(name, codec, aspect, squeezed_films, white_box, iou, tmp_path):
    stretched = Fraction(aspect)
    film = squeezed_films / f"{SQUEEZED.index((name, codec, aspect))} {name}"
    out = written(film, tmp_path)
    size = (round(96 * stretched), 64) if stretched > 1 else (96, round(64 / stretched))
    assert (probe(film).width, probe(film).height) == size
    with av.open(str(out)) as container:
        assert container.streams.video[0].sample_aspect_ratio in (None, 0, 1)
    for path in (film, out):
        assert iou(white_box(next(read_frames(path)).image()), BOX) > 0.9


def test_a_shape_of_pixels_that_cannot_be_is_none():
    assert [pixel_aspect(told) for told in (None, 0, Fraction(1, 100), Fraction(64, 45))] == [1, 1, 1, Fraction(64, 45)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mpg", ["-c:v", "mpeg2video", "-flags", "+ildct+ilme"]),
        ("film.ts", ["-c:v", "libx264", "-x264-params", "tff=1"]),
        ("film.mxf", ["-c:v", "mpeg2video", "-flags", "+ildct+ilme"]),
        ("film.mkv", ["-c:v", "libx264", "-x264-params", "bff=1"]),
    ],
)
def test_fields_are_not_woven_together(name, options, ffmpeg, tmp_path):
    """A white bar that runs across: woven fields show a comb at its edges, rows that jump to and fro."""
    scan = "bff" if "bff=1" in options else "tff"
    bar = "color=black:s=192x128:r=50:d=0.6,geq=lum='if(between(X-mod(N*8,160),0,32),235,16)':cb=128:cr=128"
    film = ffmpeg("-f", "lavfi", "-i", f"{bar},interlace=scan={scan}:lowpass=0", "-pix_fmt", "yuv420p", *options,
                  "-q:v", "2", "-top", "0" if scan == "bff" else "1", tmp_path / name)  # fmt: skip

    def comb(path):
        planes = [frame.planes()[0].astype(int) for frame in read_frames(path)]
        return max(np.abs(luma[1:-1:2] - (luma[:-2:2] + luma[2::2]) / 2).max(axis=0).sum() for luma in planes)

    with av.open(str(film)) as container:
        frames = list(container.decode(video=0))
        assert all(frame.interlaced_frame for frame in frames)
        woven = max(np.abs(y[1:-1:2] - (y[:-2:2] + y[2::2]) / 2).max(axis=0).sum()
                    for y in (frame.to_ndarray(format="gray").astype(int) for frame in frames))  # fmt: skip
    assert len(list(read_frames(film))) == len(frames)
    assert comb(film) < woven / 2
    assert comb(written(film, tmp_path)) < woven / 2


@pytest.mark.parametrize("name", ["film.ts", "film.mpg", "film.m2ts"])
def test_a_change_of_size_keeps_one_coordinate_system(name, scene, ffmpeg, white_box, iou, tmp_path):
    suffix = name.rpartition(".")[2]
    codec = ["-c:v", "mpeg2video", "-q:v", "2"] if suffix == "mpg" else ["-c:v", "libx264", "-pix_fmt", "yuv420p"]
    pieces = [
        ffmpeg(
            *scene(size, seconds=0.6),
            *codec,
            "-c:a",
            "mp2",
            "-output_ts_offset",
            str(number),
            tmp_path / f"{number}.{suffix}",
        )
        for number, size in enumerate([(96, 64), (192, 128), (96, 96)])
    ]
    film = tmp_path / name
    film.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    for path in (film, written(film, tmp_path)):
        frames = list(read_frames(path))
        # At a change of size the decoder of MPEG-2 keeps the picture that it holds back.
        assert len(frames) == (43 if suffix == "mpg" else 45)
        assert {(frame.width, frame.height, frame.image().shape, frame.preview(48).shape) for frame in frames} == {
            (96, 64, (64, 96, 3), (32, 48, 3))
        }
        for frame in (frames[0], frames[20]):
            assert iou(white_box(frame.image()), BOX) > 0.85
        # The last is as high as it is wide: it stands in the middle, with bars at its sides.
        third = (1 / 6 + BOX[0] * 2 / 3, BOX[1], 1 / 6 + BOX[2] * 2 / 3, BOX[3])
        assert iou(white_box(frames[40].image()), third) > 0.85
        assert frames[40].image()[:, :14].max() < 40


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mkv", ["-c:v", "ffv1", "-pix_fmt", "bgr0"]),
        ("film.mov", ["-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"]),
        ("film.mkv", ["-c:v", "libx264", "-pix_fmt", "yuv444p"]),
        ("film.mkv", ["-c:v", "libx264", "-pix_fmt", "yuv420p10le"]),
        ("film.mp4", ["-c:v", "libx264rgb", "-pix_fmt", "rgb24"]),
        ("film.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "2"]),
        ("film.mkv", ["-c:v", "mjpeg", "-pix_fmt", "yuvj444p", "-q:v", "2"]),
        ("film.gif", ["-c:v", "gif"]),
        ("film.mkv", ["-c:v", "ffv1", "-pix_fmt", "gray"]),
    ],
)
def test_every_depth_and_range_keeps_its_colours(name, options, scene, ffmpeg, tmp_path):
    film = ffmpeg(*scene((96, 64), seconds=0.2), "-an", *options, tmp_path / name)
    before, after = (next(read_frames(path)).image().astype(int) for path in (film, written(film, tmp_path)))
    for row, column in ((20, 24), (51, 30), (12, 78), (36, 60)):  # white, green, red, grey: inside each
        was, now = (image[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1)) for image in (before, after))
        assert np.abs(was - now).max() < 14
    assert before[20, 24].min() > 225 and before[36, 60].max() < 70


@pytest.mark.parametrize(("curve", "number"), [("smpte2084", PQ), ("arib-std-b67", HLG)])
@pytest.mark.parametrize("name", ["film.mkv", "film.mp4", "film.ts"])
def test_high_dynamic_range_is_brought_to_an_ordinary_screen(curve, number, name, ffmpeg, tmp_path):
    """Paper white, at 58 % of PQ and 75 % of HLG, is nearly white; skin stays far from black and white."""
    paper = {PQ: 0.58, HLG: 0.75}[number]
    level = round(64 + 876 * paper)
    lum = f"if(lt(X,48),{level},{level * 0.7})"
    picture = f"color=black:s=96x64:r=25:d=0.2,format=yuv420p10le,geq=lum='{lum}':cb=512:cr=512"
    tags = f"colorprim=bt2020:transfer={curve}:colormatrix=bt2020nc:log-level=none"
    film = ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx265", "-x265-params", tags, tmp_path / name)
    out = written(film, tmp_path)
    for path in (film, out):
        image = next(read_frames(path)).image()
        assert image[30, 20].min() > 205 and 60 < image[30, 80].mean() < 190
    with av.open(str(out)) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_trc, frame.color_primaries, frame.colorspace) == (1, 1, 1)


def test_tones_rise_and_stay_grey():
    for curve in (PQ, HLG):
        greys = to_ordinary(np.linspace(0, 1, 65)[:, None].repeat(3, axis=1), curve)
        assert np.all(np.diff(greys[:, 0]) >= -1e-9) and greys[0, 0] == 0 and greys[-1, 0] > 0.97
        assert np.allclose(greys, greys[:, :1], atol=2e-3)


@pytest.mark.parametrize("form", ["yuv420p", "yuvj420p", "yuv444p", "gray"])
def test_a_face_is_as_sharp_in_the_luma_plane_as_in_rgb(form, ffmpeg, tmp_path):
    # Strong colours would be cut off in RGB.
    source = ["-f", "lavfi", "-i", "testsrc2=s=330x201:d=0.1,hue=s=0.2", "-c:v", "libx264", "-pix_fmt", form]
    frame = next(read_frames(ffmpeg(*source, tmp_path / "film.mp4")))
    luma = frame.planes(own=False)[0]
    for box in ([70, 70, 166, 166], [3, 20, 61, 90], [200, 60, 330, 201]):
        assert frame.contrast**2 * sharpness(luma, box) == pytest.approx(sharpness(frame.image(), box), rel=0.05)


def test_planes_that_nobody_draws_on_are_not_copied(scene, ffmpeg, tmp_path):
    film = ffmpeg(*scene(), "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", tmp_path / "film.mp4")
    frame = next(read_frames(film))
    own, shared = frame.planes(), frame.planes(own=False)
    assert all(np.array_equal(*pair) for pair in zip(own, shared, strict=True))
    own[0][:] = 0
    assert frame.planes()[0].any()
    assert np.shares_memory(shared[0], frame.planes(own=False)[0])
