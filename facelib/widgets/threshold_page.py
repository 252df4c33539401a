"""The faces that a setting mistakes as a page of pictures, for reports and where widgets do not run."""

from __future__ import annotations

import html

from facelib.images import UnreadablePicture, data_uri
from facelib.plots import Thumbnails, face_thumbnail
from facelib.plots.colours import GROUND
from facelib.project import Project
from facelib.recognize.tuning import Setting, Tuning
from facelib.widgets.threshold_mistakes import KnownFaces, mistake_groups

_FACE = (
    '<figure style="margin:0;width:{size}px"><div style="height:{size}px;display:flex;align-items:center;'
    f'justify-content:center;{GROUND}">{{picture}}</div>'
    '<figcaption title="{name}" style="font-size:12px;line-height:1.35;overflow-wrap:anywhere">{person}</figcaption>'
    "</figure>"
)


def mistakes_page(tuning: Tuning, setting: Setting, project: Project, *, most: int = 12, size: int = 80) -> Thumbnails:
    """Show the worst mistakes of a setting in pairs: the face tested, and the known face it was matched with.

    Args:
        tuning: The gallery tried against itself.
        setting: Of `Tuning.at`.
        project: Where the pictures lie.
        most: How many pairs of each kind to show at most; the page says how many there are.
        size: The longest side of a small picture, in pixels.

    Returns:
        A page; a file that cannot be read stands in it as a grey tile that says so.
    """
    faces = KnownFaces.of(tuning, project)
    counts = dict.fromkeys(("wrong", "strangers", "rejected"), most)
    parts = []
    for group in mistake_groups(setting, faces, most=counts, closest_first=False):
        pairs, total = group["pairs"], group["total"]
        more = f", the worst {len(pairs)}" if total > len(pairs) else ""
        parts.append(f'<h4 style="margin:14px 0 2px">{group["title"]} ({total}{more})</h4>')
        tiles = Thumbnails.side_by_side(
            f'<div style="background:var(--jp-layout-color1,#f7f7f7);padding:6px"><div style="display:flex;gap:6px">'
            f"{_tile(faces, pair['probe'], size)}{_tile(faces, pair['shown'], size)}</div>"
            f'<span style="font-size:12px">{pair["text"]}</span></div>'
            for pair in pairs
        )
        note = group["note"] if total else "None at this setting."
        parts.append(f'<p style="margin:0 0 6px">{note}</p>{tiles.html}')
    return Thumbnails("".join(parts))


def _tile(faces: KnownFaces, face: dict[str, str], size: int) -> str:
    person, name = html.escape(face["person"]), html.escape(face["name"])
    try:
        small = face_thumbnail(faces.folder, faces.row(face["id"]), size=size)
        fit = "width:100%;height:100%;object-fit:contain"
        picture = f'<img src="{data_uri(small)}" alt="{person}, {name}" style="{fit}">'
    except UnreadablePicture:
        picture = "unreadable"
    except FileNotFoundError:
        picture = "file gone"
    return _FACE.format(size=size, picture=picture, name=name, person=person)
