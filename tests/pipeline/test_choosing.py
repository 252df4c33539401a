"""Which project a notebook works on, with and without a front end."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from facelib.pipeline.choosing import choose_project
from facelib.project import Project
from tests.waiting import PATIENCE


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working folder with two projects."""
    for name in ("sopranos", "friends"):
        Project(name, tmp_path / "data").people.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "environment", "name", "why"),
    [
        ("", "", "demo", "no other was chosen; choose another with the parameter 'project' or FACELIB_PROJECT"),
        ("", "friends", "friends", "chosen by FACELIB_PROJECT in the environment; the parameter 'project' overrides"),
        ("sopranos", "friends", "sopranos", "chosen by the parameter 'project'."),
    ],
)
def test_the_parameter_goes_before_the_environment(folder, monkeypatch, given, environment, name, why):
    monkeypatch.setenv("FACELIB_PROJECT", environment)
    project, text = choose_project(given)
    assert project == Project(name) and text.startswith(f"Project {name!r}: {why}")


def test_without_a_front_end_the_project_used_last_does_not_count(folder):
    assert choose_project("sopranos")[0].name == "sopranos"
    assert choose_project()[0].name == "demo"


def test_a_project_that_is_not_there_is_not_remembered_and_nothing_is_made(folder):
    assert choose_project("soprano")[0].name == "soprano"
    assert not (folder / "output").exists()


def test_an_output_folder_that_cannot_be_written_is_no_reason_to_stop(folder):
    (folder / "output").write_text("a file where the folder should be")
    assert choose_project("sopranos")[0].name == "sopranos"


@pytest.mark.kernel
def test_in_a_front_end_the_project_used_last_counts_until_it_is_gone(folder):
    """As a notebook in the folder `notebooks` does it, in a real kernel."""
    (folder / "notebooks").mkdir()
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PATIENCE, cwd=str(folder / "notebooks"))

    def chosen(name: str = "") -> str:
        said: list[str] = []
        client.execute_interactive(
            f"from facelib.pipeline.choosing import choose_project\nprint(choose_project({name!r})[1])",
            allow_stdin=True,
            output_hook=lambda message: said.append(str(message["content"].get("text", ""))),
            timeout=PATIENCE,
        )
        return "".join(said)

    try:
        assert chosen().startswith("Project 'demo': no other was chosen")
        choose_project("friends")  # such as by `facelib run --project friends`
        assert chosen().startswith("Project 'friends': used last; choose another with the parameter")
        assert chosen("sopranos").startswith("Project 'sopranos': chosen by the parameter")
        assert chosen().startswith("Project 'sopranos': used last")
        (folder / "data" / "sopranos" / "people").rmdir()
        (folder / "data" / "sopranos").rmdir()
        assert chosen().startswith("Project 'demo': no other was chosen")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
