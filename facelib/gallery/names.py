"""Open questions whether two names of a cast are one person, from names and files alone, and how they are answered."""

from __future__ import annotations

import math
import shlex
import unicodedata
from collections.abc import Iterator
from itertools import combinations

from facelib.project import Project
from facelib.project.decisions import read_decisions
from facelib.project.digests import sha256_if_readable
from facelib.project.identities import cast_of, open_pairs
from facelib.project.names import is_same_name, same_names

_COPIED = 0.5  # of the smaller folder: what more than a misfiled picture is


def name_questions(project: Project) -> list[str]:
    """Return in words which names of the cast read alike or have the same pictures, and were not answered yet.

    Faces are not compared, only files.

    Raises:
        FileNotFoundError: When the project has no `people/` folder.
        ValueError: When `corrections.csv` is damaged.
    """
    typed, cast = typed_names(project), cast_of(project)
    pairs = dict.fromkeys(same_names(cast)) | dict.fromkeys(_same_pictures(project, cast))
    ordered = [sorted(pair, key=lambda name: age_of(project, name, typed)) for pair in open_pairs(project, pairs)]
    return [
        f"{later} and {earlier} {how_alike(earlier, later, 'have the same pictures, which are used for neither')}: "
        f"merge, or keep apart? "
        f"{answers_to(later, earlier, project)}"
        for earlier, later in ordered
    ]


def how_alike(one: str, other: str, otherwise: str = "look like one person") -> str:
    """Return why two names are asked about.

    Examples:
        >>> how_alike("Ada", "ada"), how_alike("Ada", "Tob")
        ('differ only in case, spaces or Unicode form', 'look like one person')
    """
    return "differ only in case, spaces or Unicode form" if is_same_name(one, other) else otherwise


def _same_pictures(project: Project, cast: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each pair of names of which at least half of the pictures of one are files of the other's too."""
    pictures = {person: project.find_pictures(person) for person in cast}
    owners: dict[int, set[str]] = {}
    sizes = {path: path.stat().st_size for paths in pictures.values() for path in paths if path.is_file()}
    for person, paths in pictures.items():
        for path in paths:
            owners.setdefault(sizes.get(path, 0), set()).add(person)
    shared = {
        person: {sha256_if_readable(path) for path in paths if len(owners[sizes.get(path, 0)]) > 1} - {""}
        for person, paths in pictures.items()
    }
    for one, other in combinations((person for person in cast if shared[person]), 2):
        common = len(shared[one] & shared[other])
        if common and common >= _COPIED * min(len(pictures[one]), len(pictures[other])):
            yield one, other


def answers_to(later: str, earlier: str, project: Project) -> str:
    """Return the commands that answer whether two names are one person's."""
    names, place = f"{_quoted(later)} {_quoted(earlier)}", f"--project {_quoted(project.name)}"
    # What begins like an option is taken for one, but behind two dashes.
    names = f"{place} -- {names}" if "-" in (later[:1], earlier[:1]) else f"{names} {place}"
    return f"facelib merge {names}, or facelib keep-apart {names}"


def _quoted(name: str) -> str:
    """Quote a name for a shell; one that a terminal would show or paste differently, by its code points."""
    if unicodedata.is_normalized("NFC", name) and name.isprintable():
        return shlex.quote(name)
    points = (letter if " " <= letter <= "~" and letter not in "\\'" else f"\\U{ord(letter):08x}" for letter in name)
    return f"$'{''.join(points)}'"


def typed_names(project: Project) -> dict[str, int]:
    """Return in which decision each name was first given in a film."""
    first: dict[str, int] = {}
    for place, name in enumerate(read_decisions(project.corrections)["is"]):
        first.setdefault(str(name), place)
    return first


def age_of(project: Project, person: str, typed: dict[str, int]) -> tuple[int, float]:
    """Return a sort key by age: names that existed before any was typed come first, then by their pictures."""
    files = project.find_pictures(person) if (project.people / person).is_dir() else []
    oldest = min((path.stat().st_mtime for path in files), default=math.inf)
    own = any(not path.name.startswith(("film ", "live ")) for path in files)
    return (-1 if own else typed.get(person, -1), oldest)
