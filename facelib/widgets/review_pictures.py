"""Tracks as a page of pictures, for reports and where widgets do not run."""

from __future__ import annotations

import html
from collections.abc import Sequence

from facelib.films.appearances import timecode
from facelib.images import jpeg_uri
from facelib.plots import Thumbnails
from facelib.plots.colours import GROUND
from facelib.review import Review

_TILE = (
    '<figure style="margin:0;width:{size}px;font-size:12px;line-height:1.35">'
    f'<div style="height:{{size}}px;{GROUND};display:flex;align-items:center;'
    'justify-content:center">{picture}</div>'
    '<figcaption title="{reason}" style="overflow-wrap:anywhere"><b>{label}</b><br>{sure}<br>{place}</figcaption>'
    "</figure>"
)


def review_page(review: Review, tracks: Sequence[int], *, most: int = 40, size: int = 112) -> Thumbnails:
    """Show the best face of tracks with what they are called, how sure that is, where they are, and why.

    Args:
        review: The tracks and their decisions.
        tracks: Rows of `review.tracks`, in the order of the page.
        most: How many to show at most; the page says how many more there are.
        size: The width of a picture in pixels.
    """
    if not tracks:
        return Thumbnails("<p>No tracks to show.</p>")
    tiles = (_tile(review, row, size) for row in tracks[:most])
    return Thumbnails.side_by_side(tiles, f"and {len(tracks) - most} more." if len(tracks) > most else "")


def _tile(review: Review, row: int, size: int) -> str:
    track = review.tracks.loc[row].to_dict()
    found = review.pictures(row)
    label, video, reason = (html.escape(str(track[name])) for name in ("label", "video", "reason"))
    picture = "no picture"
    if found:
        style = f"max-width:{size}px;max-height:{size}px"
        picture = f'<img src="{jpeg_uri(found[0])}" alt="{label}" style="{style}">'
    sure = "decided" if track["decided"] else f"{track['confidence']:.2f} sure"
    place = f"{timecode(track['start'])[:-2]}, {track['seconds']:.1f} s<br>shot {track['shot']} of {video}"
    return _TILE.format(size=size, picture=picture, label=label, sure=sure, place=place, reason=reason)
