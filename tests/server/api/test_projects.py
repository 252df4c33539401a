"""Projects over the API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.settings import ServerSettings
from tests.processes import without_rights

PROJECTS = "/api/v1/projects"


def test_the_demo_is_listed_and_described(api: TestClient, demo: Project) -> None:
    expected = {"name": "demo", "people": 2, "videos": 2, "has_recognizer": True, "problem": ""}
    assert api.get(PROJECTS).json() == {"items": [expected], "total": 1, "next_offset": None}
    assert api.get(f"{PROJECTS}/demo").json() == expected


@pytest.mark.parametrize("name", ["second", "Ада Лавлейс", "日本 🎬", "a b?c#d"])
def test_a_project_is_made_once(owner: TestClient, name: str) -> None:
    made = owner.post(PROJECTS, json={"name": name})
    assert made.status_code == 201
    assert owner.get(made.headers["Location"]).json() == {
        "name": name, "people": 0, "videos": 0, "has_recognizer": False, "problem": "",
    }  # fmt: skip
    again = owner.post(PROJECTS, json={"name": name.upper()})
    assert again.status_code == 409 and "choose another" in again.json()["detail"]


def test_a_project_that_cannot_be_read_is_listed_among_the_others(owner: TestClient, settings: ServerSettings) -> None:
    owner.post(PROJECTS, json={"name": "readable"})
    (settings.data_dir / "locked").mkdir()
    (settings.data_dir / "locked" / "people").symlink_to("x" * 300)  # to no right to read, a test of root's is blind
    locked, readable = owner.get(PROJECTS).json()["items"]
    assert (readable["name"], readable["problem"]) == ("readable", "")
    assert locked["problem"] == "its folders cannot be read: File name too long"
    assert owner.get(f"{PROJECTS}/locked").json() == locked


def test_a_project_whose_films_may_not_be_read_says_so(tmp_path: Path) -> None:
    videos = tmp_path / "data" / "locked" / "videos"
    videos.mkdir(parents=True)
    videos.chmod(0)
    code = "import facelib; from facelib.server.api import projects; project = facelib.Project('locked')"
    show = [*without_rights(), sys.executable, "-c", f"{code}; print(projects._summary(project).problem)"]
    assert subprocess.check_output(show, cwd=tmp_path, text=True) == "its films cannot be read\n"


def test_a_name_that_no_folder_can_have_is_refused(owner: TestClient) -> None:
    for name in ("", ".", "..", "../x", "a/b", "a\\b", ".hidden", "unknown", "*", "x" * 201, "\0", 5):
        answer = owner.post(PROJECTS, json={"name": name})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), name
        assert owner.get(PROJECTS).json()["total"] == 0, name


def test_a_project_that_is_not_there(api: TestClient) -> None:
    for name in ("other", "%2e%2e", ".server", "%2e%2e%2fdemo", "demo%00", "DEMO"):
        assert api.get(f"{PROJECTS}/{name}").status_code == 404, name


def test_a_list_comes_in_pages(owner: TestClient) -> None:
    for name in "abcde":
        owner.post(PROJECTS, json={"name": name})
    seen, offset = [], 0
    while offset is not None:
        page = owner.get(PROJECTS, params={"offset": offset, "limit": 2}).json()
        seen += [one["name"] for one in page["items"]]
        assert page["total"] == 5
        offset = page["next_offset"]
    assert seen == list("abcde")
    assert owner.get(PROJECTS, params={"limit": 0}).status_code == 422


def test_only_the_projects_that_one_may_see(
    api: TestClient, client_with: Callable[[dict[str, str]], TestClient]
) -> None:
    api.post(PROJECTS, json={"name": "other"})
    reader = client_with({"demo": "read"})
    assert [one["name"] for one in reader.get(PROJECTS).json()["items"]] == ["demo"]
    assert reader.get(f"{PROJECTS}/demo").status_code == 200
    assert reader.get(f"{PROJECTS}/other").json() == reader.get(f"{PROJECTS}/other").json()
    absent, hidden = reader.get(f"{PROJECTS}/absent"), reader.get(f"{PROJECTS}/other")
    assert (absent.status_code, hidden.status_code) == (404, 404)
    assert hidden.json()["detail"] == absent.json()["detail"].replace("absent", "other")
    assert reader.post(PROJECTS, json={"name": "third"}).status_code == 403


def test_an_answer_that_is_known_is_not_sent_again(api: TestClient, demo: Project) -> None:
    first = api.get(f"{PROJECTS}/demo")
    known = {"If-None-Match": first.headers["ETag"]}
    again = api.get(f"{PROJECTS}/demo", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    (demo.people / "New Person").mkdir()
    changed = api.get(f"{PROJECTS}/demo", headers=known)
    assert (changed.status_code, changed.json()["people"]) == (200, 3)
