"""The seven notebooks on a short demo, by what they leave behind."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from facelib.films.media.decode import probe
from facelib.page.pack import script_value
from facelib.pipeline import run_pipeline
from facelib.pipeline.freshness import find_record
from tests.conftest import eyesores


@pytest.fixture(scope="module")
def demo(tmp_path_factory, copy_run):
    """The demo after its first run."""
    return copy_run(tmp_path_factory.mktemp("demo"))[0]


@pytest.fixture(scope="module")
def first_run(demo):
    """Return the notebooks that it left, in order."""
    (folder,) = demo.runs.iterdir()
    return sorted(folder.glob("*.ipynb"))


def test_every_step_has_a_report(demo, first_run):
    assert [notebook.name[:2] for notebook in first_run] == [f"0{number}" for number in range(1, 8)]
    assert all(find_record(demo, notebook.stem) is not None for notebook in first_run)
    assert all(notebook.with_suffix(".html").stat().st_size > 10_000 for notebook in first_run)


def test_what_lies_there(demo):
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
    found = [line for notebook in first_run for line in eyesores(notebook)]
    assert [line for line in found if "broken.mp4" not in line] == []  # which is no film of the demo


def test_bars_are_gone_when_done(first_run):
    bars = []
    for notebook in first_run:
        saved = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("widgets", {})
        for widgets in (kind["state"] for kind in saved.values()):
            boxes = [one["state"] for one in widgets.values() if one["model_name"] == "HBoxModel"]
            for box in boxes:
                parts = [widgets[part.removeprefix("IPY_MODEL_")]["model_name"] for part in box["children"]]
                if "FloatProgressModel" in parts:
                    layout = widgets[box["layout"].removeprefix("IPY_MODEL_")]["state"]
                    bars.append((notebook.stem, layout.get("visibility")))
    assert len({name for name, _ in bars}) >= 5
    assert {shown for _, shown in bars} == {"hidden"}


def test_only_what_changed_is_run_again(demo):
    assert [step.state for step in run_pipeline(demo)] == ["fresh"] * 7
    again = run_pipeline(demo, parameters={"draw": False, "videos": ["demo.mp4"]})
    assert [step.state for step in again] == ["fresh"] * 4 + ["done"] * 3
