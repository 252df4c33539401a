"""Figures on a dark page: no white ground, no dark ink, and the people's colours of the project's page."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image
from plotly.offline import get_plotlyjs

import facelib.page
from facelib.films.appearances import graph_of
from facelib.pipeline.report import FIGURE, write_report
from facelib.plots import (
    Table,
    draw_confusion,
    draw_det,
    draw_distances,
    draw_gallery,
    draw_map,
    draw_people,
    draw_timeline,
    themed,
)
from facelib.plots.colours import COLOURS, GREY
from facelib.plots.dark import ON_DARK
from tests.pages import new_context, show_text

# The ink of every text and the ground of every figure, as the browser has them.
INKS = """() => [...document.querySelectorAll('.main-svg > :not(.hoverlayer) text')]
    .filter(text => text.textContent.trim() && !text.closest('.heatmaplayer'))
    .map(text => getComputedStyle(text).fill)"""
OUTLINES = """() => [...document.querySelectorAll('.main-svg text')].map(text => getComputedStyle(text))
    .filter(style => style.textShadow !== 'none').flatMap(style =>
        style.textShadow.match(/rgb[^)]*\\)/g).map(outline => [style.fill, outline]))"""
# Bars with a pattern: their colour, and that of the lines and dots over it.
BARS = "() => [...document.querySelectorAll('pattern rect')].map(ground => getComputedStyle(ground).fill)"
LINES = """() => [...document.querySelectorAll('pattern rect ~ *')].map(line => getComputedStyle(line))
    .map(style => style.stroke === 'none' ? style.fill : style.stroke)"""
GROUNDS = "() => [...document.querySelectorAll('.main-svg')].map(plot => getComputedStyle(plot).backgroundColor)"


def figures() -> list[go.Figure]:
    """One figure of each kind, with every colour of people."""
    people = [f"Person {number}" for number in range(8)] + ["unknown"]
    seen = pd.DataFrame({"person": people, "start": range(9), "end": range(1, 10), "confidence": 0.9, "tracks": ""})
    seen = seen.assign(start_timecode="00:00:00.000", end_timecode="00:00:01.000")
    rates = pd.DataFrame({"threshold": [0.2, 0.4, 0.6], "fpir": [0.0, 0.02, 0.3], "fnir": [0.9, 0.1, 0.0]})
    table = pd.DataFrame({"picture": people, "face": 0, "person": people, "x": range(9), "y": range(9)})
    faces = pd.DataFrame({"person": people, "used": True, "reason": "", "picture": people})
    return [
        draw_timeline(seen, duration=9),
        draw_det({"films": rates}, wanted_fpir=0.01),
        draw_distances([0.2, 0.3], [0.6, 0.8], threshold=0.5),
        draw_map(table.astype({"x": float, "y": float})),
        draw_confusion(
            pd.DataFrame(np.diag([5, 3, 0]), index=["Ada", "Bo", "unknown"], columns=["Ada", "Bo", "unknown"])
        ),
        draw_gallery(faces),
        draw_people(graph_of(seen.assign(end=9))),
    ]


def channels(colour: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", colour)[:3]]


def brightness(colour: str) -> float:
    red, green, blue = channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def shown(page, folder: Path, theme_light: str) -> np.ndarray:
    """Show all figures as JupyterLab has them, and return the picture of the page."""
    ground = "#fff" if theme_light == "true" else "#111"
    plots = "".join(figure.to_html(include_plotlyjs=False, full_html=False) for figure in figures())
    body = f'<body data-jp-theme-light="{theme_light}" style="background:{ground};--jp-layout-color0:{ground}">'
    library = f"<script>{get_plotlyjs()}</script>"
    show_text(page, f"{library}{body}{themed('Project')._repr_html_()}{plots}</body>", folder)
    page.evaluate(f"document.body.dataset.jpThemeLight = '{theme_light}'")
    page.wait_for_function(
        f"document.querySelectorAll('.js-plotly-plot .infolayer .gtitle').length === {len(figures())}"
    )
    return np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("L"))


def test_people_have_the_colours_of_the_projects_page():
    script = Path(facelib.page.__file__).with_name("modules").joinpath("marks.js").read_text(encoding="utf-8")
    there = dict(re.findall(r'"(#[0-9A-F]{6})": "(#[0-9A-F]{6})"', script.split("};")[0]))
    assert there == ON_DARK and set(ON_DARK) == {*COLOURS, GREY}


def test_on_a_dark_page_figures_have_no_white_ground_and_no_dark_ink(page, tmp_path):
    picture = shown(page, tmp_path, "false")
    assert set(page.evaluate(GROUNDS)) == {"rgba(0, 0, 0, 0)"}
    inks = page.evaluate(INKS)
    assert len(inks) > 50 and min(map(brightness, inks)) > 120
    assert np.median(picture) < 30 and (picture > 235).mean() < 0.03
    outlines = page.evaluate(OUTLINES)
    assert outlines and all(brightness(ink) - brightness(outline) > 120 for ink, outline in outlines)
    bars, lines = (page.evaluate(parts) for parts in (BARS, LINES))
    assert len(bars) >= 7 and {"#{:02X}{:02X}{:02X}".format(*channels(bar)) for bar in bars} <= set(ON_DARK.values())
    assert len(lines) == len(bars) and max(map(brightness, lines)) < 60


def test_on_a_light_page_they_stay_as_they_are(page, tmp_path):
    picture = shown(page, tmp_path, "true")
    assert page.evaluate(GROUNDS).count("rgb(255, 255, 255)") == len(figures())
    assert max(map(brightness, page.evaluate(INKS))) < 120
    assert np.median(picture) == 255
    assert all(brightness(outline) - brightness(ink) > 120 for ink, outline in page.evaluate(OUTLINES))


@pytest.mark.parametrize(("scheme", "dark"), [("dark", True), ("light", False)])
def test_a_report_follows_the_readers_system(tmp_path, browser, scheme, dark):
    cell = nbformat.v4.new_code_cell("draw()", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", {FIGURE: json.loads(figures()[0].to_json())})]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), cell])
    nbformat.write(notebook, tmp_path / "01_a.ipynb")
    write_report(tmp_path / "01_a.ipynb", tmp_path / "01_a.html")
    with new_context(browser, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto((tmp_path / "01_a.html").as_uri())
        page.wait_for_selector(".js-plotly-plot .infolayer .gtitle")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (brightness(ground) < 60) is dark
        assert all((brightness(ink) > 120) is dark for ink in page.evaluate(INKS))
        title = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
        assert (brightness(title) > 120) is dark


def test_a_table_fades_where_it_goes_on_beyond_the_edge(page):
    tables = [Table(pd.DataFrame({f"column {number}": [0.5] for number in range(count)})) for count in (20, 1)]
    outputs = [
        f'<div class="jp-OutputArea-output" style="overflow-x: auto">{table._repr_html_()}</div>' for table in tables
    ]
    page.set_viewport_size({"width": 390, "height": 400})
    page.set_content(themed("Project")._repr_html_() + "".join(outputs))
    edges = """[...document.querySelectorAll(".jp-OutputArea-output")].map(output =>
        ["before", "after"].map(side => getComputedStyle(output).getPropertyValue(`--facelib-${side}`)).join())"""
    for left, wide in ((0, "0px,40px"), (400, "40px,40px"), (9999, "40px,0px")):
        page.evaluate(f"document.querySelector('.jp-OutputArea-output').scrollLeft = {left}")
        page.wait_for_function(f"({edges}).join(' ') === '{wide} 0px,0px'")
