"""Uploads by tus: in pieces, continued, finished once, bounded, and looked at before they are taken in."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.uploads.inspection import inspect_file
from tests.waiting import PATIENCE

from ...bombs import bomb

UPLOADS = "/api/v1/projects/own/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def own(tmp_path: Path) -> Project:
    """A project with one person and no pictures."""
    project = Project("own", tmp_path / "data", tmp_path / "output")
    (project.people / "Ada Lovelace").mkdir(parents=True)
    return project


def begin(client: TestClient, length: int, **metadata: str) -> Response:
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
    return client.post(UPLOADS, headers=TUS | {"Upload-Length": str(length), "Upload-Metadata": pairs})


def send(client: TestClient, place: str, content: bytes, offset: int = 0, **headers: str) -> Response:
    return client.patch(place, content=content, headers=CHUNK | {"Upload-Offset": str(offset)} | headers)


def upload(client: TestClient, content: bytes, **metadata: str) -> Response:
    return send(client, begin(client, len(content), **metadata).headers["Location"], content)


def test_a_film_comes_in_pieces(owner: TestClient, own: Project, make_film: Callable[..., Path]) -> None:
    film = make_film("film.mkv").read_bytes()
    place = begin(owner, len(film), filename="../../Das Böse 🎬.mkv").headers["Location"]
    half = len(film) // 2
    assert send(owner, place, film[:half]).headers["Upload-Offset"] == str(half)
    assert owner.head(place).headers["Upload-Offset"] == str(half)
    assert not own.videos.exists()
    jumps = send(owner, place, film[half:], half + 1)
    assert jumps.status_code == 409 and str(half) in jumps.json()["detail"]
    assert send(owner, place, film[half:], half).status_code == 204
    (kept,) = own.find_videos()
    assert (kept.name, kept.read_bytes()) == ("Das Böse 🎬.mkv", film)
    assert owner.get(place).json() | {"id": "", "length": 0, "received": 0} == {
        "id": "", "name": "../../Das Böse 🎬.mkv", "person": None, "length": 0, "received": 0, "state": "done",
        "file": "videos/Das Böse 🎬.mkv", "reason": "",
    }  # fmt: skip
    assert owner.head(place).headers["Upload-Offset"] == str(len(film))
    assert list((own.data / ".uploads").glob("[!.]*")) == []
    assert upload(owner, film, filename="Das Böse 🎬.mkv").status_code == 204
    assert [path.name for path in own.find_videos()] == ["Das Böse 🎬 (2).mkv", "Das Böse 🎬.mkv"]


def test_a_line_that_breaks_without_a_word_does_not_hold_its_upload(
    owner: TestClient, own: Project, make_film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facelib.server.api.uploads._SILENCE", 0.2)
    film = make_film("film.mkv").read_bytes()
    place = begin(owner, len(film), filename="film.mkv").headers["Location"]
    pieces = [{"type": "http.request", "body": film[:1000], "more_body": True}]
    answers: list[Any] = []

    async def receive() -> Any:
        return pieces.pop() if pieces else await anyio.sleep_forever()

    async def send_back(message: Any) -> None:
        answers.append(message)

    headers = {**owner.headers, **CHUNK, "Upload-Offset": "0", "Content-Length": str(len(film))}
    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": "PATCH", "path": place, "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()], "state": {},
        "server": ("testserver", 80), "client": ("testclient", 1),
    }  # fmt: skip
    owner.portal.call(owner.app, scope, receive, send_back)
    assert answers[0]["status"] == 409
    assert owner.head(place).headers["Upload-Offset"] == "1000"
    assert send(owner, place, film[1000:], 1000).status_code == 204
    assert own.find_videos()[0].read_bytes() == film


def test_what_was_received_and_is_removed_is_sent_again(
    owner: TestClient, own: Project, make_film: Callable[..., Path]
) -> None:
    film = make_film("film.mkv").read_bytes()
    place = begin(owner, len(film), filename="film.mkv").headers["Location"]
    send(owner, place, film[:1000])
    (own.data / ".uploads" / place.rpartition("/")[2]).unlink()
    assert owner.head(place).headers["Upload-Offset"] == "0"
    assert send(owner, place, film).status_code == 204
    assert own.find_videos()[0].read_bytes() == film


def test_a_picture_comes_to_a_person(owner: TestClient, own: Project) -> None:
    content = picture(640, 480)
    assert upload(owner, content, filename="x.png", person="ada  lovelace").status_code == 204
    assert upload(owner, content, filename="again.png", person="Ada Lovelace").status_code == 204
    assert upload(owner, content, filename="x.png", person="Grace Hopper").status_code == 204
    assert own.find_people() == ["Ada Lovelace", "Grace Hopper"]
    assert [len(own.find_pictures(person)) for person in own.find_people()] == [1, 1]
    assert own.find_pictures("Grace Hopper")[0].read_bytes() == content


def picture(width: int, height: int) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def test_what_is_no_film_or_picture_is_refused_and_removed(
    owner: TestClient, own: Project, make_film: Callable[..., Path]
) -> None:
    film = make_film().read_bytes()
    secret = own.data / "secret.txt"
    secret.write_text("secret")
    for content, metadata, reason in [
        (f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode(), {"filename": "a.mp4"}, "a playlist"),
        (f"ffconcat version 1.0\nfile '{secret}'\n".encode(), {"filename": "a.mkv"}, "a playlist"),
        (b"<?xml version='1.0'?><MPD></MPD>", {"filename": "a.mpd"}, "it is a playlist"),
        (b"PK\x03\x04" + bytes(1000), {"filename": "a"}, "archive"),
        (film[:200], {"filename": "a.mp4"}, "of another kind"),
        (b"not a picture", {"filename": "a.jpg", "person": "Ada Lovelace"}, "cannot be read"),
        (picture(64, 64)[:500], {"filename": "a.png", "person": "Ada Lovelace"}, "cannot be read"),
        (bomb(50_000, 50_000), {"filename": "a.png", "person": "Ada Lovelace"}, "50000 x 50000"),
        (film, {"filename": "a.jpg", "person": "Ada Lovelace"}, "cannot be read"),
    ]:
        place = begin(owner, len(content), **metadata).headers["Location"]
        answer = send(owner, place, content)
        assert answer.status_code == 422 and reason in answer.json()["detail"], answer.text
        assert ".uploads" not in answer.text  # where it was kept meanwhile
        assert answer.text.count("expected") == 1
        assert owner.get(place).json()["state"] == "refused"
        assert owner.head(place).status_code == 410
        assert send(owner, place, b"x", len(content)).status_code == 410
    assert own.find_pictures("Ada Lovelace") == [] and not own.videos.exists()
    assert list((own.data / ".uploads").glob("[!.]*")) == []


def test_an_upload_that_cannot_begin(owner: TestClient, own: Project) -> None:
    for headers, status in (
        ({"Upload-Length": "10"}, 412),
        (TUS | {"Upload-Length": "10", "Tus-Resumable": "0.2.2"}, 412),
        (TUS, 400),
        (TUS | {"Upload-Length": "-5"}, 400),
        (TUS | {"Upload-Length": "0"}, 400),
        (TUS | {"Upload-Length": "ten"}, 400),
        (TUS | {"Upload-Length": "9" * 21}, 422),
        (TUS | {"Upload-Length": str(10**12)}, 413),
        (TUS | {"Upload-Length": "10", "Upload-Metadata": "filename é"}, 400),
        (TUS | {"Upload-Length": "10", "Upload-Metadata": "person Li4vLi4vZXRj"}, 422),  # ../../etc
        (TUS | {"Upload-Length": "10", "Upload-Metadata": "person dW5rbm93bg=="}, 422),  # unknown
    ):
        raw = {name: value.encode() for name, value in headers.items()}
        answer = owner.post(UPLOADS, headers=raw)
        found = (answer.status_code, answer.headers["content-type"])
        assert found == (status, "application/problem+json"), (headers, answer.text)


def test_a_chunk_is_what_it_says_or_is_not_kept(owner: TestClient, own: Project) -> None:
    place = begin(owner, 10, filename="a.mp4").headers["Location"]
    digest = lambda content: base64.b64encode(hashlib.sha256(content).digest()).decode()  # noqa: E731
    tries = [
        (send(owner, place, b"x" * 11), 413),
        (send(owner, place, b"abc", **{"Upload-Checksum": f"sha256 {digest(b'abd')}"}), 460),
        (send(owner, place, b"abc", **{"Upload-Checksum": "md5 YWJj"}), 400),
        (send(owner, place, b"abc", **{"Upload-Checksum": "sha256 YWJj"}), 400),
        (send(owner, place, b"abc", **{"Content-Type": "text/plain"}), 415),
        (send(owner, place, b"abc", **{"Tus-Resumable": "2.0.0"}), 412),
        (send(owner, place, b"abc", -1), 409),
    ]
    assert [answer.status_code for answer, _ in tries] == [status for _, status in tries]
    assert owner.head(place).headers["Upload-Offset"] == "0"
    assert send(owner, place, b"abc", **{"Upload-Checksum": f"sha256 {digest(b'abc')}"}).status_code == 204
    assert owner.head(place).headers["Upload-Offset"] == "3"
    assert owner.options(UPLOADS).headers["Tus-Extension"] == "creation,termination,checksum"
    assert owner.delete(place, headers=TUS).status_code == 204
    assert owner.head(place).status_code == 404 and send(owner, place, b"abc", 3).status_code == 404
    assert list((own.data / ".uploads").glob("[!.]*")) == []


def test_a_piece_may_be_larger_than_other_bodies(owner: TestClient, own: Project) -> None:
    place = begin(owner, 10**9, filename="a.mp4").headers["Location"]
    assert send(owner, place, bytes(40 * 2**20)).headers["Upload-Offset"] == str(40 * 2**20)


def test_uploads_are_of_their_project(
    owner: TestClient, own: Project, client_with: Callable[[dict[str, str]], TestClient], tmp_path: Path
) -> None:
    (tmp_path / "data" / "other").mkdir()
    place = begin(owner, 10, filename="a.mp4").headers["Location"]
    other = client_with({"own": "correct", "other": "admin"})
    assert begin(other, 10).status_code == 403
    assert send(other, place, b"abc").status_code == 403
    assert send(other, place.replace("/own/", "/other/"), b"abc").status_code == 404
    assert other.delete(place.replace("/own/", "/other/"), headers=TUS).status_code == 404
    assert owner.head(place).headers["Upload-Offset"] == "0"


def test_a_whole_upload_is_finished_after_a_kill(
    owner: TestClient, own: Project, make_film: Callable[..., Path]
) -> None:
    film = make_film().read_bytes()
    place = begin(owner, len(film), filename="a.mp4").headers["Location"]
    (own.data / ".uploads" / place.rpartition("/")[2]).write_bytes(film)  # as a server killed before the end leaves it
    assert owner.head(place).status_code == 200
    assert (own.videos / "a.mp4").read_bytes() == film
    assert owner.head(place).headers["Upload-Offset"] == str(len(film))
    assert [path.name for path in own.find_videos()] == ["a.mp4"]


def test_a_disk_without_room(owner: TestClient, own: Project, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    app = owner.app
    app.state.settings = app.state.settings.model_copy(update={"largest_film_gb": 1e9})
    assert begin(owner, free + 10**9).status_code == 507


def test_an_upload_is_read_with_little_memory_and_no_network(tmp_path: Path) -> None:
    huge = tmp_path / "a.png"
    huge.write_bytes(bomb(9_000, 9_000))
    assert inspect_file(huge, "picture") == "PNG"
    huge.write_bytes(bomb(20_000, 9_000))
    with pytest.raises(ValueError, match="more than the 100 million pixels"):
        inspect_file(huge, "picture")


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are the system's")
@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("import socket; socket.socket()", "PermissionError"),
        ("import subprocess; subprocess.run(['true'])", "PermissionError"),
        ("import os; os.system('true')", "PermissionError"),
        ("bytearray(2**30)", "MemoryError"),
        ("open('written', 'wb', buffering=0).write(b'x')", "OSError"),
    ],
)
def test_the_process_that_looks_at_a_file_can_do_little_else(tmp_path: Path, statement: str, error: str) -> None:
    program = f"""
from facelib.server.uploads.child import _limit
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_limit(0.5, 30)
try:
    {statement}
except Exception as error:
    print(type(error).__name__, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == error, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are the system's")
def test_the_process_that_looks_at_a_file_has_a_network_of_its_own() -> None:
    allowed = [["unshare", "--net", "true"], ["unshare", "--map-root-user", "--net", "true"]]
    if not any(shutil.which(one[0]) and subprocess.run(one, check=False).returncode == 0 for one in allowed):
        pytest.skip("the system gives no process a network of its own")
    program = """
import os
from facelib.server.uploads.child import _limit
before = os.readlink("/proc/self/ns/net")
_limit(0.5, 30)
print(before != os.readlink("/proc/self/ns/net"), flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are the system's")
def test_the_process_that_looks_at_a_file_has_little_time() -> None:
    program = "from facelib.server.uploads.child import _limit\n_limit(0.5, 1)\nwhile True:\n    pass"
    done = subprocess.run([sys.executable, "-c", program], timeout=PATIENCE, check=False)
    assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)  # of the soft limit, and of the hard one
