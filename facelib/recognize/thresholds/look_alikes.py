"""Pairs of look-alikes: the two get stricter thresholds, so that they do not decide everybody's."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facelib.recognize.thresholds.evidence import enough_to_fit
from facelib.recognize.thresholds.fitting import fit_threshold, threshold_at
from facelib.recognize.thresholds.people import OwnThresholds, threshold_table
from facelib.recognize.thresholds.trials import Offsets, Trials

_OFTEN = 0.1  # of two people's faces, within the embedder's threshold of the other's: ten times as often as strangers'
_FEWEST = 3  # faces of the two within it: a single one is chance
_MATTERS = 0.02  # of the embedder's threshold, by which the pairs must lower everybody's to be set apart


def find_look_alikes(outcome: Trials, *, wanted_fpir: float = 0.01, fallback: float) -> OwnThresholds | None:
    """Find pairs of people who alone lower the threshold of a whole cast.

    Brothers may lie nearer to each other than strangers ever do. Both are enrolled, so that a face of one is hardly
    taken for the other, and how near they lie says nothing about strangers. So the common threshold is fitted without
    their trials against each other, and each of the two keeps the one at which the wanted share of the other's faces is
    named. The options are those of `fit_threshold`, the trials without offsets.

    Returns:
        Thresholds that are stricter for the people of the pairs, and with which these leave the others alone; None
        where the threshold is not fitted on the trials, where there is no such pair, or where the pairs lower the
        threshold by less than a fiftieth of `fallback`.
    """
    if math.isnan(fallback) or not enough_to_fit(outcome, wanted_fpir):
        return None
    pairs = _near_pairs(outcome, wanted_fpir, fallback)
    if not pairs:
        return None
    without = _without(outcome, pairs)
    common = fit_threshold(without, wanted_fpir=wanted_fpir, fallback=fallback, resamples=1).threshold
    alike = fit_threshold(outcome, wanted_fpir=wanted_fpir, fallback=fallback, resamples=1).threshold
    if common - alike < _MATTERS * fallback:
        return None
    own = np.full(len(outcome.people), common)
    for first, second, threshold in pairs:
        own[[first, second]] = np.minimum(own[[first, second]], threshold)
    offsets = common - own
    return OwnThresholds(
        threshold_table(outcome, own, own < common, alike),
        Offsets(offsets, np.tile(offsets, (len(outcome.gallery) + outcome.strangers, 1))),
        tuple((outcome.people[first], outcome.people[second], threshold) for first, second, threshold in pairs),
    )


def _near_pairs(outcome: Trials, wanted_fpir: float, fallback: float) -> list[tuple[int, int, float]]:
    """Return the pairs whose faces often lie within `fallback` of each other, and the threshold that each asks for."""
    faces, others = np.nonzero(outcome.others.to_people <= fallback)
    people = outcome.impostor[faces]
    of_cast = people < len(outcome.people)
    found, counts = np.unique(
        np.stack([np.maximum(people, others), np.minimum(people, others)])[:, of_cast], axis=1, return_counts=True
    )
    pairs = []
    for second, first in found[:, counts >= _FEWEST].T.tolist():
        near = np.concatenate([outcome.others.to_people[place] for place in _against(outcome, first, second)])
        if int((near <= fallback).sum()) >= _OFTEN * len(near):
            pairs.append((first, second, threshold_at(np.sort(near), wanted_fpir)))
    return pairs


def _without(outcome: Trials, pairs: list[tuple[int, int, float]]) -> Trials:
    """Return the impostor trials without those of each pair against each other."""
    against = outcome.others.to_people.copy()
    for first, second, _ in pairs:
        for place in _against(outcome, first, second):
            against[place] = np.inf
    nearest = against.min(axis=1)
    others = replace(outcome.others, distances=nearest[:, None])
    # A face that had only its look-alike to be compared with is no trial any more.
    return replace(outcome, others=others.taken(np.isfinite(nearest)))


def _against(outcome: Trials, first: int, second: int) -> list[tuple[NDArray[np.intp], int]]:
    """Return where the trials of two people against each other stand in `to_people`."""
    people = outcome.impostor
    return [(np.flatnonzero(people == one), other) for one, other in ((first, second), (second, first))]
