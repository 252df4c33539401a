"""Notebook 01: what is asked for is gathered and made ready, and what is not asked for is not done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from facelib.gallery import accepted
from facelib.gather.sources import read_sources
from facelib.pipeline import run_pipeline
from facelib.project import Project
from tests.conftest import eyesores

from ..gather.conftest import Site, picture_bytes, sends
from ..gather.conftest import site as site  # the fixture

PEOPLE = ["George_W_Bush", "Tony_Blair"]


def run(project: Project, **parameters: object):
    step = run_pipeline(project, steps=[1], parameters=parameters)[0]
    assert step.message == "" and eyesores(step.notebook) == []
    return step


def shown(notebook: Path) -> str:
    """Return the HTML that a notebook shows."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(data.get("text/html", "")) for data in outputs)


def test_nothing_asked(tmp_path, copy_demo):
    project = copy_demo(tmp_path, 0.4)
    before = {path: path.stat().st_mtime_ns for path in project.data.rglob("*") if path.is_file()}
    step = run(project)
    assert step.state == "done"
    assert {path: path.stat().st_mtime_ns for path in project.data.rglob("*") if path.is_file()} == before
    made = {path.name for path in project.output.iterdir() if path.name[0] != "."}
    assert made == {"gathered.csv", "gathered_pictures.csv", "pictures.csv", "films.csv", "digests.json", "runs"}
    assert pd.read_csv(project.output / "gathered_pictures.csv").empty
    pictures = pd.read_csv(project.output / "pictures.csv", keep_default_na=False)
    (broken,) = pictures.loc[pictures["reason"] != "", "person"]  # one picture cannot be read
    of_them = (pictures["person"] == broken).sum()
    assert re.search(rf">{broken}</td>\s*<td>{of_them}</td>\s*<td>1</td>", shown(step.notebook))
    assert run(project).state == "fresh"


@pytest.mark.real_data
def test_all_at_once(site: Site, shared_data, tmp_path, monkeypatch):
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)
    project = Project("cast", tmp_path / "data", tmp_path / "output")
    project.videos.mkdir(parents=True)
    addresses = [f"Tony Blair,{site.put('/noise.jpg', sends(picture_bytes(5, size=(160, 160))))}"]
    for path in sorted((shared_data / "lfw" / "people" / PEOPLE[1]).iterdir())[:4]:
        addresses.append(f"Tony Blair,{site.put(f'/{path.name}', sends(path.read_bytes()))}")
    addresses.append(f"Tony Blair,{site.address('/gone.jpg')}")
    (tmp_path / "list.csv").write_text("\n".join(addresses))
    for number, path in enumerate(sorted((shared_data / "lfw" / "people" / PEOPLE[0]).iterdir())[:3]):
        place = tmp_path / "set" / f"part {number}" / PEOPLE[0] / path.name
        place.parent.mkdir(parents=True)
        place.write_bytes(path.read_bytes())
    # A proposed person that was given a name by hand.
    proposed = project.proposed / "Ada"
    proposed.mkdir(parents=True)
    (proposed / "1.jpg").write_bytes(picture_bytes(1))
    asked = {
        "names": ["Tony Blair"],
        "engines": "flickr",
        "addresses_from": str(tmp_path / "list.csv"),
        "dataset_from": str(tmp_path / "set"),
        "image_size": 96,
        "per_person": 2,
        "private_addresses": True,
    }
    first = run(project, **asked)
    assert {person: len(project.find_pictures(person)) for person in project.find_people()} == {
        "Ada": 1,
        PEOPLE[0]: 3,
        "Tony Blair": 5,
    }
    assert len(read_sources(project)) == 5
    found = pd.read_csv(project.output / "gathered_pictures.csv", keep_default_na=False)
    assert found["picture"].astype(bool).sum() == 5
    ready = pd.read_csv(project.output / "prepared.csv", keep_default_na=False)
    gathered = ready[ready["gathered"]]
    assert sorted(gathered["reason"]) == ["", "", "more than others have", "no face", "several faces"]
    assert accepted(project) == set(
        gathered.loc[gathered["reason"].isin(["no face", "more than others have"]), "picture"]
    )
    crops = {path.relative_to(project.data).as_posix() for path in project.data.glob("aligned/*/*.png")}
    assert crops == set(ready.loc[ready["crop"] != "", "crop"])
    assert {crop.split("/")[1] for crop in crops} == {PEOPLE[0], "Tony Blair"}
    report = first.report.read_text(encoding="utf-8")
    assert "404 Not Found" in report and "FLICKR_API_KEY" in report
    # The engine that did not answer is asked again by every run; nothing else changes.
    before = {path: path.stat().st_mtime_ns for path in project.data.rglob("*.*") if path.suffix != ".lock"}
    assert [run(project, **asked).state for _ in range(2)] == ["done", "done"]
    assert {path: path.stat().st_mtime_ns for path in project.data.rglob("*.*") if path.suffix != ".lock"} == before


def test_what_cannot_be_asked_is_told(tmp_path):
    project = Project("cast", tmp_path / "data", tmp_path / "output")
    project.people.mkdir(parents=True)
    with pytest.raises(ValueError, match="expected at least 1 for the parameter 'max_num', got 0"):
        run_pipeline(project, steps=[1], parameters={"names": "Ada", "max_num": 0})
    assert not project.output.exists()
