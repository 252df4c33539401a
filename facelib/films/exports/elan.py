"""Who is on screen, as an annotation document of ELAN (EAF 3.0), the transcription program of the MPI in Nijmegen."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from xml.etree import ElementTree

from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line, write_xml

_TYPE = "person on screen"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def write_eaf(material: Material, path: Path) -> None:
    """Write a tier for each person, longest on screen first, with an annotation for each stretch.

    The format counts whole milliseconds: each time is the one nearest to where a frame begins, so that the frame can
    be told from it. Two names that differ only in what a line cannot hold share a tier.
    """
    schema = {f"{{{_INSTANCE}}}noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"}
    attributes = {"AUTHOR": "facelib", "DATE": "1970-01-01T00:00:00+00:00", "FORMAT": "3.0", "VERSION": "3.0"}
    root = ElementTree.Element("ANNOTATION_DOCUMENT", attributes | schema)
    header = ElementTree.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    kind = mimetypes.guess_type(material.info.path.name)[0] or "video/unknown"
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": material.address, "MIME_TYPE": kind})
    table = material.stretches.sort_values(["start", "person"], ignore_index=True)
    # Two annotations that shared a time would be moved together.
    times = ((max(0, round(1000 * time)), row, edge) for edge in ("start", "end") for row, time in table[edge].items())
    edges = sorted(times)
    order, slots = ElementTree.SubElement(root, "TIME_ORDER"), {}
    for number, (time, row, edge) in enumerate(edges, 1):
        slots[row, edge] = f"ts{number}"
        ElementTree.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": f"ts{number}", "TIME_VALUE": str(time)})
    lines = table["person"].map(one_line)
    for name in dict.fromkeys(one_line(person) for person in material.people):
        tier = ElementTree.SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": _TYPE, "TIER_ID": name})
        for row in table.index[lines == name]:
            places = {"TIME_SLOT_REF1": slots[row, "start"], "TIME_SLOT_REF2": slots[row, "end"]}
            outer = ElementTree.SubElement(tier, "ANNOTATION")
            inner = ElementTree.SubElement(outer, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": f"a{row + 1}", **places})
            ElementTree.SubElement(inner, "ANNOTATION_VALUE").text = name
    features = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true"}
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", features)
    ElementTree.register_namespace("xsi", _INSTANCE)
    write_xml(root, path)
