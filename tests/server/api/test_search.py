"""Search over all films, faces that are looked for, pictures that are identified, and unknown people."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from facelib.archive import find_company, find_moments, open_archive, update_archive
from facelib.faces import Image
from facelib.gallery import read_gallery
from facelib.images import encode_jpeg, read_image
from facelib.project import Project, write_text
from facelib.server.api import identify
from facelib.server.bodies import FormFile, read_picture

from ...bombs import bomb
from ...waiting import wait_until

DEMO = "/api/v1/projects/demo"
SEARCH = "/api/v1/search"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_few_pictures_are_decoded_at_a_time(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    come, decoded, go_on = list[FormFile](), list[FormFile](), threading.Event()

    async def read(*given: Any, **more: Any) -> FormFile:
        come.append(await read_picture(*given, **more))
        return come[-1]

    def decode(file: FormFile) -> Image:
        decoded.append(file)
        assert go_on.wait(120)
        raise ValueError("expected nothing more")

    monkeypatch.setattr(identify, "read_picture", read)
    monkeypatch.setattr(identify, "_decode", decode)
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(api.post, f"{DEMO}/identify", files={"picture": b"x"}) for _ in range(8)]
        wait_until(lambda: len(come) == 8 and len(decoded) >= 2)
        assert api.get(DEMO).status_code == 200
        assert len(decoded) == 2
        go_on.set()
        assert {answer.result().status_code for answer in answers} == {422} and len(decoded) == 8


@pytest.fixture
def pair(named: Project) -> tuple[str, str]:
    """Two people who are on screen together."""
    update_archive(named, progress=False)
    with open_archive(named) as archive:
        for person in archive.people["person"]:
            company = find_company(archive, person)
            if len(company):
                return person, str(company["person"].iloc[0])
    raise AssertionError("expected two people together in the demo")


def test_a_and_b_without_c(films: TestClient, named: Project, pair: tuple[str, str]) -> None:
    one, other = pair
    found = films.get(f"{SEARCH}/scenes", params={"with": [one, other], "limit": 1000}).json()
    with open_archive(named) as archive:
        expected = find_moments(archive, [one, other])
    assert [(hit["film"], hit["start"], hit["end"]) for hit in found["items"]] == list(
        expected[["film", "start", "end"]].itertuples(index=False, name=None)
    )
    assert found["total"] == len(expected) > 0
    assert found["items"][0]["video"] in {named.film(film).folder.name for film in named.find_videos()}
    without = films.get(f"{SEARCH}/scenes", params={"with": one, "without": [other], "limit": 1000}).json()
    overlaps = [
        (a, b)
        for a in without["items"]
        for b in found["items"]
        if a["film"] == b["film"] and a["start"] < b["end"] - 1e-6 and b["start"] < a["end"] - 1e-6
    ]
    assert without["total"] > 0 and not overlaps
    company = films.get(f"{SEARCH}/company", params={"person": one.upper()}).json()["items"]
    assert company[0]["person"] == other and company[0]["moments"] > 0
    people = films.get(f"{SEARCH}/people").json()["items"]
    assert {one, other} <= {row["person"] for row in people}
    years = films.get(f"{SEARCH}/years", params={"person": one}).json()["items"]
    assert years[0]["person"] == one


def test_a_correction_is_found_at_once(films: TestClient, named: Project, pair: tuple[str, str]) -> None:
    track = films.get(f"{DEMO}/tracks", params={"label": pair[0]}).json()["items"][0]
    assert films.get(f"{SEARCH}/scenes", params={"with": "Mary Shelley"}).status_code == 404
    body = {"action": "name", "name": "Mary Shelley", "tracks": [{"video": track["video"], "track": track["track"]}]}
    assert films.post(f"{DEMO}/corrections", json=body).status_code == 201
    hit = films.get(f"{SEARCH}/scenes", params={"with": "mary  shelley"}).json()["items"][0]
    assert (hit["video"], hit["start"]) == (track["video"], pytest.approx(track["start"], abs=0.05))


def test_wrong_questions(films: TestClient, client_with: Callable[[dict[str, str]], TestClient]) -> None:
    assert films.get(f"{SEARCH}/scenes").status_code == 422
    near = films.get(f"{SEARCH}/scenes", params={"with": "Grace Hoper"})
    assert near.status_code == 404 and "Grace Hopper" in near.json()["detail"]
    for change in ({"by": "year"}, {"shortest": -1}, {"shortest": "x"}):
        assert films.get(f"{SEARCH}/scenes", params={"with": "Grace Hopper"} | change).status_code == 422
    assert films.get(f"{SEARCH}/people", params={"project": "none"}).status_code == 404
    stranger = client_with({"other": "admin"})
    assert stranger.get(f"{SEARCH}/people", params={"project": "demo"}).status_code == 404
    assert stranger.get(f"{SEARCH}/people").status_code == 409


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_project_whose_index_is_damaged_stops_no_other(films: TestClient, named: Project) -> None:
    whole = films.get(f"{SEARCH}/people").json()
    assert whole["total"] and whole["left_out"] == []
    assert films.post("/api/v1/projects", json={"name": "other"}).status_code == 201
    other = Project("other", named.data_dir, named.output_dir)
    write_text("no database", other.archive / "catalogue.sqlite")
    film = named.find_videos()[0]
    named.film(film).tracks.write_bytes(b"PAR1")
    found = films.get(f"{SEARCH}/people").json()
    assert found["items"] == whole["items"]  # the index keeps what it had of a film whose table is damaged
    assert [one.partition(":")[0] for one in found["left_out"]] == ["demo", "other"]
    assert film.name in found["left_out"][0] and "'output/other/archive'" in found["left_out"][1]
    assert films.get(f"{SEARCH}/people", params={"project": "other"}).status_code == 422


def test_who_is_in_a_picture(films: TestClient, named: Project) -> None:
    used = read_gallery(named.faces).used
    for person in named.find_people():
        path = named.picture(used.loc[used["person"] == person, "picture"].iloc[0])
        answer = films.post(f"{DEMO}/identify", files={"picture": (path.name, path.read_bytes())})
        assert answer.status_code == 200, answer.text
        row = used[used["picture"] == named.label(path)].iloc[0]
        boxes = [
            np.abs(np.array(face["box"]) - row[["left", "top", "right", "bottom"]]).max()
            for face in answer.json()["faces"]
        ]
        face = answer.json()["faces"][int(np.argmin(boxes))]
        assert (face["person"], face["candidates"][0]["person"]) == (person, person)
        assert face["probability"] > 0.9 and face["evidence"] in face["reason"]


def test_a_picture_without_a_face(films: TestClient, named: Project) -> None:
    grey = encode_jpeg(np.full((300, 300, 3), 128, np.uint8))
    answer = films.post(f"{DEMO}/identify", files={"picture": ("grey.jpg", grey)})
    assert answer.json() == {"width": 300, "height": 300, "faces": []}
    assert films.post(f"{DEMO}/search/face", files={"picture": ("grey.jpg", grey)}).status_code == 422
    bad = ((b"", 422), (b"x" * 100, 422), (bytes(20_100_000), 413), (bomb(50_000, 50_000), 422))
    for content, status in bad:
        for place in ("identify", "search/face"):
            answer = films.post(f"{DEMO}/{place}", files={"picture": ("x.jpg", content)})
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_an_uploaded_face_is_found_in_the_films(films: TestClient, named: Project) -> None:
    film = named.find_videos()[0]
    tracks = pd.read_parquet(named.film(film).tracks)
    number = int(tracks.loc[tracks["confidence"].idxmax(), "track"])
    looks = pd.read_parquet(named.film(film).looks)
    face = looks.loc[looks["track"] == number, "picture"].iloc[0]
    hits = films.post(f"{DEMO}/search/face", params={"most": 3}, files={"picture": ("face.jpg", face)}).json()
    assert len(hits) == 3 and hits[0]["distance"] <= hits[1]["distance"]
    # The other film is a copy of this one, which shows the same moment.
    assert (film.name, number) in [(hit["film"], hit["track"]) for hit in hits[:2]], hits
    portrait = read_image(named.people / "Grace Hopper" / "grace_hopper_01.jpg")
    found = []
    for turns in range(4):  # however the camera was held
        face = encode_jpeg(np.ascontiguousarray(np.rot90(portrait, turns)))
        hits = films.post(f"{DEMO}/search/face", params={"most": 1}, files={"picture": ("face.jpg", face)}).json()
        found.append((hits[0]["person"], hits[0]["distance"] < 0.5))
    assert found == [("Grace Hopper", True)] * 4


def test_unknown_people(films: TestClient, named: Project) -> None:
    listed = films.get(f"{DEMO}/unknowns").json()
    tables = [pd.read_parquet(named.film(film).tracks) for film in named.find_videos()]
    groups = {name for table in tables for name in table.loc[table["person"] == "unknown", "cluster"]} - {""}
    assert {one["name"] for one in listed["items"]} == groups and listed["total"] == len(groups) > 0
    first = listed["items"][0]
    assert films.get(f"{DEMO}/videos/{first['video']}/tracks/{first['track']}").json()["label"] == first["name"]


def test_the_recognizer_and_its_threshold(films: TestClient, named: Project) -> None:
    before = films.get(f"{DEMO}/recognizer").json()
    assert (before["kind"], before["k"]) == ("knn", 5) and 0 < before["threshold"] < 1
    by_hand = films.put(f"{DEMO}/recognizer/threshold", json={"threshold": before["threshold"] + 0.01})
    assert by_hand.status_code == 200, by_hand.text
    assert by_hand.json()["threshold"] == pytest.approx(before["threshold"] + 0.01)
    assert by_hand.json()["threshold_from"] == "hand"
    refused = films.put(f"{DEMO}/recognizer/threshold", json={"threshold": 0.0})
    assert refused.status_code == 409
    for wrong in (-1, "x", None, 1e9):
        assert films.put(f"{DEMO}/recognizer/threshold", json={"threshold": wrong}).status_code == 422
    fitted = films.delete(f"{DEMO}/recognizer/threshold").json()
    assert fitted["threshold"] == pytest.approx(before["threshold"]) and fitted["threshold_from"] != "hand"
    job = films.post(f"{DEMO}/recognizer/train", json={"kind": "svm", "wanted_fpir": 0.02})
    assert (job.status_code, job.json()["kind"], job.json()["steps"]) == (202, "train", [2, 4])
    assert job.json()["parameters"] == {"kind": "svm", "wanted_fpir": 0.02}
    assert films.post(f"{DEMO}/recognizer/train", json={"kind": "tree"}).status_code == 422


def test_no_recognizer_yet(owner: TestClient) -> None:
    owner.post("/api/v1/projects", json={"name": "new"})
    answer = owner.get("/api/v1/projects/new/recognizer")
    assert answer.status_code == 404 and "output/new/recognizer.skops" in answer.json()["detail"]
    face = {"picture": ("x.jpg", encode_jpeg(np.full((30, 30, 3), 128, np.uint8)))}
    assert owner.post("/api/v1/projects/new/identify", files=face).status_code == 404
    assert owner.get("/api/v1/projects/new/unknowns").status_code == 409
