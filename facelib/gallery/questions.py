"""Open questions whether two names of a cast are one person by their faces, each in a sentence with its pictures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from facelib.gallery.aliases import ALIAS_COLUMNS, find_aliases
from facelib.gallery.names import age_of, answers_to, how_alike, typed_names
from facelib.project import Project
from facelib.project.identities import open_pairs

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
    typed = typed_names(project)
    since = {name: age_of(project, name, typed) for pair in _pairs(found) for name in pair}
    turned = np.array([since[one] > since[other] for one, other in _pairs(found)], bool)
    for first, second in (("person", "other"), ("row", "other_row")):
        one, other = (found[name].to_numpy(dtype=object) for name in (first, second))
        found = found.assign(**{first: np.where(turned, other, one), second: np.where(turned, one, other)})
    pictures = used["picture"].to_numpy(dtype=object)
    rows, other_rows = (found[name].to_numpy(dtype=int) for name in ("row", "other_row"))
    return found.assign(picture=pictures[rows], other_picture=pictures[other_rows]).reset_index(drop=True)


def question_lines(questions: pd.DataFrame, project: Project) -> list[str]:
    """Return each question in words, with the commands that answer it where there is no widget."""
    lines = []
    for row in questions.to_dict("records"):
        one, other = str(row["person"]), str(row["other"])
        lines.append(
            f"{other} and {one} {how_alike(one, other)}: merge, or keep apart? {row['other_picture']} and "
            f"{row['picture']} are {row['distance']:.2f} apart, and {other} came later. Until you say, they do not "
            f"count as strangers to each other. {answers_to(other, one, project)}"
        )
    return lines


def _pairs(found: pd.DataFrame) -> Iterable[tuple[str, str]]:
    return zip(found["person"], found["other"], strict=True)
