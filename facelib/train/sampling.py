"""Batches of a few pictures of each of a few people, so that every batch holds pairs of one person and of two."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PeopleBatches:
    """Batches of `people` people times `pictures` pictures, every person as often as any other.

    Who has more pictures is not shown more often. What an epoch shows hangs on the seed and the epoch's number alone,
    so a training that was stopped continues with the same batches without keeping any state of its own.

    Args:
        labels: `(n,)`, the person of each picture as a number.
        people: Different people in a batch.
        pictures: Pictures of each; a person who has fewer shows some of them twice.
        batches: In an epoch; None takes as many as show as many pictures as there are.
        seed: Of what is drawn by chance.

    Raises:
        ValueError: When there are fewer people than a batch wants.

    Examples:
        >>> batches = PeopleBatches([0, 0, 1, 1, 2, 2], people=2, pictures=2, seed=0)
        >>> len(batches), batches.of_epoch(1).shape
        (2, (2, 4))
    """

    def __init__(
        self, labels: ArrayLike, *, people: int, pictures: int, batches: int | None = None, seed: int = 0
    ) -> None:
        who = np.asarray(labels)
        self._own = [np.flatnonzero(who == person) for person in np.unique(who)]
        if not 1 <= people <= len(self._own):
            raise ValueError(
                f"expected at least as many people as a batch has, got people_per_batch={people!r} and "
                f"{len(self._own)} people to train on; lower people_per_batch, or add people"
            )
        if pictures < 1 or (batches is not None and batches < 1):
            raise ValueError(f"expected at least 1 picture a person and batch, got {pictures!r} and {batches!r}")
        self._people, self._pictures, self._seed = people, pictures, seed
        self._batches = batches or math.ceil(len(who) / (people * pictures))

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self._batches

    def of_epoch(self, epoch: int) -> NDArray[np.intp]:
        """Return the pictures of every batch of an epoch, `(batches, people * pictures)`, as places in `labels`.

        The pictures of one person stand side by side.
        """
        random = np.random.default_rng([self._seed, epoch])
        shown = deal(len(self._own), rounds=self._batches, hand=self._people, random=random)
        plan = np.empty((self._batches, self._people, self._pictures), np.intp)
        for person, own in enumerate(self._own):
            batch, place = np.nonzero(shown == person)
            plan[batch, place] = own[deal(len(own), rounds=len(batch), hand=self._pictures, random=random)]
        return plan.reshape(self._batches, -1)


def deal(cards: int, *, rounds: int, hand: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Deal `hand` of `cards` in each round, `(rounds, hand)`, none twice in a round and all equally often.

    Shuffled packs follow one another; what a round has of the old pack comes late in the new one. Where a hand is
    larger than the pack, cards occur twice in it, as evenly as they can.
    """
    dealt = np.empty((rounds, hand), np.intp)
    left = np.empty(0, np.intp)
    whole, rest = divmod(hand, cards)
    for cards_of_round in dealt:
        if len(left) < rest:
            pack = random.permutation(cards)
            held = np.isin(pack, left)
            left = np.concatenate([left, pack[~held], pack[held]])
        cards_of_round[: whole * cards] = np.tile(np.arange(cards), whole)
        cards_of_round[whole * cards :], left = left[:rest], left[rest:]
    return dealt
