"""The gallery doctor's proposals as a page of pictures, for reports and where widgets do not run."""

from __future__ import annotations

import html
from pathlib import Path

import pandas as pd

from facelib.faces import BOX
from facelib.gallery import PROPOSAL_KINDS, Examination
from facelib.plots import Thumbnails, thumbnails


def proposals_page(
    examination: Examination, faces: pd.DataFrame, folder: str | Path, *, most: int = 60, size: int = 96
) -> Thumbnails:
    """Show the pictures proposed to be left out, by reason, the worst first.

    Args:
        examination: What was found.
        faces: The table of known faces, for the places of the faces in their pictures.
        folder: What `picture` is relative to: the project's data folder.
        most: How many to show of each reason at most; the page says how many there are.
        size: The longest side of a small picture, in pixels.
    """
    proposals = examination.proposals
    if proposals.empty:
        return Thumbnails("<p>Nothing is proposed.</p>")
    boxes = faces[["picture", "face", *BOX]].drop_duplicates(["picture", "face"])
    rows = proposals.merge(boxes, on=["picture", "face"], how="left")
    found = set(rows["kind"])
    parts = []
    for kind in [*(kind for kind in PROPOSAL_KINDS if kind in found), *sorted(found - set(PROPOSAL_KINDS))]:
        these = rows[rows["kind"] == kind]
        fits = "looks like " + these["fits"].astype(str)
        other = (these["fits"] != "") & (these["fits"] != these["person"])
        reason = fits.where(other, "").mask(~these["used"].astype(bool) & ~other, "not in use")
        more = f", the first {most}" if len(these) > most else ""
        title = f'<h4 style="margin:14px 0 8px">{html.escape(kind)} ({len(these)}{more})</h4>'
        page = thumbnails(these.head(most).assign(reason=reason), folder, size=size, most=most)
        parts.append(f'<section style="min-width:0">{title}{page.html}</section>')
    # Few of one reason leave room for those of the next beside them.
    return Thumbnails(f'<div style="display:flex;flex-wrap:wrap;gap:0 28px">{"".join(parts)}</div>')
