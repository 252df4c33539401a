"""Stretches of a film: when chosen people are on screen, and which tracks share a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


class Span(NamedTuple):
    """A stretch of a film, seconds, the end that of the frame after its last one, and who of the chosen is in it."""

    start: float
    end: float
    people: tuple[str, ...] = ()


def spans_of(appearances: pd.DataFrame, people: Sequence[str], *, together: bool = False) -> list[Span]:
    """Return when chosen people are on screen; spans that overlap or touch are one.

    Args:
        appearances: `person`, `start` and `end` (seconds) of every appearance, as in `appearances.csv`.
        people: Names, at least one.
        together: Only where all of them are on screen at once, which may be nowhere.

    Raises:
        ValueError: When nobody is chosen, or somebody who does not appear.

    Examples:
        >>> table = pd.DataFrame({"person": ["Ada", "Bo"], "start": [1.0, 2.0], "end": [3.0, 4.0]})
        >>> spans_of(table, ["Ada", "Bo"])
        [Span(start=1.0, end=4.0, people=('Ada', 'Bo'))]
        >>> spans_of(table, ["Ada", "Bo"], together=True)
        [Span(start=2.0, end=3.0, people=('Ada', 'Bo'))]
    """
    chosen = chosen_people(people)
    seen = set(appearances["person"])
    missing = [name for name in chosen if name not in seen]
    if missing:
        raise ValueError(f"expected people who appear, {sorted(seen)!r}, got {missing!r}")
    rows = zip(*(appearances[column].to_list() for column in ("person", "start", "end")), strict=True)
    every = [Span(start, end, (person,)) for person, start, end in rows]
    own = [merge_spans(span for span in every if span.people == (name,)) for name in chosen]
    if together:
        return reduce(_intersect, own)
    return merge_spans(span for spans in own for span in spans)


def chosen_people(people: Sequence[str]) -> list[str]:
    """Return each name once; one name alone may come without a list.

    Raises:
        ValueError: When there is none.
    """
    names = [people] if isinstance(people, str) else list(dict.fromkeys(people))
    if not names:
        raise ValueError("expected at least one person to cut together, got nobody; give names as in appearances.csv")
    return names


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Return spans by start, those that overlap or touch made one.

    Examples:
        >>> merge_spans([Span(5, 6), Span(0, 2), Span(1, 3)])
        [Span(start=0, end=3, people=()), Span(start=5, end=6, people=())]
    """
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            last = merged.pop()
            people = tuple(dict.fromkeys((*last.people, *span.people)))
            span = Span(last.start, max(last.end, span.end), people)
        merged.append(span)
    return merged


def _intersect(one: list[Span], other: list[Span]) -> list[Span]:
    both = [
        Span(max(a.start, b.start), min(a.end, b.end), (*a.people, *b.people))
        for a in one
        for b in other
        if a.start < b.end and b.start < a.end
    ]
    return sorted(both)


def frames_shared(groups: ArrayLike, first: ArrayLike, last: ArrayLike) -> NDArray[np.intp]:
    """Return the pairs of tracks that are on screen in one frame: they are two people.

    Args:
        groups: `(n,)`, the shot or the film of each track; only tracks of one are compared.
        first: `(n,)`, the first frame of each.
        last: `(n,)`, the last, inclusive.

    Returns:
        `(p, 2)`: the rows of each pair, the lower one first; pairs in order.

    Examples:
        >>> frames_shared([0, 0, 0, 1], [0, 5, 11, 0], [10, 20, 30, 9]).tolist()
        [[0, 1], [1, 2]]
    """
    begin, end = np.asarray(first, np.int64), np.asarray(last, np.int64)
    if not len(begin):
        return np.empty((0, 2), np.intp)
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    begin, end = begin - begin.min(), end - begin.min()
    place = group * (int(end.max()) + 1)
    order = np.argsort(place + begin, kind="stable")
    # Sorted by their first frames, those that share one with a track come right after it.
    behind = np.searchsorted((place + begin)[order], (place + end)[order], side="right")
    counts = behind - np.arange(len(order)) - 1
    one = np.repeat(np.arange(len(order)), counts)
    other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
    pairs = np.sort(np.column_stack([order[one], order[other]]), axis=1)
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], np.intp)
