"""The seven notebooks on a short demo, by what they leave behind."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.films.media.decode import probe
from facelib.page.pack import script_value
from facelib.pipeline import run_pipeline


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


def test_only_what_changed_is_run_again(demo, first_run):
    assert [step.state for step in run_pipeline(demo)] == ["fresh"] * 7
    again = run_pipeline(demo, parameters={"draw": False, "videos": ["demo.mp4"]})
    assert [step.state for step in again] == ["fresh"] * 4 + ["done"] * 3
