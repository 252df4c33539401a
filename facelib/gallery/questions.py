"""Open questions whether two names of a cast are one person, each in a sentence with its pictures."""

from __future__ import annotations

import math
import shlex
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from facelib.gallery.aliases import ALIAS_COLUMNS, find_aliases
from facelib.project import Project
from facelib.project.decisions import read_decisions
from facelib.project.digests import sha256_if_readable
from facelib.project.identities import cast_of, open_pairs
from facelib.project.names import is_same_name, same_names

_COPIED = 0.5  # of the smaller folder: what more than a misfiled picture is
QUESTION_COLUMNS = [*ALIAS_COLUMNS, "picture", "other_picture"]


def alias_questions(used: pd.DataFrame, project: Project, *, threshold: float) -> pd.DataFrame:
    """Return the pairs of names that look like one person's, or read alike, and that nobody has answered yet.

    Args:
        used: The faces in use, with `picture`, `person` and `embedding`.
        project: Its `corrections.csv` holds the answers.
        threshold: The embedder's own; with NaN, only names that read alike are asked about.

    Returns:
        As `find_aliases`, with `picture` and `other_picture`, the nearest two. `other` is the name that came later.
    """
    if used.empty:
        return pd.DataFrame(columns=pd.Index(QUESTION_COLUMNS))
    found = find_aliases(np.stack(used["embedding"].to_list()), used["person"], threshold=threshold)
    asked = {frozenset(pair) for pair in open_pairs(project, _pairs(found))}
    found = found[np.array([frozenset(pair) in asked for pair in _pairs(found)], bool)]
    typed = _typed(project)
    since = {name: _since(project, name, typed) for pair in _pairs(found) for name in pair}
    turned = np.array([since[one] > since[other] for one, other in _pairs(found)], bool)
    for first, second in (("person", "other"), ("row", "other_row")):
        one, other = (found[name].to_numpy(dtype=object) for name in (first, second))
        found = found.assign(**{first: np.where(turned, other, one), second: np.where(turned, one, other)})
    pictures = used["picture"].to_numpy(dtype=object)
    rows, other_rows = (found[name].to_numpy(dtype=int) for name in ("row", "other_row"))
    return found.assign(picture=pictures[rows], other_picture=pictures[other_rows]).reset_index(drop=True)


def question_lines(questions: pd.DataFrame, project: Project) -> list[str]:
    """Return each question in words, with the commands that answer it where there is no widget.

    Args:
        questions: Of `alias_questions`.
        project: Named in the commands.
    """
    lines = []
    for row in questions.to_dict("records"):
        one, other = str(row["person"]), str(row["other"])
        lines.append(
            f"{other} and {one} {how_alike(one, other)}: merge, or keep apart? {row['other_picture']} and "
            f"{row['picture']} are {row['distance']:.2f} apart, and {other} came later. Until you say, they do not "
            f"count as strangers to each other. {_commands(other, one, project)}"
        )
    return lines


def name_questions(project: Project) -> list[str]:
    """Return in words which names of the cast read alike or have the same pictures, and were not answered yet.

    Faces are not compared, only files.

    Raises:
        FileNotFoundError: When the project has no `people/` folder.
        ValueError: When `corrections.csv` is damaged.
    """
    typed, cast = _typed(project), cast_of(project)
    pairs = dict.fromkeys(same_names(cast)) | dict.fromkeys(_same_pictures(project, cast))
    ordered = [sorted(pair, key=lambda name: _since(project, name, typed)) for pair in open_pairs(project, pairs)]
    return [
        f"{later} and {earlier} {_why_asked(earlier, later)}: merge, or keep apart? "
        f"{_commands(later, earlier, project)}"
        for earlier, later in ordered
    ]


def how_alike(one: str, other: str) -> str:
    """Return why two names are asked about.

    Example:
        >>> how_alike("Ada", "ada"), how_alike("Ada", "Tob")
        ('differ only in case, spaces or Unicode form', 'look like one person')
    """
    return "differ only in case, spaces or Unicode form" if is_same_name(one, other) else "look like one person"


def _why_asked(earlier: str, later: str) -> str:
    alike = is_same_name(earlier, later)
    return how_alike(earlier, later) if alike else "have the same pictures, which are used for neither"


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


def _commands(later: str, earlier: str, project: Project) -> str:
    names = f"{_quoted(later)} {_quoted(earlier)} --project {_quoted(project.name)}"
    return f"facelib merge {names}, or facelib keep-apart {names}"


def _quoted(name: str) -> str:
    """Quote a name for a shell; one that a terminal would show or paste differently, by its code points."""
    if unicodedata.is_normalized("NFC", name) and name.isprintable():
        return shlex.quote(name)
    points = (letter if " " <= letter <= "~" and letter not in "\\'" else f"\\U{ord(letter):08x}" for letter in name)
    return f"$'{''.join(points)}'"


def _pairs(found: pd.DataFrame) -> Iterable[tuple[str, str]]:
    return zip(found["person"], found["other"], strict=True)


def _typed(project: Project) -> dict[str, int]:
    """Return in which decision each name was first given in a film."""
    first: dict[str, int] = {}
    for place, name in enumerate(read_decisions(project.corrections)["is"]):
        first.setdefault(str(name), place)
    return first


def _since(project: Project, person: str, typed: dict[str, int]) -> tuple[int, float]:
    """Return a sort key by age: names that existed before any was typed come first, then by their pictures."""
    files = project.find_pictures(person) if (project.people / person).is_dir() else []
    oldest = min((path.stat().st_mtime for path in files), default=math.inf)
    own = any(not path.name.startswith(("film ", "live ")) for path in files)
    return (-1 if own else typed.get(person, -1), oldest)
