"""What answers tell browsers to do and not to do."""

from __future__ import annotations

from collections.abc import Callable

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


def test_a_body_that_is_too_large_is_not_read(owner: TestClient) -> None:
    answer = owner.post("/api/v1/projects", content=b" " * (33 * 2**20), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


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
