"""Boxes, names and blurred heads on a picture's planes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import ImageColor

import facelib
from facelib.films.draw import LabelledBox, blur_head, draw_marks
from facelib.films.media.decode import read_frames
from facelib.plots.colours import COLOURS, GREY


def blank(height=120, width=160):
    return (
        np.full((height, width), 16, np.uint8),
        np.full((height // 2, width // 2), 128, np.uint8),
        np.full((height // 2, width // 2), 128, np.uint8),
    )


@pytest.mark.parametrize(
    "box",
    [
        (40, 40, 80, 90),
        (-30, -30, 20, 20),  # over the left top corner
        (140, 100, 200, 160),  # over the right bottom corner
        (-50, -50, -10, -10),  # outside
        (0, 0, 160, 120),  # the whole picture
        (50, 50, 50, 50),  # nothing
    ],
)
def test_every_place_is_survived(box):
    planes = blank()
    draw_marks(planes, [LabelledBox(*box, "Zoë Ünïcode", (0, 114, 178))])
    assert [plane.shape for plane in planes] == [(120, 160), (60, 80), (60, 80)]


def test_box_is_where_it_should_be():
    planes = blank()
    draw_marks(planes, [LabelledBox(40, 50, 80, 90, "A", (255, 255, 255))], line=2)
    luma = planes[0]
    for y, x in [(50, 60), (89, 60), (70, 40), (70, 79)]:
        assert luma[y, x] > 200
    assert (luma[53:87, 43:77] == 16).all()
    assert (luma[:, 90:] == 16).all()


def test_colour_is_kept():
    planes = blank()
    draw_marks(planes, [LabelledBox(40, 50, 80, 90, "A", (255, 0, 0))], line=2)
    assert planes[0][70, 40] == pytest.approx(82, abs=2)
    assert planes[1][35, 20] == pytest.approx(90, abs=2)
    assert planes[2][35, 20] == pytest.approx(240, abs=2)


@pytest.mark.parametrize(
    "boxes",
    [
        [(40, 50, 80, 90)],
        [(40, 2, 80, 60)],  # no room above
        [(30, 0, 70, 120)],  # nor below: a close-up
        [(0, 30, 60, 90), (60, 30, 110, 90)],  # side by side
        [(40, 60, 80, 100), (40, 10, 80, 58)],  # one above the other
    ],
)
def test_a_label_covers_no_face(boxes):
    plain, labelled = blank(), blank()
    draw_marks(plain, [LabelledBox(*box, "", (0, 114, 178)) for box in boxes])
    draw_marks(labelled, [LabelledBox(*box, "Bo", (0, 114, 178)) for box in boxes])
    changed = plain[0] != labelled[0]
    assert changed.sum() > 100 * len(boxes)  # the labels are there
    for left, top, right, bottom in boxes:
        assert not changed[top:bottom, left:right].any()


@pytest.mark.parametrize("colour", [*COLOURS, GREY])
def test_the_letters_of_a_label_stand_out_from_its_ground(colour):
    planes = blank()
    draw_marks(planes, [LabelledBox(40, 50, 80, 90, "MMM", ImageColor.getrgb(colour))])
    label = planes[0][38:50, 40:60].astype(int)
    ground = label[0, 0]
    assert np.abs(label - ground).max() > 80  # of 219, from black to white


@pytest.mark.parametrize("colour", [*COLOURS, GREY])
def test_a_box_is_seen_on_a_ground_of_its_own_colour(colour):
    planes, rgb = blank(), ImageColor.getrgb(colour)
    draw_marks(planes, [LabelledBox(0, 0, 160, 120, "", rgb)], line=120)
    ground = int(planes[0][0, 0])
    draw_marks(planes, [LabelledBox(40, 50, 80, 90, "", rgb)], line=2)
    middles = [int(planes[0][y, x]) for y, x in [(52, 60), (87, 60), (70, 42), (70, 77)]]
    assert min(abs(middle - ground) for middle in middles) > 80  # of 219, from black to white


@pytest.mark.parametrize("size", [(120, 160), (360, 640), (640, 360), (64, 48)])
def test_a_label_is_shortened_to_half_of_the_picture_or_to_a_short_name(size):
    plain, labelled = blank(*size), blank(*size)
    box = (0, size[0] // 2, 20, size[0] // 2 + 10)
    draw_marks(plain, [LabelledBox(*box, "", (0, 114, 178))])
    draw_marks(labelled, [LabelledBox(*box, "Wolfeschlegelstein " * 20, (0, 114, 178))])
    columns = np.flatnonzero((plain[0] != labelled[0]).any(axis=0))
    width = columns[-1] + 1
    assert columns[0] == 0 and size[1] * 0.4 < width <= min(
        size[1], max(size[1] // 2 + 2, 15 * 12 + 2, size[0] // 2 + 2)
    )


def test_where_faces_leave_no_room_a_label_is_drawn_all_the_same():
    planes = blank()
    draw_marks(planes, [LabelledBox(0, 0, 160, 120, "Bo", (255, 255, 255))])
    assert (planes[0][4:116, 4:156] > 16).sum() > 100


def test_without_a_label_there_is_only_a_box():
    planes = blank()
    draw_marks(planes, [LabelledBox(40, 50, 80, 90, "", (255, 255, 255))], line=2)
    assert (planes[0][:50] == 16).all()
    assert (planes[0][50, 40:80] > 200).all()


def noise(height=120, width=160):
    random = np.random.default_rng(0)
    return tuple(random.integers(0, 255, (height // half, width // half), np.uint8) for half in (1, 2, 2))


class TestBlur:
    @pytest.mark.parametrize(
        ("box", "changes"),
        [
            ((60, 50, 80, 80), True),
            ((-30, -30, 20, 20), True),  # over the left top corner
            ((140, 100, 200, 160), True),  # over the right bottom corner
            ((0, 0, 160, 120), True),  # the whole picture
            ((60.2, 50.2, 61.1, 51.1), True),  # less than a pixel of colour
            ((-90, -90, -60, -60), False),  # outside
            ((50, 50, 50, 50), False),  # nothing
            ((80, 50, 60, 80), False),  # inside out
            ((float("nan"), 50, 60, 80), False),
        ],
    )
    def test_every_place_is_survived(self, box, changes):
        before, planes = noise(), noise()
        blur_head(planes, *box)
        assert [plane.shape for plane in planes] == [(120, 160), (60, 80), (60, 80)]
        assert any((a != b).any() for a, b in zip(before, planes, strict=True)) == changes

    def test_covers_the_head_and_leaves_the_rest(self):
        before, planes = noise(), noise()
        blur_head(planes, 60, 50, 80, 80)
        for half, a, b in zip((1, 2, 2), before, planes, strict=True):
            face = (slice(50 // half, 80 // half), slice(60 // half, 80 // half))
            assert b[face].std() < 0.35 * a[face].std()
            assert (b[face] != a[face]).mean() > 0.95  # corners included
            far = np.ones(a.shape, bool)
            far[
                50 // half - 18 // half : 80 // half + 14 // half, 60 // half - 10 // half : 80 // half + 10 // half
            ] = 0
            assert np.array_equal(a[far], b[far])

    def test_little_is_left(self):
        # Two faces that differ only finely give the same blur.
        fine = np.indices((120, 160)).sum(axis=0) % 2 * 60
        one, other = blank(), blank()
        one[0][:] = 100 + fine
        other[0][:] = 160 - fine
        for planes in (one, other):
            blur_head(planes, 60, 40, 100, 80)
        middle = (slice(45, 75), slice(65, 95))
        assert np.abs(one[0][middle].astype(int) - other[0][middle]).max() <= 6

    @pytest.mark.real_data
    @pytest.mark.parametrize("clip", ["christian_bale1", "marques1", "other5", "steve_harvey1"])
    def test_neither_found_nor_known_again(self, shared_data, clip):
        frames = read_frames(shared_data / "film_clips" / "videos" / f"{clip}.mp4")
        planes = next(frame for frame in frames if frame.index == 30).planes()
        detector, embedder = facelib.load_detector("mtcnn"), facelib.load_embedder("dlib")
        before = to_rgb(planes)
        faces = detector.detect(before)
        assert len(faces) >= 1
        for box in faces.boxes:
            blur_head(planes, *box)
        after = to_rgb(planes)
        assert [
            box for box in detector.detect(after).boxes if max(overlap(box, own) for own in faces.boxes) > 0.1
        ] == []
        distance = np.linalg.norm(embedder.embed(before, faces) - embedder.embed(after, faces), axis=1)
        assert (
            distance.min() > 0.6
        )  # face_recognition's own tolerance, where 19 strangers of 100 are taken for somebody


def to_rgb(planes):
    stacked = np.concatenate([plane.ravel() for plane in planes]).reshape(-1, planes[0].shape[1])
    return cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_I420)


def overlap(one, other):
    width = max(0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0, min(one[3], other[3]) - max(one[1], other[1]))
    return width * height / ((other[2] - other[0]) * (other[3] - other[1]))
