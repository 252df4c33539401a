"""Notebooks 02 to 04 through papermill, judged by the files they leave behind."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.data
from matplotlib.cbook import get_sample_data
from papermill.exceptions import PapermillExecutionError
from PIL import Image
from typer.testing import CliRunner

import facelib
from facelib.cli import main
from facelib.gallery import accept, read_gallery, undo, write_gallery
from facelib.pipeline import run_pipeline
from facelib.project import Project
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune
from facelib.widgets import ThresholdTuner
from tests.notebooks.runs import run

ADA, GRACE = "Ada Ünï <b>", "Grace"


def outputs(notebook: dict, kind: str) -> list[str]:
    """Return all outputs of one MIME type as text."""
    found = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return ["".join(data[kind]) if isinstance(data[kind], list) else str(data[kind]) for data in found if kind in data]


def portrait(path: Path, image: np.ndarray, *, turn: float, light: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    turned = Image.fromarray(image).rotate(turn, resample=Image.Resampling.BILINEAR, fillcolor=(128, 128, 128))
    Image.fromarray(np.clip(np.asarray(turned) * light, 0, 255).astype(np.uint8)).resize((240, 240)).save(path)


@pytest.fixture(scope="module")
def cast(tmp_path_factory) -> Project:
    """Two people with four portraits each, and of the first a broken file, a copy and a picture of a cat."""
    root = tmp_path_factory.mktemp("cast")
    project = Project("two people", root / "data", root / "output")
    hopper = get_sample_data("grace_hopper.jpg")
    with hopper, Image.open(hopper) as opened:
        grace = np.asarray(opened.convert("RGB"))[20:420, 60:460]
    ada = skimage.data.astronaut()[:260, 100:360]
    for number, (turn, light) in enumerate([(0, 1.0), (6, 0.8), (-6, 1.2), (3, 0.6)]):
        portrait(project.people / ADA / f"{number}.png", ada, turn=turn, light=light)
        portrait(project.people / GRACE / f"{number}.png", grace, turn=turn, light=light)
    (project.people / ADA / "broken <i>.jpg").write_text("no picture")
    (project.people / ADA / "copy.png").write_bytes((project.people / ADA / "0.png").read_bytes())
    Image.fromarray(skimage.data.chelsea()).resize((150, 100)).save(project.people / ADA / "cat.png")
    return project


@pytest.fixture(scope="module")
def embedded(cast) -> dict:
    return run("02_embed_faces", cast, detector="hog")


def test_02_writes_the_table_of_known_faces_with_a_reason_for_each_picture_left_out(cast, embedded):
    gallery = read_gallery(cast.faces)
    rows = gallery.table.assign(name=[Path(picture).name for picture in gallery.table["picture"]])
    reasons = rows[~rows["used"]].set_index("name")["reason"].to_dict()
    assert reasons == {"broken <i>.jpg": "unreadable", "copy.png": "duplicate", "cat.png": "no face"}
    assert rows.loc[rows["used"], "person"].value_counts().to_dict() == {ADA: 4, GRACE: 4}
    assert gallery.detector.startswith("hog, smallest face 40")
    assert gallery.embedder == "dlib-mirrored"
    assert gallery.weights_sha256 == facelib.load_embedder("dlib-mirrored").sha256
    assert gallery.vectors.shape == (8, 128)


def test_02_shows_what_is_left_out_and_escapes_names(embedded):
    pages = outputs(embedded, "text/html")
    left_out = next(page for page in pages if "<b>unreadable</b>" in page)
    assert "broken &lt;i&gt;.jpg" in left_out and "Ada Ünï &lt;b&gt;" in left_out
    assert "<b>duplicate</b>" in left_out and "<b>no face</b>" in left_out
    assert not any("<i>.jpg" in page for page in pages)
    assert len(outputs(embedded, "application/vnd.plotly.v1+json")) == 1


def test_02_shows_what_the_doctor_says_without_a_widget_too(cast, embedded):
    pages = outputs(embedded, "text/html")
    proposed = next(page for page in pages if "<h4" in page)
    assert ">duplicate (1)</h4>" in proposed and "copy" in proposed and "data:image/jpeg;base64," in proposed
    assert any("lacks" in page for page in pages) and any("missing" in page for page in pages)
    assert any("Fewer than 50 usable pictures of Ada Ünï &lt;b&gt; (4), Grace (4)" in page for page in pages)
    assert any("GalleryProposals" in text for text in outputs(embedded, "text/plain"))


def test_02_says_that_a_person_alone_is_mistaken_for_no_other(cast, tmp_path):
    project = Project("alone", tmp_path / "data", tmp_path / "output")
    shutil.copytree(cast.people / GRACE, project.people / GRACE)
    notebook = run("02_embed_faces", project, detector="hog")  # which shows no table without a row
    texts = [output.get("text", "") for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert "Nobody: there is only one person.\n" in texts


def test_a_picture_left_out_by_hand_is_left_out_of_the_next_run_of_02_03_and_04(cast, embedded, tmp_path):
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    shutil.copytree(cast.output, project.output)
    picture = f"people/{GRACE}/2.png"
    try:
        assert accept(project, pd.DataFrame({"picture": [picture], "kind": "blurred"})) == [picture]
        run("02_embed_faces", project, detector="hog")
        run("03_visualize_tsne", project)
        run("04_tune_threshold", project)
        assert picture not in set(read_gallery(project.faces).pictures) | set(pd.read_parquet(project.map)["picture"])
        pictures = load_recognizer(project.recognizer)[1].pictures
        assert len(pictures) == 7 and picture not in pictures
        undo(project, [picture])
        run("02_embed_faces", project, detector="hog")
        assert picture in read_gallery(project.faces).pictures
    finally:
        project.disabled.unlink(missing_ok=True)


def test_02_computes_only_what_is_new(cast, embedded):
    before, kept = read_gallery(cast.faces), cast.faces.read_bytes()
    planted = before.table.copy()
    planted["score"] = np.float32(0.125)  # a mark that only taken-over rows can bear
    names = {"detector": before.detector, "embedder": before.embedder, "weights_sha256": before.weights_sha256}
    write_gallery(planted, cast.faces, **names)
    extra = cast.people / GRACE / "new.png"
    try:
        portrait(extra, np.asarray(Image.open(cast.people / GRACE / "0.png")), turn=2, light=0.9)
        run("02_embed_faces", cast, detector="hog")
        after = read_gallery(cast.faces).table
        fresh = after[(after["face"] >= 0) & (after["score"] != np.float32(0.125))]
        assert [Path(picture).name for picture in fresh["picture"]] == ["new.png"]
    finally:
        extra.unlink()
        cast.faces.write_bytes(kept)


def test_02_makes_a_table_that_cannot_be_read_anew(cast, embedded, tmp_path):
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    project.faces.parent.mkdir(parents=True)
    project.faces.write_bytes(b"not a table")
    run("02_embed_faces", project, detector="hog")
    assert len(read_gallery(project.faces).used) == 8


def test_03_writes_the_map_of_the_used_faces(cast, embedded):
    notebook = run("03_visualize_tsne", cast, seed=1)
    table = pd.read_parquet(cast.map)
    assert table.columns.tolist() == ["picture", "face", "person", "x", "y"]
    used = read_gallery(cast.faces).used
    assert table["picture"].tolist() == used["picture"].tolist()
    assert np.isfinite(table[["x", "y"]]).all(axis=None)
    centres = table.groupby("person")[["x", "y"]].mean()
    assert np.linalg.norm(centres.loc[ADA] - centres.loc[GRACE]) > 0
    run("03_visualize_tsne", cast, seed=1)
    assert pd.read_parquet(cast.map).equals(table)
    figure, *_ = outputs(notebook, "application/vnd.plotly.v1+json")
    assert "Ada Ünï &lt;b&gt;" in figure
    assert any("purity" in page for page in outputs(notebook, "text/html"))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"kind": "knn", "k": 5, "wanted_fpir": 0.01}),
        ({"k": 1, "threshold": 0.42}, {"kind": "knn", "k": 1, "threshold": 0.42}),
        ({"weights": "distance", "wanted_fpir": 0.1}, {"kind": "knn", "wanted_fpir": 0.1}),
        ({"kind": "svm", "threshold": 0.7}, {"kind": "svm", "threshold": 0.7}),
    ],
)
def test_04_saves_a_recognizer_with_what_it_was_made_from(cast, embedded, parameters, expected):
    run("04_tune_threshold", cast, **parameters)
    estimator, info = load_recognizer(cast.recognizer)
    gallery = read_gallery(cast.faces)
    assert {name: getattr(info, name) for name in expected} == expected
    assert estimator.threshold == info.threshold and math.isfinite(info.threshold)
    assert (info.detector, info.embedder) == (gallery.detector, "dlib-mirrored")
    assert info.weights_sha256 == gallery.weights_sha256
    assert info.pictures == tuple(gallery.pictures)
    # Copies of one portrait are no trials for each other; a cast of two is none of strangers for an SVM.
    assert (info.genuine_trials, info.impostor_trials) == (0, 0 if info.kind == "svm" else 8)
    if "weights" in parameters:
        assert estimator.weights == parameters["weights"]
    if "threshold" not in parameters:
        assert (estimator.predict(gallery.vectors) == gallery.names).all()
        far = gallery.vectors + np.float32(1)
        assert (estimator.predict(far) == "unknown").all()


def test_04_shows_everything_without_a_browser_and_saves_only_when_told(cast, embedded, tmp_path):
    source = read_gallery(cast.faces)
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    made = {"detector": source.detector, "embedder": source.embedder, "weights_sha256": source.weights_sha256}
    write_gallery(source.table, project.faces, **made)
    stranger = project.data / "strangers" / "somewhere" / "deep.png"
    portrait(stranger, np.asarray(Image.open(cast.people / ADA / "0.png")), turn=12, light=0.9)
    try:
        notebook = run("04_tune_threshold", project, detector="hog", threshold=0.6, save=False, per_person=True)
    finally:
        stranger.unlink()
    assert not project.recognizer.exists()
    figures = outputs(notebook, "application/vnd.plotly.v1+json")
    assert len(figures) == 4 and all("Ada Ünï <b>" not in figure for figure in figures)
    assert "chosen: 0.600" in figures[1] and "chosen: 0.600" in figures[3]
    pages = [page.replace("<wbr>", "") for page in outputs(notebook, "text/html")]  # where names of columns may break
    mistakes = next(page for page in pages if "<figure" in page)
    # Every face is named by the other person once its own is gone, and so is the stranger.
    assert "strangers given a name (9)" in mistakes and "a stranger" in mistakes
    assert "Ada Ünï &lt;b&gt;" in mistakes and "Ada Ünï <b>" not in mistakes
    compared = next(page for page in pages if "fnir_low" in page)
    assert "distance" in compared and "uniform" in compared
    assert any("from_data" in page for page in pages)  # the table of each person's threshold
    text = str([output.get("text") for cell in notebook["cells"] for output in cell.get("outputs", [])])
    assert "1 faces of strangers, 8 of the cast." in text
    run("04_tune_threshold", project, comparison=False)
    assert load_recognizer(project.recognizer)[1].strangers == 0


@pytest.mark.parametrize(
    ("people", "faces"),
    [
        (1, 1),
        (2, 1),  # nobody has a second face, so that there is no genuine trial
        (2, 2),
    ],
)
def test_the_smallest_galleries_get_a_map_and_a_recognizer(cast, embedded, tmp_path, people, faces):
    source = read_gallery(cast.faces)
    table = source.used.iloc[[0] * (people * faces)].reset_index(drop=True)
    table["person"] = np.repeat([f"P{i}" for i in range(people)], faces)
    table["embedding"] = list(np.eye(128, dtype=np.float32)[: len(table)] * 0.5)
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    made = {"detector": source.detector, "embedder": source.embedder, "weights_sha256": source.weights_sha256}
    write_gallery(table, project.faces, **made)
    run("03_visualize_tsne", project)
    run("04_tune_threshold", project)
    assert len(pd.read_parquet(project.map)) == people * faces
    _, info = load_recognizer(project.recognizer)
    assert 0 < info.threshold <= 0.5
    assert (math.isnan(info.fnir), math.isnan(info.fpir)) == (faces == 1, people == 1)


@pytest.mark.parametrize("name", ["03_visualize_tsne", "04_tune_threshold"])
def test_without_a_gallery_the_step_to_run_first_is_named(cast, tmp_path, name):
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    with pytest.raises(PapermillExecutionError, match="run notebook 02_embed_faces"):
        run(name, project)


def test_an_svm_for_one_person_is_refused_and_leaves_the_former_recognizer(cast, embedded, tmp_path):
    source = read_gallery(cast.faces)
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    one = source.table[source.table["person"] == ADA]
    made = {"detector": source.detector, "embedder": source.embedder, "weights_sha256": source.weights_sha256}
    write_gallery(one, project.faces, **made)
    run("04_tune_threshold", project)
    before = load_recognizer(project.recognizer)[1]
    with pytest.raises(PapermillExecutionError, match="two people"):
        run("04_tune_threshold", project, kind="svm")
    assert load_recognizer(project.recognizer)[1] == before


def test_a_threshold_that_04_refuses_to_save_still_shows_all_figures_and_fails_at_the_end(cast, embedded, tmp_path):
    source = read_gallery(cast.faces)
    project = Project(cast.name, cast.data_dir, tmp_path / "output")
    table = source.used.iloc[[0] * 12].reset_index(drop=True)
    table["person"] = np.repeat(["P0", "P1", "P2"], 4)
    table["sha256"] = [str(number) for number in range(12)]
    vectors = np.random.default_rng(0).normal(scale=0.02, size=(12, 128))
    table["embedding"] = list((vectors + 0.1 * np.eye(128)[np.repeat([0, 1, 2], 4)]).astype(np.float32))
    made = {"detector": source.detector, "embedder": source.embedder, "weights_sha256": source.weights_sha256}
    write_gallery(table, project.faces, **made)
    run("04_tune_threshold", project, comparison=False)
    before = load_recognizer(project.recognizer)[1]

    told = CliRunner().invoke(
        main,
        ["run", "--project", project.name, "--data-dir", str(project.data_dir), "--output-dir", str(project.output_dir),
         "--steps", "4", "-p", "threshold=0.01", "-p", "comparison=false"],
    )  # fmt: skip
    assert told.exit_code == 1
    assert "expected a threshold that leaves at most 50% of the cast's faces without a name" in told.output
    assert load_recognizer(project.recognizer)[1] == before
    (executed,) = project.runs.glob("*/04_tune_threshold.ipynb")
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    assert len(outputs(notebook, "application/vnd.plotly.v1+json")) == 4
    assert any("ThresholdTuner" in text for text in outputs(notebook, "text/plain"))
    failed = [
        cell for cell in notebook["cells"] if any(out["output_type"] == "error" for out in cell.get("outputs", []))
    ]
    assert ["".join(cell["source"]) for cell in failed] == ["saved.files()"]


def test_a_threshold_saved_by_hand_stays_through_every_run_until_it_is_undone(cast, embedded, tmp_path):
    project = Project(cast.name, tmp_path / "data", tmp_path / "output")
    shutil.copytree(cast.data, project.data)
    shutil.copytree(cast.output, project.output, ignore=shutil.ignore_patterns("recognizer.*"))
    run("04_tune_threshold", project, comparison=False)
    fitted = load_recognizer(project.recognizer)[1].threshold
    gallery = read_gallery(project.faces)
    widget = ThresholdTuner(tune(gallery, fallback=gallery.threshold, progress=False), project)
    widget.slider.value = 0.43
    widget.button.click()
    assert fitted != 0.43

    def kept() -> tuple[float, str]:
        info = load_recognizer(project.recognizer)[1]
        return info.threshold, info.threshold_from

    shown = run("04_tune_threshold", project, comparison=False)  # Run All
    said = "".join(outputs(shown, "text/html"))
    assert kept() == (0.43, "hand") and "Saved by hand, and it counts; the fitted one would be" in said
    portrait(
        project.people / GRACE / "new.png", np.asarray(Image.open(cast.people / GRACE / "0.png")), turn=4, light=0.9
    )
    run("02_embed_faces", project, detector="hog")
    run("04_tune_threshold", project, comparison=False)
    assert kept() == (0.43, "hand") and len(load_recognizer(project.recognizer)[1].pictures) == 9
    results = run_pipeline(
        project, steps=[2, 4], force=True, parameters={"detector": "hog", "smallest_face": 40.0, "comparison": False}
    )
    assert [one.state for one in results] == ["done", "done"] and kept() == (0.43, "hand")
    ThresholdTuner(tune(read_gallery(project.faces), fallback=gallery.threshold, progress=False), project).back.click()
    run("04_tune_threshold", project, comparison=False)
    assert kept()[1] != "hand" and kept()[0] == pytest.approx(fitted, abs=0.05)


def test_what_the_tuner_saves_decides_who_is_named_in_05(tmp_path, make_tuned_demo):
    project = make_tuned_demo(tmp_path, 0.4)
    widget = ThresholdTuner(tune(read_gallery(project.faces), fallback=0.33, progress=False), project, most_unnamed=1.0)
    film = {"videos": ["demo.mp4"], "draw": False, "exports": []}

    widget.slider.value = 0.05  # so near is no face to another
    widget.button.click()
    assert "threshold 0.050" in " ".join(outputs(run("05_annotate_video", project, **film), "text/html"))
    assert set(pd.read_parquet(project.film("demo.mp4").tracks)["person"]) == {"unknown"}

    widget.slider.value = 0.33
    widget.button.click()
    assert "threshold 0.330" in " ".join(outputs(run("05_annotate_video", project, **film), "text/html"))
    assert {"Eileen Collins", "Grace Hopper"} <= set(pd.read_parquet(project.film("demo.mp4").tracks)["person"])
