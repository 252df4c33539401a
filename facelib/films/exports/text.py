"""Names as formats with one name per line can hold them; documents in XML and JSON."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

from facelib.films.exports.material import Material
from facelib.project import write_text

BETWEEN = " · "
"""What stands between two names in one line: a comma may be part of a name."""


def one_line(text: str) -> str:
    r"""Return a text without line breaks and control characters, which XML and subtitles cannot hold.

    Examples:
        >>> one_line('Ada\n"Byron"\x00')
        'Ada "Byron"'
    """
    joined = " ".join(text.split())
    # The last two places of each of Unicode's planes are no characters, and XML forbids them.
    kept = (one for one in joined if unicodedata.category(one) not in {"Cc", "Cs"} and ord(one) & 0xFFFE != 0xFFFE)
    return "".join(kept) or "(no name)"


def edl_header(material: Material) -> str:
    """Return the first two lines of an edit decision list: its title, and how its timecodes count."""
    mode = "DROP FRAME" if material.clock.drop_frame else "NON-DROP FRAME"
    return f"TITLE: {one_line(material.info.path.stem)[:70]}\nFCM: {mode}\n"


def write_xml(root: ElementTree.Element, path: Path, *, doctype: str = "", standalone: bool = False) -> None:
    """Write a document in XML, indented."""
    ElementTree.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"' + (' standalone="yes"' if standalone else "") + "?>\n"
    head += f"<!DOCTYPE {doctype}>\n" if doctype else ""
    write_text(f"{head}{ElementTree.tostring(root, encoding='unicode')}\n", path)


def write_json_document(document: object, path: Path) -> None:
    """Write a document in JSON, indented, in the letters of its names."""
    write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", path)
