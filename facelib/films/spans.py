"""Stretches of a film in which chosen people are on screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import pandas as pd


class Span(NamedTuple):
    """A stretch of a film to show.

    Attributes:
        start: Presentation time of its first frame, in seconds.
        end: Presentation time of the frame after its last one, in seconds.
        people: Who of the chosen is in it.
    """

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

    Example:
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
    own = [
        merge_spans(Span(start, end, (name,)) for start, end in _times(appearances[appearances["person"] == name]))
        for name in chosen
    ]
    if together:
        return reduce(_intersect, own)
    return merge_spans(span for spans in own for span in spans)


def _times(rows: pd.DataFrame) -> Iterator[tuple[float, float]]:
    return zip(rows["start"].to_list(), rows["end"].to_list(), strict=True)


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

    Example:
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
