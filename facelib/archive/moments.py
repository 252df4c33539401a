"""Where people are seen together in all films, and where they are without others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.archive.line import Line, on_line, overlap
from facelib.archive.opened import Archive
from facelib.archive.people import condition_of, find_person, line_of

Unit = Literal["moment", "shot", "scene"]
"""What is found: moments at which all are on screen at once, or shots or scenes in which all are seen at some time."""

HIT_COLUMNS = ["project", "film", "date", "start", "end"]
"""The columns of `find_moments`."""


def find_moments(
    archive: Archive,
    people: Sequence[str],
    *,
    without: Sequence[str] = (),
    by: Unit = "moment",
    shortest: float = 0.0,
) -> pd.DataFrame:
    """Return where all of some people are seen, and none of others.

    Args:
        archive: The index.
        people: Names as `facelib.archive.find_person` takes them, at least one; of the cast or of groups of unknown
            people.
        without: Names of people who must not be seen.
        by: `moment`: all are on screen at once; `shot` and `scene`: all are seen at some time within it.
        shortest: Seconds; shorter hits are left out.

    Returns:
        `project`, `film` (file name), `date`, `start` and `end` (seconds in the film, the end exclusive), in the order
        of projects, films and times.

    Raises:
        ValueError: When nobody is chosen, a name is not known, somebody is wanted and not wanted, or `by` is unknown.
    """
    if by not in get_args(Unit):
        raise ValueError(f"expected by to be one of {', '.join(get_args(Unit))}, got {by!r}")
    wanted, unwanted = ([find_person(archive, name) for name in dict.fromkeys(names)] for names in (people, without))
    if not wanted or set(wanted) & set(unwanted):
        raise ValueError(
            f"expected at least one person, and nobody both with and without, got {wanted!r}, {unwanted!r}"
        )
    wanted = list(dict.fromkeys(wanted))
    if by == "moment":
        line = overlap([line_of(archive, name) for name in wanted], [line_of(archive, name) for name in unwanted])
    else:
        line = _units(archive, wanted, unwanted, by)
    films, (start, end) = line.films(), line.seconds()
    long = end - start >= shortest
    films, start, end = films[long], start[long], end[long]
    columns = {name: archive.films[name].to_numpy()[films] for name in ("project", "film", "date")}
    return pd.DataFrame({**columns, "start": start, "end": end}, columns=pd.Index(HIT_COLUMNS))


def _units(archive: Archive, wanted: Sequence[str], unwanted: Sequence[str], by: Unit) -> Line:
    """Return the shots or scenes in which all of some people are seen, and none of others, as spans."""
    of_person = [_numbers(archive, name, by) for name in wanted]
    kept = reduce(lambda one, other: np.intersect1d(one, other, assume_unique=True), of_person)
    for name in unwanted:
        kept = np.setdiff1d(kept, _numbers(archive, name, by), assume_unique=True)
    spans = archive.query(
        f'SELECT film, {by} AS unit, min(start) AS start, max("end") AS "end" FROM shots '
        "WHERE film IN (SELECT unnest(?)) GROUP BY film, unit ORDER BY film, start",
        [np.unique(kept >> 32).tolist()],
    )
    numbers = _joined(spans["film"].to_numpy(), spans["unit"].to_numpy())
    films, start, end = (spans[name].to_numpy()[np.isin(numbers, kept)] for name in ("film", "start", "end"))
    return Line(on_line(films, start), on_line(films, end))


def _numbers(archive: Archive, name: str, by: Unit) -> NDArray[np.int64]:
    where, values = condition_of(archive, name)
    found = archive.query(f"SELECT DISTINCT film, {by} AS unit FROM tracks WHERE {where}", values)
    return np.unique(_joined(found["film"].to_numpy(), found["unit"].to_numpy()))


def _joined(films: NDArray[np.int32], units: NDArray[np.int32]) -> NDArray[np.int64]:
    return (films.astype(np.int64) << 32) + units
