"""Decisions on S3, by a real server: made on several machines at once, changed, and removed with a person."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import facelib
from facelib.archive.cluster.shared import WorkingCopy
from facelib.archive.cluster.task import store_tables
from facelib.cli import main
from facelib.films.identify import identify_films
from facelib.films.tracking import TrackingSettings
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections, append_decision, now, read_decisions
from facelib.project.store import Store
from facelib.recognize import load_recognizer
from tests import traces

from .conftest import empty_bucket

pytest.importorskip("obstore")

PERSON = "Eileen Collins"
MANY = 12


def decide(copy: WorkingCopy, picture: str, was: str, now_is: str) -> None:
    append_decision(copy.project.corrections, f"people/{picture}", was=was, now_is=now_is)


def decided(copy: WorkingCopy) -> list[str]:
    table = read_decisions(copy.project.corrections)
    return (table["picture"].str.removeprefix("people/") + " " + table["is"]).tolist()


@pytest.fixture
def pair(server, machine) -> list[WorkingCopy]:
    """Two machines with an empty project."""
    empty_bucket()
    Store("s3://films/data/demo").put("disabled.txt", b"# none\n")
    copies = [machine("one"), machine("other")]
    for copy in copies:
        copy.fetch()
    return copies


def test_no_decision_is_lost(pair):
    one, other = pair
    append_decision(one.project.corrections, "people/A/1.jpg", was="A", now_is="B")
    append_decision(other.project.corrections, "people/A/2.jpg", was="A", now_is="C")
    one.send()
    other.send()
    append_decision(one.project.corrections, "people/A/1.jpg", was="B", now_is="A")
    one.send()
    other.fetch()
    decisions = [read_decisions(copy.project.corrections) for copy in (one, other)]
    pd.testing.assert_frame_equal(*decisions)
    assert decisions[0]["picture"].tolist() == ["people/A/1.jpg", "people/A/2.jpg", "people/A/1.jpg"]
    assert list(decisions[0].columns) == CORRECTION_COLUMNS


def test_of_two_machines_that_write_at_once_none_loses_a_decision(pair):
    both = threading.Barrier(2)
    raised = []

    def work(copy: WorkingCopy, name: str) -> None:
        try:
            for number in range(MANY):
                decide(copy, f"A/{name} {number}.jpg", "A", "B")
                both.wait()
                copy.send()
        except BaseException as error:
            raised.append(error)
            both.abort()

    threads = [threading.Thread(target=work, args=(copy, name)) for copy, name in zip(pair, "xy", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    for copy in pair:
        copy.fetch()
    assert decided(pair[0]) == decided(pair[1])
    assert sorted(decided(pair[0])) == sorted(f"A/{name} {number}.jpg B" for name in "xy" for number in range(MANY))
    for name in "xy":  # each machine's own in the order in which they were made
        own = [int(one.split()[1].split(".")[0]) for one in decided(pair[0]) if f"/{name} " in one]
        assert own == list(range(MANY))
    assert len(Store("s3://films/output/demo").find("corrections")) == 2 * MANY


def test_clocks_that_disagree_change_no_order(pair, monkeypatch):
    one, other = pair
    for copy, year, was, now_is in ((one, 2031, "A", "B"), (other, 1999, "B", "C"), (one, 2031, "C", "D")):
        monkeypatch.setattr("facelib.project.decisions.now", lambda year=year: f"{year}-01-01T00:00:00.000000+00:00")
        copy.fetch()
        decide(copy, "A/1.jpg", was, now_is)
        copy.send()
    other.fetch()
    assert decided(one) == decided(other) == ["A/1.jpg B", "A/1.jpg C", "A/1.jpg D"]


def test_a_decision_with_a_line_break_and_a_file_edited_by_hand(pair):
    one, other = pair
    decide(one, "A/1.jpg", "A", 'say "B\nC"')
    text = one.project.corrections.read_text()
    one.project.corrections.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n", 1).encode())  # as editors do
    one.send()
    table = pd.read_csv(one.project.corrections, dtype="str", keep_default_na=False)
    table[[*reversed(CORRECTION_COLUMNS)]].to_csv(one.project.corrections, index=False)
    one.send()
    other.fetch()
    assert decided(other) == decided(one) == ['A/1.jpg say "B\nC"']


def test_what_is_decided_while_others_are_sent_stays(pair, monkeypatch):
    one, other = pair
    decide(one, "A/1.jpg", "A", "B")
    put_next = Store.put_next

    def slow(store: Store, form: str, content: bytes) -> int:
        if b"A/1.jpg" in content:
            decide(one, "A/2.jpg", "A", "C")
        return put_next(store, form, content)

    monkeypatch.setattr(Store, "put_next", slow)
    one.send()
    assert decided(one) == ["A/1.jpg B", "A/2.jpg C"]
    one.send()
    other.fetch()
    assert decided(other) == ["A/1.jpg B", "A/2.jpg C"]


@pytest.fixture(scope="module")
def named(tmp_path_factory, make_tuned_demo):
    """The demo with both people named in its films."""
    project = make_tuned_demo(tmp_path_factory.mktemp("named"), 0.4)
    networks = facelib.load_detector("haar", working_size=320), facelib.load_embedder("dlib")
    found = identify_films(
        project.find_videos(), project, *networks, *load_recognizer(project.recognizer),
        tracking=TrackingSettings(seconds_between_samples=0.5), progress=False,
    )  # fmt: skip
    assert PERSON in set(pd.concat(found.tracks.values())["person"])
    return project


def in_bucket(folder: Path) -> Path:
    """Fetch every object of the bucket into a folder."""
    store = Store("s3://films")
    for name in store.find():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        store.fetch(name, folder / name)
    return folder


def test_a_forgotten_person_is_gone_from_the_bucket(pair, named, tmp_path, monkeypatch):
    one, other = pair
    shutil.copytree(named.data, one.project.data, dirs_exist_ok=True)
    shutil.copytree(named.output, one.project.output, dirs_exist_ok=True)
    moving = one.project.people / PERSON / "moving.gif"
    Image.new("RGB", (64, 64), "red").save(moving)  # a picture here, though films end so, too
    decide(one, "Grace Hopper/0.jpg", "", "Grace Hopper")
    decide(one, "Grace Hopper/1.jpg", "Grace Hopper", PERSON)
    film = dict.fromkeys(CORRECTION_COLUMNS, "") | {"when": now(), "video": "demo.mp4", "track": "0", "was": PERSON}
    append_corrections(one.project.corrections, pd.DataFrame([film | {"is": "Grace Hopper"}]))
    (one.project.runs / "now").mkdir(parents=True)
    (one.project.runs / "now" / "05.html").write_text(f"<p>{PERSON}</p>")
    one.send()
    store = Store("s3://films/output/demo/store")
    store_tables(store, "key", one.project.film(one.project.find_videos()[0]))
    Store("s3://films/output/demo/archive").put("appearances-1.parquet", PERSON.encode())  # of an earlier version
    other.fetch()
    sought = traces.of(named, PERSON)
    before = traces.found(in_bucket(tmp_path / "before"), sought)
    assert {kind for kind, _ in before} == {"pictures", "digests", "vectors", "name"}
    assert {"store", "archive"} <= {where.split("output/demo/")[-1].partition("/")[0] for _, where in before}
    decide(other, "Grace Hopper/9.jpg", "Grace Hopper", "")  # by somebody else meanwhile
    other.send()

    monkeypatch.setattr("facelib.archive.cluster.shared.folders", lambda: (tmp_path / "one",))
    places = ["--data-dir", "s3://films/data", "--output-dir", "s3://films/output"]
    told = CliRunner().invoke(main, ["forget", PERSON, "--project", "demo", *places, "--yes"])
    assert told.exit_code == 0, told.output
    assert told.output.startswith("In the project 'demo', below its folders")
    assert "stays     copies of the project on other machines" in told.output
    assert traces.found(in_bucket(tmp_path / "after"), sought) == []
    assert not [name for name in Store("s3://films").find() if PERSON in name]
    assert traces.found(one.project.data_dir.parent, sought) == []
    other.fetch()
    other.send()
    assert traces.found(other.project.data_dir.parent, sought) == []
    assert traces.found(in_bucket(tmp_path / "later"), sought) == []
    kept = ["Grace Hopper/0.jpg Grace Hopper", " Grace Hopper", "Grace Hopper/9.jpg "]
    assert decided(one) == decided(other) == kept
    assert "Grace Hopper" in set(pd.read_parquet(other.project.film("demo.mp4").tracks)["person"])
    told = CliRunner().invoke(main, ["forget", PERSON, "--project", "demo", *places, "--yes"])
    assert told.exit_code == 1 and "expected somebody of the cast" in told.output + told.stderr
