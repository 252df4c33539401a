"""The worst mistakes of films as a page of small pictures."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.faces import BOX
from facelib.films.appearances import timecode
from facelib.films.media.decode import UnreadableFilm, read_frame_at
from facelib.films.media.times import read_film_times
from facelib.images import crop, data_uri, thumbnail
from facelib.plots.colours import GROUND, WRONG
from facelib.plots.thumbnails import Thumbnails
from facelib.project import Project
from facelib.project.wording import counted

_INK = "var(--jp-ui-font-color1,#444)"
_TILE = (
    '<figure style="margin:0;width:{width}px">'
    f'<div style="height:{{size}}px;display:flex;align-items:center;justify-content:center;{GROUND}">{{picture}}</div>'
    '<figcaption style="font-size:12px;line-height:1.35;overflow-wrap:anywhere"><b style="color:{colour}">{mistake}</b>'
    "<br>{label}{arrow}{name}<br>{sure}{faces}<br>{film} {when}</figcaption></figure>"
)


def show_mistakes(
    table: pd.DataFrame,
    films: Mapping[str, Path],
    *,
    project: Project | None = None,
    size: int = 128,
    most: int = 24,
) -> Thumbnails:
    """Show the worst mistakes, each by its largest face in the film: what is there, and what it was taken for.

    Args:
        table: Of `facelib.evaluate.list_mistakes`; the first rows are shown.
        films: Where each film that was compared lies, by the name it has in the table.
        project: Its tables tell where a moment lies in a film of joined recordings, whose times restart.
        size: The longest side of a small picture, in pixels.
        most: How many to show at most. Each takes a moment, since its frame is looked up in the film.

    Returns:
        A page; where a film cannot be read any more, a grey tile says so.
    """
    if not films:
        return Thumbnails("<p>No film was compared with a truth, so nothing is known of mistakes.</p>")
    if table.empty:
        return Thumbnails("<p>No mistake was found.</p>")
    tiles = [_tile(row, films, project, size) for _, row in table.head(most).iterrows()]
    return Thumbnails.side_by_side(tiles, f"The worst {most} of {len(table)} mistakes." if len(table) > most else "")


def _tile(row: pd.Series, films: Mapping[str, Path], project: Project | None, size: int) -> str:
    sure, faces = float(row["confidence"]), int(row["faces"])
    return _TILE.format(
        width=size + 20,
        size=size,
        picture=_picture(row, films.get(str(row["film"])), project, size),
        colour=WRONG if "named" in str(row["mistake"]) and row["mistake"] != "not named" else _INK,
        mistake=html.escape(str(row["mistake"])),
        label=html.escape(str(row["label"])),
        arrow=" → " if row["name"] else "",
        name=html.escape(str(row["name"])),
        sure=f"sure {sure:.2f}, " if np.isfinite(sure) else "",
        faces=counted(faces, "face"),
        film=html.escape(str(row["film"])),
        when=timecode(float(row["time"])) if np.isfinite(row["time"]) else f"frame {row['frame']}",
    )


def _picture(row: pd.Series, film: Path | None, project: Project | None, size: int) -> str:
    if film is None or not np.isfinite(row["time"]):
        return "no picture"
    try:
        # A little later than the frame's own time, which is rounded: a moment earlier would show the one before.
        times = None if project is None else read_film_times(film, project.film(film))
        image = read_frame_at(film, float(row["time"]) + 1e-3, times=times).image
    except FileNotFoundError:
        return "film gone"
    except UnreadableFilm:
        return "unreadable"
    face = crop(image, row[BOX].to_numpy(float), margin=0.4)
    # Small faces are shown larger than they are, or nobody could tell whose they are.
    fit = "width:100%;height:100%;object-fit:contain"
    return f'<img src="{data_uri(thumbnail(face, size=size))}" alt="{html.escape(str(row["label"]))}" style="{fit}">'
