"""The seven notebooks on a short demo, by what they leave behind."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from facelib.films.media.decode import probe
from facelib.page.pack import script_value
from facelib.pipeline import run_pipeline
from tests.conftest import eyesores


@pytest.fixture(scope="module")
def demo(tmp_path_factory, copy_demo):
    project = copy_demo(tmp_path_factory.mktemp("demo"), 0.4)
    (project.videos / "broken.mp4").write_text("no film")
    return project


@pytest.fixture(scope="module")
def first_run(demo):
    return run_pipeline(demo)


def test_every_step_is_done_and_has_a_report(first_run):
    assert [(step.name[:2], step.state, step.message) for step in first_run] == [
        (f"0{number}", "done", "") for number in range(1, 8)
    ]
    assert all(step.report.stat().st_size > 10_000 for step in first_run)


def test_what_lies_there(demo, first_run):
    pictures, films = (pd.read_csv(demo.output / f"{name}.csv") for name in ("pictures", "films"))
    assert len(pictures) == 52
    assert films["reason"].notna().tolist() == [True, False, False]  # broken.mp4 comes first
    assert {demo.faces, demo.map, demo.recognizer, demo.recognizer.with_suffix(".json")} <= set(demo.output.iterdir())
    summary = pd.read_csv(demo.film_summary, keep_default_na=False)
    assert summary["film"].tolist() == ["broken.mp4", "demo.mp4", "demo_vfr.mp4"]
    assert summary["people"].tolist() == ["", *["Eileen Collins, Grace Hopper"] * 2]
    for name in ("demo", "demo_vfr"):
        files = demo.film(f"{name}.mp4")
        labels = script_value(files.page_data)["labels"]
        assert [one["name"] for one in labels if one["kind"] == "cast"] == ["Eileen Collins", "Grace Hopper"]
        drawn, source = probe(files.annotated), probe(demo.videos / f"{name}.mp4")
        assert (drawn.frames, drawn.width, drawn.height) == (source.frames, source.width, source.height)
        assert abs(drawn.duration - source.duration) <= 1 / 25
        assert drawn.has_sound


def test_nothing_is_shown_on_red_ground_and_no_table_is_empty(first_run):
    found = [line for step in first_run for line in eyesores(step.notebook)]
    assert [line for line in found if "broken.mp4" not in line] == []  # which is no film of the demo


def test_bars_are_gone_when_done(first_run):
    bars = []
    for step in first_run:
        saved = json.loads(step.notebook.read_text(encoding="utf-8"))["metadata"].get("widgets", {})
        for widgets in (kind["state"] for kind in saved.values()):
            boxes = [one["state"] for one in widgets.values() if one["model_name"] == "HBoxModel"]
            for box in boxes:
                parts = [widgets[part.removeprefix("IPY_MODEL_")]["model_name"] for part in box["children"]]
                if "FloatProgressModel" in parts:
                    layout = widgets[box["layout"].removeprefix("IPY_MODEL_")]["state"]
                    bars.append((step.name, layout.get("visibility")))
    assert len({name for name, _ in bars}) >= 5
    assert {shown for _, shown in bars} == {"hidden"}


def test_only_what_changed_is_run_again(demo, first_run):
    assert [step.state for step in run_pipeline(demo)] == ["fresh"] * 7
    again = run_pipeline(demo, parameters={"draw": False, "videos": ["demo.mp4"]})
    assert [step.state for step in again] == ["fresh"] * 4 + ["done"] * 3
