import cv2
import numpy as np
import pytest

from facelib.faces import iou
from facelib.live.flow import carry, seize
from facelib.live.following import Following
from facelib.live.frames import LiveFrame
from facelib.live.recognition import Recognized
from facelib.live.records import LiveFace

HEIGHT, WIDTH = 360, 640


@pytest.fixture
def texture():
    """Something with corners to hold on to, as a face has."""
    noise = np.random.default_rng(3).integers(0, 255, (24, 24, 3), np.uint8)
    return cv2.resize(noise, (96, 96), interpolation=cv2.INTER_CUBIC)


def picture(texture, x, y, *, size=96, ground=90):
    """A grey picture with the texture in it, and its box."""
    image = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    image[y : y + size, x : x + size] = cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA)
    return image, np.array([x, y, x + size, y + size], np.float32)


def grey(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def test_a_box_follows_what_moves_in_it(texture):
    before, box = picture(texture, 200, 100)
    faces = [seize(grey(before), box)]
    for step in range(1, 9):
        after, there = picture(texture, 200 + 7 * step, 100 + 4 * step)
        faces = carry(grey(before), grey(after), faces)
        before = after

    assert iou([faces[0].box], [there])[0, 0] > 0.9
    assert not faces[0].lost


def test_a_box_grows_with_what_comes_nearer(texture):
    before, box = picture(texture, 200, 100)
    after, there = picture(texture, 194, 94, size=108)

    (face,) = carry(grey(before), grey(after), [seize(grey(before), box)])

    assert iou([face.box], [there])[0, 0] > 0.9
    assert face.box[2] - face.box[0] > 101


def test_a_box_stays_and_is_lost_where_the_face_has_gone(texture):
    before, box = picture(texture, 200, 100)
    after = np.full_like(before, 90)

    (face,) = carry(grey(before), grey(after), [seize(grey(before), box)])

    assert face.lost
    assert face.box.tolist() == box.tolist()
    assert carry(grey(after), grey(before), [face])[0].lost


@pytest.mark.parametrize(
    "box",
    [
        [-50, -50, 20, 20],  # half outside
        [630, 350, 700, 400],
        [-90, -90, -10, -10],  # outside
        [100, 100, 100, 100],  # empty
        [10, 10, 12, 12],  # tiny
    ],
)
def test_boxes_at_the_border_harm_nothing(texture, box):
    before, _ = picture(texture, 200, 100)

    (face,) = carry(grey(before), grey(before), [seize(grey(before), np.array(box, np.float32))])

    assert np.isfinite(face.box).all()


def test_nothing_is_carried_to_nothing(texture):
    image, _ = picture(texture, 0, 0)

    assert carry(grey(image), grey(image), []) == []


def shown(following, image, number):
    following.advance(LiveFrame.of(image, number=number, time_=number / 25))
    return following.faces()


def found(image, number, box, *, scene=0):
    frame = LiveFrame.of(image, number=number, time_=number / 25)
    return Recognized(frame, scene, (LiveFace(7, box, "Ada", 0.9, 0.3),), ())


def test_a_result_that_comes_late_is_shown_where_the_face_is_by_then(texture):
    following = Following()
    first, box = picture(texture, 100, 100)
    assert shown(following, first, 0) == ()
    for number in range(1, 16):
        image, there = picture(texture, 100 + 5 * number, 100)
        assert shown(following, image, number) == ()

    following.settle(found(first, 0, box))

    (face,) = following.faces()
    assert (face.track, face.person) == (7, "Ada")
    assert iou([face.box], [there])[0, 0] > 0.85


def test_behind_a_cut_nobody_is_shown_and_old_results_are_none(texture):
    following = Following()
    first, box = picture(texture, 100, 100)
    shown(following, first, 0)
    following.settle(found(first, 0, box))
    assert len(following.faces()) == 1
    other = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    other[..., 0] = 230

    seen = following.advance(LiveFrame.of(other, number=1, time_=0.04))
    following.settle(found(first, 0, box))

    assert seen.scene == 1
    assert following.faces() == ()


def test_a_source_that_changes_its_size_is_cut(texture):
    following = Following()
    first, box = picture(texture, 100, 100)
    shown(following, first, 0)
    following.settle(found(first, 0, box))

    assert shown(following, first[:200, :300], 1) == ()


def test_a_face_that_is_missed_once_is_shown_on_and_then_no_more(texture):
    following = Following()
    image, box = picture(texture, 100, 100)
    shown(following, image, 0)
    following.settle(found(image, 0, box))
    still_there = []
    for number in range(1, 15):
        shown(following, image, number)
        following.settle(Recognized(LiveFrame.of(image, number=number, time_=number / 25), 0, (), ()))
        still_there.append(len(following.faces()))

    assert still_there == [1] * 10 + [0] * 4  # 0.4 seconds


def test_before_the_first_picture_there_is_nobody(texture):
    following = Following()
    image, box = picture(texture, 100, 100)

    following.settle(found(image, 0, box))

    assert following.faces() == ()
