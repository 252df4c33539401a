"""Notebooks for jobs: quick ones, some that wait to be let go on, and ones that go wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from facelib.project.fork_server import ForkServer
from facelib.server.settings import ServerSettings
from tests.waiting import PATIENCE

PARAMETERS = 'project: str = ""\ndata_dir: str = ""\noutput_dir: str = ""\nseconds: float = 0.0\nhow: str = ""'
NOTE = """
import os, time
from pathlib import Path
log, number = Path(output_dir) / project / "log.txt", {number!r}
with log.open("a") as file:
    file.write(number + " begins\\n")
(log.parent / "kernel").write_text(str(os.getpid()))
"""
WORK = """
from tqdm.auto import tqdm
for turn in tqdm(range(20)):
    while how == f"hold {number}" and turn == 10 and not (log.parent / "go").exists():
        time.sleep(0.05)
    time.sleep(seconds / 20)
secrets = [name for name in os.environ if name.startswith("FACELIB_DATABASE")]
if secrets:
    raise ValueError(f"expected a process without the database's address, got {secrets}")
if how == "full":
    (Path(output_dir) / project / "large").write_bytes(bytes(2**24))
if how == "error":
    raise ValueError("expected a film, got a potato")
if how == "crash":
    os.kill(os.getpid(), 9)
if how == "memory":
    taken = [bytes(2**28) for _ in range(40)]  # which nobody writes to
"""
DONE = """
with log.open("a") as file:
    file.write(number + " ends\\n")
"""


@pytest.fixture
def settings(
    settings: ServerSettings,
    tmp_path: Path,
    make_notebook: Callable[..., Path],
    forked_jobs: None,
    monkeypatch: pytest.MonkeyPatch,
) -> ServerSettings:
    """The settings of a server whose notebooks are 11 and 12: they write when they begin and end."""
    monkeypatch.setenv("FACELIB_DATABASE_URL", "postgresql://secret")
    for number in ("11", "12"):
        cells = (NOTE.format(number=number), WORK, DONE)
        make_notebook(tmp_path / "notebooks" / f"{number}_work.ipynb", PARAMETERS, *cells)
    (tmp_path / "data" / "own" / "people").mkdir(parents=True)
    # A claim is renewed, and progress written down, four times as often as it would run out.
    changed = {"notebooks": tmp_path / "notebooks", "workers": 1, "job_memory_gb": 2.0, "lease_seconds": 2.0}
    return settings.model_copy(update=changed)


@pytest.fixture
def own_forks(forked_jobs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs forked from a process that the server starts and ends, as for users."""
    monkeypatch.setattr("facelib.server.jobs.process.ForkServer", ForkServer)


def wait_for(client: TestClient, number: int, *states: str, seconds: float = PATIENCE) -> dict[str, Any]:
    """Wait until a job is in one of the states, and return it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job = client.get(f"/api/v1/projects/own/jobs/{number}").json()
        if job["state"] in states:
            return dict(job)
        assert job["state"] in ("queued", "running"), job
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {states}, still {job}")
