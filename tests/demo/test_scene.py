"""The demo's parts: figures, poses, backdrops, times and tune."""

from typing import get_args

import numpy as np
import pytest

from facelib.demo.figures import Figure, collins, hopper
from facelib.demo.film import irregular_times, melody, write_demo_film
from facelib.demo.scene import Backdrop, Pose, backdrop, place, to_picture, visible
from facelib.demo.script import SHOTS, frames, shots
from facelib.demo.strangers import strangers


@pytest.fixture(scope="module")
def figures():
    return (collins(), hopper(), *strangers())


def test_figures_are_cut_out_with_soft_edges(figures):
    for figure in figures:
        height, width = figure.alpha.shape
        assert figure.image.shape == (height, width, 3)
        assert figure.image.dtype == np.uint8 and figure.alpha.dtype == np.float32
        assert 0.2 < figure.alpha.mean() < 0.8
        assert figure.alpha.min() >= 0 and figure.alpha.max() <= 1
        assert 0.005 < np.mean((figure.alpha > 0.1) & (figure.alpha < 0.9)) < 0.1
        left, top, right, bottom = (round(side) for side in figure.face)
        assert right - left == bottom - top
        assert figure.alpha[top:bottom, left:right].mean() > 0.8
        assert figure.alpha[0].max() < 0.01  # nobody's head is cut off
    assert [figure.person for figure in figures] == ["Eileen Collins", "Grace Hopper", *["unknown"] * 3]


@pytest.mark.parametrize(
    ("pose", "corner"),
    [
        (Pose(100, 80, 20), (90, 70)),
        (Pose(100, 80, 20, mirror=True), (110, 70)),
        (Pose(100, 80, 20, angle=90), (110, 70)),  # clockwise: the upper left corner goes to the upper right
        (Pose(100, 80, 20, turn=60), (94.73, 69.45)),  # half as wide, and the near side a little larger
    ],
)
def test_to_picture_puts_the_face_where_the_pose_says(pose, corner):
    figure = Figure("x", np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), np.float32), (10, 10, 20, 20))
    matrix = to_picture(figure, pose)
    for point, wanted in (((15, 15), (100, 80)), ((10, 10), corner)):
        x, y, w = matrix @ (*point, 1)
        assert (x / w, y / w) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("height", [10, 40])  # smaller and larger than the figure's own face
def test_place_covers_what_the_figure_covers(height):
    alpha = np.zeros((60, 60), np.float32)
    alpha[10:50, 10:50] = 1
    figure = Figure("x", np.full((60, 60, 3), 200, np.uint8), alpha, (10, 10, 50, 50))
    picture = np.full((100, 120, 3), 50, np.float32)
    place(picture, figure, Pose(60, 50, height), light=np.array([1, 0.5, 0.25]))
    assert picture[50, 60] == pytest.approx([200, 100, 50])
    assert picture[5, 5] == pytest.approx(50)
    assert (picture[..., 0] > 125).sum() == pytest.approx(height**2, rel=0.25)


@pytest.mark.parametrize("x", [-500, 500])
def test_place_outside_the_picture_changes_nothing(x):
    figure = Figure("x", np.zeros((60, 60, 3), np.uint8), np.ones((60, 60), np.float32), (10, 10, 50, 50))
    picture = np.full((100, 120, 3), 50, np.float32)
    place(picture, figure, Pose(x, 50, 40))
    assert (picture == 50).all()


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((0, 0, 10, 10), 1.0),
        ((-5, 0, 5, 10), 0.5),
        ((95, 45, 105, 55), 0.25),
        ((-20, 0, -10, 10), 0.0),
    ],
)
def test_visible(box, share):
    assert visible(box, 100, 50) == pytest.approx(share)


def test_backdrops_fill_any_size_and_differ():
    made = {name: backdrop(name, width=160, height=130) for name in get_args(Backdrop)}
    assert all(picture.shape == (130, 160, 3) and picture.dtype == np.uint8 for picture in made.values())
    assert len({picture.tobytes() for picture in made.values()}) == len(made)
    assert all(picture.std() > 3 for picture in made.values())
    with pytest.raises(ValueError, match=r"one of \('cafe'.*got 'moon'"):
        backdrop("moon")


def test_frames_of_the_shot_with_nobody_have_no_truth(figures):
    seen = [faces for _, faces in frames(figures, frames_per_shot=2)]
    assert len(seen) == 2 * SHOTS == 2 * len(shots())
    assert [len(seen[2 * number]) for number in range(SHOTS)] == [1, 1, 2, 0, 1, 2, 1, 2, 0, 3]
    assert seen[6] == [] and seen[0] == [(182, 102, 278, 198, figures[0].person)]


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_irregular_times_keep_first_and_last(count):
    times = irregular_times(count, seed=3)
    assert len(times) == count
    if count:
        assert times[0] == 0 and times[-1] == (count - 1) * 40
    steps = np.diff([time for time in times if time is not None])
    assert (steps >= 20).all() and (steps <= 140).all()
    if count == 300:
        assert None in times and len(set(steps)) > 20


def test_melody_has_another_chord_in_each_shot():
    tune = melody(3, 1.0)
    assert tune.shape == (3 * 44_100,) and tune.dtype == np.float32
    assert 0.1 < np.abs(tune).max() <= 1
    loudest = [np.abs(np.fft.rfft(part)).argmax() for part in tune.reshape(3, -1)]
    assert len(set(loudest)) == 3


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_film_given_up_leaves_nothing(figures, tmp_path, after):
    making = write_demo_film(figures, videos=tmp_path / "videos", truth=tmp_path / "truth", frames_per_shot=2)
    for _ in range(after):
        next(making)
    making.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
