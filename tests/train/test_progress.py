from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from facelib.plots.training import (
    curve_data,
    draw_curves,
    draw_progress,
    draw_untrained_and_trained,
    write_progress_page,
)
from facelib.train.progress import MEASURES, follow, measure_vectors
from facelib.widgets.training import LiveCurves
from tests.pages import show_text

PEOPLE, EACH = 20, 6


def validation_table(people=PEOPLE, each=EACH):
    names = np.repeat([f"Person {number:02}" for number in range(people)], each)
    return pd.DataFrame({"picture": [f"{name}/{i}.jpg" for i, name in enumerate(names)], "person": names})


def vectors(order: float, people=PEOPLE, each=EACH, seed=0):
    """Return faces that lie the nearer to their own person, the higher the order."""
    random = np.random.default_rng(seed)
    centres, own = random.normal(size=(people, 16)), random.normal(size=(people * each, 16))
    mixed = order * np.repeat(centres, each, axis=0) + own
    return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def progress():
    known = vectors(2.0, seed=1)
    known[3] = np.nan
    snapshots = {0: vectors(0), 5: vectors(1), 10: vectors(4)}
    return follow(snapshots, validation_table(), reference=known, progress=False)


def test_each_time_has_a_map_of_the_same_faces(progress):
    assert progress.epochs == [0, 5, 10]
    assert progress.maps.groupby("epoch").size().tolist() == [PEOPLE * EACH] * 3
    for _, points in progress.maps.groupby("epoch"):
        assert points["picture"].tolist() == validation_table()["picture"].tolist()
        assert np.abs(points[["x", "y"]].to_numpy()).max() == pytest.approx(1)


def test_figures_rise_with_what_is_learnt(progress):
    for name in MEASURES:
        assert progress.measures[name].is_monotonic_increasing
    last = progress.measures.iloc[-1]
    assert last["recall_at_1"] == 1 and last["silhouette"] > 0.5 and last["pair_accuracy"] > 0.95
    assert progress.measures["pair_accuracy"].iloc[0] < 0.6
    assert list(progress.summary()["network"]) == ["untrained", "trained, 10 epochs", "dlib, as it comes"]
    assert progress.summary()["recall@1"].iloc[-1] == progress.reference_measures["recall_at_1"]


def test_the_trained_network_is_the_one_kept_or_the_last_where_its_vectors_are_lost():
    snapshots = {0: vectors(0, 2, 4), 5: vectors(4, 2, 4), 10: vectors(1, 2, 4)}
    for kept, trained in ((5, 5), (7, 10), (None, 10)):
        maps = follow(snapshots, validation_table(2, 4), kept=kept, progress=False)
        assert list(maps.summary()["network"]) == ["untrained", f"trained, {trained} epochs"]
        found = maps.measures.set_index("epoch")["recall_at_1"]
        assert list(maps.summary()["recall@1"]) == [found[0], found[trained]]
        assert draw_untrained_and_trained(maps).layout.annotations[1].text == f"trained ({trained} epochs)"


def test_a_face_that_the_known_network_did_not_find_is_on_no_map_of_its(progress):
    assert len(progress.reference) == PEOPLE * EACH - 1
    assert validation_table()["picture"][3] not in set(progress.reference["picture"])
    assert np.isfinite(list(progress.reference_measures.values())).all()


def test_a_map_lies_as_the_one_before_where_nothing_was_learnt():
    same = follow({0: vectors(2), 1: vectors(2)}, validation_table(), progress=False)
    first, second = (same.maps.loc[same.maps["epoch"] == epoch, ["x", "y"]].to_numpy() for epoch in (0, 1))
    apart = np.linalg.norm(first - second, axis=1)
    assert np.median(apart) < 0.25  # by chance two maps of the size of 2 lie about 0.9 apart
    assert len(same.reference) == 0 and np.isnan(same.reference_measures["silhouette"])


def test_only_so_many_people_and_faces_are_shown():
    few = follow({0: vectors(1)}, validation_table(), most_people=4, most_faces=12, progress=False)
    assert few.maps.groupby("person").size().tolist() == [3] * 4
    assert few.measures["recall_at_1"][0] == measure_vectors(vectors(1), validation_table()["person"])["recall_at_1"]


def test_two_people_are_enough():
    tiny = follow({0: vectors(1, 2, 2), 3: vectors(3, 2, 2)}, validation_table(2, 2), progress=False)
    assert len(tiny.maps) == 8
    assert draw_progress(tiny).frames


@pytest.mark.parametrize("snapshots", [{}, {0: vectors(1)[:-1]}])
def test_what_does_not_fit_is_refused(snapshots):
    with pytest.raises(ValueError, match="expected snapshots of 120 validation faces"):
        follow(snapshots, validation_table(), progress=False)


def test_untrained_and_trained_stand_side_by_side(progress):
    figure = draw_untrained_and_trained(progress)
    assert [note.text for note in figure.layout.annotations] == ["untrained", "trained (10 epochs)"]
    left = [trace for trace in figure.data if trace.xaxis == "x" and trace.mode == "markers"]
    right = [trace for trace in figure.data if trace.xaxis == "x2" and trace.mode == "markers"]
    assert [len(trace.x) for trace in left] == [len(trace.x) for trace in right] == [EACH] * PEOPLE
    looks = {(trace.marker.color, trace.marker.symbol) for trace in left}
    assert len(looks) == PEOPLE  # told apart without reading
    texts = [trace.text[0] for trace in figure.data if trace.mode == "text"]
    assert len(texts) == 2 and "recall@1 <b>1.00</b>" in texts[1] and "recall@1 <b>1.00</b>" not in texts[0]


@pytest.mark.parametrize("width", [360, 1000])
def test_the_figures_under_the_maps_are_whole(page, progress, width, tmp_path):
    page.set_viewport_size({"width": width, "height": 900})
    for draw in (draw_untrained_and_trained, draw_progress):
        show_text(page, f"<body style='margin: 0'>{draw(progress).to_html(full_html=False)}", tmp_path)
        texts = page.locator(".textpoint text")
        expect(texts).to_have_count(2)
        boxes = texts.evaluate_all("ts => ts.map(t => t.getBoundingClientRect()).map(b => [b.left, b.right, b.top])")
        below = page.locator(".nsewdrag").first.evaluate("plot => plot.getBoundingClientRect().bottom")
        (left, middle, top), (middle_2, right, top_2) = boxes
        assert 0 <= left < middle <= middle_2 < right <= width
        assert below < top == top_2 < below + 30


def test_the_slider_moves_every_point_and_its_figures(progress):
    figure = draw_progress(progress)
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == ["untrained", "5", "10"]
    assert [step.args[0][0] for step in steps] == [frame.name for frame in figure.frames] == ["0", "5", "10"]
    assert figure.layout.sliders[0].active == 2
    for frame in figure.frames:
        assert list(frame.traces) == list(range(len(figure.data)))
        assert sum(len(trace.x or ()) for trace in frame.data) == PEOPLE * EACH
    shown = [trace.x[0] for trace in figure.data[:PEOPLE]]
    assert np.allclose(shown, [trace.x[0] for trace in figure.frames[-1].data[:PEOPLE]], atol=1e-4)


CURVES = pd.DataFrame(
    {
        "epoch": [0, 1, 2],
        "loss": [np.nan, 2.0, 1.0],
        "recall_at_1": [0.1, 0.4, 0.6],
        "knn_accuracy": [0.1, 0.3, 0.5],
        "pair_accuracy": [0.5, 0.6, 0.7],
    }
)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_curves_of_any_length(rows):
    figure = draw_curves(CURVES.iloc[:rows], best_epoch=2 if rows == 3 else None)
    assert [len(trace.x) for trace in figure.data] == [max(0, rows - 1), rows, rows, rows]
    assert len({trace.line.dash for trace in figure.data[1:]}) == 3
    json.loads(figure.to_json())


def test_live_curves_grow_by_what_the_training_tells():
    curves = LiveCurves()
    assert [trace["x"] for trace in curves.data] == [[]] * 4
    for rows in (1, 2, 3):
        curves(CURVES.iloc[:rows])
    assert curves.change["traces"]["3"]["y"] == [0.5, 0.6, 0.7]
    assert {number: (trace["x"], trace["y"]) for number, trace in enumerate(curves.data)} == curve_data(CURVES)
    assert curves.figure_layout["xaxis2"]["dtick"] == 1
    curves(CURVES.assign(epoch=CURVES["epoch"] + 20))
    assert curves.figure_layout["xaxis2"]["dtick"] is None  # plotly chooses


def test_the_page_holds_all_figures_and_the_library_once(progress, tmp_path):
    path = write_progress_page(
        tmp_path / "p.html", [draw_progress(progress), draw_curves(CURVES)], title="A & <b>B</b>"
    )
    text = path.read_text(encoding="utf-8")
    assert text.count("Plotly.newPlot(") == 2 and "A &amp; &lt;b&gt;B" in text
    assert 3_000_000 < len(text) < 8_000_000


def test_moving_the_slider_keeps_the_map_beside_it(progress, page, tmp_path):
    write_progress_page(tmp_path / "p.html", [draw_progress(progress)], title="Progress")
    page.goto((tmp_path / "p.html").as_uri())
    page.wait_for_selector(".js-plotly-plot .point")
    count, texts = "document.querySelectorAll('.point').length", "[...document.querySelectorAll('.textpoint')]"
    assert page.evaluate(count) == 2 * PEOPLE * EACH - 1
    page.emulate_media(color_scheme="dark")
    colours = "['body', '.gtitle'].map(part => getComputedStyle(document.querySelector(part)))"
    ground, ink = page.evaluate(f"{colours}.map(style => [style.backgroundColor, style.fill])")
    assert (ground[0], ink[1]) == ("rgb(17, 17, 17)", "rgb(214, 217, 220)")
    before = page.evaluate(f"{texts}.map(each => each.textContent)")
    page.locator(".slider-label-group").first.wait_for()
    page.evaluate(
        "Plotly.animate(document.querySelector('.js-plotly-plot'), ['0'],"
        "{mode: 'immediate', frame: {duration: 50, redraw: false}, transition: {duration: 50}})"
    )
    page.wait_for_function(f"was => {texts}[0].textContent !== was", arg=before[0])
    page.wait_for_timeout(300)
    assert page.evaluate(count) == 2 * PEOPLE * EACH - 1
    assert page.evaluate(f"{texts}.map(each => each.textContent)")[1] == before[1]
