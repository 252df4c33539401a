"""What is done to the site's pages while they are built; `mkdocs.yml` names this file."""

from __future__ import annotations

import re

_CODE_CELL = '<div class="jp-Cell jp-CodeCell'
_CODE = '<div class="jp-Cell-inputWrapper"'
_MARK = '<a class="anchor-link"'  # the sign behind a heading
_TAG = re.compile(r"<script\b.*?</script>|<div\b|</div>", re.DOTALL)


def on_page_content(html: str, **_: object) -> str:
    """Fold the code of notebooks but for the parameters, and keep it, with what it shows, out of the search.

    The text between it is what people look for. Such cells become sections: Material's search takes the end of any
    inner element of the same kind for theirs.
    """
    cells: list[bool] = []  # of each code cell that is open, whether it has the parameters
    ends: list[str] = []  # of each div that is open, what stands in the place of its end

    def change(found: re.Match[str]) -> str:
        if found[0] == "<div":
            begin, end = found[0], "</div>"
            if html.startswith(_CODE_CELL, found.start()):
                cells.append("celltag_parameters" in html[found.start() : html.index(">", found.start())])
                begin, end = "<section data-search-exclude", "</section>"
            elif cells and not cells[-1] and html.startswith(_CODE, found.start()):
                begin, end = '<details class="code"><summary>Code</summary><div', "</div></details>"
            ends.append(end)
            return begin
        if found[0] == "</div>" and ends:
            if ends[-1] == "</section>":
                cells.pop()
            return ends.pop()
        return found[0]

    return _TAG.sub(change, html).replace(_MARK, f"{_MARK} data-search-exclude")
