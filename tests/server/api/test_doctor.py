"""What the doctor proposes over the API, and what becomes of it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from facelib.gallery import examine, read_gallery
from facelib.project import Project

DEMO = "/api/v1/projects/demo"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_proposals_are_the_doctors(api: TestClient, demo: Project) -> None:
    gallery = read_gallery(demo.faces)
    assert gallery.threshold is not None
    expected = examine(gallery.table, demo, threshold=gallery.threshold, progress=False)
    found = api.get(f"{DEMO}/doctor").json()
    assert found["advice"] == expected.advice
    names = ["picture", "person", "kind", "detail", "fits", "used"]
    assert [[one[name] for name in names] for one in found["proposals"]] == expected.proposals[
        names
    ].to_numpy().tolist()
    assert {one["kind"] for one in found["proposals"]} >= {"duplicate", "no face", "unreadable"}
    used = next(one for one in found["proposals"] if one["used"])
    person, picture = used["picture"].split("/", 2)[1:]
    assert api.patch(f"{DEMO}/people/{person}/pictures/{picture}", json={"disabled": True}).json()["disabled"]
    after = api.get(f"{DEMO}/doctor").json()["proposals"]
    assert not [one for one in after if one["picture"] == used["picture"] and one["used"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_names_of_one_person_are_asked_about_until_answered(api: TestClient, demo: Project) -> None:
    name, other = demo.find_people()[0], "somebody new"
    table = read_gallery(demo.faces)
    half = table.used[table.used["person"] == name]["picture"].iloc[::2]
    assert api.post(f"{DEMO}/people", json={"name": other}).status_code == 201
    for picture in half:
        place = f"{DEMO}/people/{name}/pictures/{picture.split('/', 2)[2]}"
        assert api.patch(place, json={"person": other}).status_code == 200
    (question,) = api.get(f"{DEMO}/doctor").json()["questions"]
    assert {question["name"], question["other"]} == {name, other} and question["words"] == "look like one person"
    assert question["picture"].split("/")[1] == question["name"]
    answer = {"name": question["other"], "other": question["name"], "answer": "apart"}
    assert api.post(f"{DEMO}/identities", json=answer).status_code == 201
    assert api.get(f"{DEMO}/doctor").json()["questions"] == []


def test_a_project_without_faces(owner: TestClient) -> None:
    assert owner.post("/api/v1/projects", json={"name": "new"}).status_code == 201
    nothing = {"advice": [], "questions": [], "proposals": []}
    assert owner.get("/api/v1/projects/new/doctor").json() == nothing
