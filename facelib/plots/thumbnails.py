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
from facelib.images import UnreadablePicture, crop, encode_jpeg, jpeg_uri, read_image, thumbnail
from facelib.plots.colours import GROUND
from facelib.plots.style import evenly_picked
from facelib.project import path_of
from facelib.project.wording import isolated


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


def tile(
    picture: bytes | str, caption: str, *, size: int, width: int = 0, alt: str = "", title: str = "", fill: bool = False
) -> str:
    """Return a small picture with its caption, in HTML, as `Thumbnails.side_by_side` takes it.

    Args:
        picture: A JPEG, or the words that stand in its place, such as `file gone`.
        caption: HTML; names in it must be escaped.
        size: The height of the ground, in pixels; the picture fits in.
        width: Of the ground and the caption, in pixels; 0 takes `size`.
        alt: What the picture shows.
        title: What appears when the pointer rests on the caption.
        fill: Whether a smaller picture is enlarged to the ground.
    """
    fit = "width:100%;height:100%;object-fit:contain" if fill else "max-width:100%;max-height:100%"
    if isinstance(picture, bytes):
        picture = f'<img src="{jpeg_uri(picture)}" alt="{html.escape(alt)}" style="{fit}">'
    ground = f"height:{size}px;display:flex;align-items:center;justify-content:center;{GROUND}"
    return (
        f'<figure style="margin:0;width:{width or size}px;font-size:12px;line-height:1.35">'
        f'<div style="{ground}">{picture}</div>'
        f'<figcaption title="{html.escape(title)}" style="overflow-wrap:anywhere">{isolated(caption)}</figcaption>'
        "</figure>"
    )


def thumbnails(table: pd.DataFrame, folder: str | Path, *, size: int = 96, most: int = 60) -> Thumbnails:
    """Show the faces of a table as small pictures, each with its person, the picture's name, and the reason.

    Args:
        table: One row per face, with the columns `picture`, `person`, `reason`, `left`, `top`, `right` and `bottom`.
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


def contact_sheet(shots: pd.DataFrame, keyframes: pd.DataFrame) -> Thumbnails:
    """Show one picture per shot, with its number, when it begins, and its scene: of many shots 60, evenly picked."""
    if shots.empty:
        return Thumbnails("<p>No shots to show.</p>")
    rows = shots.merge(keyframes[["shot", "picture"]], on="shot")
    shown = evenly_picked(rows, 60)
    tiles = []
    for _, row in shown.iterrows():
        begins = f" by a {row['transition']}" if row["transition"] == "fade" else ""
        caption = f"<b>{row['shot']}</b> at {timecode(row['start'])}{begins}<br>scene {row['scene']}"
        shot, setup = f"shot {row['shot']}", f"set-up {row['setup']}"
        tiles.append(tile(row["picture"], caption, size=90, width=160, alt=shot, title=setup))
    return _page(tiles, len(shown), len(rows))


def face_thumbnail(folder: str | Path, row: pd.Series, *, size: int = 96) -> Image:
    """Return the face of a row of the gallery or of the map, cut from its picture and made small.

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


def face_or_reason(folder: str | Path, row: pd.Series, *, size: int = 96) -> bytes | str:
    """Return the face of `face_thumbnail` as JPEG, or in two words why there is none."""
    try:
        return encode_jpeg(face_thumbnail(folder, row, size=size))
    except UnreadablePicture:
        return "unreadable"
    except FileNotFoundError:
        return "file gone"


def _page(tiles: Iterable[str], shown: int, total: int) -> Thumbnails:
    return Thumbnails.side_by_side(tiles, "" if shown == total else f"{shown} of {total}, evenly picked.")


def _tile(row: pd.Series, folder: Path, size: int) -> str:
    person, path = str(row["person"]), Path(str(row["picture"]))
    reason = f"<br><b>{html.escape(str(row['reason']))}</b>" if row.get("reason") else ""
    name = html.escape(path.stem).replace("_", "_<wbr>")
    caption = f"{html.escape(person)}<br>{name}{reason}"
    picture, alt = face_or_reason(folder, row, size=size), f"{person}, {path.name}"
    return tile(picture, caption, size=size, width=size + 28, alt=alt, title=path.name)
