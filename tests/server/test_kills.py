"""Servers killed at random moments, in the middle of jobs and uploads: nothing lost, nothing done twice."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
import pytest

from facelib.project.fork_server import forked
from tests.waiting import PATIENCE

KILLS = 10 if os.environ.get("CI") == "true" else 3
PARAMETERS = 'project: str = ""\ndata_dir: str = ""\noutput_dir: str = ""\nlabel: str = ""'
WORK = """
import time
from pathlib import Path
time.sleep(0.5)
made = Path(output_dir) / project / "{made}"
made.write_text(label)
"""


@dataclass
class Servers:
    """Servers over the same folders and the same database; some are killed and started again."""

    command: list[str]
    environment: dict[str, str]
    count: int
    logs: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    token: str = ""

    def start(self, place: int) -> None:
        program = [*self.command, "serve", "--port", "0"]
        environment = os.environ | self.environment
        with self._log(place).open("w") as log:
            process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        assert process.stdout is not None
        address = process.stdout.readline().strip().rpartition(" ")[2]
        self.running[place : place + 1], self.addresses[place : place + 1] = [process], [address]
        if not self.token:
            self.token = process.stdout.readline().strip().rpartition(" ")[2]

    def kill(self, place: int) -> None:
        """Kill a server, and nothing that it started."""
        while not (told := re.search(r"Started server process \[(\d+)\]", self._log(place).read_text("utf-8"))):
            assert self.running[place].poll() is None
            time.sleep(0.05)
        psutil.Process(int(told[1])).kill()
        self.running[place].communicate()

    def _log(self, place: int) -> Path:
        return self.logs / f"server {place}.log"

    def ask(self, method: str, path: str, place: int = 0, **options: object) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})  # type: ignore[operator]
        options |= {"timeout": 60, "verify": False}  # without TLS; to read the certificates takes 30 ms a request
        return httpx2.request(method, self.addresses[place] + path, headers=headers, **options)  # type: ignore[arg-type]


@pytest.fixture
def servers(
    tmp_path: Path,
    database_url: str,
    make_notebook: Callable[..., Path],
    fork_server: str,
    facelib_command: list[str],
    request: pytest.FixtureRequest,
) -> Servers:
    for number, made in (("02", "faces.parquet"), ("03", "map.parquet")):
        make_notebook(tmp_path / "notebooks" / f"{number}_work.ipynb", PARAMETERS, WORK.format(made=made))
    (tmp_path / "data" / "own" / "people").mkdir(parents=True)
    names = {"DATA_DIR": "data", "OUTPUT_DIR": "output", "NOTEBOOKS": "notebooks"}
    environment = {f"FACELIB_{name}": str(tmp_path / folder) for name, folder in names.items()}
    lease = "4" if database_url else "1"  # a server alone takes over nobody's job but its own, however slow it is
    environment |= {"FACELIB_DATABASE_URL": database_url, "FACELIB_LEASE_SECONDS": lease, "FACELIB_JOB_ATTEMPTS": "99"}
    # Over SQLite each server forks its jobs from a process of its own, as users' do.
    own = forked(fork_server, "facelib.cli") if fork_server else facelib_command
    command = facelib_command if database_url else own
    servers = Servers(command, environment, 2 if database_url else 1, tmp_path)

    def stop() -> None:
        for place in range(len(servers.running)):
            servers.kill(place)

    request.addfinalizer(stop)
    for place in range(servers.count):
        servers.start(place)
    return servers


def test_killed_servers_lose_nothing_and_do_nothing_twice(
    servers: Servers, tmp_path: Path, make_film: Callable[..., Path]
) -> None:
    chance, labels = random.Random(0), [f"job {number}" for number in range(3)]
    jobs = "/api/v1/projects/own/jobs"
    for label in labels:
        new = {"kind": "run", "steps": [2, 3], "parameters": {"label": label}}
        assert servers.ask("POST", jobs, json=new).status_code == 202
    film = make_film("film.mp4", frames=200).read_bytes()
    metadata = {"Upload-Metadata": f"filename {base64.b64encode(b'film.mp4').decode()}"}
    tus = {"Tus-Resumable": "1.0.0"}
    begun = servers.ask(
        "POST", "/api/v1/projects/own/uploads", headers=tus | metadata | {"Upload-Length": str(len(film))}
    )
    place = begun.headers["Location"]
    for _ in range(KILLS):
        until = time.monotonic() + chance.uniform(0.3, 2.0)
        while time.monotonic() < until:
            send_a_piece(servers, place, film, size=len(film) // 60)
            time.sleep(0.2)
        killed = chance.randrange(servers.count)
        servers.kill(killed)
        servers.start(killed)
    deadline = time.monotonic() + 3 * PATIENCE
    while send_a_piece(servers, place, film, size=len(film)) < len(film):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while {job["state"] for job in servers.ask("GET", jobs).json()["items"]} != {"done"}:
        assert time.monotonic() < deadline, servers.ask("GET", jobs).text
        time.sleep(0.5)
    for job in servers.ask("GET", jobs).json()["items"]:
        assert [stage["step"] for stage in job["stages"]] == [2, 3]
    records = [json.loads(path.read_text()) for path in (tmp_path / "output" / "own" / "runs").glob("*/*.json")]
    done = Counter((record["parameters"]["label"], next(iter(record["outputs"]))) for record in records)
    assert done == {(label, f"output/{made}"): 1 for label in labels for made in ("faces.parquet", "map.parquet")}
    (kept,) = (tmp_path / "data" / "own" / "videos").iterdir()
    assert (kept.name, hashlib.sha256(kept.read_bytes()).digest()) == ("film.mp4", hashlib.sha256(film).digest())


def send_a_piece(servers: Servers, place: str, film: bytes, *, size: int) -> int:
    """Send the next piece of an upload to any server, knowing only what HEAD tells; return the offset."""
    for number in range(servers.count):
        with suppress(httpx2.HTTPError):
            told = servers.ask("HEAD", place, number)
            if told.status_code != 200:
                continue
            offset = int(told.headers["Upload-Offset"])
            if offset == len(film):
                return offset
            headers = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
            headers["Upload-Offset"] = str(offset)
            servers.ask("PATCH", place, number, headers=headers, content=film[offset : offset + size])
            return offset
    return 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL's own tools back it up and restore it
def test_a_lost_database_is_made_anew_and_the_projects_are_as_before(servers: Servers, tmp_path: Path) -> None:
    paths = ("/api/v1/projects", "/api/v1/projects/own", "/api/v1/projects/own/people", "/api/v1/projects/own/videos")
    before = [servers.ask("GET", path).json() for path in paths]
    servers.kill(0)
    lost = list((tmp_path / "output" / ".server").glob("server.sqlite*"))
    assert lost
    for path in lost:
        path.unlink()
    old, servers.token = servers.token, ""
    servers.start(0)
    assert servers.token.startswith("facelib_") and servers.token != old
    assert [servers.ask("GET", path).json() for path in paths] == before
    assert servers.ask("GET", paths[0], headers={"Authorization": f"Bearer {old}"}).status_code == 401
