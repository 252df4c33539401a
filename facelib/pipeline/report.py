"""An executed notebook as a page that shows its figures without a network."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from facelib.pipeline.showing import OPTIONAL
from facelib.project import atomic_write

FIGURE = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"

# The stock template loads require.js, MathJax and mermaid from a content network. Code and outputs that are HTML are
# put aside: nbconvert cleans the first and parses both, tag by tag, which takes longer than all the rest.
_TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block input_group -%}
{%- set tags = cell.metadata.get('tags', []) -%}
<details class="code"{{ " open" if "parameters" in tags or "injected-parameters" in tags }}>
<summary>Code</summary>
{{ super() }}
</details>
{%- endblock -%}
{%- block input -%}
<div class="jp-CodeMirrorEditor jp-Editor jp-InputArea-editor" data-type="inline">
<div class="cm-editor cm-s-jupyter">{{ resources.aside(cell.source | highlight_code(metadata=cell.metadata)) }}</div>
</div>
{%- endblock -%}
{%- block data_html -%}
<div class="jp-RenderedHTMLCommon jp-RenderedHTML jp-OutputArea-output {{ extra_class }}" data-mime-type="text/html">
{{ resources.aside(output.data['text/html']) }}
</div>
{%- endblock -%}
{%- block html_head -%}
{{ super() }}
<style>details.code > summary { color: #757575; cursor: pointer; font: 12px sans-serif; padding: 2px 8px; }</style>
{{ resources.include_css("static/theme-dark.css") | replace("<style", "<style media='(prefers-color-scheme: dark)'") }}
<style>{{ resources.dark_style }}</style>
{%- endblock -%}
"""
_ASIDE = re.compile(r"<!-- put aside: \d+ -->")
_WIDGET_NOTE = "<p><em>In JupyterLab there is an interactive widget here.</em></p>"


def write_report(notebook: str | Path, page: str | Path, *, pictures: str | Path | None = None) -> None:
    """Write an executed notebook as one HTML file that needs nothing beside it and no network.

    Figures of plotly stay interactive: plotly.js is put into the page once, with the first figure. Code is folded, but
    for the parameters; a click shows it. Widgets need a running kernel; a note takes their place, and progress bars are
    left out.

    Args:
        notebook: The executed notebook.
        page: The HTML file to write.
        pictures: The folder that the pictures of the notebook's text are relative to; they are put into the page.

    Raises:
        OSError: When the page cannot be written.
    """
    import nbformat

    document = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    document.metadata.pop("widgets", None)
    document.metadata["title"] = Path(notebook).stem
    replace_outputs(document)
    leave_out_empty(document)
    _take_away_links(document)
    folder = Path(pictures) if pictures is not None else Path(notebook).parent
    _attach_pictures(document, folder)
    body = _page(document, folder)
    with atomic_write(page) as temporary:
        temporary.write_text(body, encoding="utf-8")


def get_ready() -> None:
    """Compile what the first page is made with, for all processes that are forked from this one."""
    import nbformat

    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("1")]  # type: ignore[no-untyped-call]
    document = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbformat.validate(document)
    _page(document, Path())


def _page(document: Any, folder: Path) -> str:
    from facelib.plots.dark import report_style

    kept: dict[str, str] = {}

    def aside(html: str) -> str:
        place = f"<!-- put aside: {len(kept)} -->"
        kept[place] = html
        return place

    body, _ = _exporter().from_notebook_node(
        document, resources={"metadata": {"path": str(folder)}, "dark_style": report_style(), "aside": aside}
    )
    return _ASIDE.sub(lambda place: kept.get(place[0], place[0]), body)


@cache  # it compiles its templates, which takes longer than a small page
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    return HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="lab", raw_template=_TEMPLATE, embed_images=True, optimistic_validation=True
    )


def replace_outputs(document: Any, *, script: bool | str = True) -> None:
    """Put HTML in the place of a notebook's figures and widgets, in order.

    Args:
        document: The executed notebook, as nbformat reads it; changed in place.
        script: Put plotly.js into the first figure; or its address, ending in `.js`, from which that loads it.
    """
    figures = 0
    for cell in document.cells:
        kept = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if FIGURE in data:
                output["data"] = {"text/html": _figure_html(data[FIGURE], script=script if figures == 0 else False)}
                figures += 1
            elif WIDGET in data:
                if "%|" in str(data.get("text/plain", "")):  # a progress bar of tqdm
                    continue
                output["data"] = {"text/html": _WIDGET_NOTE}
            kept.append(output)
        if "outputs" in cell:
            cell["outputs"] = kept


def leave_out_empty(document: Any) -> None:
    """Take optional text cells, and the code below each, out of a notebook where that code showed nothing."""
    kept: list[Any] = []
    group: list[Any] = []
    for cell in [*document.cells, None]:
        if group and (cell is None or cell.cell_type == "markdown"):
            optional = OPTIONAL in group[0].metadata.get("tags", ())
            kept += [] if optional and not any(one.get("outputs") for one in group) else group
            group = []
        group.append(cell)
    document.cells = kept


def _take_away_links(document: Any) -> None:
    """Replace links to the documentation's pages by their text: the pages are not beside the report."""
    for cell in document.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(?<!!)\[([^\]]+)\]\((?!\w+:)[^)\s]+\.md(?:#[^)\s]*)?\)", r"\1", cell.source)


def _attach_pictures(document: Any, folder: Path) -> None:
    """Attach the pictures that the text names by a path; nbconvert itself embeds only those below `folder`."""
    for cell in document.cells:
        for link in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", cell.source) if cell.cell_type == "markdown" else []:
            kind, _ = mimetypes.guess_type(link)
            if kind is None or "://" in link or not (path := folder / link).is_file():
                continue
            content = base64.b64encode(path.read_bytes()).decode("ascii")
            cell.setdefault("attachments", {})[path.name] = {kind: content}
            cell.source = cell.source.replace(f"]({link})", f"](attachment:{path.name})")


def _figure_html(figure: Mapping[str, Any], *, script: bool | str) -> str:
    import plotly.io

    config = figure.get("config", {})
    parts = {key: figure[key] for key in ("data", "layout", "frames") if key in figure}
    height = parts.get("layout", {}).get("height")
    html: str = plotly.io.to_html(
        parts,
        config={"responsive": True} | config,
        include_plotlyjs=script,
        include_mathjax=False,
        full_html=False,
        default_width="100%",
        default_height=height or 525,
        validate=False,
    )
    return html
