"""`facelib serve` as a program of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from typer.testing import CliRunner

from facelib.cli import main
from facelib.server.serve import allow_open_files
from facelib.server.settings import ServerSettings
from tests.waiting import PATIENCE, wait_until

from ..forked import FACELIB
from ..processes import command_of
from .running import serving

get = partial(httpx2.get, timeout=PATIENCE)  # five seconds are little on a busy machine


def test_a_server_takes_as_many_lines_as_the_system_lets_it() -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, hard))
    try:
        allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_server_starts_tells_its_token_once_and_stops(
    tmp_path: Path, database_url: str, facelib_command: list[str]
) -> None:
    folders = ["--data-dir", str(tmp_path / "data"), "--output-dir", str(tmp_path / "output")]
    log = tmp_path / "log"
    with serving(FACELIB, *folders, log=log, FACELIB_DATABASE_URL=database_url) as (process, address, token):
        assert address.startswith("http://127.0.0.1:")
        assert get(f"{address}/health").json() == {"status": "ok"}
        headers = {"Authorization": f"Bearer {token}"}
        assert get(f"{address}/api/v1/projects", headers=headers).json()["total"] == 0
        odd = httpx2.post(f"{address}/api/v1/projects", json={"name": "50%25 of it"}, headers=headers, timeout=PATIENCE)
        assert get(address + odd.headers["Location"], headers=headers).json()["name"] == "50%25 of it"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)[0], log.read_text("utf-8")
    assert process.returncode == 130 and "Stopped" in err.splitlines()[-1]
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert {"GET", "POST"} == {line["method"] for line in lines if line["message"] == "request"}
    assert "of it" not in err and token not in err + out
    with serving(facelib_command, *folders, FACELIB_DATABASE_URL=database_url, FIRST="no") as (process, address, _):
        assert get(f"{address}/api/v1/projects", headers=headers).status_code == 200
        process.terminate()
        assert "token" not in process.communicate(timeout=PATIENCE)[0]


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        (
            "facelib.server.app",
            {"sklearn", "scipy", "supervision", "onnxruntime", "nbformat", "requests"},
        ),
        ("facelib.server.jobs.child", {"pandas", "av", "papermill"}),
    ],
)
def test_what_takes_a_second_to_import_waits_until_it_is_needed(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print({heavy} & set(sys.modules) or 'none')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "none\n"


def test_several_processes_are_one_server(tmp_path: Path) -> None:
    options = ["--data-dir", str(tmp_path / "data"), "--output-dir", str(tmp_path / "output"), "--processes", "2"]
    log = tmp_path / "log"
    with serving(FACELIB, *options, log=log) as (process, address, token):
        api, headers = f"{address}/api/v1", {"Authorization": f"Bearer {token}"}

        def ask(method: str, path: str, **more: Any) -> httpx2.Response:  # on a connection of its own each time
            more = {"headers": headers, "timeout": 60, "verify": False} | more  # without TLS, no certificates are read
            return httpx2.request(method, f"{api}/{path}", **more)

        assert ask("GET", "projects").status_code == 200 and len(_answering(process.pid)) == 2
        wrong = [ask("POST", "session", json={"name": "nobody", "password": "x"}, headers={}) for _ in range(12)]
        assert [answer.status_code for answer in wrong] == [401] * 5 + [429] * 7
        made = ask("POST", "tokens", json={"name": "x", "grants": {"*": "read"}}).json()
        other = {"headers": {"Authorization": f"Bearer {made['token']}"}}
        assert {ask("GET", "projects", **other).status_code for _ in range(6)} == {200}
        assert ask("DELETE", f"tokens/{made['id']}").status_code == 204
        assert {ask("GET", "projects", **other).status_code for _ in range(6)} == {401}
        told = get(f"{address}/metrics", headers=headers).text
        answered = 'route="/api/v1/projects",status="{}"}} {}.0'
        assert answered.format(200, 7) in told and answered.format(401, 6) in told

        wait_until(lambda: log.read_text("utf-8").count("Application startup complete") >= 2)
        busy = _answering(process.pid)[0]
        busy.suspend()
        time.sleep(1.5)  # it is asked twice a second whether it lives, and has a minute to say so
        busy.kill()
        wait_until(lambda: f"Child process [{busy.pid}] died" in log.read_text("utf-8"), seconds=40)
        wait_until(
            lambda: {ask("GET", "projects").status_code for _ in range(4)} == {200}
            and len(_answering(process.pid)) >= 2,
            pause=0.1,
        )  # fmt: skip
        family = _answering(process.pid)
        process.kill()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert not alive


def _answering(server: int) -> list[psutil.Process]:
    commands = [(child, " ".join(command_of(child))) for child in psutil.Process(server).children()]
    return [child for child, command in commands if command and "resource_tracker" not in command]


def test_help_explains_every_setting() -> None:
    text = CliRunner().invoke(main, ["serve", "--help"]).output
    for name, field in ServerSettings.model_fields.items():
        assert f"FACELIB_{name.upper()}" in text
        assert field.description.split()[0] in text


@pytest.mark.parametrize(
    ("content", "environment", "port"),
    [("", {}, 8000), ("port = 9000", {}, 9000), ("port = 9000", {"FACELIB_PORT": "9001"}, 9001)],
)
def test_settings_come_from_the_environment_then_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, environment: dict[str, str], port: int
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(content)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ServerSettings.read(file).port == port
    assert ServerSettings.read(file, port=9002).port == 9002


@pytest.mark.parametrize(
    ("options", "content", "expected"),
    [
        (["--port", "70000"], "", "port: Input should be less than or equal to 65535"),
        (["--settings", "absent.toml"], "", "'absent.toml'"),
        (["--settings", "settings.toml"], "port: 9000", "expected TOML in 'settings.toml'"),
        (["--settings", "settings.toml"], "prot = 9000", "prot: Extra inputs are not permitted"),
        (["--data-dir", "settings.toml"], "", "data_dir: Value error, expected a folder, got the file 'settings.toml'"),
        (["--output-dir", "settings.toml"], "", "expected a folder, got the file 'settings.toml'"),
        (["--output-dir", "data"], "", "folders: Value error, expected another folder for results"),
        (["--host", "no.such.host.invalid"], "", "expected an address to listen on"),
    ],
)
def test_wrong_settings_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], content: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.toml").write_text(content)
    done = CliRunner().invoke(main, ["serve", *options])
    assert done.exit_code == 1 and expected in done.output


@pytest.mark.parametrize("sites", ["https://a.example; script-src *", "*", "javascript:x", "https://a.example/x"])
def test_what_is_more_than_a_site_gets_into_no_policy(sites: str) -> None:
    with pytest.raises(ValueError, match="expected sites such as"):
        ServerSettings.read(embed_sites=sites)


def test_figures_for_prometheus_need_a_token(
    owner: TestClient, client_with: Callable[[dict[str, str]], TestClient]
) -> None:
    owner.get("/api/v1/projects")
    owner.get("/no/such/Ada Lovelace")
    text = owner.get("/metrics").text
    found = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "facelib_requests_total"
    }
    assert found[("/api/v1/projects", "200")] == 1 and found[("none", "404")] == 1
    assert "Lovelace" not in text
    assert client_with({"demo": "admin"}).get("/metrics").status_code == 403


def test_events_are_streamed_to_those_who_may_see_the_project(
    tmp_path: Path, database_url: str, facelib_command: list[str]
) -> None:
    folders = ["--data-dir", str(tmp_path / "data"), "--output-dir", str(tmp_path / "output")]
    with (
        serving(facelib_command, *folders, FACELIB_DATABASE_URL=database_url) as (_process, address, token),
        httpx2.Client(
            base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
        ) as owner,
    ):
        made = owner.post("/tokens", json={"name": "x", "grants": {"own": "read"}}).json()
        with httpx2.Client(headers={"Authorization": f"Bearer {made['token']}"}, timeout=PATIENCE) as reader:
            with reader.stream("GET", f"{address}/api/v1/events") as stream:
                lines = stream.iter_lines()
                assert next(lines) == ": begin"
                owner.post("/projects", json={"name": "secret"})
                owner.post("/projects", json={"name": "own"})
                told = list(islice((line for line in lines if line.startswith(("event", "data", "id"))), 3))
                assert stream.headers["content-type"].startswith("text/event-stream")
            assert told[0] == "event: project" and json.loads(told[1][6:]) == {"project": "own"}
            with reader.stream("GET", f"{address}/api/v1/events", headers={"Last-Event-ID": "0"}) as stream:
                assert told[1] == next(line for line in stream.iter_lines() if line.startswith("data"))
            assert get(f"{address}/api/v1/events").status_code == 401
