"""What nobody should send, to every endpoint: a problem document for each, nothing half-done, no stack trace."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from .conftest import over_databases

API = "/api/v1"
OWN = f"{API}/projects/own"
FILLED = {"project": "own", "person": "Ada Lovelace", "video": "film", "track": "0", "number": "0", "kind": "source"}
BODIES = {
    "nothing": b"",
    "no JSON": b"\xff\xfe\x00nonsense",
    "cut short": b'{"name": "Ada',
    "a list": b"[]",
    "null": b"null",
    "of wrong types": b'{"name": {"a": []}, "kind": 5, "action": [], "tracks": "all", "grants": 7, "disabled": "no?"}',
    "numbers that are none": b'{"name": NaN, "k": 1e999, "threshold": -Infinity}',
    "half a character": b'{"name": "\\ud800", "kind": "\\ud800", "password": "\\ud800"}',
    "half a character within": b'{"kind": "gather", "parameters": {"names": ["\\ud800"]}}',
    "a NUL": b'{"name": "a\\u0000b", "kind": "a\\u0000b", "password": "a\\u0000b c", "grants": {"a\\u0000": "read"}}',
    "deep": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "long": b'{"name": "' + b"x" * 1_000_000 + b'", "kind": "' + b"x" * 1_000_000 + b'"}',
    "zipped": gzip.compress(b'{"name": "') + 100 * gzip.compress(bytes(10**6)) + gzip.compress(b'"}'),
}


@pytest.fixture
def project(owner: TestClient, tmp_path: Path) -> Path:
    """A project with a person and without anything else."""
    folder = tmp_path / "data" / "own"
    (folder / "people" / "Ada Lovelace").mkdir(parents=True)
    (folder / "videos").mkdir()
    return folder


def operations(client: TestClient) -> Iterator[tuple[str, str]]:
    """Return the method and the address of every operation of the API."""
    for path, methods in client.get(f"{API}/openapi.json").json()["paths"].items():
        address = path
        for name in [part.partition("}")[0] for part in path.split("{")[1:]]:
            address = address.replace(f"{{{name}}}", FILLED.get(name, "1"))
        for method in methods:
            yield method.upper(), address


def is_a_problem(answer: Response) -> bool:
    """Return whether an answer is a problem document that tells no secret of the server."""
    if answer.headers.get("content-type") != "application/problem+json":
        return False
    if answer.request.method == "HEAD":
        return not answer.content
    told: dict[str, Any] = answer.json()
    plain = not any(word in answer.text for word in ("Traceback", 'File "', "site-packages", "sqlalchemy"))
    return plain and told["status"] == answer.status_code and bool(told["title"])


def files(folder: Path) -> dict[str, bytes]:
    """Return what lies in a folder, without the server's own files and locks."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in found if not {".server", ".locks"} & set(path.parts)}


@pytest.mark.parametrize(
    ("database_url", "body"),
    over_databases(BODIES, in_sql=["numbers that are none", "half a character", "a NUL", "long"]),
    indirect=["database_url"],
)
def test_every_endpoint_refuses_a_body_that_is_none(
    owner: TestClient, project: Path, tmp_path: Path, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    if body[:2] == b"\x1f\x8b":
        headers["Content-Encoding"] = "gzip"
    before = files(tmp_path)
    asked = [one for one in operations(owner) if one[0] in ("POST", "PUT", "PATCH")]
    assert len(asked) > 20
    wrong = {}
    for method, address in asked:
        answer = owner.request(method, address, content=body, headers=headers)
        if not (400 <= answer.status_code < 500 and is_a_problem(answer)) and answer.status_code >= 400:
            wrong[f"{method} {address}"] = answer.text[:300]
    assert wrong == {}
    if body not in (BODIES["nothing"], BODIES["null"]):  # an endpoint may want no body
        assert files(tmp_path) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # who may what is tested on both in `security`
def test_every_endpoint_hides_a_project_of_others(
    owner: TestClient, project: Path, client_with: Callable[[dict[str, str]], TestClient]
) -> None:
    stranger = client_with({"other": "admin"})
    asked = [(method, address) for method, address in operations(owner) if address.startswith(OWN)]
    assert len(asked) > 40
    for method, address in asked:
        there = stranger.request(method, address, json={})
        nowhere = stranger.request(method, address.replace("/own", "/owm", 1), json={})
        assert is_a_problem(there) and there.status_code in (404, 405, 409, 412, 415, 422), (method, address)
        assert there.status_code == nowhere.status_code, (method, address)
        assert there.text.replace("'own'", "'owm'").replace("/own", "/owm") == nowhere.text, (method, address)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_endpoint_wants_a_log_in(owner: TestClient, project: Path) -> None:
    nobody = TestClient(owner.app, raise_server_exceptions=False)
    for method, address in operations(owner):
        answer = nobody.request(method, address, json={})
        if address not in ("/health", f"{API}/session"):
            assert is_a_problem(answer) and answer.status_code == 401, (method, address, answer.status_code)


ODD = ["%C3%A9" * 200, "%00", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc", "-1", "9" * 30, "%ff%fe", "x" * 5000, "%0a", "é%20"]


@pytest.mark.parametrize(
    ("database_url", "odd"),
    over_databases({odd[:40]: odd for odd in ODD}, in_sql=["%00", "-1", "9" * 30, "%ff%fe", "x" * 40]),
    indirect=["database_url"],
)
def test_every_endpoint_takes_odd_ids_for_none(owner: TestClient, project: Path, tmp_path: Path, odd: str) -> None:
    before = files(tmp_path)
    wrong = {}
    for path, methods in owner.get(f"{API}/openapi.json").json()["paths"].items():
        names = [part.partition("}")[0] for part in path.split("{")[1:]]
        for name in names:
            address = path.replace(f"{{{name}}}", odd)
            for other in names:
                address = address.replace(f"{{{other}}}", FILLED.get(other, "1"))
            for method in methods:
                answer = owner.request(method.upper(), address, json={})
                if answer.status_code >= 500 or (answer.status_code >= 400 and not is_a_problem(answer)):
                    wrong[f"{method} {path} {name}"] = answer.text[:300]
    assert wrong == {} and files(tmp_path) == before


SCRIPTS = [
    "Ἀριστοτέλης",
    "Фёдор",
    "אבא",
    "محمد",
    "अमिताभ",
    "สมชาย",
    "李小龍",
    "渡辺 謙",
    "김연아",
    "ሃይሌ",
    "👩‍🚀",
    "O'Brien",
    "A" * 200,
]


def test_names_of_every_script(owner: TestClient, project: Path) -> None:
    for name in SCRIPTS:
        made = owner.post(f"{OWN}/people", json={"name": name, "even_if_near": True})
        assert made.status_code == 201, made.text
        assert owner.get(made.headers["Location"]).json()["name"] == name
        again = owner.post(f"{OWN}/people", json={"name": name, "even_if_near": True})
        assert again.status_code == 409 and is_a_problem(again), name
        assert name in [one["name"] for one in owner.get(f"{OWN}/people").json()["items"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_names_at_the_edge(owner: TestClient, project: Path) -> None:
    for name in ("ก" * 200, "👩‍🚀" * 60, "a\u202egnp.exe", "a\u200b", "a\nb", "con", "e\u0301" * 3):
        before = {*(project / "people").iterdir()}
        made = owner.post(f"{OWN}/people", json={"name": name, "even_if_near": True})
        assert made.status_code == 201 or (made.status_code == 422 and is_a_problem(made)), made.text
        if made.status_code == 201:
            kept = made.json()["name"]
            assert owner.get(made.headers["Location"]).json()["name"] == kept and kept.isprintable()
        else:
            assert {*(project / "people").iterdir()} == before, name
