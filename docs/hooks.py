"""What is done to the site's pages while they are built; `mkdocs.yml` names this file."""

from __future__ import annotations

import re

_CODE_CELL = '<div class="jp-Cell jp-CodeCell'
_MARK = '<a class="anchor-link"'  # the sign behind a heading
_TAG = re.compile(r"<script\b.*?</script>|<div\b|</div>", re.DOTALL)


def on_page_content(html: str, **_: object) -> str:
    """Keep the code of notebooks, and what it shows, out of the search: the text between it is what people look for.

    Such cells become sections: Material's search takes the end of any inner element of the same kind for theirs.
    """
    cells: list[bool] = []  # of each div that is open, whether it is one

    def exclude(found: re.Match[str]) -> str:
        if found[0] == "<div":
            cells.append(html.startswith(_CODE_CELL, found.start()))
            return "<section data-search-exclude" if cells[-1] else found[0]
        if found[0] == "</div>" and cells and cells.pop():
            return "</section>"
        return found[0]

    return _TAG.sub(exclude, html).replace(_MARK, f"{_MARK} data-search-exclude")
