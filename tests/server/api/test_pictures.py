"""Pictures of the cast over the API."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as PillowImage
from starlette.testclient import TestClient

from facelib.gallery import read_gallery
from facelib.images import encode_jpeg, read_image
from facelib.project import Project

from ...bombs import bomb

PEOPLE = "/api/v1/projects/demo/people"


@pytest.fixture
def person(demo: Project) -> str:
    return demo.find_people()[0]


@pytest.fixture
def name(demo: Project, person: str) -> str:
    return demo.find_pictures(person)[0].name


def _picture(seed: int = 0) -> bytes:
    return encode_jpeg(np.random.default_rng(seed).integers(0, 255, (40, 50, 3), np.uint8))


def test_a_persons_pictures(api: TestClient, demo: Project, person: str) -> None:
    listed = api.get(f"{PEOPLE}/{person}/pictures", params={"limit": 1000}).json()
    assert [one["name"] for one in listed["items"]] == [path.name for path in demo.find_pictures(person)]
    table = read_gallery(demo.faces).table.sort_values("used", ascending=False, kind="stable")
    table = table.drop_duplicates("picture").set_index("picture")
    for one in listed["items"]:
        row = table.loc[f"people/{person}/{one['name']}"]
        assert (one["used"], one["reason"]) == (row["used"], row["reason"])
        assert one["box"] == pytest.approx(row[["left", "top", "right", "bottom"]].tolist())
        assert api.get(f"{PEOPLE}/{person}/pictures/{one['name']}").json() == one


def test_the_face_in_a_picture(api: TestClient, demo: Project, person: str, name: str) -> None:
    address = f"{PEOPLE}/{person}/thumbnails/{name}"
    answer = api.get(address, params={"size": 64})
    assert answer.headers["content-type"] == "image/jpeg"
    with PillowImage.open(io.BytesIO(answer.content)) as picture:
        assert max(picture.size) == 64
    known = {"If-None-Match": answer.headers["ETag"]}
    again = api.get(address, params={"size": 64}, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(address, params={"size": 80}, headers=known).status_code == 200
    whole = api.get(address, params={"size": 1600, "whole": True})
    height, width = read_image(demo.people / person / name).shape[:2]
    with PillowImage.open(io.BytesIO(whole.content)) as picture:
        assert picture.size == (width, height)
    for size in (0, 5000, "x"):
        assert api.get(address, params={"size": size}).status_code == 422


def test_a_picture_is_left_out_and_taken_in_again(api: TestClient, demo: Project, person: str, name: str) -> None:
    address = f"{PEOPLE}/{person}/pictures/{name}"
    before = api.get(address).json()
    out = api.patch(address, json={"disabled": True}).json()
    assert out == before | {"disabled": True, "used": False, "reason": "disabled"}
    assert f"people/{person}/{name}" in demo.disabled.read_text()
    counts = api.get(f"{PEOPLE}/{person}").json()
    assert counts["left_out"]["disabled"] == 1
    assert api.patch(address, json={"disabled": False}).json() == before
    assert f"people/{person}/{name}" not in demo.disabled.read_text()


def test_a_picture_is_moved(api: TestClient, demo: Project, person: str, name: str) -> None:
    other = demo.find_people()[1]
    moved = api.patch(f"{PEOPLE}/{person}/pictures/{name}", json={"person": other}).json()
    assert moved["person"] == other
    assert (demo.people / other / moved["name"]).is_file() and not (demo.people / person / name).exists()
    assert api.get(f"{PEOPLE}/{person}/pictures/{name}").status_code == 404
    assert api.get(f"{PEOPLE}/{other}/pictures/{moved['name']}").json() == moved
    back = api.patch(f"{PEOPLE}/{other}/pictures/{moved['name']}", json={"person": "Nobody Here"})
    assert back.status_code == 404


def test_an_upload_is_taken_once(api: TestClient, demo: Project, person: str) -> None:
    address, content = f"{PEOPLE}/{person}/pictures", _picture()
    added = api.post(address, files={"picture": ("../../../x.exe", content, "text/html")})
    assert added.status_code == 201, added.text
    assert added.json()["new"] and added.json()["used"] is None
    assert (demo.people / person / added.json()["name"]).read_bytes() == content
    assert added.json()["name"].endswith(".jpg")
    again = api.post(address, files={"picture": ("other.jpg", content)})
    assert again.json() == added.json() | {"new": False}
    assert not [path for path in demo.people.rglob("*.exe")]


def test_a_large_picture_is_taken(api: TestClient, demo: Project, person: str) -> None:
    content = bomb(9_000, 9_000)
    added = api.post(f"{PEOPLE}/{person}/pictures", files={"picture": ("a.png", content)})
    assert added.status_code == 201, added.text
    assert (demo.people / person / added.json()["name"]).read_bytes() == content


def test_what_is_no_picture_is_refused(api: TestClient, demo: Project, person: str) -> None:
    before = demo.find_pictures(person)
    for name, content, status in (
        ("empty", b"", 422),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422),
        ("playlist", b"#EXTM3U\n/etc/passwd", 422),
        ("cut short", _picture()[:-400], 422),
        ("bomb", bomb(50_000, 50_000), 422),
        ("too large", b"\xff\xd8\xff" + bytes(20_100_000), 413),
    ):
        answer = api.post(f"{PEOPLE}/{person}/pictures", files={"picture": ("x.jpg", content, "image/jpeg")})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), name
        assert answer.json()["detail"].startswith("expected "), name
        assert demo.find_pictures(person) == before and not list(demo.people.rglob(".*")), name


def test_a_body_without_a_length_is_bounded_too(api: TestClient, person: str) -> None:
    def body():
        yield b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
        for _ in range(25):
            yield bytes(1_000_000)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert api.post(f"{PEOPLE}/{person}/pictures", content=body(), headers=headers).status_code == 413


def test_bodies_that_are_no_such_form(api: TestClient, person: str) -> None:
    address = f"{PEOPLE}/{person}/pictures"
    assert api.post(address, json={"picture": "x"}).status_code == 415
    assert api.post(address, files={"other": ("x.jpg", _picture())}).status_code == 422
    assert api.post(address, data={"picture": "text"}, files={"x": b""}).status_code == 422
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert api.post(address, content=b"nonsense", headers=broken).status_code == 422
    assert api.post(address, content=b"nonsense", headers={"Content-Type": "multipart/form-data"}).status_code == 422


def test_a_picture_that_is_not_there(api: TestClient, demo: Project, person: str) -> None:
    (demo.people / person / "a").mkdir()
    for place in (demo.people / person / "a" / "b.jpg", demo.data / "c.jpg"):
        place.write_bytes(_picture())
    for name in ("%2e%2e/%2e%2e/c.jpg", "a/%2e/b.jpg", "none.jpg", "a//b.jpg", "%00", "%2fetc%2fpasswd"):
        for answer in (
            api.get(f"{PEOPLE}/{person}/pictures/{name}"),
            api.get(f"{PEOPLE}/{person}/thumbnails/{name}"),
            api.patch(f"{PEOPLE}/{person}/pictures/{name}", json={"disabled": True}),
        ):
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), name
    assert api.get(f"{PEOPLE}/{person}/pictures/a/b.jpg").status_code == 200


def test_nobody_without_the_right_sends_a_picture(
    api: TestClient, person: str, client_with: Callable[[dict[str, str]], TestClient]
) -> None:
    files = {"picture": ("x.jpg", _picture())}
    assert client_with({"demo": "read"}).post(f"{PEOPLE}/{person}/pictures", files=files).status_code == 403
    assert client_with({"other": "admin"}).post(f"{PEOPLE}/{person}/pictures", files=files).status_code == 404
