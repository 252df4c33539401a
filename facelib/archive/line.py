"""Spans of many films on one line of whole microseconds, so that films are never mixed and no time is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_FILM = 1 << 40  # microseconds that each film has on the line: twelve days


def on_line(films: NDArray[np.integer], seconds: FloatArray) -> IntArray:
    """Return the places of times in films.

    Args:
        films: Their numbers, `(n,)`.
        seconds: Times in them, `(n,)`; exact to the microsecond, as the tables have them.
    """
    return np.asarray(films, np.int64) * _FILM + np.rint(np.asarray(seconds) * 1e6).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Spans in order, of which none overlaps another.

    Attributes:
        start: Where each begins, `(n,)` int64.
        end: Where it ends, exclusive, `(n,)` int64.
    """

    start: IntArray
    end: IntArray

    @classmethod
    def of(cls, films: NDArray[np.integer], start: FloatArray, end: FloatArray) -> Line:
        """Return spans of films as a line; those that overlap or touch become one.

        Examples:
            >>> line = Line.of(np.array([0, 0, 1]), np.array([0.0, 1.0, 0.0]), np.array([1.0, 2.0, 5.0]))
            >>> line.films().tolist(), [times.tolist() for times in line.seconds()]
            ([0, 1], [[0.0, 0.0], [2.0, 5.0]])
        """
        begin, behind = on_line(films, start), on_line(films, end)
        order = np.argsort(begin, kind="stable")
        begin, behind = begin[order], np.maximum.accumulate(behind[order])
        first = np.flatnonzero(np.append(True, begin[1:] > behind[:-1])[: len(begin)])
        last = np.append(first[1:], len(begin)) - 1 if len(begin) else first
        return cls(begin[first], behind[last])

    def films(self) -> IntArray:
        """Return the film of each span."""
        return self.start // _FILM

    def seconds(self) -> tuple[FloatArray, FloatArray]:
        """Return when each span begins and ends in its film."""
        return (self.start % _FILM) / 1e6, (self.end - self.films() * _FILM) / 1e6

    def shared(self, start: IntArray, end: IntArray) -> tuple[FloatArray, IntArray]:
        """Return for each of other spans how many seconds it shares with this line, and with how many of its spans."""
        after = np.searchsorted(self.end, start, "right")  # the first of this line's spans that ends behind it
        meets = np.append(self.start, np.iinfo(np.int64).max)[after] < end
        seconds, moments = np.zeros(len(start)), np.zeros(len(start), np.int64)
        start, end = start[meets], end[meets]  # of many people most are elsewhere, and each search takes its time
        seconds[meets] = (self._covered(end) - self._covered(start)) / 1e6
        moments[meets] = np.searchsorted(self.start, end, "left") - after[meets]
        return seconds, moments

    def _covered(self, places: IntArray) -> IntArray:
        """Return how much of the line before each place is covered."""
        if not len(self.start):
            return np.zeros(len(places), np.int64)
        before = np.append(0, np.cumsum(self.end - self.start))
        at = np.searchsorted(self.start, places, "right") - 1
        inside = np.minimum(places, self.end[at]) - self.start[at]
        return np.where(at < 0, 0, before[at] + inside)


def overlap(wanted: Sequence[Line], unwanted: Sequence[Line] = ()) -> Line:
    """Return where all of some lines have a span and none of others has one.

    Examples:
        >>> a, b = (Line(np.array([start]), np.array([end])) for start, end in ((0, 5), (3, 9)))
        >>> [overlap([a, b]).start.tolist(), overlap([b], [a]).start.tolist()]
        [[3], [5]]
    """
    lines = [*wanted, *unwanted]
    # A span of a line that is not wanted weighs more than all that are.
    weights = np.repeat([1] * len(wanted) + [len(wanted) + 1] * len(unwanted), [len(line.start) for line in lines])
    places = np.concatenate([*(line.start for line in lines), *(line.end for line in lines)])
    changes = np.concatenate([weights, -weights])
    order = np.argsort(places, kind="stable")
    places, present = places[order], np.cumsum(changes[order])
    found = np.flatnonzero((present[:-1] == len(wanted)) & (places[1:] > places[:-1]))
    return Line(places[found], places[found + 1])
