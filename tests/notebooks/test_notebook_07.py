"""Notebook 07 through papermill, judged by the files it leaves behind and by what it shows."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from papermill.exceptions import PapermillExecutionError

from facelib.gallery import read_gallery, write_gallery
from facelib.project import Project, write_table
from facelib.recognize.tuning import tune
from tests.notebooks.runs import run

NAME = "07_evaluate"
ADA, GRACE = "Ada Ünï <b>", "Grace"


def shown(notebook: dict) -> str:
    """Return all that was printed, and all texts, pages and figures, as one text."""
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            figure = data.get("application/vnd.plotly.v1+json")
            page = (
                data.get("text/html", data.get("text/plain", ""))
                if figure is None
                else json.dumps(figure, ensure_ascii=False)
            )
            found += ["".join(output.get("text", "")), "".join(page)]
    return "\n".join(found)


@pytest.fixture
def project(tmp_path, make_film) -> Project:
    """A cast of two, a film of 20 frames in which each is one track, and one stranger who is given a name."""
    project = Project("small", tmp_path / "data", tmp_path / "output")
    random = np.random.default_rng(0)
    names = np.repeat([ADA, GRACE], 6)
    vectors = np.repeat([[0.0, 0, 0, 0], [1, 1, 0, 0]], 6, axis=0) + 0.1 * random.normal(size=(12, 4))
    table = pd.DataFrame({"person": names, "picture": [f"people/{name}/{i}.jpg" for i, name in enumerate(names)]})
    table = table.assign(sha256="", face=0, left=0.0, top=0.0, right=9.0, bottom=9.0, score=1.0, sharpness=300.0)
    table = table.assign(landmarks=[np.zeros(10)] * 12, embedding=list(vectors), used=True, reason="")
    write_gallery(table, project.faces, detector="mtcnn", embedder="dlib", weights_sha256="")
    tune(read_gallery(project.faces), fallback=0.5, progress=False).save(project.recognizer)
    make_film("data/small/videos/film.mp4", frames=20)
    tracks = pd.DataFrame(
        {
            "track": [0, 1, 2],
            "person": [ADA, GRACE, GRACE],
            "cluster": "",
            "confidence": [0.95, 0.9, 0.6],
            "distance": [0.2, 0.3, 0.45],
            "second_person": "",
            "evidence": [f"people/{ADA}/1.jpg", f"people/{GRACE}/7.jpg", f"people/{GRACE}/8.jpg"],
        }
    )
    write_table(tracks, project.film("film.mp4").tracks)
    boxes = pd.DataFrame([(f, t, 20 * t) for f in range(20) for t in range(3)], columns=["frame", "track", "left"])
    boxes = boxes.assign(time=boxes["frame"] / 25, shot=0, top=10, right=boxes["left"] + 12, bottom=22, score=1.0)
    write_table(boxes.assign(interpolated=False), project.film("film.mp4").detections)
    appeared = pd.DataFrame({"person": [ADA], "start": [0.0], "end": [0.8], "confidence": [0.95]})
    write_table(appeared, project.film("film.mp4").appearances)
    truth = boxes[["frame", "left", "top", "right", "bottom"]]
    truth = truth.assign(person=boxes["track"].map({0: ADA, 1: GRACE, 2: "unknown"}))
    write_table(truth, project.data / "truth" / "film.csv")
    segments = f"media,start,end,person\nfilm.mp4,0,1,{ADA}\n"
    (project.data / "truth" / "segments.csv").write_text(segments, encoding="utf-8")
    return project


def test_with_truth(project):
    notebook = run(NAME, project)
    table = pd.read_csv(project.output / "evaluation.csv").set_index("film")
    assert table.index.tolist() == ["film.mp4", "all films"]
    assert table.loc["film.mp4", ["faces", "right", "wrong", "strangers named"]].tolist() == [60, 40, 0, 20]
    record = json.loads((project.output / "evaluation.json").read_text(encoding="utf-8"))
    assert record["score"]["strangers_named"] == 20
    assert record["figures"]["tracks with the right answer"] == pytest.approx(2 / 3, abs=1e-4)
    assert record["gallery"]["nearest"] == 1
    assert [row["mistake"] for row in record["mistakes"]] == ["stranger named"]
    assert record["segments"][0]["person"] == ADA and record["segments"][0]["right"] == 1
    text = shown(notebook)
    assert "Ground truth for 1 of 1 films" in text and "Compared 1 film with ground truth." in text
    assert "unknown → Grace" in text and text.count("data:image/jpeg;base64,") == 1
    assert "1 segments: precision 1.000, recall 1.000" in text
    assert "Not tested: nobody has enough pictures" in text
    assert "Ada Ünï &lt;b&gt;" in text and ADA not in text


def test_without_truth_it_says_so_and_measures_the_gallery(project):
    for path in (project.data / "truth").iterdir():
        path.unlink()
    text = shown(run(NAME, project, min_nrof_images_per_class=6, nrof_train_images_per_class=4))
    assert "No ground truth for any of 1 films" in text and "Only the gallery can be measured" in text
    assert "Compared 0 films" in text and "No segments to compare." in text
    assert "Number of classes: 2\nNumber of images: 4" in text and "Accuracy: 1.000" in text
    assert "There is no labelled face." in text and "No mistake was found." not in text
    assert text.count("No film has ground truth") == 4
    record = json.loads((project.output / "evaluation.json").read_text(encoding="utf-8"))
    assert record["films"] == [] and record["accuracy"] == 1
    assert record["gallery_calibration_error"] is not None


def test_without_segments_there_is_no_table_of_them(project):
    (project.data / "truth" / "segments.csv").unlink()
    notebook = run(NAME, project)
    assert "Compared 1 film with ground truth." in shown(notebook)
    (cell,) = (cell for cell in notebook["cells"] if "score_segment_table(" in cell["source"])
    (told,) = cell["outputs"]  # no table below, not even with a row of zeros
    assert told["text"] == "No segments to compare.\n"


@pytest.mark.real_data
def test_the_protocol_of_pairs(project, shared_data, tmp_path):
    lines = (shared_data / "lfw/pairsDevTest.txt").read_text(encoding="utf-8").splitlines()
    some = tmp_path / "pairs.txt"
    some.write_text("\n".join(["10", *lines[1:11], *lines[501:511]]), encoding="utf-8")
    text = shown(run(NAME, project, pairs=str(some), pairs_pictures=str(shared_data / "lfw/pairs")))
    assert re.search(r"[01]\.\d{4} ± [01]\.\d{4} on 20 pairs, 0 with no face", text)


def test_a_folder_of_truth_that_is_not_there(project):
    with pytest.raises(PapermillExecutionError, match="expected a folder of truth tables"):
        run(NAME, project, truth=str(project.data / "nowhere"))


def test_without_a_recognizer_the_step_to_run_first_is_named(project):
    project.recognizer.unlink()
    with pytest.raises(PapermillExecutionError, match="04_tune_threshold"):
        run(NAME, project)
