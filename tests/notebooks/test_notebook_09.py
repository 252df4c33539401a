"""The live notebook without anybody to watch: what it shows, and what it leaves behind."""

from __future__ import annotations

import nbformat
import pandas as pd
import pytest

from facelib.films.media.decode import probe
from facelib.images import read_image
from facelib.pipeline import run_pipeline
from facelib.project import Project
from facelib.widgets import live_appearances, read_changes
from tests.conftest import eyesores
from tests.notebooks.runs import run, texts

NAME = "09_live_camera"


@pytest.fixture(scope="module")
def demo(tmp_path_factory, make_tuned_demo):
    project = make_tuned_demo(tmp_path_factory.mktemp("demo"), 1.2)
    (project.videos / "demo_vfr.mp4").unlink()
    return project


def test_the_pipeline_runs_it_when_asked_and_the_cast_is_named(demo):
    earlier = set((demo.output / "live").glob("*.jpg"))
    (step,) = run_pipeline(demo, steps=[9], parameters={"seconds": 6.0})
    assert (step.name, step.state, step.message) == ("09_live_camera", "done", "")
    assert step.report.stat().st_size > 10_000 and eyesores(step.notebook) == []
    changes = read_changes(demo.output / "live" / "changes.jsonl")
    assert changes["kind"].iloc[0] == "connected" and changes["kind"].iloc[-1] == "stopped"
    assert any(
        "<figure" in output and "data:image/jpeg;base64" in output for output in texts(nbformat.read(step.notebook, 4))
    )
    appeared = live_appearances(changes)
    assert {"Eileen Collins", "Grace Hopper"} <= set(appeared["person"])
    assert 6.0 <= changes["time"].max() < 11.9  # before the film's end
    (snapshot,) = {*(demo.output / "live").glob("*.jpg")} - earlier
    assert read_image(snapshot).shape == (360, 640, 3)


def test_to_the_end_of_a_film_with_a_recording(demo, copy_demo, tmp_path):
    film = copy_demo(tmp_path, 0.4).videos / "demo.mp4"
    length = probe(film).duration
    before = len(read_changes(demo.output / "live" / "changes.jsonl"))
    earlier = set((demo.output / "live").glob("*.mp4"))
    shown = texts(run(NAME, demo, source=str(film), seconds=0.0, record=True, detector="haar"))
    changes = read_changes(demo.output / "live" / "changes.jsonl").iloc[before:]
    assert changes["kind"].iloc[-1] == "ended" and changes["time"].max() == pytest.approx(length, abs=0.2)
    (recording,) = {*(demo.output / "live").glob("*.mp4")} - earlier
    assert probe(recording).duration == pytest.approx(length, abs=0.3)
    assert any("LiveCamera" in output for output in shown)
    assert any("image/jpeg" in output for output in shown)
    assert any(recording.name in output and "changes.jsonl" in output for output in shown)
    table = next(output for output in shown if "connected" in output and "<table" in output)
    assert table.count("<tr>") == len(changes)  # of this session alone


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": "nowhere.mp4"}, "nowhere.mp4"),
        ({"seconds": -1.0}, "expected at least 0.0 for the parameter 'seconds'"),
        ({"confidence_threshold": 2.0}, "confidence_threshold"),
        ({"picture_size": 0}, "expected more than 0 for the parameter 'picture_size'"),
    ],
)
def test_bad_parameters_are_told_and_nothing_is_written(demo, parameters, message):
    before = pd.read_parquet(demo.faces)
    kept = sorted(demo.output.rglob("*"))
    with pytest.raises(Exception, match=message):
        run(NAME, demo, **parameters)
    assert sorted(demo.output.rglob("*")) == kept
    pd.testing.assert_frame_equal(pd.read_parquet(demo.faces), before)


def test_a_project_without_a_recognizer_is_told_what_to_run_first(tmp_path):
    project = Project("empty", tmp_path / "data", tmp_path / "output")
    project.people.mkdir(parents=True)
    with pytest.raises(Exception, match="run notebook 04"):
        run(NAME, project, source="0")
