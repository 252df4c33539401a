"""A gallery in figures and words: pictures counted by person, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from facelib.gallery.curation import REASONS
from facelib.project.wording import listed

ENOUGH_PICTURES = 50
"""With fewer pictures of a person, faces in unusual light or turned away are missed."""

LARGEST_IMBALANCE = 3.0
"""How many times as many pictures as another a person may have."""


def summary(table: pd.DataFrame, *, people: Iterable[str] = ()) -> pd.DataFrame:
    """Count a gallery's pictures by person, `people` without any among them.

    Returns:
        `person`, `pictures`, `used`, and one column a reason with the number of pictures left out for it;
        `pictures` is the sum of the rest.
    """
    best = table.sort_values("used", ascending=False, kind="stable").drop_duplicates(["person", "picture"])
    what = best["reason"].where(~best["used"], "used")
    counts = pd.crosstab(best["person"], what)
    names = sorted(set(counts.index) | set(people))
    counts = counts.reindex(index=names, columns=["used", *REASONS], fill_value=0)
    counts.insert(0, "pictures", counts.sum(axis=1))
    return counts.rename_axis(index="person", columns=None).reset_index()


def warnings_for(table: pd.DataFrame, *, people: Iterable[str] = ()) -> list[str]:
    """Return what is wrong with a gallery, a sentence each; none when all is well."""
    counts = summary(table, people=people).set_index("person")["used"]
    some = counts[counts > 0]
    few = some[some < ENOUGH_PICTURES]
    texts = []
    if (counts == 0).any():
        texts.append(f"Nobody can be recognised as {listed(counts.index[counts == 0])}: no usable face.")
    if len(some) == 1:
        texts.append(f"Only {some.index[0]} can be recognised: with one person no threshold can be fitted.")
    if len(few):
        counted = listed(f"{person} ({count})" for person, count in few.items())
        texts.append(f"Fewer than {ENOUGH_PICTURES} usable pictures of {counted}; more in varied light and pose help.")
    if len(some) and some.max() > LARGEST_IMBALANCE * some.min():
        texts.append(
            f"The people are out of balance: {some.max()} pictures of {some.idxmax()}, {some.min()} of {some.idxmin()}."
        )
    texts += [
        f"The same picture is in the folders of several people and is used for none: {listed(paths)}."
        for paths in _shared_pictures(table)
    ]
    unreadable = table.loc[table["reason"] == "unreadable", "picture"]
    if len(unreadable):
        texts.append(f"Not readable as a picture: {listed(unreadable)}.")
    return texts


def _shared_pictures(table: pd.DataFrame) -> Iterator[list[str]]:
    for _, rows in table[table["reason"] == "duplicate"].groupby("sha256"):
        if rows["person"].nunique() > 1:
            yield sorted(set(rows["picture"]))
