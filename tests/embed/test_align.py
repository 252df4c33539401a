import dlib
import numpy as np
import pytest

from facelib.embed.align import FIVE_POINTS, DlibAligner, align, five_point_chips, margin_chips
from facelib.faces import Faces
from facelib.nets.dlib import landmark_file

BOX = (175, 76, 265, 166)


@pytest.fixture(scope="module")
def aligner():
    return DlibAligner(landmark_file())


def spots(points, *, size=200, radius=4):
    """Return a black picture with a white spot at each point."""
    y, x = np.mgrid[:size, :size]
    near = [(x - px) ** 2 + (y - py) ** 2 <= radius**2 for px, py in points]
    return np.repeat(np.any(near, axis=0)[..., None] * np.uint8(255), 3, axis=2)


def turned(points, *, degrees, factor, shift):
    angle = np.radians(degrees)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points) @ turn.T + shift


@pytest.mark.parametrize(
    ("degrees", "factor", "shift"),
    [
        (0, 1, (0, 0)),
        (0, 1, (40, 30)),
        (25, 1.2, (60, 10)),
        (-90, 0.8, (20, 130)),  # lying on its side
        (180, 1.1, (190, 190)),  # upside down
        (10, 4, (30, 20)),  # far larger than the chip
    ],
)
def test_landmarks_come_to_lie_on_the_template(degrees, factor, shift):
    points = turned(FIVE_POINTS, degrees=degrees, factor=factor, shift=np.array(shift))
    picture = spots(points, size=600, radius=4 * factor)
    chip = five_point_chips(picture, points[None])[0]
    for x, y in FIVE_POINTS:
        around = chip[round(y) - 7 : round(y) + 8, round(x) - 7 : round(x) + 8, 0].astype(float)
        rows, columns = np.mgrid[round(y) - 7 : round(y) + 8, round(x) - 7 : round(x) + 8]
        assert np.hypot((columns * around).sum() / around.sum() - x, (rows * around).sum() / around.sum() - y) < 0.5
    assert chip.shape == (112, 112, 3)


def test_the_template_grows_with_the_chip():
    points = np.asarray(FIVE_POINTS)
    small, large = (five_point_chips(spots(points), points[None], size=size)[0] for size in (112, 224))
    assert abs(int(large.mean()) - int(small.mean())) <= 1
    assert large[2 * 52, 2 * 38, 0] == 255


def test_a_missing_landmark_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        five_point_chips(np.zeros((20, 20, 3), np.uint8), np.full((1, 5, 2), np.nan))


def test_a_margin_is_added_on_each_side():
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[60:140, 60:140] = (255, 0, 0)
    chip = margin_chips(picture, [[60, 60, 140, 140]], size=100, margin=0.125)[0]
    inside = chip[..., 0] > 128
    assert inside.any(axis=1).sum() == inside.any(axis=0).sum() == 80
    assert inside[10:90, 10:90].all()
    assert chip[50, 50].tolist() == [255, 0, 0]


def test_a_margin_past_the_border_repeats_it():
    chip = margin_chips(np.full((50, 50, 3), 77, np.uint8), [[-20, -20, 70, 70]], size=40)[0]
    assert np.unique(chip).tolist() == [77]


def test_dlibs_chip_is_dlibs(portrait, aligner):
    predictor = dlib.shape_predictor(str(landmark_file()))
    expected = dlib.get_face_chip(portrait, predictor(portrait, dlib.rectangle(*BOX)), size=150, padding=0.25)
    assert np.array_equal(aligner.chips(portrait, [BOX])[0], expected)


BOXES = [
    (-60, -50, 60, 70),  # over the corner
    (470, 470, 700, 700),
    (900, 900, 1000, 1000),  # wholly outside
    (10, 10, 10, 10),  # empty
    (50, 50, 40, 40),  # turned inside out
    (-1e6, -1e6, 1e6, 1e6),
    (0.4, 0.6, 1.4, 1.6),
]


@pytest.mark.parametrize("alignment", ["dlib", "margin"])
@pytest.mark.parametrize("shape", [(512, 512, 3), (1, 1, 3), (3, 400, 3)])
def test_any_box_is_survived(aligner, alignment, shape):
    faces = Faces.of(BOXES)
    chips = align(np.full(shape, 90, np.uint8), faces, alignment, size=150, aligner=aligner)
    assert chips.shape == (len(BOXES), 150, 150, 3)
    assert chips.dtype == np.uint8


@pytest.mark.parametrize("points", [np.zeros((1, 5, 2)), np.full((1, 5, 2), 5000.0), np.full((1, 5, 2), -3.0)])
def test_landmarks_in_one_place_are_survived(points):
    assert five_point_chips(np.full((40, 30, 3), 90, np.uint8), points).shape == (1, 112, 112, 3)


@pytest.mark.parametrize(("alignment", "size"), [("dlib", 150), ("margin", 160), ("five points", 112)])
def test_no_faces_give_no_chips(portrait, aligner, alignment, size):
    assert align(portrait, Faces.empty(), alignment, size=size, aligner=aligner).shape == (0, size, size, 3)


@pytest.mark.parametrize("alignment", ["dlib", "margin"])
def test_a_box_that_is_no_number_is_refused(portrait, aligner, alignment):
    with pytest.raises(ValueError, match="finite"):
        align(portrait, Faces.of([[0, 0, np.nan, 10]]), alignment, size=150, aligner=aligner)


def test_an_unknown_alignment_is_refused(portrait):
    with pytest.raises(ValueError, match="seven points"):
        align(portrait, Faces.empty(), "seven points", size=112)


def test_a_missing_predictor_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.dat"):
        DlibAligner(tmp_path / "none.dat")
