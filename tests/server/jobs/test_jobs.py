"""Jobs: run in processes of their own, watched, cancelled, and set aside."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.database import Job
from facelib.server.events import since, tell
from facelib.server.jobs import check_job, queue
from tests.waiting import PATIENCE

from ...processes import command_of
from .conftest import wait_for

JOBS = "/api/v1/projects/own/jobs"


@pytest.fixture
def begin(owner: TestClient) -> Callable[..., int]:
    """Return a function that begins a job on the project `own`, which gives its number."""

    def start(*steps: int, **parameters: Any) -> int:
        answer = owner.post(JOBS, json={"kind": "run", "steps": list(steps), "parameters": parameters})
        assert answer.status_code == 202, answer.text
        return int(answer.json()["id"])

    return start


def log(tmp_path: Path) -> list[str]:
    path = tmp_path / "output" / "own" / "log.txt"
    return path.read_text().splitlines() if path.exists() else []


def let_go_on(tmp_path: Path) -> None:
    """Let a job go on that holds half-way, as its parameter `how` told it."""
    (tmp_path / "output" / "own" / "go").touch()


@pytest.mark.usefixtures("own_forks")
def test_a_job_runs_its_notebooks_and_leaves_their_reports(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path
) -> None:
    number = begin(11, 12, seconds=0.2)
    job = wait_for(owner, number, "done")
    assert [(stage["step"], stage["name"]) for stage in job["stages"]] == [(11, "11_work"), (12, "12_work")]
    assert (job["progress"], job["attempts"], job["reason"], job["by"]) == (1.0, 1, "", "first start")
    assert log(tmp_path) == ["11 begins", "11 ends", "12 begins", "12 ends"]
    for stage in job["stages"]:
        for suffix in (".ipynb", ".html"):
            assert (tmp_path / "output" / "own" / "runs" / stage["run"] / (stage["name"] + suffix)).is_file()
    assert owner.get(JOBS).json()["items"] == [job]
    assert owner.post(f"{JOBS}/{number}/retry").status_code == 409


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a cancelled job renews its claim on both
def test_progress_comes_as_events_with_the_time_left(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path
) -> None:
    number = begin(11, seconds=4.0, how="hold 11")
    while not any(event.get("progress", 0.0) > 0.3 and event.get("left") for event in events(owner, after=0)):
        assert owner.get(f"{JOBS}/{number}").json()["state"] in ("queued", "running")
        time.sleep(0.1)
    let_go_on(tmp_path)
    wait_for(owner, number, "done")
    told = [event for event in events(owner, after=0) if event["job"] == number]
    assert told[0]["state"] == "queued" and told[-1]["state"] == "done"
    fractions = [event["progress"] for event in told if "progress" in event]
    assert fractions == sorted(fractions) and fractions[-1] > 0.3
    assert any(event.get("left") for event in told)


def events(client: TestClient, after: int) -> list[dict[str, Any]]:
    """Return the data of the events after a number, as the database has them now."""
    with client.app.state.store.read() as session:
        return [event.data for event in since(session, after)]


@pytest.mark.parametrize(
    ("database_url", "how", "state", "attempts", "reason"),
    [
        ("sqlite", "error", "failed", 1, "ValueError: expected a film, got a potato"),
        ("sqlite", "memory", "set aside", 3, "2 GB"),
        ("sqlite", "crash", "set aside", 3, "ended unexpectedly"),
        pytest.param(
            *("postgresql", "crash", "set aside", 3, "ended unexpectedly"), marks=pytest.mark.postgresql
        ),  # as it writes down the others
    ],
    indirect=["database_url"],
)
def test_a_job_that_goes_wrong(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path, how: str, state: str, attempts: int, reason: str
) -> None:
    job = wait_for(owner, begin(11, 12, how=how), "failed", "set aside", "done")
    assert (job["state"], job["attempts"], job["stages"]) == (state, attempts, [])
    assert reason in job["reason"]
    assert job["doing"].startswith("A notebook")  # what it was at, however soon it ended
    assert log(tmp_path) == ["11 begins"] * attempts
    healthy = wait_for(owner, begin(12), "done")
    assert healthy["attempts"] == 1
    assert owner.post(f"{JOBS}/{job['id']}/retry").json()["state"] == "queued"


def test_a_job_is_cancelled_and_goes_on_behind_its_last_stage(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path
) -> None:
    number = begin(11, 12, how="hold 12")
    waiting = begin(12, seconds=0.1)
    while len(owner.get(f"{JOBS}/{number}").json()["stages"]) < 1:
        time.sleep(0.2)
    assert owner.post(f"{JOBS}/{waiting}/cancel").json()["state"] == "cancelled"
    assert owner.post(f"{JOBS}/{number}/cancel").status_code == 202
    job = wait_for(owner, number, "cancelled")
    assert [stage["step"] for stage in job["stages"]] == [11]
    assert owner.post(f"{JOBS}/{number}/cancel").status_code == 409
    let_go_on(tmp_path)
    owner.post(f"{JOBS}/{number}/retry")
    wait_for(owner, number, "done")
    lines = log(tmp_path)
    assert lines.count("11 begins") == 1 and lines[-1] == "12 ends"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_waits_begins_when_the_one_before_it_ends(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begin(11, how="hold 11")
    wait_for_kernel(tmp_path)
    second = begin(12)
    monkeypatch.setattr("facelib.server.jobs.worker._PAUSE", 10 * PATIENCE)  # until it looks for another one
    let_go_on(tmp_path)
    wait_for(owner, first, "done")
    wait_for(owner, second, "done")
    assert log(tmp_path) == ["11 begins", "11 ends", "12 begins", "12 ends"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_whose_process_is_killed_takes_its_kernel_along(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path
) -> None:
    number = begin(11, how="hold 11")
    kernel = wait_for_kernel(tmp_path)
    (process,) = [one for one in psutil.Process().children() if "facelib.server.jobs.child" in command_of(one)]
    process.kill()
    assert psutil.wait_procs([kernel], timeout=PATIENCE)[0] == [kernel]
    let_go_on(tmp_path)
    assert wait_for(owner, number, "done")["attempts"] == 2
    assert log(tmp_path) == ["11 begins", "11 begins", "11 ends"]


@pytest.mark.usefixtures("own_forks")
@pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux only")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_jobs_go_on_where_the_process_that_forks_them_is_killed(
    owner: TestClient, begin: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {*psutil.Process().children()}
    number = begin(11, 12, how="hold 11")
    wait_for_kernel(tmp_path)
    (forking,) = [one for one in {*psutil.Process().children()} - before if "serve" in command_of(one)]
    forking.kill()
    let_go_on(tmp_path)
    assert wait_for(owner, number, "done")["attempts"] == 1
    assert wait_for(owner, begin(12), "done")["attempts"] == 1
    assert log(tmp_path) == ["11 begins", "11 ends", *["12 begins", "12 ends"] * 2]
    assert len({*psutil.Process().children()} - before) == 1
    monkeypatch.setattr("facelib.server.jobs.process._REST", 0.0)
    while {*psutil.Process().children()} - before:  # without a job, none is left after a while
        time.sleep(0.1)


def wait_for_kernel(tmp_path: Path) -> psutil.Process:
    """Return the process in which a notebook runs, once one does."""
    path = tmp_path / "output" / "own" / "kernel"
    while not (path.is_file() and path.read_text()):
        time.sleep(0.1)
    return psutil.Process(int(path.read_text()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_stage_that_ends_while_the_database_is_away_is_written_down_later(
    make_app: Callable[..., Any], tmp_path: Path
) -> None:
    app, state = make_app(lease_seconds=300), tmp_path / "output" / ".server"
    with TestClient(app, headers={"Authorization": f"Bearer {app.state.first_token}"}) as client:
        parameters = {"how": "hold 11", "seconds": 0.1}
        new = {"kind": "run", "steps": [11, 12], "parameters": parameters}
        number = client.post(JOBS, json=new).json()["id"]
        wait_for_kernel(tmp_path)
        kept = sorted(state.glob("server.sqlite*"))
        for path in kept:
            path.rename(tmp_path / path.name)
        let_go_on(tmp_path)
        while "12 begins" not in log(tmp_path):
            time.sleep(0.1)
        for path in kept:
            (tmp_path / path.name).rename(path)
        job = wait_for(client, number, "done")
    assert ([stage["step"] for stage in job["stages"]], job["attempts"]) == ([11, 12], 1)


def test_a_clock_that_was_ahead_and_is_set_back_keeps_no_job_waiting(
    make_app: Callable[..., Any], tmp_path: Path
) -> None:
    store, project = make_app(workers=0).state.store, Project("own", tmp_path / "data", tmp_path / "output")

    def claim(owner: str) -> Any:
        with store.begin() as session:
            return queue.claim(session, owner, lease=20, most_attempts=3)

    with store.begin() as session:
        job = queue.enqueue(session, project, "run", {}, by="ada", steps=[5])
        job.not_before += 86400
    assert claim("one").id == job.id
    assert claim("two") is None
    with store.begin() as session:
        session.get_one(Job, job.id).lease += 86400
    assert (claim("two").owner, claim("three")) == ("two", None)


@pytest.mark.usefixtures("own_forks")
def test_a_stopped_server_puts_its_job_back(make_app: Callable[..., Any], tmp_path: Path) -> None:
    app, before = make_app(), {*psutil.Process().children(recursive=True)}
    headers = {"Authorization": f"Bearer {app.state.first_token}"}
    new = {"kind": "run", "steps": [11], "parameters": {"seconds": 60.0}}
    with TestClient(app, headers=headers) as client:
        number = client.post(JOBS, json=new).json()["id"]
        wait_for(client, number, "running")
        while not log(tmp_path):
            time.sleep(0.1)
    assert {*psutil.Process().children(recursive=True)} <= before
    job = TestClient(make_app(workers=0), headers=headers).get(f"{JOBS}/{number}").json()
    assert (job["state"], job["attempts"], job["reason"]) == ("queued", 0, "the server was stopped")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_fills_up_during_a_job(make_app: Callable[..., Any], small_disk: Path, tmp_path: Path) -> None:
    app = make_app(output_dir=small_disk, database_url=f"sqlite:///{tmp_path / 'server.sqlite'}")
    (small_disk / "own").mkdir()
    headers = {"Authorization": f"Bearer {app.state.first_token}"}
    new = {"kind": "run", "steps": [11], "parameters": {"how": "full"}}
    with TestClient(app, headers=headers) as client:
        job = wait_for(client, client.post(JOBS, json=new).json()["id"], "failed", "set aside", "done")
        assert (job["state"], job["attempts"], job["stages"]) == ("failed", 1, [])
        assert "No space left on device" in job["reason"]
        (small_disk / "own" / "large").unlink()
        after = client.post(JOBS, json={"kind": "run", "steps": [12], "parameters": {}}).json()["id"]
        assert wait_for(client, after, "failed", "set aside", "done")["state"] == "done"


def test_a_job_that_cannot_be(owner: TestClient) -> None:
    for new in (
        {"kind": "run"},
        {"kind": "run", "steps": [99]},
        {"kind": "film", "steps": [5]},
        {"kind": "dance"},
        {"kind": "run", "steps": [11], "parameters": {"speed": 1}},
        {"kind": "run", "steps": [11], "parameters": {"seconds": "long"}},
        {"kind": "run", "steps": [11], "parameters": {"output_dir": "/tmp"}},
        {"kind": "run", "steps": "11"},
    ):
        answer = owner.post(JOBS, json=new)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), new
        assert owner.get(JOBS).json()["total"] == 0, new


def test_jobs_are_begun_by_admins_of_their_project_alone(
    owner: TestClient, client_with: Callable[[dict[str, str]], TestClient], tmp_path: Path
) -> None:
    (tmp_path / "data" / "other").mkdir()
    new = {"kind": "run", "steps": [11], "parameters": {"seconds": 30.0}}
    number = owner.post(JOBS, json=new).json()["id"]
    reader = client_with({"own": "correct", "other": "admin"})
    assert reader.get(f"{JOBS}/{number}").status_code == 200
    assert reader.post(JOBS, json=new).status_code == 403
    assert reader.post(f"{JOBS}/{number}/cancel").status_code == 403
    assert reader.get(f"/api/v1/projects/other/jobs/{number}").status_code == 404
    assert reader.post(f"/api/v1/projects/other/jobs/{number}/cancel").status_code == 404
    owner.post(f"{JOBS}/{number}/cancel")


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("gather", {"people_from": "/etc"}),
        ("gather", {"videos_from": ["/etc/passwd"]}),
        ("gather", {"videos_from": ["file:///etc/passwd"]}),
        ("gather", {"videos_from": ["ftp://127.0.0.1/a.mp4"]}),
        ("gather", {"private_addresses": True}),
        ("gather", {"addresses_from": "/etc/passwd"}),
        ("gather", {"faces_from": ["../../etc/passwd"]}),
        ("film", {"videos": ["../../../etc/passwd"]}),
        ("film", {"videos": []}),
        ("film", {"videos": ["demo.mp4", "demo_vfr.mp4"]}),
        ("train", {"detector": "../network.onnx"}),
        ("train", {"embedder": "/tmp/network"}),
        ("evaluate", {"truth": "/etc"}),
    ],
)
def test_no_parameter_reaches_beyond_the_project(
    make_reviewed: Callable[..., Project], kind: Any, parameters: dict[str, Any]
) -> None:
    project = make_reviewed({"demo.mp4": [], "demo_vfr.mp4": []})
    with pytest.raises((ValueError, FileNotFoundError), match=r"^expected "):
        check_job(project, kind, parameters)
    check_job(project, "film", {"videos": ["demo.mp4"]})
    check_job(project, "gather", {"videos_from": ["https://example.org/a.mp4"], "names": ["Ada Lovelace"]})


def test_events_are_kept_in_order(owner: TestClient) -> None:
    store = owner.app.state.store
    with store.begin() as session:
        tell(session, "own", "people", person="Ada")
        tell(session, "secret", "people", person="Grace")
        tell(session, "own", "people", person="last")
    assert json.dumps(events(owner, 0)) == '[{"person": "Ada"}, {"person": "Grace"}, {"person": "last"}]'
