"""Notebook 08 on the demo, through the pipeline; then the network it made as the embedder of everything else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

import facelib
from facelib.demo.crowd import make_crowd, people_folder
from facelib.gallery import check_same_network, check_same_weights, read_gallery
from facelib.pipeline import run_pipeline
from facelib.pipeline.parameters import TrainEmbeddingParameters
from facelib.project import Project
from facelib.project.wording import counted
from facelib.recognize import load_recognizer
from facelib.train.settings import TrainingSettings
from tests.conftest import eyesores

TINY = {
    "network": "small_resnet", "image_size": 48, "dimension": 32, "epochs": 2, "snapshot_every": 1,
    "people_per_batch": 4, "threads": 1, "perplexity": 5.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory, copy_demo) -> Project:
    project = copy_demo(tmp_path_factory.mktemp("demo"), 0.4)
    make_crowd(project.output / "training" / "people", people=7, pictures=6, progress=False)
    return project


@pytest.fixture(scope="module")
def people(demo) -> str:
    return str(demo.output / "training" / "people")


@pytest.fixture(scope="module")
def trained(demo, people):
    (step,) = run_pipeline(demo, steps=[8], parameters=TINY | {"people_from": people})
    assert step.state == "done", step.message
    return step


@pytest.fixture(scope="module")
def network(demo, trained) -> Path:
    return demo.output / "training" / "embedding.onnx"


def test_without_a_word_it_trains_as_the_library_does():
    given = dict(TrainEmbeddingParameters())
    own = asdict(TrainingSettings())
    shared = own.keys() & given.keys()
    assert {"network", "loss", "epochs", "learning_rate"} <= shared
    assert {name: given[name] for name in shared} == {name: own[name] for name in shared}


def figures(notebook: Path) -> list[dict]:
    kind = "application/vnd.plotly.v1+json"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return [data[kind] for data in shown if kind in data]


def test_the_report_shows_untrained_and_trained_side_by_side_and_a_slider(demo, trained):
    curves, sides, slider = figures(trained.notebook)
    measured = pd.read_csv(demo.output / "training" / "small_resnet" / "curves.csv").set_index("epoch")
    kept = counted(int(measured["pair_accuracy"].idxmax()), "epoch")
    assert [note["text"] for note in sides["layout"]["annotations"]] == ["untrained", f"trained ({kept})"]
    assert [step["label"] for step in slider["layout"]["sliders"][0]["steps"]] == ["untrained", "1", "2"]
    assert "dlib" in slider["layout"]["annotations"][1]["text"]
    assert len(curves["data"]) == 4
    assert trained.report.stat().st_size > 100_000


def test_nothing_is_shown_on_red_ground_and_no_table_is_empty(trained):
    assert eyesores(trained.notebook) == []


def test_what_it_leaves_behind(demo, network, trained):
    folder = demo.output / "training"
    curves = pd.read_csv(folder / "small_resnet" / "curves.csv")
    assert curves["epoch"].tolist() == [0, 1, 2] and curves["pair_accuracy"].notna().all()
    assert (folder / "progress.html").stat().st_size > 3_000_000
    embedder = facelib.load_embedder(network)
    assert (embedder.name, embedder.dimension, embedder.form.size) == ("embedding", 32, 48)
    assert np.isfinite(embedder.threshold)


def test_it_is_fresh_until_the_people_change(demo, people, trained):
    again = TINY | {"people_from": people}
    assert [step.state for step in run_pipeline(demo, steps=[8], parameters=again)] == ["fresh"]


def test_the_whole_pipeline_runs_with_it(demo, network):
    # Six steps of training leave many of the cast without a name.
    given = {"embedder": str(network), "draw": False, "videos": ["demo.mp4"], "most_unnamed": 1.0}
    steps = run_pipeline(demo, parameters=given)
    assert [(step.number, step.state, step.message) for step in steps] == [(n, "done", "") for n in range(1, 8)]
    gallery = read_gallery(demo.faces)
    embedder = facelib.load_embedder(network)
    assert (gallery.embedder, gallery.weights_sha256) == ("embedding", embedder.sha256)
    assert gallery.vectors.shape[1] == 32
    assert len(pd.read_parquet(demo.film("demo.mp4").tracks))
    _, info = load_recognizer(demo.recognizer)
    check_same_weights(gallery, info.embedder, info.weights_sha256)
    with pytest.raises(ValueError, match="their distances cannot be compared"):
        check_same_network(gallery, facelib.load_embedder("dlib"))
    with pytest.raises(ValueError, match="run notebook 04_tune_threshold again"):
        check_same_weights(gallery, "dlib", facelib.load_embedder("dlib").sha256)
    # Another network is refused by the notebooks that would compare it, in words and at once.
    for step in (4, 5):
        (refused,) = run_pipeline(demo, steps=[step], parameters={"embedder": "dlib"})
        assert refused.state == "failed"
        assert "dlib" in refused.message and "02" in refused.message
    # Trained again it lies under the same name, yet it is another one: what was made with the old one is not fresh.
    again = onnx.load(network)
    again.doc_string = "trained again"
    onnx.save(again, network)
    assert run_pipeline(demo, steps=[2], parameters={"embedder": str(network)})[0].state == "done"


def test_the_demo_has_a_crowd_and_others_their_own_people(demo, tmp_path):
    assert people_folder(demo, progress=False) == demo.output / "training" / "people"
    assert people_folder(demo, "elsewhere") == Path("elsewhere")
    own = Project("own", tmp_path / "data", tmp_path / "output")
    for name in ("Ada", "Grace", "Hedy"):
        (own.people / name).mkdir(parents=True)
    assert people_folder(own) == own.people
    with pytest.raises(ValueError, match="1 to 18 people"):
        make_crowd(tmp_path, people=30)
