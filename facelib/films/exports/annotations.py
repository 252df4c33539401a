"""Who is where in the film, as W3C Web Annotations in JSON-LD.

Source: the Web Annotation Data Model (W3C Recommendation, 2017), and Media Fragments URI 1.0 (2012) for time and place.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facelib import __version__
from facelib.faces import BOX
from facelib.films.appearances import named_tracks
from facelib.films.exports.material import Material
from facelib.films.exports.text import write_json_document
from facelib.films.tables import read_detections

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"


def write_annotations(material: Material, path: Path) -> None:
    """Write an annotation page with one annotation a named track.

    Its target is the film with a media fragment as selector, `t=start,end&xywh=x,y,w,h`: the seconds from the
    track's first frame to the one after its last, and the mean of its boxes in whole pixels of the upright picture
    (a track lasts one shot at most, within which a face stays about where it is; the box of every frame is in the
    `mot` export). `source`, `#` and the selector's value together are the address of that piece of the film.

    The first body is the name, its purpose `identifying`; the second says in words how sure it is, and why. An
    annotation keeps its id when the same track of the same film is exported again.
    """
    boxes = mean_boxes(material)
    items = [_annotation(material, row, boxes) for row in _named(material)]
    page = {"@context": CONTEXT, "id": _identity(material.address, "page"), "type": "AnnotationPage", "items": items}
    write_json_document(page, path)


def annotation_items(material: Material) -> list[tuple[str, str]]:
    """Return the name of each named track, and where it is: a media fragment as in `write_annotations`."""
    boxes = mean_boxes(material)
    return [(str(row["person"]), _fragment(material, row, boxes)) for row in _named(material)]


def _named(material: Material) -> list[dict[Any, Any]]:
    tracks = named_tracks(material.tracks, unknown=material.unknown)
    return tracks.sort_values(["start", "track"]).to_dict("records")


def mean_boxes(material: Material) -> dict[int, tuple[int, ...]]:
    """Return, by track, its mean box within the picture: left, top, right and bottom in whole pixels."""
    pieces = read_detections(material.detections, ["shot", "track", *BOX])  # of whole shots, and so of whole tracks
    means = pd.concat([boxes.groupby("track")[BOX].mean() for boxes in pieces])
    means = means.groupby("track").mean()  # tables of other programs may have a track in several shots
    limits = [material.info.width, material.info.height] * 2
    boxes = np.clip(means.to_numpy().round().astype(int), 0, limits)
    return {int(track): tuple(box) for track, box in zip(means.index, boxes.tolist(), strict=True)}


def _annotation(material: Material, track: dict[Any, Any], boxes: dict[int, tuple[int, ...]]) -> dict[str, object]:
    selector = {"type": "FragmentSelector", "conformsTo": MEDIA_FRAGMENTS, "value": _fragment(material, track, boxes)}
    return {
        "id": _identity(material.address, f"track {track['track']}"),
        "type": "Annotation",
        "motivation": "identifying",
        "generator": {"type": "Software", "name": f"facelib {__version__}"},
        "body": [
            {"type": "TextualBody", "purpose": "identifying", "format": "text/plain", "value": str(track["person"])},
            {"type": "TextualBody", "purpose": "describing", "format": "text/plain", "value": _reason(track)},
        ],
        "target": {"type": "SpecificResource", "source": material.address, "selector": selector},
    }


def _identity(address: str, what: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{address}#{what}").urn


def _fragment(material: Material, track: dict[Any, Any], boxes: dict[int, tuple[int, ...]]) -> str:
    time = f"t={track['start']:.3f},{track['until']:.3f}"
    if track["track"] not in boxes:
        return time
    left, top, right, bottom = boxes[track["track"]]
    return f"{time}&xywh={left},{top},{max(right - left, 1)},{max(bottom - top, 1)}"


def _reason(track: dict[Any, Any]) -> str:
    reason = str(track.get("reason") or "")
    return f"confidence {track['confidence']:.2f}" + (f": {reason}" if reason else "")
