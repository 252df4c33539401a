import nbformat
import pandas as pd
import pytest

from facelib.pipeline.report import FIGURE, WIDGET, write_report
from facelib.pipeline.showing import show_filled

v4 = nbformat.v4


def figure(title):
    return {
        FIGURE: {
            "data": [{"type": "bar", "x": ["Ann", "Bob"], "y": [1, 2]}],
            "layout": {"title": {"text": title}, "height": 300},
            "config": {"displaylogo": False},
        },
        "text/plain": "Figure({})",
    }


@pytest.fixture
def executed(tmp_path):
    """An executed notebook with two figures, a picture in its text, a widget, a progress bar and printed text."""
    outputs = [
        v4.new_output("display_data", figure("first </script> figure")),
        v4.new_output("display_data", figure("second")),
        v4.new_output("display_data", {WIDGET: {"model_id": "1"}, "text/plain": "IntSlider(value=0)"}),
        v4.new_output("display_data", {WIDGET: {"model_id": "2"}, "text/plain": "  0%|          | 0/3"}),
        v4.new_output("stream", text="printed"),
    ]
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title\n![alt](red.png)")])
    notebook.cells.append(v4.new_code_cell("show()", outputs=outputs, execution_count=1))
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "red.png").write_bytes(b"\x89PNG")
    nbformat.write(notebook, tmp_path / "02_a.ipynb")
    return tmp_path / "02_a.ipynb"


def test_a_report_holds_everything_once(executed, tmp_path):
    page = tmp_path / "02_a.html"
    write_report(executed, page, pictures=tmp_path / "source")
    html = page.read_text(encoding="utf-8")
    assert html.count("plotly.js v") == 1  # the library's own banner
    assert "<title>02_a</title>" in html
    assert "data:image/png;base64" in html and "red.png" not in html
    assert html.count("there is an interactive widget here") == 1
    assert "0/3" not in html
    assert "printed" in html
    assert '<script src="' not in html and "cdnjs" not in html


def test_pictures_beside_the_notebooks_folder_are_put_into_the_page(executed, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "blue.png").write_bytes(b"\x89PNG")
    document = nbformat.read(executed, as_version=4)
    document.cells.append(v4.new_markdown_cell("![blue](../docs/blue.png) ![none](../docs/none.png)"))
    nbformat.write(document, executed)
    write_report(executed, tmp_path / "02_a.html", pictures=tmp_path / "source")
    html = (tmp_path / "02_a.html").read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,iVBORw==") == 2  # red.png and blue.png
    assert "blue.png" not in html and "../docs/none.png" in html


def test_links_to_pages_that_do_not_lie_beside_the_report_are_text(executed, tmp_path):
    document = nbformat.read(executed, as_version=4)
    links = "[rates](../docs/concepts/rates.md#det), [web](https://example.org/a.md), [place](#here)"
    document.cells.append(v4.new_markdown_cell(links))
    nbformat.write(document, executed)
    write_report(executed, tmp_path / "02_a.html", pictures=tmp_path / "source")
    html = (tmp_path / "02_a.html").read_text(encoding="utf-8")
    assert ">rates, <a" in html.replace("\n", "") and "rates.md" not in html
    assert 'href="https://example.org/a.md"' in html and 'href="#here"' in html


def test_code_is_folded_but_for_the_parameters(executed, tmp_path):
    document = nbformat.read(executed, as_version=4)
    document.cells.insert(0, v4.new_code_cell("k: int = 5", metadata={"tags": ["parameters"]}))
    nbformat.write(document, executed)
    write_report(executed, tmp_path / "02_a.html", pictures=tmp_path / "source")
    html = (tmp_path / "02_a.html").read_text(encoding="utf-8")
    assert html.count('<details class="code"') == 2
    assert html.index('<details class="code" open') < html.rindex('<details class="code"')
    assert html.count('<details class="code" open') == 1


def test_code_is_escaped_and_html_stands_as_it_was_written(tmp_path):
    wild = '<p class=a>one<p>two &lt;br&gt;<script>"<!-- put aside: 1 -->"</script>'
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("Text <!-- put aside: 7 -->")])
    outputs = [v4.new_output("display_data", {"text/html": wild, "text/plain": "HTML"})]
    notebook.cells.append(v4.new_code_cell("show('<b>')", outputs=outputs))
    nbformat.write(notebook, tmp_path / "01_a.ipynb")
    write_report(tmp_path / "01_a.ipynb", tmp_path / "01_a.html")
    html = (tmp_path / "01_a.html").read_text(encoding="utf-8")
    assert html.count(wild) == 1 and "Text <!-- put aside: 7 -->" in html
    assert "&lt;b&gt;" in html and "<b>" not in html


def test_a_notebook_without_cells_has_a_report(tmp_path):
    nbformat.write(v4.new_notebook(), tmp_path / "01_a.ipynb")
    write_report(tmp_path / "01_a.ipynb", tmp_path / "01_a.html")
    assert (tmp_path / "01_a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_figures_show_without_a_network(executed, tmp_path, page):
    page_file = tmp_path / "02_a.html"
    write_report(executed, page_file)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_selector(".main-svg")
    assert page.locator(".plotly-graph-div .bars path").count() == 4
    assert page.locator(".gtitle").all_text_contents() == ["first </script> figure", "second"]
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []


def test_optional_text_stands_only_where_something_follows(tmp_path):
    shown, nothing = [v4.new_output("stream", text="shown")], []
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), v4.new_code_cell("import os")])
    for name, tags, outputs in (
        ("Always", [], nothing),
        ("Empty", ["optional"], nothing),
        ("Filled", ["optional"], shown),
        ("Last", ["optional"], nothing),
    ):
        text, code = v4.new_markdown_cell(f"## {name}"), v4.new_code_cell(f"show_{name}()", outputs=outputs)
        text.metadata["tags"] = tags
        notebook.cells += [text, v4.new_code_cell("quiet()"), code]
    nbformat.write(notebook, tmp_path / "01_a.ipynb")
    write_report(tmp_path / "01_a.ipynb", tmp_path / "01_a.html")
    html = (tmp_path / "01_a.html").read_text(encoding="utf-8")
    kept = {
        name: (f'<h2 id="{name}">' in html, f"show_{name}" in html) for name in ("Always", "Empty", "Filled", "Last")
    }
    assert kept == {"Always": (True, True), "Empty": (False, False), "Filled": (True, True), "Last": (False, False)}


def test_only_what_is_filled_is_shown(capsys):
    empty = pd.DataFrame({"a": []})
    show_filled(empty, ["text"], [], otherwise="Nothing.")
    assert capsys.readouterr().out == "['text']\n"
    show_filled(empty, [], otherwise="Nothing.")
    show_filled(empty)
    assert capsys.readouterr().out == "Nothing.\n"
