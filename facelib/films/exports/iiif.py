"""A film and who is where in it, as a manifest of the International Image Interoperability Framework.

Source: IIIF Presentation API 3.0 (2020), whose viewers (Mirador, Universal Viewer, Clover) libraries and archives use.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from facelib.films.exports.annotations import annotation_items
from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line, write_json_document


def write_iiif(material: Material, path: Path) -> None:
    """Write a manifest with one canvas, the film, and one annotation for each named track.

    An annotation's target is a fragment of the canvas, `t=start,end&xywh=x,y,w,h`, as in the `annotations` export: its
    body is the name, its motivation `tagging`. A range for each person lists the stretches on screen, for the table of
    contents. Viewers fetch what the manifest names, and tell manifests apart by their address: pass the film's public
    one as `address`, and publish the manifest beside it, as `film.mp4.manifest.json` beside `film.mp4`.
    """
    parts = urlsplit(material.address)
    base = urlunsplit(parts._replace(path=f"{parts.path}.{path.name}"))
    canvas = f"{base}/canvas"
    duration, info = round(material.clock.end, 6), material.info
    size = {"width": info.width, "height": info.height, "duration": duration}
    kind = mimetypes.guess_type(info.path.name)[0] or "video/mp4"
    film = {"id": material.address, "type": "Video", "format": kind, **size}
    painting = {
        "id": f"{canvas}/page/film",
        "type": "Annotation",
        "motivation": "painting",
        "body": film,
        "target": canvas,
    }
    document = {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": base,
        "type": "Manifest",
        "label": {"none": [one_line(info.path.stem)]},
        "items": [
            {
                "id": canvas,
                "type": "Canvas",
                **size,
                "items": [{"id": f"{canvas}/page", "type": "AnnotationPage", "items": [painting]}],
                "annotations": [
                    {"id": f"{canvas}/people", "type": "AnnotationPage", "items": _people(material, canvas)}
                ],
            }
        ],
        "structures": _ranges(material, base, canvas),
    }
    write_json_document(document, path)


def _people(material: Material, canvas: str) -> list[dict[str, Any]]:
    items = []
    for number, (person, fragment) in enumerate(annotation_items(material)):
        body = {"type": "TextualBody", "format": "text/plain", "value": person}
        target = f"{canvas}#{fragment}"
        identity = f"{canvas}/people/{number}"
        items.append({"id": identity, "type": "Annotation", "motivation": "tagging", "body": body, "target": target})
    return items


def _ranges(material: Material, base: str, canvas: str) -> list[dict[str, Any]]:
    """Return a range for each person, of parts of the canvas; exact to the microsecond, as the tables are."""
    found = []
    for number, person in enumerate(material.people):
        own = material.stretches[material.stretches["person"] == person].sort_values("start")
        parts = [
            {"id": f"{canvas}#t={start:.6f},{end:.6f}", "type": "Canvas"}
            for start, end in own[["start", "end"]].itertuples(index=False, name=None)
        ]
        found.append(
            {"id": f"{base}/range/{number}", "type": "Range", "label": {"none": [one_line(person)]}, "items": parts}
        )
    return found
