"""A figure's page by itself: axes without their data are what a busy machine must not leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page, expect
from plotly.offline import get_plotlyjs

import facelib
from facelib.plots.style import escaped, legend_below
from facelib.widgets.fitted_figure import FittedFigure, PointedFigure
from tests.pages import show_text
from tests.serving import Quiet, running, serving

HARNESS = """
import widget from "/figure.js";
window.sent = [];
window.make = (widget_manager) => {
  const state = STATE;
  const handles = {};
  const on = (event, handle) => (handles[event] ??= []).push(handle);
  return {
    get: (name) => state[name], set: (name, value) => (state[name] = value), save_changes() {}, off() {}, on,
    send: (content) => window.sent.push(content), widget_manager,
    change(value) { state.change = value; for (const handle of handles["change:change"] ?? []) handle(); },
    async answer(address) {
      const bytes = await (await fetch(address)).arrayBuffer();
      for (const handle of handles["msg:custom"] ?? []) handle({ found: "plotly.js" }, [new DataView(bytes)]);
    },
  };
};
window.model = window.make("a notebook");
// JupyterLab gives a widget two seconds for this, and shows nothing of one that takes longer.
window.initialized = widget.initialize({ model: window.model }) instanceof Promise ? "later" : "at once";
window.view = (model = window.model) => {
  const el = document.body.appendChild(document.createElement("section"));
  const leave = widget.render({ model, el });
  window.leave ??= () => { leave(); el.remove(); };  // of the first
};
window.view();
"""
DRAWN = "() => [...document.querySelectorAll('.scatterlayer .trace')].map(t => t.querySelectorAll('.point').length)"
TITLES = ".js-plotly-plot .infolayer .gtitle"
OVERLAPS = """traces => {
    const boxes = traces.flatMap(trace => ['.legendtext', '.layers'].map(part => trace.querySelector(part)))
        .map(part => part.getBoundingClientRect());
    return boxes.flatMap((one, number) => boxes.slice(number + 1).filter(other =>
        one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom)).length
        + boxes.filter(one => one.right > innerWidth).length;
}"""
FRAMES = "async () => { for (let i = 0; i < 6; i += 1) await new Promise(requestAnimationFrame); }"
WATCHED = """async () => {
    const plotly = await globalThis.facelibFigures.library;
    const react = plotly.react;
    plotly.react = (...given) => { window.reacted = true; return react(...given); };
}"""


def figure() -> go.Figure:
    return go.Figure(go.Scatter(x=[1, 2, 3], y=[3, 1, 2], mode="markers")).update_layout(height=300, title_text="Faces")


class Files(Quiet, SimpleHTTPRequestHandler):
    """Gives files; through the browser's pipe the library would take half a second each time."""

    def end_headers(self) -> None:
        """Let no page have the script of the one before, which a file of the same second is taken for."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder whose files a server gives, with the library among them, and the address."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "index.html").write_text(
        '<meta charset="utf-8"><body><script type="module" src="/harness.js"></script>', encoding="utf-8"
    )
    (folder / "plotly.js").write_text(get_plotlyjs(), encoding="utf-8")
    (folder / "broken.js").write_text("}", encoding="utf-8")
    with running(serving(partial(Files, directory=str(folder)))) as address:
        yield folder, f"{address}/"


@pytest.fixture
def show(page: Page, server: tuple[Path, str]) -> Callable[[go.Figure], Page]:
    """Return a function that opens a page with a figure for which the library has not come yet."""

    def show(figure: go.Figure) -> Page:
        widget = PointedFigure(figure)  # which answers to the pointer as well
        names = ("data", "figure_layout", "change", "pointed", "hovered", "clicked", "caught")
        state = {name: getattr(widget, name) for name in names}
        folder, address = server
        (folder / "figure.js").write_text(widget._esm, encoding="utf-8")
        (folder / "harness.js").write_text(HARNESS.replace("STATE", json.dumps(state)), encoding="utf-8")
        page.goto(address)
        page.locator(".facelib-figure").wait_for()
        return page

    return show


@pytest.fixture
def shown(show: Callable[[go.Figure], Page]) -> Page:
    """A page with a small figure."""
    return show(figure())


def test_it_waits_for_the_library_without_keeping_jupyterlab_waiting(shown):
    assert shown.evaluate("window.initialized") == "at once"
    assert shown.evaluate("window.sent") == [{"wanted": "plotly.js"}]
    assert shown.locator(".facelib-figure").bounding_box()["height"] == 300  # what follows will not jump
    expect(shown.locator(TITLES)).to_have_count(0)
    shown.evaluate("window.model.answer('/plotly.js')")
    expect(shown.locator(TITLES)).to_have_text("Faces")
    assert shown.evaluate(DRAWN) == [3]


def test_what_changes_before_the_library_comes_is_drawn(shown):
    change = {"traces": {"0": {"x": [1, 2, 3, 4, 5], "y": [1, 1, 1, 1, 1]}}, "layout": {"title.text": "More faces"}}
    shown.evaluate("change => window.model.change(change)", change)
    shown.evaluate("window.model.answer('/plotly.js')")
    expect(shown.locator(TITLES)).to_have_count(1)
    assert shown.locator(TITLES).text_content() == "More faces"
    assert shown.evaluate(DRAWN) == [5]


def test_the_library_comes_once_for_all_views_and_a_late_view_has_the_last_state(shown):
    shown.evaluate("window.model.answer('/plotly.js')")
    expect(shown.locator(TITLES)).to_have_count(1)
    shown.evaluate("change => window.model.change(change)", {"traces": {"0": {"x": [1, 2], "y": [1, 1]}}, "layout": {}})
    shown.evaluate("window.view()")
    expect(shown.locator(TITLES)).to_have_count(2)
    shown.wait_for_function(f"JSON.stringify(({DRAWN})()) === '[2,2]'")
    assert len(shown.evaluate("window.sent")) == 1


def test_a_notebook_that_is_closed_before_the_library_comes_leaves_the_others_theirs(shown):
    """What it had asked never answers; the page is the same one until it is loaded anew."""
    shown.evaluate("window.other = window.make('another notebook'); window.view(window.other)")
    assert shown.evaluate("window.sent.length") == 2
    shown.evaluate("window.leave()")
    shown.evaluate("window.other.answer('/plotly.js')")
    expect(shown.locator(TITLES)).to_have_text("Faces")
    shown.evaluate("window.view(window.make('a third one'))")
    expect(shown.locator(TITLES)).to_have_count(2)
    assert shown.evaluate("window.sent.length") == 2


def test_of_the_figures_of_a_notebook_one_asks_and_when_it_is_gone_another(shown):
    shown.evaluate("window.second = window.make('a notebook'); window.view(window.second)")
    assert shown.evaluate("window.sent.length") == 1
    shown.evaluate("window.leave()")
    assert shown.evaluate("window.sent.length") == 2
    shown.evaluate("window.second.answer('/plotly.js')")
    expect(shown.locator(TITLES)).to_have_text("Faces")


def test_a_figure_that_is_hidden_at_first_is_drawn_when_it_is_seen(shown):
    shown.evaluate("document.body.hidden = true")
    shown.evaluate("window.model.answer('/plotly.js').then(() => window.facelibFigures.library)")
    shown.evaluate(FRAMES)
    expect(shown.locator(TITLES)).to_have_count(0)
    shown.evaluate(WATCHED)
    shown.evaluate("document.body.hidden = false")
    shown.evaluate(FRAMES)
    assert shown.evaluate("window.reacted")  # else the figure stays empty however long one waits
    expect(shown.locator(TITLES)).to_have_text("Faces")
    assert shown.evaluate(DRAWN) == [3]


def test_a_library_that_cannot_be_read_is_told(shown):
    shown.evaluate("window.model.answer('/broken.js')")
    expect(shown.get_by_role("alert")).to_contain_text("SyntaxError")


def test_no_figure_of_the_notebooks_is_plotlys_own_widget():
    """Each of them brings the whole library, and is given up when that takes longer than two seconds."""
    root = Path(facelib.__file__).parents[1]
    written = [*(root / "facelib").rglob("*.py"), *(root / "notebooks").glob("*.ipynb")]
    users = [path.name for path in written if "go.FigureWidget" in path.read_text(encoding="utf-8")]
    assert len(written) > 100 and users == []
    assert len(str(FittedFigure(figure())._esm)) < 20_000 < len(str(go.FigureWidget._esm))


@pytest.mark.parametrize("name", ["Somebody Whose Name Is Long", "Person"])
@pytest.mark.parametrize("width", [1200, 360])
def test_a_legend_below_the_plot_never_scrolls(page, show, width, name):
    names = [escaped(f"{name} {number}") for number in range(20)]
    crowd = go.Figure([go.Scatter(x=[1], y=[1], mode="markers", name=name) for name in names])
    crowd.update_layout(margin_l=16, margin_r=16)
    legend_below(crowd, plot_height=300)
    page.set_viewport_size({"width": width, "height": 900})
    show(crowd).evaluate("window.model.answer('/plotly.js')")
    page.locator(".js-plotly-plot .legend .traces").nth(len(names) - 1).wait_for()
    page.wait_for_function("document.querySelector('.legend .scrollbar')?.getAttribute('height') === '0'")
    assert page.locator(".js-plotly-plot .legend .traces").evaluate_all(OVERLAPS) == 0
    last = page.locator(".js-plotly-plot .legend .traces").nth(len(names) - 1).bounding_box()
    whole, plot = (page.locator(part).bounding_box() for part in (".facelib-figure", ".js-plotly-plot .nsewdrag"))
    assert last["y"] + last["height"] <= whole["y"] + whole["height"]
    assert plot["height"] > 150
    assert page.locator(".js-plotly-plot .main-svg").first.bounding_box()["height"] == whole["height"]


@pytest.mark.parametrize("width", [1200, 360])
def test_a_legend_in_a_report_never_scrolls(page, width, tmp_path):
    names = [f"Somebody<br>Whose Name Is Long {number}" for number in range(20)]
    crowd = go.Figure([go.Scatter(x=[1, 2], y=[1, 2], name=name, legendgroup=name) for name in names])
    legend_below(crowd, plot_height=300)
    page.set_viewport_size({"width": width, "height": 900})
    show_text(page, crowd.to_html(), tmp_path)
    page.locator(".js-plotly-plot .legend .traces").nth(len(names) - 1).wait_for()
    page.wait_for_function("document.querySelector('.legend .scrollbar')?.getAttribute('height') === '0'")
