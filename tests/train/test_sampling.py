"""Batches of people: everybody as often as anybody else, and the same ones again after a break."""

import numpy as np
import pytest

from facelib.train.sampling import PeopleBatches, deal


def test_a_batch_has_its_people_and_their_different_pictures():
    labels = np.repeat(np.arange(10), 7)
    for epoch in range(3):
        for batch in PeopleBatches(labels, people=4, pictures=3, seed=0).of_epoch(epoch):
            people = labels[batch].reshape(4, 3)
            assert (people == people[:, :1]).all() and len(set(people[:, 0])) == 4
            assert len(set(batch)) == 12


def test_people_are_shown_equally_often_whatever_they_have():
    labels = np.repeat([0, 1, 2, 3, 4], [200, 5, 20, 3, 50])
    shown = np.concatenate(
        [PeopleBatches(labels, people=2, pictures=3, batches=25).of_epoch(e).ravel() for e in (1, 2)]
    )
    counts = np.bincount(labels[shown], minlength=5)
    assert counts.max() - counts.min() <= 2 * 3


def test_who_has_few_pictures_shows_all_of_them_before_any_again():
    labels = np.array([0, 0, 1, 1, 1, 1])
    for batch in PeopleBatches(labels, people=2, pictures=4, batches=6).of_epoch(0):
        assert sorted(batch.tolist()) == [0, 0, 1, 1, 2, 3, 4, 5]


def test_epochs_hang_on_the_seed_and_their_number_alone():
    labels = np.repeat(np.arange(6), 5)
    one, same, other = (PeopleBatches(labels, people=3, pictures=2, seed=seed) for seed in (0, 0, 1))
    one.of_epoch(1)
    np.testing.assert_array_equal(one.of_epoch(7), same.of_epoch(7))
    assert (one.of_epoch(7) != one.of_epoch(8)).any() and (one.of_epoch(7) != other.of_epoch(7)).any()


def test_length_of_an_epoch():
    labels = np.repeat(np.arange(5), 5)
    assert len(PeopleBatches(labels, people=2, pictures=2)) == 7
    assert PeopleBatches(labels, people=2, pictures=2, batches=3).of_epoch(0).shape == (3, 4)


@pytest.mark.parametrize(
    ("cards", "rounds", "hand"), [(5, 20, 2), (5, 20, 5), (5, 7, 3), (2, 6, 5), (1, 4, 3), (3, 0, 2)]
)
def test_dealing_is_fair(cards, rounds, hand):
    dealt = deal(cards, rounds=rounds, hand=hand, random=np.random.default_rng(0))
    assert dealt.shape == (rounds, hand)
    counts = np.bincount(dealt.ravel(), minlength=cards)
    assert counts.max() - counts.min() <= 1
    for cards_of_round in dealt:
        in_round = np.bincount(cards_of_round, minlength=cards)
        assert in_round.max() - in_round.min() <= 1


def test_too_few_people():
    with pytest.raises(ValueError, match="got people_per_batch=3 and 2 people to train on; lower people_per_batch"):
        PeopleBatches([0, 0, 1], people=3, pictures=1)
    with pytest.raises(ValueError, match="got people_per_batch=1 and 0 people"):
        PeopleBatches([], people=1, pictures=1)
