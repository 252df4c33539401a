"""Shared storage that throttles, refuses or is away: a wait or a clear error, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from facelib.project.decisions import append_decision, read_decisions
from facelib.project.store import Store

from .conftest import GONE, Gate, empty_bucket

pytest.importorskip("obstore")

SLOW_DOWN = 503, "SlowDown", "Please reduce your request rate."
DENIED = 403, "AccessDenied", "Access Denied"
SKEWED = 403, "RequestTimeTooSkewed", "The difference between the request time and the server&apos;s time is too large."


@pytest.fixture
def gate(server) -> Iterator[Gate]:
    """An empty project behind a gate."""
    empty_bucket()
    Store("s3://films/data/demo").put("disabled.txt", b"# none\n")
    with Gate.before(server) as started:
        yield started


def write(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def held() -> dict[str, bytes]:
    store = Store("s3://films/output/demo")
    return {name: store.get(name) for name in store.find() if not name.startswith("corrections")}


def first(count: int, own: tuple[int, str, str], methods: str = "GET PUT DELETE") -> Callable[[str, str], object]:
    """Return an answer for the first `count` requests of each kind to each path."""
    seen: dict[tuple[str, str], int] = {}

    def answer(method: str, path: str) -> object:
        seen[method, path] = seen.get((method, path), 0) + 1
        return own if method in methods.split() and seen[method, path] <= count else None

    return answer


def test_a_storage_that_throttles_is_waited_for(gate, machine):
    copy = machine("one")
    gate.answer = first(3, SLOW_DOWN)
    copy.fetch()
    write(copy.project.output, ["a.csv", "videos/b/tracks.parquet"])
    append_decision(copy.project.corrections, "people/A/1.jpg", was="A", now_is="B")
    copy.send()
    assert gate.refused > 12
    gate.answer = lambda method, path: None
    assert held() == {"a.csv": b"a.csv", "videos/b/tracks.parquet": b"videos/b/tracks.parquet"}
    other = machine("other")
    other.fetch()
    assert len(read_decisions(other.project.corrections)) == 1


def test_a_network_that_is_away_is_waited_for(gate, machine):
    copy = machine("one")
    copy.fetch()
    write(copy.project.output, ["a.csv"])
    append_decision(copy.project.corrections, "people/A/1.jpg", was="A", now_is="B")
    gate.answer = lambda method, path: GONE if gate.refused < 5 else None
    copy.send()
    assert gate.refused == 5
    assert held() == {"a.csv": b"a.csv"}
    assert len(Store("s3://films/output/demo").find("corrections")) == 1  # sent again and again, written once


@pytest.mark.parametrize(
    ("own", "error", "message"),
    [
        (
            DENIED,
            PermissionError,
            "expected the right to read and write 's3://films/output/demo/b.csv', it was refused: .*AccessDenied: Acc",
        ),
        (SKEWED, PermissionError, "and the server's time is too large; set the clock of this machine right"),
        (GONE, OSError, "expected 's3://films/output/demo/b.csv' to answer"),
        (SLOW_DOWN, OSError, "expected 's3://films/output/demo/b.csv' to answer"),
    ],
)
def test_what_could_not_be_sent_is_sent_the_next_time(gate, machine, monkeypatch, own, error, message):
    monkeypatch.setattr("facelib.project.store._PATIENCE", timedelta(seconds=1))
    copy = machine("one")
    copy.fetch()
    write(copy.project.output, ["a.csv", "b.csv", "c.csv"])
    append_decision(copy.project.corrections, "people/A/1.jpg", was="A", now_is="B")
    gate.answer = lambda method, path: own if method == "PUT" and "b.csv" in path else None
    with pytest.raises(error, match=message):
        copy.send()
    gate.answer = lambda method, path: None
    assert "b.csv" not in held()
    copy.fetch()  # as the next run does
    copy.send()
    assert held() == {name: name.encode() for name in ("a.csv", "b.csv", "c.csv")}
    assert len(Store("s3://films/output/demo").find("corrections")) == 1


def test_a_listing_that_is_refused_removes_nothing(gate, machine, monkeypatch):
    monkeypatch.setattr("facelib.project.store._PATIENCE", timedelta(seconds=1))
    copy = machine("one")
    copy.fetch()
    write(copy.project.output, ["a.csv"])
    copy.send()
    for own, error in ((DENIED, PermissionError), (SLOW_DOWN, OSError), (GONE, OSError)):
        gate.answer = lambda method, path, own=own: own if "list-type" in path else None
        with pytest.raises(error, match="s3://films/"):
            copy.fetch()
        assert (copy.project.output / "a.csv").is_file()


def test_an_object_that_is_removed_while_others_are_fetched(gate, machine):
    Store("s3://films/output/demo").put("a.csv", b"a.csv")
    Store("s3://films/output/demo").put("b.csv", b"b.csv")
    gate.answer = lambda method, path: (404, "NoSuchKey", "gone") if path.endswith("a.csv") else None
    copy = machine("one")
    copy.fetch()
    assert [path.name for path in copy.project.output.glob("*.csv")] == ["b.csv"]
    gate.answer = lambda method, path: None
    copy.fetch()
    copy.send()
    assert held() == {"a.csv": b"a.csv", "b.csv": b"b.csv"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is needed")
def test_a_disk_that_is_full(server):
    Store("s3://films/data/demo").put("film.mp4", b"x")
    with pytest.raises(OSError, match=r"expected room for .s3:..films.data.demo.film.mp4.*make room there"):
        Store("s3://films/data/demo").fetch("film.mp4", Path("/dev/full"))


def test_keys_that_are_wrong(server, machine, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(PermissionError, match=r"expected the right to read .*AWS_SECRET_ACCESS_KEY"):
        machine("one").fetch()
