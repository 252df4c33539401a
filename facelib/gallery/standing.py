"""Statistics of a gallery: pictures by person, by turn and light, and who looks like whom."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from facelib.embed.neighbours import find_neighbours
from facelib.gallery.report import ENOUGH_PICTURES
from facelib.project.wording import listed

_FRONT = 0.2  # of `turn`, 0 facing the camera: both cheeks are seen about alike
_PROFILE = 0.4  # the nose all but covers one eye
_DARK, _BRIGHT = 35.0, 80.0  # lightness; skin of any tone in daylight lies between
_CONFUSABLE = 0.01  # of two people's faces, the smallest share that is reported
_LACKS = {
    "front": "from the front",
    "turned": "turned to a side",
    "profile": "in profile",
    "dark": "in dim light",
}


def balance_of(faces: pd.DataFrame, proposals: pd.DataFrame, *, people: Iterable[str] = ()) -> pd.DataFrame:
    """Count pictures by person: `person`, `pictures`, `used`, `proposed`, `missing`."""
    names = sorted({*people, *faces["person"]})
    own = {
        "pictures": faces,
        "used": faces[faces["used"].astype(bool)],
        "proposed": proposals[proposals["used"].astype(bool)],
    }
    counts = pd.DataFrame({name: rows.groupby("person")["picture"].nunique() for name, rows in own.items()})
    counts = counts.reindex(pd.Index(names, dtype="str")).fillna(0).astype(int)
    counts["missing"] = (ENOUGH_PICTURES - counts["used"]).clip(lower=0)
    return counts.rename_axis("person").reset_index()


def coverage_of(used: pd.DataFrame) -> pd.DataFrame:
    """Count used faces by person, turn and light, and say what is lacking.

    Args:
        used: The columns `person`, and `turn` and `light` of `measure_pictures`. Unmeasured faces count nowhere.

    Returns:
        `person`, `front`, `turned`, `profile` (of the turned ones), `dark`, `normal`, `bright`, and `lacks`. To a
        network a face and its mirror image are nearly alike, so the two sides count as one.
    """
    turn, light = used["turn"], used["light"]
    marks = pd.DataFrame(
        {
            "front": turn.abs() <= _FRONT,
            "turned": turn.abs() > _FRONT,
            "profile": turn.abs() > _PROFILE,
            "dark": light < _DARK,
            "normal": light.between(_DARK, _BRIGHT),
            "bright": light > _BRIGHT,
        }
    )
    counts = marks.groupby(used["person"], sort=True).sum().astype(int)
    lacks = [
        ", ".join(text for column, text in _LACKS.items() if row[column] == 0) for row in counts.to_dict("records")
    ]
    return counts.assign(lacks=lacks).astype({"lacks": "str"}).rename_axis("person").reset_index()


def lacking(coverage: pd.DataFrame) -> list[str]:
    """Return what a gallery lacks in words, a sentence per kind of picture, such as "Not shown in profile: Ada."."""
    texts = []
    for column, how in _LACKS.items():
        names = coverage.loc[coverage[column] == 0, "person"].to_list()
        if len(names) == len(coverage) > 1:
            texts.append(f"Nobody is shown {how}.")
        elif names:
            texts.append(f"Not shown {how}: {listed(names)}.")
    return texts


def confusable_of(used: pd.DataFrame, *, threshold: float = math.nan) -> pd.DataFrame:
    """Rank the pairs of a cast by how easily one is mistaken for the other, before any film is searched.

    Each face is compared with the cast without its own person: it counts as mistaken for the person with the nearest
    face when that is within the threshold.

    Args:
        used: The columns `person`, `picture` and `embedding`.
        threshold: The embedder's own; with NaN there is no `share`, and the nearest two faces rank.

    Returns:
        `person`, `other`, `share`, `distance`, `picture`, `other_picture`: one row per pair, the likeliest first.
    """
    columns = pd.Index(["person", "other", "share", "distance", "picture", "other_picture"])
    people, codes = np.unique(used["person"].to_numpy(dtype=object), return_inverse=True)
    if len(people) < 2:
        return pd.DataFrame(columns=columns)
    vectors = np.stack(used["embedding"].to_list())
    seen = find_neighbours(vectors, vectors, codes, k=1)
    to_others = seen.to_people.copy()
    to_others[np.arange(len(codes)), codes] = np.inf
    nearest = to_others.argmin(axis=1)
    answers = to_others.min(axis=1) <= threshold
    taken = np.zeros((len(people), len(people)))
    np.add.at(taken, (codes[answers], nearest[answers]), 1)
    counts, pictures = np.bincount(codes), used["picture"].to_numpy(dtype=object)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    closest = np.array([own[to_others[own].argmin(axis=0)] for own in members])  # of each person to each other
    first, second = np.triu_indices(len(people), 1)
    face = closest[first, second]
    shares = (taken + taken.T)[first, second] / (counts[first] + counts[second])
    table = pd.DataFrame(
        {
            "person": people[first],
            "other": people[second],
            "share": shares if math.isfinite(threshold) else np.nan,
            "distance": to_others[face, second],
            "picture": pictures[face],
            "other_picture": pictures[seen.people_rows[face, second]],
        }
    )
    return table.sort_values(["share", "distance"], ascending=[False, True], ignore_index=True)


def likenesses(confusable: pd.DataFrame) -> list[str]:
    """Return which three pairs, as in `confusable_of`, are most easily confused, a sentence each."""
    close = confusable[confusable["share"] >= _CONFUSABLE].head(3)
    return [
        f"{first} and {second} are easily confused: {share:.0%} of their faces lie within the threshold of the "
        f"other's; more and clearer pictures of both help."
        for first, second, share in zip(close["person"], close["other"], close["share"], strict=True)
    ]
