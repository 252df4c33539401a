"""Faces changed by chance: each change alone, and that the same seed gives the same ones."""

from dataclasses import replace

import pytest
import torch

from facelib.train.augment import augment, to_input
from facelib.train.settings import Augmentation

NONE = Augmentation.none()


@pytest.fixture
def faces() -> torch.Tensor:
    """Eight pictures, dark on the left, with colours."""
    ramp = torch.linspace(-0.8, 0.8, 32).expand(8, 3, 32, 32).clone()
    ramp[:, 0] *= 0.5
    return ramp


def test_pictures_become_input():
    black_and_white = torch.tensor([[[[0, 0, 0], [255, 255, 255]], [[255, 0, 0], [0, 0, 255]]]], dtype=torch.uint8)
    given = to_input(black_and_white)
    assert given.shape == (1, 3, 2, 2) and given.dtype == torch.float32
    torch.testing.assert_close(given[0, :, 0, 0], torch.full((3,), -1.0))
    torch.testing.assert_close(given[0, :, 0, 1], torch.ones(3))
    torch.testing.assert_close(given[0, :, 1, 0], torch.tensor([1.0, -1.0, -1.0]))


def test_nothing_changes_where_all_is_off(faces):
    torch.testing.assert_close(augment(faces, NONE, seed=0), faces)


def test_the_seed_decides(faces):
    how = Augmentation()
    one = augment(faces, how, seed=5)
    torch.rand(10)  # what others draw has no say
    assert torch.equal(augment(faces, how, seed=5), one)
    assert not torch.equal(augment(faces, how, seed=6), one)
    assert one.shape == faces.shape and one.abs().max() <= 1 and torch.isfinite(one).all()


def test_the_faces_given_are_not_changed(faces):
    before = faces.clone()
    augment(faces, Augmentation(blur=1, cutout=1), seed=0)
    assert torch.equal(faces, before)


def test_mirrored(faces):
    torch.testing.assert_close(augment(faces, replace(NONE, flip=1), seed=0), faces.flip(3), atol=1e-5, rtol=0)


def test_shifted_and_turned_and_zoomed(faces):
    for name, value in (("shift", 0.2), ("turn", 40.0), ("zoom", 0.5)):
        changed = augment(faces, replace(NONE, **{name: value}), seed=0)
        assert (changed - faces).abs().mean() > 0.01, name
        assert (changed[0] - changed[1]).abs().mean() > 0.001, name  # each in its own way
    shifted = augment(faces, replace(NONE, shift=0.2), seed=0)
    assert (shifted - faces).abs().max() <= 1.6 * 0.2 + 0.02  # the ramp rises 1.6 over a side


def test_grey(faces):
    grey = augment(faces, replace(NONE, grey=1), seed=0)
    torch.testing.assert_close(grey[:, 0], grey[:, 2])
    wanted = 0.299 * faces[:, 0] + 0.587 * faces[:, 1] + 0.114 * faces[:, 2]
    torch.testing.assert_close(grey[:, 0], wanted)


def test_brightness_and_contrast(faces):
    middle = faces.mean(dim=(1, 2, 3))
    brighter = augment(faces, replace(NONE, brightness=0.1), seed=0)
    assert (brighter.mean(dim=(1, 2, 3)) - middle).abs().max() <= 0.2 + 1e-6
    assert (brighter.mean(dim=(1, 2, 3)) - middle).abs().max() > 0.02
    harder = augment(faces, replace(NONE, contrast=0.2), seed=0)
    torch.testing.assert_close(harder.mean(dim=(1, 2, 3)), middle, atol=1e-5, rtol=0)
    assert harder.std(dim=(1, 2, 3)).max() > 1.02 * faces.std(dim=(1, 2, 3)).max()


def test_blurred():
    fine = (torch.arange(32) % 2 * 2 - 1).float().expand(4, 3, 32, 32)
    assert augment(fine, replace(NONE, blur=1), seed=0).std() < 0.3 * fine.std()
    some = augment(fine, replace(NONE, blur=0.5), seed=1)
    same = (some == fine).flatten(1).all(1)
    assert same.any() and not same.all()


def test_covered(faces):
    covered = augment(faces + 0.01, replace(NONE, cutout=1), seed=0)
    share = (covered == 0).all(1).float().mean(dim=(1, 2))
    assert (share > 0).all() and (share <= 0.3).all()


@pytest.mark.parametrize("seed", range(3))
def test_no_faces(seed):
    assert augment(torch.zeros(0, 3, 32, 32), Augmentation(), seed=seed).shape == (0, 3, 32, 32)
