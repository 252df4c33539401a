"""Belief propagation between faces that share frames: nobody is twice in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray
from facelib.films.naming.evidence import IntArray

_MESSAGES = 12
_SETTLED = 1e-4
_TAKEN = 1e-4  # the least factor that a message leaves to a name: no face excludes another entirely

_Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelOptions:
    """The labels that tracks may have, as parallel arrays sorted by track and label, without duplicates.

    Attributes:
        track: `(m,)`, 0 to `tracks` - 1.
        label: `(m,)`, 0 or more.
        tracks: Their number; a track may be without options.
    """

    track: IntArray
    label: IntArray
    tracks: int

    def __len__(self) -> int:
        return len(self.track)

    def starts(self) -> IntArray:
        """Return where the options of each track begin, and where the last ones end, `(tracks + 1,)`."""
        return np.searchsorted(self.track, np.arange(self.tracks + 1))


def marginals(options: LabelOptions, evidence: FloatArray, pairs: IntArray) -> FloatArray:
    """Return the marginal probability of each option, where no two faces of a frame have one label.

    A message says how free a label is, by all evidence but the receiver's; it is sent only for a label that both tracks
    may have. The rest to 1 is the probability that a track has none of its labels.

    Args:
        options: Which track may have which label.
        evidence: `(m,)`, log odds of each option against none of them.
        pairs: `(p, 2)`, the tracks that share a frame, each pair once.
    """
    scores = np.asarray(evidence, np.float64)
    highest = np.zeros(options.tracks)
    np.maximum.at(highest, options.track, scores)
    messages = _Messages(options, pairs)
    told: _Scores = np.zeros(len(messages))
    incoming: _Scores = np.zeros(len(scores))
    for _ in range(_MESSAGES if len(told) else 0):
        free = messages.free(scores + incoming, told, highest)
        change = np.abs(free - told).max() / 2
        told = (told + free) / 2  # damping keeps loops from oscillating
        incoming = np.bincount(messages.target, told, len(scores)).astype(float)
        if change < _SETTLED:
            break
    weights = np.exp(scores + incoming - highest[options.track])
    total = np.bincount(options.track, weights, options.tracks) + np.exp(-highest)
    return np.asarray(weights / total[options.track], np.float32)


class _Messages:
    """One message per label that both tracks of a pair may have, in each direction."""

    def __init__(self, options: LabelOptions, pairs: IntArray) -> None:
        first, second, edge = _common(options, pairs)
        self.options, self.count = options, len(pairs)
        self.source = np.concatenate([first, second])
        self.target = np.concatenate([second, first])
        self.back = np.concatenate([np.arange(len(first), 2 * len(first)), np.arange(len(first))])
        self.edge = np.concatenate([edge, edge + len(pairs)])
        self.sender = np.concatenate([pairs[:, 0], pairs[:, 1]])

    def __len__(self) -> int:
        return len(self.source)

    def free(self, scores: _Scores, told: _Scores, highest: _Scores) -> _Scores:
        """Return how free each sender leaves its labels, without the receiver's own message."""
        weights = np.exp(scores - highest[self.options.track])
        total = np.bincount(self.options.track, weights, self.options.tracks) + np.exp(-highest)
        without = weights[self.source] * np.exp(-told[self.back])
        more = np.bincount(self.edge, without - weights[self.source], 2 * self.count)
        share = without / (total[self.sender] + more)[self.edge]
        return np.asarray(np.log(np.clip(1 - share, _TAKEN, 1)))


def _common(options: LabelOptions, pairs: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return, for each label that both tracks of a pair may have, the option of each of the two, and the pair."""
    starts = options.starts()
    counts = np.diff(starts)[pairs[:, 0]]
    edge = np.repeat(np.arange(len(pairs)), counts)
    offset = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = starts[pairs[edge, 0]] + offset
    width = int(options.label.max(initial=0)) + 1
    keys = options.track * width + options.label
    wanted = pairs[edge, 1] * width + options.label[first]
    second = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    shared = keys[second] == wanted if len(keys) else np.zeros(0, bool)
    return first[shared], second[shared], edge[shared]
