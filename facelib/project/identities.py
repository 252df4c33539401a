"""Merge two names of the cast that are one person, or keep them apart; answered once, and reversible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from facelib.project.decisions import append_decision, merged_names, name_answers, read_decisions
from facelib.project.layout import Project
from facelib.project.names import near_names

Answer = Literal["merge", "apart"]
Pair = tuple[str, str]


def merge(project: Project, name: str, into: str, *, by: str = "user") -> None:
    """Merge a name into another: its pictures and tracks are that person's from now on.

    No file is moved: the folder stays, and `take_back` undoes it. It takes effect with the next run of 02, 04 and 05.

    Raises:
        ValueError: When the two are the same, or one of them is nobody in the cast.
        OSError: When the answer cannot be written.
    """
    _answer(project, name, into, now_is=into, by=by)


def keep_apart(project: Project, name: str, other: str, *, by: str = "user") -> None:
    """Record that two names are two people: they count as different people, and are not asked about again.

    Raises:
        ValueError: When the two are the same, or one of them is nobody in the cast.
        OSError: When the answer cannot be written.
    """
    _answer(project, name, other, now_is=name, by=by)


def take_back(project: Project, name: str, other: str, *, by: str = "user") -> bool:
    """Take back the answer about two names; return whether there was one.

    Raises:
        OSError: When the answer cannot be written.
    """
    said = answers(project)
    pair = next((pair for pair in ((name, other), (other, name)) if pair in said), None)
    if pair is None:
        return False
    append_decision(project.corrections, f"people/{pair[0]}", was=pair[1], now_is="", by=by)
    return True


def answers(project: Project) -> dict[Pair, Answer]:
    """Return the answer about each pair of names: `merge`, the first into the second, or `apart`.

    Raises:
        ValueError: When `corrections.csv` is damaged.
    """
    return name_answers(read_decisions(project.corrections))  # type: ignore[return-value]


def merged(project: Project) -> dict[str, str]:
    """Return each merged name with the name that it is merged into."""
    return merged_names(read_decisions(project.corrections))


def cast_of(project: Project) -> list[str]:
    """Return the names of the cast, sorted: the folders of `people/` without the names merged into others."""
    gone = merged(project)
    return [name for name in project.find_people(missing_ok=True) if name not in gone]


def open_pairs(project: Project, pairs: Iterable[Pair]) -> list[Pair]:
    """Return the pairs of names that nobody has answered yet."""
    said = answers(project)
    return [(one, other) for one, other in pairs if not {(one, other), (other, one)} & said.keys()]


def _answer(project: Project, name: str, other: str, *, now_is: str, by: str) -> None:
    people = project.find_people()
    for given in (name, other):
        if given not in people:
            near = [found.name for found in near_names(given, people)] or people
            raise ValueError(f"expected a name of the cast, got {given!r}; did you mean one of {near!r}?")
    if name == other:
        raise ValueError(f"expected two names, got {name!r} twice")
    was = name if now_is != name else other
    append_decision(project.corrections, f"people/{name}", was=was, now_is=now_is, by=by)
