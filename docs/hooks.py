"""What is done to the site's pages while they are built; `mkdocs.yml` names this file."""

from __future__ import annotations

_CODE_CELL = '<div class="jp-Cell jp-CodeCell'


def on_page_content(html: str, **_: object) -> str:
    """Keep the code of notebooks, and what it shows, out of the search: the text between it is what people look for."""
    return html.replace(_CODE_CELL, _CODE_CELL.replace("<div", "<div data-search-exclude"))
