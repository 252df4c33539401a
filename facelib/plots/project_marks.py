"""The marks of a project's people, kept: nobody's colour changes when somebody else is enrolled."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from facelib.plots.colours import GREY, Mark, is_stranger, nth_mark
from facelib.project import Project, write_table
from facelib.project.names import UNKNOWN
from facelib.project.spreadsheets import read_csv_table


def project_marks(project: Project, people: Iterable[str]) -> dict[str, Mark]:
    """Return how each person is drawn, by name, sorted; the first to ask for a name settles its mark for good.

    `marks.csv` in the project's output folder keeps them: `person` and `number`, of `facelib.plots.colours.nth_mark`.
    New people, and those of the cast who are not drawn yet, take the next numbers in the order of their names. Whoever
    is not of the cast is a grey circle, as in `facelib.plots.marks`, and has no row.

    Args:
        project: Whose marks are read, and written where there are new people.
        people: All who are drawn; more than the cast does no harm.

    Raises:
        OSError: When the table cannot be written.
    """
    names = sorted(set(people))
    path = project.marks
    kept = _read(project)
    cast = project.find_people(missing_ok=True)
    new = [name for name in sorted({*names, *cast}) if name not in kept and not is_stranger(name)]
    if new:
        following = max(kept.values(), default=-1) + 1
        kept |= {name: following + i for i, name in enumerate(new)}
        write_table(pd.DataFrame(kept.items(), columns=pd.Index(["person", "number"])), path)
    return {name: nth_mark(kept[name]) if name in kept else Mark(GREY, "circle") for name in names}


def project_colours(project: Project, people: Iterable[str]) -> dict[str, str]:
    """Return the colour of each person by name, as `project_marks` keeps it; `unknown` is always among them."""
    return {name: mark.colour for name, mark in project_marks(project, [*people, UNKNOWN]).items()}


def _read(project: Project) -> dict[str, int]:
    if not project.marks.is_file():
        return {}
    table = read_csv_table(project.marks, keep_default_na=False, dtype={"person": "str", "number": "int64"})
    return dict(zip(table["person"], table["number"].tolist(), strict=True))
