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
from facelib.images import crop, encode_jpeg, thumbnail
from facelib.plots.colours import WRONG
from facelib.plots.thumbnails import Thumbnails, tile
from facelib.project import Project
from facelib.project.wording import counted

_INK = "var(--jp-ui-font-color1,#444)"
_SIZE = 128  # pixels of the longest side of a face


def show_mistakes(
    table: pd.DataFrame, films: Mapping[str, Path], *, project: Project | None = None, most: int = 24
) -> Thumbnails:
    """Show the worst mistakes, each by its largest face in the film: what is there, and what it was taken for.

    Args:
        table: Of `facelib.evaluate.list_mistakes`; the first rows are shown.
        films: Where each film that was compared lies, by the name it has in the table.
        project: Its tables tell where a moment lies in a film of joined recordings, whose times restart.
        most: How many to show at most. Each takes a moment, since its frame is looked up in the film.

    Returns:
        A page; where a film cannot be read any more, a grey tile says so.
    """
    if not films:
        return Thumbnails("<p>No film has ground truth, so no mistakes are known.</p>")
    if table.empty:
        return Thumbnails("<p>No mistake was found.</p>")
    tiles = [_tile(row, films, project) for _, row in table.head(most).iterrows()]
    return Thumbnails.side_by_side(tiles, f"The worst {most} of {len(table)} mistakes." if len(table) > most else "")


def _tile(row: pd.Series, films: Mapping[str, Path], project: Project | None) -> str:
    mistake, label, name, film = (html.escape(str(row[field])) for field in ("mistake", "label", "name", "film"))
    colour = WRONG if "named" in mistake and mistake != "not named" else _INK
    sure = f"sure {row['confidence']:.2f}, " if np.isfinite(row["confidence"]) else ""
    when = timecode(float(row["time"])) if np.isfinite(row["time"]) else f"frame {row['frame']}"
    taken_for = f" → {name}" if name else ""
    caption = (
        f'<b style="color:{colour}">{mistake}</b><br>{label}{taken_for}<br>{sure}{counted(int(row["faces"]), "face")}'
        f"<br>{film} {when}"
    )
    # Small faces are shown larger than they are, or nobody could tell whose they are.
    picture = _picture(row, films.get(str(row["film"])), project)
    return tile(picture, caption, size=_SIZE, width=_SIZE + 20, alt=str(row["label"]), fill=True)


def _picture(row: pd.Series, film: Path | None, project: Project | None) -> bytes | str:
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
    return encode_jpeg(thumbnail(face, size=_SIZE))
