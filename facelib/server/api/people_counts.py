"""How many pictures of each person the gallery uses, and why it does not use the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from facelib.gallery import summary
from facelib.project import Project
from facelib.server.cached import table_of


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """The pictures of one person in the gallery.

    Attributes:
        used: How many are used.
        left_out: How many are not, by reason.
    """

    used: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def picture_counts(project: Project) -> dict[str, PersonCounts]:
    """Return the counts of each person in `faces.parquet`; none before there is one."""
    table = table_of(project.faces)
    if table is None:
        return {}
    found = {}
    for row in summary(table).to_dict("records"):
        person, used = str(row.pop("person")), int(row.pop("used"))
        row.pop("pictures")
        found[person] = PersonCounts(used, {str(reason): int(count) for reason, count in row.items() if count})
    return found
