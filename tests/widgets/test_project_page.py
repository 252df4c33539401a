"""The widget of the page answers what its page asks, and nothing else."""

from __future__ import annotations

import pytest

from facelib.page.pack import as_script
from facelib.project import Project, write_text
from facelib.widgets import ProjectPage
from facelib.widgets import project_page as module

FILM = {"id": "a", "sources": [{"href": "../../data/p/videos/a.mp4"}], "exports": []}
ENTRY = {"id": "a", "data": "videos/a/page/film.js"}


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project("p", tmp_path / "data", tmp_path / "output")
    write_text(as_script("project", {"films": [ENTRY]}), made.page_data)
    write_text("// version\n" + as_script("film a", FILM), made.film("a.mp4").page_data)
    write_text("film", made.videos / "a.mp4")
    write_text("secret", tmp_path / "secret.txt")
    return made


@pytest.fixture
def ask(project, monkeypatch):
    """Return a function that asks the widget as its page does: the answer, and the bytes beside it."""
    widget = ProjectPage(project, "a.mp4")
    answers: list[tuple[dict[str, object], list[bytes]]] = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: answers.append((content, buffers)))

    def ask(**question):
        widget._handle_custom_msg({"number": 7, **question}, [])
        answer, buffers = answers[-1]
        assert answer.pop("number") == 7
        return answer, buffers

    return ask


def test_project_and_film_are_those_that_were_written(ask):
    assert ask(ask="project") == ({"value": {"films": [ENTRY]}}, [])
    assert ask(ask="film", id="a") == ({"value": FILM}, [])


def test_a_film_travels_where_no_server_serves_it(ask):
    ask(ask="film", id="a")
    assert ask(ask="url", path="../../data/p/videos/a.mp4") == ({"kind": "video/mp4"}, [b"film"])


def test_a_film_below_jupyters_folder_is_played_from_there(ask, project, monkeypatch):
    monkeypatch.setattr(module, "jupyter_root", lambda: project.data_dir.parent.resolve())
    ask(ask="film", id="a")
    assert ask(ask="url", path="../../data/p/videos/a.mp4") == ({"below": "data/p/videos/a.mp4"}, [])


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "url", "path": "../../secret.txt"},  # not linked from the page
        {"ask": "url", "path": "../../data/p/videos/a.mp4"},  # its film has not been opened
        {"ask": "url", "path": "videos/missing.jpg"},
        {"ask": "film", "id": "b"},
        {"ask": "film"},
    ],
)
def test_what_is_not_the_pages_is_refused(ask, question):
    answer, buffers = ask(**question)
    assert set(answer) == {"error"} and buffers == []


def test_without_a_page_it_says_who_writes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="write_page writes it"):
        ProjectPage(Project("p", tmp_path, tmp_path / "output"))
