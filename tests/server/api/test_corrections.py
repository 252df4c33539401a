"""Corrections over the API, by one user and by two at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from starlette.testclient import TestClient

from facelib.films.corrections import labels
from facelib.project import Project
from facelib.project.decisions import read_corrections
from tests.server.conftest import logged_in

DEMO = "/api/v1/projects/demo"
CORRECTIONS = f"{DEMO}/corrections"


def _label(project: Project, video: str, track: int) -> str:
    film = next(one for one in project.find_videos() if project.film(one).folder.name == video)
    table = pd.read_parquet(project.film(film).tracks)
    return str(labels(table)[table["track"] == track].iloc[0])


@pytest.fixture
def video(named: Project) -> str:
    return named.film(named.find_videos()[0]).folder.name


@pytest.fixture
def track(films: TestClient, video: str) -> dict[str, object]:
    """The first track with a name of the cast."""
    listed = films.get(f"{DEMO}/videos/{video}/tracks").json()["items"]
    return next(one for one in listed if one["person"] != "unknown")


@pytest.fixture
def two(films: TestClient) -> list[TestClient]:
    """Two users."""
    made = []
    for name in ("ann", "ben"):
        user = {"name": name, "password": f"password of {name}", "grants": {"demo": "correct"}}
        assert films.post("/api/v1/users", json=user).status_code == 201
        made.append(logged_in(films, name, user["password"]))
    return made


def test_tracks_are_as_in_the_table(films: TestClient, named: Project, video: str) -> None:
    listed = films.get(f"{DEMO}/videos/{video}/tracks", params={"limit": 1000}).json()
    table = pd.read_parquet(named.film(named.find_videos()[0]).tracks).sort_values(["start", "track"])
    assert listed["total"] == len(table) > 3
    assert [one["track"] for one in listed["items"]] == table["track"].tolist()
    assert [one["label"] for one in listed["items"]] == labels(table).tolist()
    assert [one["confidence"] for one in listed["items"]] == pytest.approx(table["confidence"].tolist())
    one = listed["items"][2]
    answer = films.get(f"{DEMO}/videos/{video}/tracks/{one['track']}")
    assert answer.json() == one and answer.headers["ETag"] == f'"{one["state"]}"'
    face = films.get(f"{DEMO}/videos/{video}/tracks/{one['track']}/faces/0")
    assert (face.headers["content-type"], face.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert films.get(f"{DEMO}/videos/{video}/tracks/{one['track']}/faces/{one['pictures']}").status_code == 404
    own = films.get(f"{DEMO}/videos/{video}/tracks", params={"label": one["label"], "limit": 1000}).json()
    assert own["total"] == (labels(table) == one["label"]).sum()
    early = films.get(f"{DEMO}/videos/{video}/tracks", params={"end": 1.0, "limit": 1000}).json()
    assert early["total"] == (table["start"] < 1.0).sum()


def test_who_is_on_screen_when(films: TestClient, named: Project, video: str) -> None:
    listed = films.get(f"{DEMO}/videos/{video}/appearances", params={"limit": 1000}).json()["items"]
    table = pd.read_csv(named.film(named.find_videos()[0]).appearances)
    assert [one["person"] for one in listed] == table["person"].tolist()
    assert [one["end"] for one in listed] == pytest.approx(table["end"].tolist(), abs=1e-3)
    person = listed[0]["person"]
    own = films.get(f"{DEMO}/videos/{video}/appearances", params={"person": person}).json()
    assert own["total"] == (table["person"] == person).sum()


def test_a_name_is_corrected_and_taken_back(films: TestClient, named: Project, video: str, track: dict) -> None:
    ref = {"video": video, "track": track["track"], "state": track["state"]}
    done = films.post(CORRECTIONS, json={"action": "name", "name": "Mary Shelley", "tracks": [ref]})
    assert done.status_code == 201, done.text
    now = done.json()["tracks"][0]
    assert (now["label"], now["decided"], now["confidence"], now["automatic"]) == (
        "Mary Shelley", True, 1.0, track["label"],
    )  # fmt: skip
    assert _label(named, video, track["track"]) == "Mary Shelley"
    assert "Mary Shelley" in named.film(named.find_videos()[0]).appearances.read_text()
    row = read_corrections(named.corrections).iloc[-1]
    me = films.get("/api/v1/session").json()["name"]
    assert (row["was"], row["is"], row["by"]) == (track["label"], "Mary Shelley", me)
    listed = films.get(CORRECTIONS).json()["items"]
    item = {"video": video, "track": track["track"], "was": "", "given": "Mary Shelley"}
    assert listed == [{"id": done.json()["id"], "by": me, "tracks": [item]}]
    page = films.get(f"{DEMO}/videos/{video}/page").json()
    assert {"name": "Mary Shelley", "kind": "cast"} in page["labels"]
    back = films.delete(f"{CORRECTIONS}/{done.json()['id']}")
    assert back.json()["tracks"][0]["label"] == track["label"]
    assert _label(named, video, track["track"]) == track["label"]
    assert films.get(CORRECTIONS).json()["items"] == []
    assert films.delete(f"{CORRECTIONS}/{done.json()['id']}").status_code == 404
    assert films.post(f"{CORRECTIONS}/undo").status_code == 409


def test_two_correct_the_same_track(films: TestClient, two: list[TestClient], video: str, track: dict) -> None:
    ann, ben = two
    address = f"{DEMO}/videos/{video}/tracks/{track['track']}"
    seen = {"If-Match": ben.get(address).headers["ETag"]}
    assert ann.put(f"{address}/decision", json={"action": "unknown"}, headers=seen).status_code == 200
    late = ben.put(f"{address}/decision", json={"action": "name", "name": "Mary Shelley"}, headers=seen)
    assert late.status_code == 409
    (conflict,) = late.json()["conflicts"]
    assert conflict["yours"] == "Mary Shelley"
    assert (conflict["now"]["label"], conflict["now"]["last"]["by"]) == ("unknown", "ann")
    assert "ann" in late.json()["detail"]
    again = {"If-Match": ben.get(address).headers["ETag"]}
    assert (
        ben.put(f"{address}/decision", json={"action": "name", "name": "Mary Shelley"}, headers=again).status_code
        == 200
    )
    # Ann's decision is not hers to take back now that Ben decided since; he takes his own back.
    assert ann.post(f"{CORRECTIONS}/undo").status_code == 409
    assert ben.post(f"{CORRECTIONS}/undo").json()["tracks"][0]["label"] == "unknown"
    assert ann.post(f"{CORRECTIONS}/undo").json()["tracks"][0]["label"] == track["label"]


def test_of_many_at_once_one_decides(films: TestClient, two: list[TestClient], video: str, track: dict) -> None:
    ref = {"video": video, "track": track["track"], "state": track["state"]}

    def decide(number: int) -> int:
        body = {"action": "name", "name": f"Somebody Number {chr(65 + number)}", "tracks": [ref], "even_if_near": True}
        return two[number % 2].post(CORRECTIONS, json=body).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(decide, range(6)))
    assert answers == [201] + [409] * 5
    assert films.get(CORRECTIONS).json()["total"] == 1


def test_whole_groups_are_named_merged_and_split(films: TestClient, named: Project, video: str) -> None:
    listed = films.get(f"{DEMO}/tracks", params={"shown": "unknown", "limit": 1000}).json()["items"]
    groups: dict[str, list[dict]] = {}
    for one in listed:
        if one["cluster"]:
            groups.setdefault(one["label"], []).append(one)
    big = max(groups.values(), key=len)
    refs = [{"video": one["video"], "track": one["track"], "state": one["state"]} for one in big]
    named_all = films.post(
        CORRECTIONS, json={"action": "name", "name": "Mary Shelley", "tracks": refs[:1], "whole_group": True}
    )
    assert named_all.status_code == 201
    own = films.get(f"{DEMO}/tracks", params={"label": "Mary Shelley", "limit": 1000}).json()
    assert {(one["video"], one["track"]) for one in own["items"]} == {(one["video"], one["track"]) for one in big}
    assert films.post(f"{CORRECTIONS}/undo").status_code == 200
    if len(big) > 1:
        plain = [{"video": one["video"], "track": one["track"]} for one in big]
        split = films.post(CORRECTIONS, json={"action": "split", "tracks": plain[:1]})
        assert split.status_code == 201 and split.json()["tracks"][0]["label"] != big[0]["label"]
        merged = films.post(CORRECTIONS, json={"action": "merge", "tracks": plain[:2]})
        assert merged.status_code == 201, merged.text
        assert len({one["label"] for one in merged.json()["tracks"]}) == 1
    assert films.post(CORRECTIONS, json={"action": "split", "tracks": refs[:0]}).status_code == 422


def test_what_cannot_be_decided(films: TestClient, named: Project, video: str, track: dict) -> None:
    ref = {"video": video, "track": track["track"]}
    for change, status in (
        ({"action": "shout"}, 422),
        ({"action": "name", "name": ""}, 422),
        ({"action": "name", "name": "a/b"}, 422),
        ({"action": "name", "name": "unknown"}, 422),
        ({"action": "name", "name": "\0"}, 422),
        ({"action": "name", "name": "Grace Hoper"}, 409),  # near
        ({"tracks": []}, 422),
        ({"tracks": [{"video": "none", "track": 0}]}, 404),
        ({"tracks": [{"video": "../x", "track": 0}]}, 404),
        ({"tracks": [{"track": 0}]}, 422),
        ({"action": "merge"}, 422),  # a single track of the cast
        ({"action": "split"}, 422),
    ):
        answer = films.post(CORRECTIONS, json={"action": "confirm", "tracks": [ref]} | change)
        found = (answer.status_code, answer.headers["content-type"])
        assert found == (status, "application/problem+json"), (change, answer.text)
        assert not named.corrections.exists(), change


def test_a_track_that_is_not_there(films: TestClient, video: str) -> None:
    for track, status in ((9999, 404), (-1, 422), ("x", 422), (2**40, 422)):
        assert films.get(f"{DEMO}/videos/{video}/tracks/{track}").status_code == status
        answer = films.put(f"{DEMO}/videos/{video}/tracks/{track}/decision", json={"action": "confirm"})
        assert answer.status_code == status


def test_before_any_film_has_names(api: TestClient) -> None:
    for address in ("tracks", "corrections"):
        assert api.get(f"{DEMO}/{address}").status_code == 409


def test_readers_decide_nothing(films: TestClient, video: str, track: dict, client_with: Callable) -> None:
    reader = client_with({"demo": "read"})
    assert reader.get(f"{DEMO}/videos/{video}/tracks").status_code == 200
    body = {"action": "confirm", "tracks": [{"video": video, "track": track["track"]}]}
    assert reader.post(CORRECTIONS, json=body).status_code == 403
    assert reader.post(f"{CORRECTIONS}/undo").status_code == 403
