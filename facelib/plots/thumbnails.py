"""Faces as a page of small pictures that needs no file beside it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from facelib.faces import BOX, Image
from facelib.films.appearances import timecode
from facelib.images import UnreadablePicture, crop, data_uri, jpeg_uri, read_image, thumbnail
from facelib.plots.colours import GROUND
from facelib.plots.style import evenly_picked
from facelib.project import path_of

_TILE = (
    '<figure style="margin:0;width:{width}px">'
    f'<div style="height:{{size}}px;display:flex;align-items:center;justify-content:center;{GROUND}">{{picture}}</div>'
    '<figcaption title="{name}" style="font-size:12px;line-height:1.35;overflow-wrap:anywhere">{caption}</figcaption>'
    "</figure>"
)


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """A page of small pictures with captions; Jupyter and exported reports show it.

    Attributes:
        html: The page's part of HTML; all names in it are escaped.
    """

    html: str

    @classmethod
    def side_by_side(cls, tiles: Iterable[str], rest: str = "") -> Self:
        """Put tiles in rows, as many in each as fit, and below them a text in HTML."""
        rows = '<div style="display:flex;flex-wrap:wrap;gap:12px 10px;align-items:flex-start">'
        return cls(f"{rows}{''.join(tiles)}</div>{f'<p>{rest}</p>' if rest else ''}")

    def _repr_html_(self) -> str:
        return self.html


def thumbnails(table: pd.DataFrame, folder: str | Path, *, size: int = 96, most: int = 60) -> Thumbnails:
    """Show the faces of a table as small pictures, each with its person, the picture's name, and the reason.

    Args:
        table: One row a face, with the columns `picture`, `person`, `reason`, `left`, `top`, `right` and `bottom`.
            A row without a box shows the whole picture.
        folder: What `picture` is relative to: the project's data folder.
        size: The longest side of a small picture, in pixels.
        most: How many to show at most; beyond it every n-th row is shown and the page says so. A larger value
            makes the notebook and the report larger, by about 4 kB a picture.

    Returns:
        A page; a file that cannot be read stands in it as a grey tile with the word "unreadable".
    """
    if table.empty:
        return Thumbnails("<p>No pictures to show.</p>")
    shown = evenly_picked(table, most)
    return _page((_tile(row, Path(folder), size) for _, row in shown.iterrows()), len(shown), len(table))


def contact_sheet(shots: pd.DataFrame, keyframes: pd.DataFrame, *, most: int = 60) -> Thumbnails:
    """Show one picture a shot, with its number, when it begins, and its scene.

    Args:
        shots: The columns of `shots.csv`.
        keyframes: The columns of `keyframes.parquet`.
        most: How many to show at most; beyond it every n-th shot is shown and the page says so.
    """
    if shots.empty:
        return Thumbnails("<p>No shots to show.</p>")
    rows = shots.merge(keyframes[["shot", "picture"]], on="shot")
    shown = evenly_picked(rows, most)
    tiles = []
    for _, row in shown.iterrows():
        begins = f" by a {row['transition']}" if row["transition"] == "fade" else ""
        caption = f"<b>{row['shot']}</b> at {timecode(row['start'])}{begins}<br>scene {row['scene']}"
        image = (
            f'<img src="{jpeg_uri(row["picture"])}" alt="shot {row["shot"]}" style="max-width:100%;max-height:100%">'
        )
        tiles.append(_TILE.format(width=160, size=90, picture=image, caption=caption, name=f"set-up {row['setup']}"))
    return _page(tiles, len(shown), len(rows))


def face_thumbnail(folder: str | Path, row: pd.Series, *, size: int = 96) -> Image:
    """Return the face that a row of the gallery or of the map tells of, cut from its picture and made small.

    Args:
        folder: What `row["picture"]` is relative to.
        row: Has `picture`, and `left`, `top`, `right`, `bottom` where the face is known; without them, or where
            they are NaN, the whole picture is taken.
        size: The longest side in pixels.

    Raises:
        FileNotFoundError: When the picture is gone.
        UnreadablePicture: When it cannot be read.
    """
    image = read_image(Path(folder) / path_of(str(row["picture"])))
    box = row.reindex(BOX).to_numpy(float)
    if np.isfinite(box).all():
        image = crop(image, box)
    return thumbnail(image, size=size)


def _page(tiles: Iterable[str], shown: int, total: int) -> Thumbnails:
    return Thumbnails.side_by_side(tiles, "" if shown == total else f"{shown} of {total}, evenly picked.")


def _tile(row: pd.Series, folder: Path, size: int) -> str:
    picture_name = Path(str(row["picture"]))
    name, stem = html.escape(picture_name.name), html.escape(picture_name.stem)
    person = html.escape(str(row["person"]))
    try:
        picture = f'<img src="{data_uri(face_thumbnail(folder, row, size=size))}" alt="{person}, {name}">'
    except UnreadablePicture:
        picture = "unreadable"
    except FileNotFoundError:
        picture = "file gone"
    reason = f"<br><b>{html.escape(str(row['reason']))}</b>" if row.get("reason") else ""
    return _TILE.format(width=size + 28, size=size, picture=picture, caption=f"{person}<br>{stem}{reason}", name=name)
