"""The people of an index: who there is, who is seen with whom, and who is seen first and last in each year."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from facelib.archive.line import Line, on_line
from facelib.archive.opened import Archive
from facelib.project import text_of
from facelib.project.names import near_names
from facelib.project.wording import did_you_mean

PEOPLE_COLUMNS = ["person", "kind", "films", "appearances", "seconds"]
YEAR_COLUMNS = [
    "person", "kind", "year", "films", "appearances", "seconds", "first_project", "first_film", "first_start",
    "last_project", "last_film", "last_end",
]  # fmt: skip


def list_people(archive: Archive) -> pd.DataFrame:
    """Return who is in the films: the cast and the groups of unknown people, those in most films first.

    Returns:
        `person`, `kind` (`cast` or `group`), `films`, `appearances` (stretches on screen), `seconds`. A group of
        unknown people of one project among several is called such as `Unknown 1 (sopranos)`.
    """
    return archive.people[PEOPLE_COLUMNS].copy()


def find_person(archive: Archive, name: str) -> str:
    """Return the name of a person as the index has it; case, accents and spaces may differ.

    Raises:
        ValueError: When nobody in the films has this name; near ones are offered.
    """
    name = text_of(name)
    if _is_cast(archive, name):
        return name
    known = archive.people["person"]
    if (known == name).any():
        return name
    near = near_names(name, known.tolist())
    same = [one.name for one in near if one.likeness == "same"]
    if len(same) == 1:
        return same[0]
    offered = [one.name for one in near][:5]
    hint = did_you_mean(offered)
    if not offered:
        most = known.head(8).tolist()
        hint = f" Most seen: {', '.join(map(repr, most))}." if most else " The films have nobody."
    raise ValueError(f"expected somebody who is seen in the films, got {name!r}.{hint}")


def _is_cast(archive: Archive, name: str) -> bool:
    """Return whether somebody of the cast is called exactly so; of a new index only a few blocks are read."""
    if "people" in archive.__dict__:
        people = archive.people
        return bool(((people["person"] == name) & (people["kind"] == "cast")).any())
    return bool(archive.query('SELECT 1 FROM appearances WHERE person = ? AND NOT "group" LIMIT 1', [name]).num_rows)


def condition_of(archive: Archive, person: str) -> tuple[str, list[object]]:
    """Return what in SQL selects the rows of somebody, with its values; the name must be the index's own.

    It goes by the name in the files, which are sorted by it: only a few blocks of them are read.
    """
    if _is_cast(archive, person):
        return 'person = ? AND NOT "group"', [person]
    row = archive.people.loc[archive.people["person"] == person].iloc[0]
    return 'person = ? AND "group" AND place = ?', [str(row["written"]), int(row["place"])]


def line_of(archive: Archive, person: str) -> Line:
    """Return when somebody is on screen in all films, as spans on one line; the name must be the index's own."""
    where, values = condition_of(archive, person)
    found = archive.query(f'SELECT film, start, "end" FROM appearances WHERE {where}', values)
    return Line.of(*(found[name].to_numpy() for name in ("film", "start", "end")))


def find_company(archive: Archive, person: str) -> pd.DataFrame:
    """Return who is on screen together with somebody, longest first.

    Returns:
        `person`, `kind`, `films` (in which they are together), `moments` (how often they come together), `seconds`.

    Raises:
        ValueError: When nobody has this name.
    """
    name = find_person(archive, person)
    own = line_of(archive, name)
    films = np.unique(own.films())
    rows = archive.query(
        'SELECT label, film, start, "end" FROM appearances WHERE film IN (SELECT unnest(?)) AND label <> ?',
        [films.tolist(), name],
    )
    label = rows["label"].combine_chunks()
    coded = pc.dictionary_encode(label)
    start, end = (on_line(rows["film"].to_numpy(), rows[edge].to_numpy()) for edge in ("start", "end"))
    seconds, moments = own.shared(start, end)
    met = moments > 0
    table = pd.DataFrame(
        {
            "code": coded.indices.to_numpy()[met],
            "film": rows["film"].to_numpy()[met],
            "moments": moments[met],
            "seconds": seconds[met],
        }
    )
    sums = table.groupby("code").agg(films=("film", "nunique"), moments=("moments", "sum"), seconds=("seconds", "sum"))
    sums.insert(0, "person", np.asarray(coded.dictionary.to_pylist(), object)[sums.index.to_numpy()])
    kinds = archive.people.set_index("person")["kind"]
    sums.insert(1, "kind", sums["person"].map(kinds))
    return sums.sort_values(["seconds", "person"], ascending=[False, True], ignore_index=True).round({"seconds": 6})


def find_years(archive: Archive, person: str | None = None) -> pd.DataFrame:
    """Return the first and the last appearance of people in each year; films without a date come last.

    Within a year films are ordered by their date as far as it is known, then by project and name.

    Args:
        archive: The index.
        person: As `find_person` takes it; None is everybody.

    Returns:
        `person`, `kind`, `year` (`<NA>` where films have no date), `films`, `appearances`, `seconds`, and where the
        first one begins and the last one ends: `first_project`, `first_film`, `first_start`, `last_project`,
        `last_film`, `last_end` (seconds in that film).

    Raises:
        ValueError: When nobody has this name.
    """
    where, values = "", list[object]()
    if person is not None:
        where, values = "WHERE label = ?", [find_person(archive, person)]
    found = archive.query(
        'SELECT label AS person, bool_or("group") AS is_group, year, count(DISTINCT film) AS films, '
        'count(*) AS appearances, sum("end" - start) AS seconds, '
        "min({'date': date, 'film': film, 'at': start}) AS first, "
        "max({'date': date, 'film': film, 'at': \"end\"}) AS last "
        f"FROM appearances JOIN films ON films.number = appearances.film {where} GROUP BY label, year",
        values,
    ).to_pandas()
    table = found.assign(
        kind=np.where(found["is_group"].astype(bool), "group", "cast"),
        year=found["year"].astype("Int64"),
        seconds=found["seconds"].round(6),  # as of all people
    )
    for edge, at in (("first", "first_start"), ("last", "last_end")):
        rows = np.array([one["film"] for one in found[edge]], np.int64)
        for name in ("project", "film"):
            table[f"{edge}_{name}"] = archive.films[name].to_numpy()[rows]
        table[at] = [float(one["at"]) for one in found[edge]]
    years: pd.DataFrame = table.sort_values(["kind", "person", "year"], ignore_index=True)[YEAR_COLUMNS]
    return years
