"""Who may do what."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from facelib.server.security.secrets import _argon2 as as_users_have_it
from facelib.server.security.secrets import is_password
from tests.server.conftest import logged_in

ME = "/api/v1/session"
USER = {"name": "ada", "password": "correct horse", "grants": {"demo": "correct"}}


def test_nothing_but_health_without_a_log_in(stranger: TestClient) -> None:
    assert stranger.get("/health").json() == {"status": "ok"}
    paths = stranger.app.openapi()["paths"]
    tried = 0
    for path, methods in paths.items():
        address = re.sub(r"\{\w+\}", "1", path)
        for method in methods:
            if (path, method) in {("/health", "get"), (ME, "post")}:
                continue
            answer = stranger.request(method, address, json={})
            assert answer.status_code == 401, (method, path, answer.text)
            tried += 1
    assert tried > 10
    wrong = {"Authorization": "Bearer facelib_wrong"}
    assert stranger.get("/api/v1/projects", headers=wrong).status_code == 401


def test_the_first_token_is_made_once_and_kept_as_a_digest(make_app: Callable[..., FastAPI]) -> None:
    first = make_app()
    token = first.state.first_token
    assert token.startswith("facelib_") and len(token) > 40
    assert make_app().state.first_token is None
    with first.state.store.read() as session:
        (row,) = session.execute(text("select * from tokens")).all()
    assert token not in str(row) and token.removeprefix("facelib_") not in str(row)


def test_a_user_logs_in_and_out(owner: TestClient) -> None:
    assert owner.post("/api/v1/users", json=USER).status_code == 201
    assert owner.post("/api/v1/users", json=USER).status_code == 409
    browser = TestClient(owner.app)
    answer = browser.post(ME, json={"name": "ada", "password": "correct horse"})
    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    csrf = answer.json()["csrf"]
    assert browser.get(ME).json() == {"name": "ada", "grants": [{"demo": "correct"}], "is_user": True, "csrf": csrf}
    assert browser.delete(ME).status_code == 403  # as a page of another site would ask
    assert browser.delete(ME, headers={"X-CSRF-Token": "wrong"}).status_code == 403
    kept = dict(browser.cookies)
    assert browser.delete(ME, headers={"X-CSRF-Token": csrf}).status_code == 204
    browser.cookies.update(kept)
    assert browser.get(ME).status_code == 401
    with owner.app.state.store.read() as session:
        kept_password = session.execute(text("select password from users")).scalar_one()
    assert kept_password.startswith("$argon2id$")


def test_a_password_is_expensive_to_guess() -> None:
    kept = as_users_have_it().hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # OWASP's recommendation and more
    assert as_users_have_it().verify("correct horse", kept) and not as_users_have_it().verify("correct", kept)


def test_a_token_logs_a_browser_in_until_it_is_revoked(owner: TestClient) -> None:
    made = owner.post("/api/v1/tokens", json={"name": "page", "grants": {"*": "read"}}).json()
    browser = TestClient(owner.app)
    assert browser.post(ME, json={"token": made["token"]}).status_code == 201
    assert browser.get("/api/v1/projects").status_code == 200
    assert "token" not in owner.get("/api/v1/tokens").json()["items"][-1]
    assert owner.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert browser.get("/api/v1/projects").status_code == 401
    assert owner.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


def test_a_browser_is_logged_in_to_two_servers_of_one_host(
    owner: TestClient, make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    other = make_app(output_dir=tmp_path / "other", database_url="")
    kept: dict[str, str] = {}
    for app, token in ((owner.app, owner.app.state.first_token), (other, other.state.first_token)):
        at_one = TestClient(app, cookies=kept)
        assert at_one.post(ME, json={"token": token}).status_code == 201
        kept = dict(at_one.cookies)  # a browser keeps them for the host, whatever the port
    for app in (owner.app, other, make_app()):  # the last shares the first one's database
        assert TestClient(app, cookies=kept).get(ME).status_code == 200


def test_grants_of_another_kind(owner: TestClient) -> None:
    for grants in ({}, {"demo": "write"}, {"": "read"}, {"demo": 5}, ["demo"], None):
        assert owner.post("/api/v1/tokens", json={"name": "x", "grants": grants}).status_code == 422, grants


def test_nobody_gives_more_than_they_have(client_with: Callable[[dict[str, str]], TestClient]) -> None:
    corrector = client_with({"demo": "correct"})

    def give(grants: dict[str, str]) -> int:
        return corrector.post("/api/v1/tokens", json={"name": "x", "grants": grants}).status_code

    assert [give({"demo": "admin"}), give({"*": "read"}), give({"other": "read"})] == [403, 403, 403]
    assert corrector.get("/api/v1/users").status_code == 403


def test_a_users_token_follows_its_user(owner: TestClient) -> None:
    user = owner.post("/api/v1/users", json=USER | {"grants": {"demo": "correct"}}).json()
    browser = logged_in(owner, "ada")
    made = browser.post("/api/v1/tokens", json={"name": "mine", "grants": {"demo": "correct"}}).json()
    program = TestClient(owner.app, headers={"Authorization": f"Bearer {made['token']}"})
    assert program.get(ME).json()["grants"] == [{"demo": "correct"}, {"demo": "correct"}]
    owner.patch(f"/api/v1/users/{user['id']}", json={"grants": {"demo": "read"}})
    refused = program.post("/api/v1/tokens", json={"name": "x", "grants": {"demo": "correct"}})
    assert refused.status_code == 403
    owner.delete(f"/api/v1/users/{user['id']}")
    assert program.get(ME).status_code == 401
    assert browser.get(ME).status_code == 401


def test_one_sees_and_revokes_ones_own_tokens_alone(owner: TestClient) -> None:
    made: dict[str, int] = {}
    browsers: dict[str, TestClient] = {}
    for name in ("ada", "bob"):
        owner.post("/api/v1/users", json=USER | {"name": name, "grants": {"demo": "read"}})
        browsers[name] = logged_in(owner, name)
        given = {"name": f"of {name}", "grants": {"demo": "read"}}
        made[name] = browsers[name].post("/api/v1/tokens", json=given).json()["id"]
    listed = browsers["bob"].get("/api/v1/tokens")
    assert [one["name"] for one in listed.json()["items"]] == ["of bob"] and "facelib_" not in listed.text
    assert browsers["bob"].delete(f"/api/v1/tokens/{made['ada']}").status_code == 404
    assert browsers["bob"].delete(f"/api/v1/tokens/{made['bob']}").status_code == 204
    assert "of ada" in {one["name"] for one in owner.get("/api/v1/tokens").json()["items"]}


def test_a_changed_password_logs_other_browsers_out(owner: TestClient) -> None:
    owner.post("/api/v1/users", json=USER)
    one, other = logged_in(owner, "ada"), logged_in(owner, "ada")

    def change(old: str) -> int:
        return one.put("/api/v1/users/me/password", json={"old": old, "new": "battery staple"}).status_code

    assert [change("wrong"), change("correct horse")] == [403, 204]
    assert [one.get(ME).status_code, other.get(ME).status_code] == [200, 401]
    assert other.post(ME, json={"name": "ada", "password": "correct horse"}).status_code == 401
    assert other.post(ME, json={"name": "ada", "password": "battery staple"}).status_code == 201
    assert [change(f"wrong {number}") for number in range(6)] == [403] * 5 + [429]


def test_wrong_log_ins_are_limited(owner: TestClient) -> None:
    owner.post("/api/v1/users", json=USER)
    browser = TestClient(owner.app)
    tried = [browser.post(ME, json={"name": "ada", "password": f"wrong {i}"}).status_code for i in range(7)]
    assert tried == [401] * 5 + [429] * 2
    right = browser.post(ME, json={"name": "ada", "password": "correct horse"})
    assert right.status_code == 429 and 0 < int(right.headers["Retry-After"]) <= 900


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_wrong_log_ins_at_once_are_limited_as_well(owner: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    all_guess = threading.Barrier(8, timeout=60)

    def compare(password: str, kept: str | None) -> bool:
        all_guess.wait()
        return is_password(password, kept)

    monkeypatch.setattr("facelib.server.api.session.is_password", compare)

    def guess(number: int) -> int:
        return TestClient(owner.app).post(ME, json={"name": "ada", "password": f"wrong {number}"}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(guess, range(8))) == [401] * 5 + [429] * 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_wrong_log_ins_are_counted_by_address_and_by_name(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(failed_logins=2)
    owner = TestClient(app, headers={"Authorization": f"Bearer {app.state.first_token}"})
    for name in ("ada", "bob"):
        owner.post("/api/v1/users", json=USER | {"name": name})

    def log_in(name: str, address: str, password: str = "wrong") -> int:
        browser = TestClient(app, client=(address, 1))
        return browser.post(ME, json={"name": name, "password": password}).status_code

    assert [log_in(f"user {number}", "192.0.2.1") for number in range(3)] == [401, 401, 429]
    assert [log_in("user", f"2001:db8::{number}") for number in range(3)] == [401, 401, 429]
    assert log_in("ada", "2001:db8:0:1::", "correct horse") == 201
    assert [log_in("user", f"::ffff:192.0.2.{number}") for number in range(4, 7)] == [401] * 3  # IPv4 on a dual socket
    # Somebody with an account may not guess another's password by logging in between.
    as_bob = partial(log_in, "bob", "192.0.2.2", "correct horse")
    assert [log_in("ada", "192.0.2.2"), as_bob(), log_in("ada", "192.0.2.2"), as_bob()] == [401, 201, 401, 201]
    assert log_in("ada", "192.0.2.2", "correct horse") == 429
    assert log_in("ada", "192.0.2.3", "correct horse") == 201  # ada is not locked out by others
    monkeypatch.setattr("facelib.server.api.session.is_password", lambda *_: False)
    from_everywhere = [log_in("ada", f"198.51.100.{number}") for number in range(41)]
    assert from_everywhere == [401] * 40 + [429]


def test_a_log_in_without_use_ends(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(session_hours=1.0)
    browser = TestClient(app)
    browser.post(ME, json={"token": app.state.first_token})
    assert browser.get(ME).status_code == 200
    with app.state.store.begin() as session:
        session.execute(text("update logins set used = used - 3601"))
    assert browser.get(ME).status_code == 401


def test_the_audit_names_no_secret(owner: TestClient) -> None:
    owner.post("/api/v1/users", json=USER)
    made = owner.post("/api/v1/tokens", json={"name": "x", "grants": {"*": "read"}}).json()
    with owner.app.state.store.read() as session:
        rows = session.execute(text("select who, action, details from audit order by id")).all()
    assert [(row.who, row.action) for row in rows] == [("first start", "user.make"), ("first start", "token.make")]
    assert made["token"] not in str(rows) and "correct horse" not in str(rows)
