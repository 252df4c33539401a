"""Each command where there is nothing, where nothing goes wrong, and where everything does."""

import re

import pandas as pd
import pytest
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from facelib.cli import main
from facelib.films.record import SUMMARY_COLUMNS
from facelib.pipeline import run_pipeline
from facelib.pipeline.notebooks import all_steps
from facelib.project import Project, write_table
from tests.conftest import eyesores

from ..reviewed import write_reviewed


def invoke(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def nothing(folder):
    project = Project("empty", folder / "data", folder / "output")
    for place in (project.people, project.videos):
        place.mkdir(parents=True)
    return project


def all_wrong(folder):
    """People without a picture, pictures and films that are none, tables that are empty."""
    project = Project("broken", folder / "data", folder / "output")
    for place in (project.people / "Ann", project.people / "Bob", project.videos):
        place.mkdir(parents=True)
    Image.new("RGB", (50, 50)).save(project.people / "loose.png")
    (project.people / "Ann" / "1.jpg").write_text("no picture")
    (project.people / "Ann" / "2.png").touch()
    (project.videos / "film.mp4").write_text("no film")
    (project.videos / "empty.mkv").touch()
    project.film_summary.parent.mkdir(parents=True)
    project.film_summary.write_text("film,shots with faces,tracks,named,by context,unknown,people,no face,problem\n")
    return project


def looked_at(folder, name, films):
    """Two people with pictures, and films with tables."""
    project = Project(name, folder / "data", folder / "output")
    for person in ("Ann", "Bob"):
        (project.people / person).mkdir(parents=True)
        Image.new("RGB", (50, 50)).save(project.people / person / "1.png")
    project.videos.mkdir()
    for film, tracks in films.items():
        (project.videos / film).write_text("no film")
        write_reviewed(project, film, tracks)
    write_table(
        pd.DataFrame(
            [dict.fromkeys(SUMMARY_COLUMNS, 0) | {"film": film, "people": "", "problem": ""} for film in films]
        ),
        project.film_summary,
    )
    return project


def nobody(folder):
    return looked_at(folder, "nobody", {"film.mp4": [], "other.mkv": []})


def all_well(folder):
    return looked_at(
        folder, "well", {"film.mp4": [("Ann", "", 0.9), ("Bob", "", 0.9)], "other.mkv": [("Ann", "", 0.9)]}
    )


PLACES = {"nothing": nothing, "all wrong": all_wrong, "nobody": nobody, "all well": all_well}
COMMANDS = {
    "page": ("page",),
    "live": ("live", "{videos}/film.mp4", "--headless"),
    "merge": ("merge", "Ann", "Bob"),
    "keep-apart": ("keep-apart", "Ann", "Bob"),
    "separate": ("separate", "Ann", "Bob"),
    "forget": ("forget", "Bob", "--yes"),
    "search": ("search",),
    "search for a person": ("search", "Ann"),
    "search for company": ("search", "Ann", "--company"),
    "search by year": ("search", "Ann", "--years", "--form", "csv"),
    "search by face": ("search", "--face", "{people}/loose.png"),
}
BELOW = {"run", "align"}
WITHOUT_PROJECT = {"demo", "doctor", "models", "serve", "cluster"}


@pytest.fixture(params=PLACES)
def project(request, tmp_path):
    return PLACES[request.param](tmp_path)


@pytest.fixture(params=["nothing", "all wrong"])
def bare(request, tmp_path):
    return PLACES[request.param](tmp_path)


def test_every_command_is_tried():
    tried = {command[0] for command in COMMANDS.values()}
    assert tried | BELOW | WITHOUT_PROJECT == set(get_command(main).commands)


def assert_told(result):
    """Check that it ended well, or with one line that says what was expected."""
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    if result.exit_code:
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: "), result.output
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_a_project_without_results(project, command):
    arguments = [argument.format(videos=project.videos, people=project.people) for argument in COMMANDS[command]]
    places = ("--project", project.name, "--data-dir", project.data_dir, "--output-dir", project.output_dir)
    assert_told(invoke(*arguments, *places))


def test_align_on_trees_without_a_picture_without_a_failure_and_with_failures_only(tmp_path):
    assert_told(invoke("align", tmp_path / "none", tmp_path / "crops"))
    empty, broken = tmp_path / "empty", tmp_path / "broken"
    (empty / "Ann").mkdir(parents=True)
    (broken / "Ann").mkdir(parents=True)
    (broken / "Ann" / "1.jpg").write_text("no picture")
    Image.new("RGB", (80, 80)).save(broken / "Ann" / "2.png")
    assert_told(invoke("align", empty, tmp_path / "crops", "--processes", 1))
    result = invoke("align", broken, tmp_path / "crops", "--processes", 1)
    assert_told(result)
    assert "0 of 2 pictures are aligned" in result.output


@pytest.mark.kernel
@pytest.mark.parametrize("number", [number for number in all_steps() if number > 1])
def test_a_notebook_alone_on_a_project_without_results(bare, number):
    (step,) = run_pipeline(bare, steps=[number])
    assert step.state == "done" or "expected" in step.message
    assert step.state == "failed" or eyesores(step.notebook) == []
    assert not re.search(r"KeyError|IndexError|TypeError|AttributeError", step.message)


@pytest.mark.kernel
@pytest.mark.parametrize("number", [6, 10])
def test_a_notebook_after_the_films_on_one_without_a_face(tmp_path, number):
    (step,) = run_pipeline(nobody(tmp_path), steps=[number])
    assert (step.state, step.message) == ("done", "")
    assert eyesores(step.notebook) == []


@pytest.mark.kernel
def test_the_first_notebook_on_a_project_without_a_picture_or_film(tmp_path):
    (step,) = run_pipeline(nothing(tmp_path), steps=[1])
    assert (step.state, step.message) == ("done", "")
    assert eyesores(step.notebook) == []


@pytest.mark.kernel
def test_the_films_notebook_on_a_film_without_a_face(tmp_path, make_tuned_demo, make_film):
    project = make_tuned_demo(tmp_path, 0.4)
    for film in project.videos.iterdir():
        film.unlink()
    make_film(project.videos / "grey.mp4", frames=10)
    (step,) = run_pipeline(project, steps=[5], parameters={"adapt_to_film": True})
    assert (step.state, step.message) == ("done", "")
    assert eyesores(step.notebook) == []


@pytest.mark.kernel
def test_a_run_ends_at_the_first_step_that_has_nothing_to_work_on(bare):
    project = bare
    places = ("--project", project.name, "--data-dir", project.data_dir, "--output-dir", project.output_dir)
    result = invoke("run", *places)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    told = next(line for line in lines if line.startswith("    "))
    problems = "5 problems (3 of pictures, 2 of films: see the report)" if project.name == "broken" else "no problems"
    assert told == f"    0 people, 0 pictures, 0 films, {problems}"
    assert "02_embed_faces: FAILED" in result.output and ": expected" in result.output
    assert not project.faces.exists()


@pytest.mark.kernel
@pytest.mark.parametrize("problem", ["", "cut short: copy it again"])
def test_at_its_end_a_run_says_who_was_found_and_fails_when_a_film_did(tmp_path, make_notebook, problem):
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    project.videos.mkdir(parents=True)
    rows = [["Ann", "", 0.0, 2.0], ["unknown", "unknown 1", 3.0, 4.5]]
    tracks = pd.DataFrame(rows, columns=["person", "cluster", "start", "end"])
    tracks = tracks.assign(until=tracks["end"], track=tracks.index, shot=0, confidence=0.9, source="face")
    write_table(tracks, project.film("a.mp4").tracks)
    row = dict.fromkeys(SUMMARY_COLUMNS, 0) | {"film": "a.mp4", "people": "Ann", "problem": problem}
    write_table(pd.DataFrame([row]), project.film_summary)
    make_notebook(tmp_path / "nb" / "06_review.ipynb", 'project: str = ""', "project")
    places = ("--data-dir", project.data_dir, "--output-dir", project.output_dir, "--notebooks", tmp_path / "nb")
    result = invoke("run", "--project", "demo", "--steps", 6, *places)
    assert result.exit_code == int(bool(problem))
    lines = result.output.splitlines()
    assert lines[2:6] == ["    no decisions about tracks yet", "", "On screen: Ann (2.0 s).", "Unknown: 1 person."]
    problems = [line for line in lines if line.startswith("problem")]
    assert problems == ([f"problem   a.mp4: {problem}"] if problem else [])
