"""What answers tell browsers to do and not to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient


def test_every_answer_has_the_headers(owner: TestClient, make_app: Callable[..., FastAPI]) -> None:
    for answer in (owner.get("/health"), owner.get("/nope"), owner.get("/api/v1/projects"), owner.post("/health")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in answer.headers
    secure = TestClient(make_app(secure_cookies=True), base_url="https://testserver")
    assert "Strict-Transport-Security" in secure.get("/health").headers
    token = owner.post("/api/v1/tokens", json={"name": "x", "grants": {"*": "read"}}).json()["token"]
    assert "Secure" in secure.post("/api/v1/session", json={"token": token}).headers["set-cookie"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_body_that_is_too_large_is_not_read(owner: TestClient, tmp_path: Path) -> None:
    (tmp_path / "data" / "own" / "people" / "Ada").mkdir(parents=True)

    def pieces() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 2**20

    for path in ("projects", "session", "projects/own/people/Ada/pictures", "projects/own/identify"):
        kind = "application/json" if path in ("projects", "session") else "multipart/form-data; boundary=x"
        for content in (b"".join(pieces()), pieces()):  # the first announces its length
            answer = owner.post(f"/api/v1/{path}", content=content, headers={"Content-Type": kind})
            found = (answer.status_code, answer.headers["content-type"])
            assert found == (413, "application/problem+json"), (path, answer.text)
            assert answer.headers["content-security-policy"]


def test_who_asks_for_the_headers_alone_gets_those_of_the_answer(owner: TestClient) -> None:
    for path in ("/", "/health", "/metrics", "/assets/page.css", "/api/v1/projects", "/api/v1/session"):
        head, answer = owner.head(path), owner.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        told = {name: value for name, value in answer.headers.items() if path != "/metrics" or name != "content-length"}
        assert told.items() <= head.headers.items(), path
        known = {"If-None-Match": answer.headers.get("etag", "")}
        assert owner.head(path, headers=known).status_code == (304 if known["If-None-Match"] else 200), path


def test_who_asks_for_the_headers_of_events_does_not_wait_for_them(owner: TestClient) -> None:
    answer = owner.head("/api/v1/events")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_what_is_not_there_is_told_in_words(owner: TestClient) -> None:
    assert "got '/nope'; /api/v1/openapi.json" in owner.get("/nope").json()["detail"]
    assert "expected another method, got 'POST'; /api/v1/openapi.json" in owner.post("/health").json()["detail"]
    assert owner.head("/nope").status_code == 404
    assert owner.head("/api/v1/projects/demo/corrections/undo").status_code == 405


def test_a_body_that_is_no_json_is_told_in_words(owner: TestClient) -> None:
    for content, kind, told in (
        (b'{"name": "own"}', "application/x-www-form-urlencoded", "with the header 'Content-Type: application/json'"),
        (b'{"name": ', "application/json", "expected a body in JSON, cannot read it at character 9"),
        (b'{"name": 3}', "application/json", "expected a valid body.name"),
        (b'{"name": "own", "films": 2}', "application/json", "expected no field 'body.films'"),
    ):
        answer = owner.post("/api/v1/projects", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 422 and told in answer.json()["detail"], content


def test_the_description_of_the_api_needs_a_log_in(stranger: TestClient) -> None:
    assert stranger.get("/api/v1/openapi.json").status_code == 401
    token = {"Authorization": f"Bearer {stranger.app.state.first_token}"}
    described = stranger.get("/api/v1/openapi.json", headers=token).json()
    assert described["openapi"].startswith("3.") and "/api/v1/projects" in described["paths"]


def test_a_fault_of_the_server_shows_no_trace(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret")

    @app.get("/shape")
    def shape() -> None:
        raise ValueError("operands could not be broadcast together")

    client = TestClient(app, raise_server_exceptions=False)
    for path in ("/broken", "/shape"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert "secret" not in answer.text and "broadcast" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_body_and_answer_has_an_example_that_is_valid(owner: TestClient) -> None:
    described = owner.get("/api/v1/openapi.json").json()
    schemas = described["components"]["schemas"]
    assert [name for name, schema in schemas.items() if schema["type"] == "object" and not schema.get("examples")] == []
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            jsonschema.validate(example, described | {"$ref": f"#/components/schemas/{name}"})
