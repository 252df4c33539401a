"""Films over the API: the list, the page's data, the film itself by ranges, exports."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from PIL import Image as PillowImage
from starlette.testclient import TestClient

from facelib.films.exports import FORMATS, export_film
from facelib.page.data import PageFilm, read_page_film
from facelib.page.pack import script_value
from facelib.project import FilmFiles, Project
from facelib.project.content import files_below
from facelib.project.names import NOT_A_FACE, UNKNOWN
from facelib.server.films import FilmPages

VIDEOS = "/api/v1/projects/demo/videos"


def test_films_that_were_looked_at(films: TestClient, named: Project) -> None:
    listed = films.get(VIDEOS).json()
    assert [one["name"] for one in listed["items"]] == [film.name for film in named.find_videos()]
    for one, film in zip(listed["items"], named.find_videos(), strict=True):
        tracks = pd.read_parquet(named.film(film).tracks)
        assert (one["state"], one["problem"], one["annotated"]) == ("named", "", False)
        assert (one["tracks"], one["unknown"]) == (len(tracks), (tracks["person"] == UNKNOWN).sum())
        assert one["people"] == sorted(set(tracks["person"]) - {UNKNOWN, NOT_A_FACE})
        assert one["bytes"] == film.stat().st_size and one["duration"] > 1
        assert films.get(f"{VIDEOS}/{one['id']}").json() == one


def test_films_and_files_that_were_not(api: TestClient, demo: Project) -> None:
    (demo.videos / "notes.mp4").write_text("#EXTM3U\n/etc/passwd")
    listed = {one["name"]: one for one in api.get(VIDEOS).json()["items"]}
    assert (listed["notes.mp4"]["state"], listed["notes.mp4"]["id"]) == ("skipped", "")
    assert listed["notes.mp4"]["problem"] == "a playlist"
    new = listed[demo.find_videos()[0].name]
    assert (new["state"], new["tracks"], new["duration"]) == ("new", None, None)
    for what in ("page", "exports/csv"):
        answer = api.get(f"{VIDEOS}/{new['id']}/{what}")
        assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert api.get(f"{VIDEOS}/{new['id']}/media/source").status_code == 200
    assert api.get(f"{VIDEOS}/{new['id']}/media/annotated").status_code == 404


def test_a_page_of_more_films_than_are_held_is_made_once(named: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facelib.server.films._KEPT", 1)
    pages, read = FilmPages(), list[Path]()

    def count(project: Project, film: Path, longest_gap: float) -> PageFilm | None:
        read.append(film)
        return read_page_film(project, film, longest_gap)

    monkeypatch.setattr("facelib.server.films.read_page_film", count)
    first = pages.project_page(named)
    assert read == named.find_videos() and len(read) > 1
    assert pages.project_page(named).tag == first.tag and read == named.find_videos()
    (named.output / "marks.csv").unlink()
    assert pages.project_page(named).tag != first.tag


def test_the_cost_of_one_film_does_not_grow_with_those_that_are_new(
    api: TestClient, demo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        (demo.videos / f"new {number}.mp4").touch()
    looks: list[Path] = []

    def look(folder: Path, *given: str) -> list[Path]:
        looks.append(folder)
        return files_below(folder, *given)

    monkeypatch.setattr("facelib.project.content.files_below", look)
    assert api.get(f"{VIDEOS}/new 29").status_code == 200
    assert api.get("/api/v1/projects/demo/page").json()["films"] == []
    assert 2 <= len(looks) < 10


@pytest.mark.parametrize("table", ["tracks.parquet", "detections.parquet", "looks.parquet", "shots.csv"])
def test_a_film_with_a_damaged_table_stops_no_other(films: TestClient, named: Project, table: str) -> None:
    film, other = named.find_videos()[:2]
    path = named.film(film).folder / table
    path.write_bytes(path.read_bytes()[:40] if table != "shots.csv" else b"")
    listed = {one["name"]: one for one in films.get(VIDEOS).json()["items"]}
    assert listed[other.name]["problem"] == "" and listed[other.name]["state"] == "named"
    assert table in listed[film.name]["problem"] and "name the people in it again" in listed[film.name]["problem"]
    shown = films.get("/api/v1/projects/demo/page").json()["films"]
    assert [one["id"] for one in shown] == [listed[other.name]["id"]]
    answer = films.get(f"{VIDEOS}/{listed[film.name]['id']}/page")
    assert answer.status_code == 409 and "name the people in it again" in answer.json()["detail"]
    if table == "tracks.parquet":
        for what in ("exports/json", "appearances"):
            assert films.get(f"{VIDEOS}/{listed[film.name]['id']}/{what}").status_code == 409


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda film, files: files.detections.unlink(), "detections.parquet is missing; name the people in it again"),
        (
            lambda film, files: film.write_bytes(film.read_bytes() + bytes(8)),
            "was changed since; name the people in it again",
        ),
    ],
    ids=["without boxes", "replaced"],
)
def test_a_film_whose_tables_do_not_suit_it(
    films: TestClient, named: Project, harm: Callable[[Path, FilmFiles], None], problem: str
) -> None:
    film, other = named.find_videos()[:2]
    ids = {one["name"]: one["id"] for one in films.get(VIDEOS).json()["items"]}
    assert films.get(f"{VIDEOS}/{ids[film.name]}/page").status_code == 200
    harm(film, named.film(film))
    asked = ("page", "exports/json", "tracks", "tracks/0", "tracks/0/faces/0", "appearances")
    answers = [films.get(f"{VIDEOS}/{ids[film.name]}/{what}") for what in asked]
    answers.append(films.put(f"{VIDEOS}/{ids[film.name]}/tracks/0/decision", json={"action": "unknown"}))
    assert {answer.status_code for answer in answers} == {409}
    assert all(problem in answer.json()["detail"] for answer in answers)
    listed = {one["name"]: one["problem"] for one in films.get(VIDEOS).json()["items"]}
    assert problem in listed[film.name] and listed[other.name] == ""
    shown = films.get("/api/v1/projects/demo/page").json()["films"]
    assert [one["id"] for one in shown] == [ids[other.name]]
    seen = films.get("/api/v1/projects/demo/tracks").json()["items"]
    assert {one["video"] for one in seen} == {ids[other.name]}
    harm(other, named.film(other))
    none = films.get("/api/v1/projects/demo/tracks")
    assert none.status_code == 409 and problem in none.json()["detail"]


def test_a_review_of_damaged_tables_alone_says_so(films: TestClient, named: Project) -> None:
    for film in named.find_videos():
        named.film(film).looks.write_bytes(b"PAR1")
    for address in ("tracks", "unknowns"):
        answer = films.get(f"/api/v1/projects/demo/{address}")
        assert answer.status_code == 409, answer.text
        assert answer.json()["detail"].startswith("expected the tables of 'demo.mp4', looks.parquet cannot be read")


def test_a_damaged_table_of_faces_hides_nobody(films: TestClient, named: Project) -> None:
    people = films.get("/api/v1/projects/demo/people").json()["items"]
    named.faces.write_bytes(b"PAR1")
    for one, before in zip(films.get("/api/v1/projects/demo/people").json()["items"], people, strict=True):
        assert one == before | {"used": 0, "left_out": {}}
        assert films.get(f"/api/v1/projects/demo/people/{one['name']}/pictures").status_code == 200


def test_the_page_has_what_the_files_have(films: TestClient, named: Project) -> None:
    project, written = films.get("/api/v1/projects/demo/page").json(), script_value(named.page_data)
    assert project["people"] == written["people"]
    for one, other in zip(project["films"], written["films"], strict=True):
        assert one | {"data": ""} == other | {"data": ""}
        page = films.get(f"/api/v1/projects/demo/{one['data']}").json()
        film = script_value(named.output / other["data"])
        assert page | {"sources": [], "exports": [], "sheets": {}} == film | {
            "sources": [], "exports": [], "sheets": {}, "version": one["version"],
        }  # fmt: skip
        sheet = films.get(f"/api/v1/projects/demo/{page['sheets']['folder']}faces-0.jpg")
        assert sheet.content == (named.output / f"{film['sheets']['folder']}faces-0.jpg").read_bytes()
        with PillowImage.open(io.BytesIO(sheet.content)) as picture:
            assert picture.width == 640
        for source in page["sources"]:
            assert films.get(f"/api/v1/projects/demo/{source['href']}").headers["content-type"] == "video/mp4"
    assert films.get(f"{VIDEOS}/{project['films'][0]['id']}/sheets/old/faces-0.jpg").status_code == 404
    assert films.get(f"/api/v1/projects/demo/{page['sheets']['folder']}faces-9.jpg").status_code == 404


def test_a_film_is_played_by_ranges(films: TestClient, named: Project) -> None:
    film = named.find_videos()[0]
    content = film.read_bytes()
    address = f"{VIDEOS}/{named.film(film).folder.name}/media/source"
    for asked, status, part in (
        ("bytes=0-99", 206, content[:100]),
        ("bytes=100-", 206, content[100:]),
        ("bytes=-50", 206, content[-50:]),
        ("bytes=999999999-", 416, b""),
        ("bytes=9-3", 400, b""),
        ("seconds=0-9", 200, content),
        ("nonsense", 200, content),
    ):
        answer = films.get(address, headers={"Range": asked})
        assert answer.status_code == status, asked
        if status < 300:
            assert answer.content == part, asked
            assert ("content-range" in answer.headers) == (status == 206), asked
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert f"got '{asked}'" in answer.json()["detail"]
            assert answer.headers.get("content-range") == (f"bytes */{len(content)}" if status == 416 else None)
        head = films.head(address, headers={"Range": asked})
        assert head.status_code == 200, asked
        assert (head.headers["accept-ranges"], head.headers["content-length"]) == ("bytes", str(len(content)))
        assert "attachment" not in head.headers.get("content-disposition", "")


def test_a_film_whose_name_no_address_may_hold(films: TestClient, named: Project) -> None:
    film = named.find_videos()[0]
    before, odd = named.film(film).folder, film.rename(film.with_name("50% of #1.mp4"))
    moved = FilmFiles(before.rename(before.with_name(odd.stem)))
    moved.source.write_text(odd.name)
    (video,) = [one["id"] for one in films.get(VIDEOS).json()["items"] if one["name"] == odd.name]
    answer = films.get(f"{VIDEOS}/{quote(video)}/exports/ebucore")
    assert answer.status_code == 200, answer.text
    assert "<50%25%20of%20%231.mp4>" in answer.text


def test_every_export(films: TestClient, named: Project) -> None:
    film = named.find_videos()[0]
    files = named.film(film)
    for form in FORMATS:
        answer = films.get(f"{VIDEOS}/{files.folder.name}/exports/{form}", params={"unknown": True})
        assert answer.status_code == 200, (form, answer.text)
        assert not files.exports.exists(), form  # what the notebooks made stays as it is
        expected = export_film(film, files, formats=[form], unknown=True, address=quote(film.name))[form]
        if form in {"otio", "fcpxml", "annotations", "json", "parquet", "graphml"}:  # hold times or ids of their making
            assert len(answer.content) == pytest.approx(expected.stat().st_size, rel=0.05), form
        else:
            assert answer.content == expected.read_bytes(), form
        assert f'filename="{expected.name}"' in answer.headers["content-disposition"]
        listed = films.get(f"{VIDEOS}/{files.folder.name}/files/{expected.name}")
        assert listed.content == expected.read_bytes(), form
        shutil.rmtree(files.exports)


def test_exports_with_wrong_wishes(films: TestClient, named: Project) -> None:
    own = f"{VIDEOS}/{named.film(named.find_videos()[0]).folder.name}"
    assert films.get(f"{own}/exports/exe").status_code == 422
    assert films.get(f"{own}/exports/csv", params={"longest_gap": -1}).status_code == 422
    for name in ("tracks.parquet", "..%2ftracks.parquet", "film.txt"):
        assert films.get(f"{own}/files/{name}").status_code == 404


def test_a_film_that_is_not_there(films: TestClient) -> None:
    for video in ("none", "%2e%2e", "summary.csv", "%00", "a b"):
        for what in ("", "/page", "/media/source", "/exports/csv", "/files/appearances.csv"):
            answer = films.get(f"{VIDEOS}/{video}{what}")
            found = (answer.status_code, answer.headers["content-type"])
            assert found == (404, "application/problem+json"), (video, what)


def test_a_report_has_no_part_in_the_log_in(films: TestClient, named: Project) -> None:
    folder = named.runs / "2026-11-28T10-00-00"
    folder.mkdir(parents=True)
    (folder / "05_annotate_video.html").write_text("<script>1</script>")
    link = films.get("/api/v1/projects/demo/page").json()["reports"][0]["href"]
    answer = films.get(f"/api/v1/projects/demo/{link}")
    assert answer.text == "<script>1</script>"
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in answer.headers["content-security-policy"]
    assert (
        films.get(f"/api/v1/projects/demo/{link}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    )
    assert films.get("/api/v1/projects/demo/reports/..%2f/x.html").status_code == 404


def test_films_of_another_project(
    films: TestClient, named: Project, client_with: Callable[[dict[str, str]], TestClient]
) -> None:
    films.post("/api/v1/projects", json={"name": "other"})
    video = named.film(named.find_videos()[0]).folder.name
    assert films.get(f"/api/v1/projects/other/videos/{video}/page").status_code == 404
    stranger = client_with({"other": "admin"})
    assert stranger.get(f"{VIDEOS}/{video}/media/source").status_code == 404
    assert json.loads(stranger.get(VIDEOS).text)["status"] == 404
