"""People of the cast over the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from facelib.gallery import read_gallery
from facelib.project import Project, identities
from facelib.project.decisions import read_decisions

PEOPLE = "/api/v1/projects/demo/people"
IDENTITIES = "/api/v1/projects/demo/identities"


@pytest.fixture
def cast(demo: Project) -> list[str]:
    return demo.find_people()


def test_the_cast_with_counts(api: TestClient, demo: Project, cast: list[str]) -> None:
    listed = api.get(PEOPLE).json()
    assert [one["name"] for one in listed["items"]] == cast and listed["total"] == len(cast)
    used = read_gallery(demo.faces).used.groupby("person")["picture"].nunique()
    for one in listed["items"]:
        assert one["pictures"] == len(demo.find_pictures(one["name"]))
        assert one["used"] == used[one["name"]]
        assert one["used"] + sum(one["left_out"].values()) == one["pictures"]
        assert api.get(f"{PEOPLE}/{one['name']}").json() == one


def test_no_cast_yet(owner: TestClient) -> None:
    owner.post("/api/v1/projects", json={"name": "new"})
    assert owner.get("/api/v1/projects/new/people").json() == {"items": [], "total": 0, "next_offset": None}


def test_a_new_person(api: TestClient, demo: Project) -> None:
    for name in ("Mary Shelley", "Мария Кюри", "=1+1", "<b>x"):
        made = api.post(PEOPLE, json={"name": f"  {name} "})
        assert made.status_code == 201, made.text
        assert made.json() == {"name": name, "pictures": 0, "used": 0, "left_out": {}, "merged": []}
        assert api.get(made.headers["Location"]).json() == made.json()
        assert name in demo.find_people()


def test_a_name_that_nobody_can_have(api: TestClient, cast: list[str], demo: Project) -> None:
    for name in ("", " ", "..", "a/b", "unknown", "Unknown 3", "not a face", ".x", "x" * 201, "a\0b", 5, None):
        answer = api.post(PEOPLE, json={"name": name})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), name
        assert demo.find_people() == cast, name


def test_a_near_name_is_asked_about(api: TestClient, demo: Project, cast: list[str]) -> None:
    near = cast[0][:-1] + "x"
    answer = api.post(PEOPLE, json={"name": near})
    assert answer.status_code == 409
    assert answer.json()["near"] == [{"name": cast[0], "likeness": "spelling"}]
    assert api.post(PEOPLE, json={"name": near, "even_if_near": True}).status_code == 201
    for same in (cast[0], cast[0].upper()):  # the very person, in any case
        assert api.post(PEOPLE, json={"name": same, "even_if_near": True}).status_code == 409


def test_somebody_who_is_not_there(api: TestClient, cast: list[str]) -> None:
    answer = api.get(f"{PEOPLE}/{cast[0][:-1]}x")
    assert answer.status_code == 404 and answer.json()["near"][0]["name"] == cast[0]
    assert api.get(f"{PEOPLE}/%2e%2e").status_code == 404


def test_a_person_is_renamed_and_that_is_undone(api: TestClient, demo: Project, cast: list[str]) -> None:
    before = api.get(f"{PEOPLE}/{cast[0]}").json()
    renamed = api.patch(f"{PEOPLE}/{cast[0]}", json={"name": "Mary Shelley"}).json()
    assert renamed == before | {"name": "Mary Shelley", "merged": [cast[0]]}
    assert "Mary Shelley" in set(read_gallery(demo.faces).table["person"])
    assert [one["name"] for one in api.get(PEOPLE).json()["items"]] == sorted(["Mary Shelley", *cast[1:]])
    assert api.delete(IDENTITIES, params={"name": cast[0], "other": "Mary Shelley"}).status_code == 204
    assert api.get(f"{PEOPLE}/{cast[0]}").json() == before


def test_two_names_are_one_or_two_people(api: TestClient, demo: Project, cast: list[str]) -> None:
    one, other = cast[:2]
    merge = {"name": one, "other": other, "answer": "merge"}
    assert api.post(IDENTITIES, json=merge).status_code == 201
    assert api.get(IDENTITIES).json()["items"] == [merge]
    assert identities.merged(demo) == {one: other}
    assert read_decisions(demo.corrections)["by"].tolist() == [api.get("/api/v1/session").json()["name"]]
    apart = merge | {"answer": "apart"}
    assert api.post(IDENTITIES, json=apart).status_code == 201
    assert api.get(IDENTITIES).json()["items"] == [apart]
    pair = {"name": other, "other": one}
    assert api.delete(IDENTITIES, params=pair).status_code == 204
    assert api.delete(IDENTITIES, params=pair).status_code == 404
    assert api.post(IDENTITIES, json=merge | {"other": one}).status_code == 422
    assert api.post(IDENTITIES, json=merge | {"other": "Nobody"}).status_code == 404
    assert api.post(IDENTITIES, json=merge | {"answer": "maybe"}).status_code == 422


def test_who_only_reads_changes_nothing(
    api: TestClient, cast: list[str], client_with: Callable[[dict[str, str]], TestClient]
) -> None:
    reader = client_with({"demo": "read"})
    assert reader.get(PEOPLE).status_code == 200
    answer = {"name": cast[0], "other": cast[1], "answer": "merge"}
    refused = [
        reader.post(PEOPLE, json={"name": "New"}),
        reader.patch(f"{PEOPLE}/{cast[0]}", json={"name": "New"}),
        reader.post(IDENTITIES, json=answer),
        reader.delete(IDENTITIES, params={"name": cast[0], "other": cast[1]}),
    ]
    assert [one.status_code for one in refused] == [403] * 4
