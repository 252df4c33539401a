"""A person is forgotten: nothing of the pictures, the vectors or the name is left in the store or the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from facelib.archive import forget, update_archive
from facelib.archive.forget import forget_person
from facelib.films.unknowns.kept import read_groups
from facelib.gallery import read_gallery
from facelib.project import Project
from facelib.project.decisions import append_decision, read_decisions
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune
from facelib.server.jobs.child import _run as run_job
from facelib.server.settings import while_nobody_is_forgotten
from tests import traces

DEMO = "/api/v1/projects/demo"
PERSON = "Eileen Collins"


def _in_database(client: TestClient) -> bool:
    with client.app.state.store.engine.connect() as connection:
        tables = client.app.state.store.engine.dialect.get_table_names(connection)
        rows = [str(row) for table in tables for row in connection.execute(text(f'select * from "{table}"'))]
    assert rows
    return any(PERSON in row for row in rows)


@pytest.fixture
def busy(films: TestClient, named: Project) -> TestClient:
    """A project in which the person has left traces everywhere."""
    update_archive(named, progress=False)
    run = named.runs / "2026-11-28T10-00-00"
    run.mkdir(parents=True)
    (run / "05_annotate_video.ipynb").write_text(f'{{"text": "{PERSON}"}}')
    (run / "05_annotate_video.html").write_text(f"<p>{PERSON}</p>")
    (run / "07_evaluate.html").write_text("<p>Grace Hopper</p>")
    other = next(one for one in films.get(f"{DEMO}/tracks").json()["items"] if one["label"] == "Grace Hopper")
    body = {"action": "name", "name": PERSON, "tracks": [{"video": other["video"], "track": other["track"]}]}
    assert films.post(f"{DEMO}/corrections", json=body).status_code == 201
    picture = films.get(f"{DEMO}/people/{PERSON}/pictures").json()["items"][0]["name"]
    assert films.patch(f"{DEMO}/people/{PERSON}/pictures/{picture}", json={"disabled": True}).status_code == 200
    job = films.post(f"{DEMO}/jobs", json={"kind": "gather", "parameters": {"names": [PERSON]}})
    assert job.status_code == 202, job.text
    assert films.post(f"{DEMO}/jobs/{job.json()['id']}/cancel").status_code == 202
    return films


def test_everything_is_forgotten(busy: TestClient, named: Project) -> None:
    typed = named.corrections.read_text().replace(f",{PERSON},", ",EILEEN  collins,")
    named.corrections.write_text(typed)
    assert "EILEEN" in typed
    sought = traces.of(named, PERSON)
    before = {kind for kind, _ in traces.found(named.data_dir.parent, sought)}
    assert before == {"pictures", "digests", "vectors", "name"} and _in_database(busy)
    others = busy.get(f"{DEMO}/tracks", params={"label": "Grace Hopper", "limit": 1000}).json()
    answer = busy.post(f"{DEMO}/people/{PERSON}/forget", json={})
    assert answer.status_code == 200, answer.text
    assert traces.found(named.data_dir.parent, sought) == []
    assert not _in_database(busy) and "EILEEN" not in named.corrections.read_text()
    assert "data/people/" in "".join(answer.json()["removed"]) and answer.json()["stays"]
    # The others are as they were.
    assert [one["name"] for one in busy.get(f"{DEMO}/people").json()["items"]] == ["Grace Hopper"]
    after = busy.get(f"{DEMO}/tracks", params={"label": "Grace Hopper", "limit": 1000}).json()
    assert after["total"] == others["total"] > 0
    assert load_recognizer(named.recognizer)[0].classes_.tolist() == ["Grace Hopper"]
    assert (named.runs / "2026-11-28T10-00-00" / "07_evaluate.html").is_file()
    assert busy.get("/api/v1/search/scenes", params={"with": PERSON}).status_code == 404
    assert busy.get("/api/v1/search/scenes", params={"with": "Grace Hopper"}).json()["total"] > 0
    assert busy.post(f"{DEMO}/people/{PERSON}/forget", json={}).status_code == 404


def test_the_name_is_kept_and_the_face_dropped(busy: TestClient, named: Project) -> None:
    sought = traces.of(named, PERSON)
    del sought["name"]
    tracks = busy.get(f"{DEMO}/tracks", params={"label": PERSON, "limit": 1000}).json()
    answer = busy.post(f"{DEMO}/people/{PERSON}/forget", json={"keep_name": True})
    assert answer.status_code == 200, answer.text
    assert traces.found(named.data_dir.parent, sought) == []
    after = busy.get(f"{DEMO}/tracks", params={"label": PERSON, "limit": 1000}).json()
    assert after["total"] == tracks["total"] > 0
    assert all(one["decided"] and not one["pictures"] for one in after["items"])
    assert busy.get("/api/v1/search/scenes", params={"with": PERSON}).json()["total"] > 0
    assert PERSON not in [one["name"] for one in busy.get(f"{DEMO}/people").json()["items"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of the database nothing is asked
@pytest.mark.parametrize("keep_name", [False, True])
def test_of_a_film_that_is_gone_the_results_are_forgotten(busy: TestClient, named: Project, keep_name: bool) -> None:
    sought = traces.of(named, PERSON)
    gone = named.find_videos()[0]
    files = named.film(gone)
    looks, own = pd.read_parquet(files.looks), forget._tracks_of(files, [PERSON])
    files.annotated.write_bytes(b"a film with the name on it")
    gone.rename(gone.with_name("renamed.mp4"))  # or lies in a folder of its own, and was named by its path
    forget_person(named, PERSON, keep_name=keep_name)
    left = {kind for kind, place in traces.found(named.data_dir.parent, sought) if ".server" not in str(place)}
    assert left == ({"name"} if keep_name else set()) and own
    assert files.annotated.exists() == keep_name
    others = looks[~looks["track"].isin(own)].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_parquet(files.looks), others)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of the database nothing is asked
@pytest.mark.parametrize("broken_off", ["_forget_tracks", "_settle", "_forget_recognizer", "_sweep"])
def test_what_is_broken_off_is_finished_by_forgetting_again(
    busy: TestClient, named: Project, monkeypatch: pytest.MonkeyPatch, broken_off: str
) -> None:
    sought = traces.of(named, PERSON)
    decisions = len(read_decisions(named.corrections))

    def break_off(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(forget, broken_off, break_off)
        with pytest.raises(OSError, match="No space left"):
            forget_person(named, PERSON)
    assert len(read_decisions(named.corrections)) >= decisions - 2
    drawn = named.film(named.find_videos()[0]).annotated
    drawn.write_bytes(b"a film with the name on it")
    forget_person(named, PERSON)
    left = [place for _, place in traces.found(named.data_dir.parent, sought)]
    assert [place for place in left if ".server" not in str(place)] == [] and not drawn.exists()
    with pytest.raises(ValueError, match="expected somebody of the cast or of the films"):
        forget_person(named, PERSON)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of the database nothing is asked
@pytest.mark.parametrize("killed_in", ["looks", "settle_films", "tune_again"])
def test_nothing_of_the_person_stays_and_nothing_of_others_goes_where_it_was_killed(
    busy: TestClient, named: Project, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    vectors = {film: pd.read_parquet(named.film(film).looks) for film in named.find_videos()}
    own = {film: forget._tracks_of(named.film(film), [PERSON]) for film in vectors}
    assert read_groups(named) is not None
    change = forget._change_table

    def change_until(path: Path, *rest: Any, **options: Any) -> None:
        if path.name == "looks.parquet":
            raise KeyboardInterrupt
        change(path, *rest, **options)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        moment = ("_change_table", change_until) if killed_in == "looks" else (killed_in, killed)
        patch.setattr(forget, *moment)
        with pytest.raises(KeyboardInterrupt):
            forget_person(named, PERSON)
    forget_person(named, PERSON)
    for film, before in vectors.items():
        assert own[film]
        others = before[~before["track"].isin(own[film])].reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.read_parquet(named.film(film).looks), others)
    assert read_groups(named) is not None
    assert load_recognizer(named.recognizer)[0].classes_.tolist() == ["Grace Hopper"]


def test_a_recognizer_that_needs_two_people_goes_with_the_second(named: Project) -> None:
    tune(read_gallery(named.faces), kind="svm", fallback=0.5, progress=False).save(named.recognizer, most_unnamed=1)
    forget_person(named, PERSON)
    assert not named.recognizer.exists() and len(read_gallery(named.faces).used)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of the database nothing is asked
def test_decisions_of_others_are_there_at_every_moment(busy: TestClient, named: Project, monkeypatch) -> None:
    name = "Grace Hopper"
    append_decision(named.corrections, f"people/{name}/a.jpg", was=name, now_is=name)
    others = (read_decisions(named.corrections)["picture"] == f"people/{name}/a.jpg").sum()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("facelib.project.files.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            forget._forget_decisions(named, [PERSON], forget.Forgotten(PERSON))
    assert (read_decisions(named.corrections)["picture"] == f"people/{name}/a.jpg").sum() == others == 1


def test_who_may_not(films: TestClient, named: Project, client_with: Callable[..., TestClient]) -> None:
    for grants, status in (({"demo": "correct"}, 403), ({"other": "admin"}, 404)):
        assert client_with(grants).post(f"{DEMO}/people/{PERSON}/forget", json={}).status_code == status
    for nobody in ("Nobody", "unknown", "not a face", "%2e%2e", "%2e", "Eileen", "Collins"):
        assert films.post(f"{DEMO}/people/{nobody}/forget", json={}).status_code in (404, 405)
    assert named.videos.is_dir() and films.get(f"{DEMO}/tracks").json()["total"] > 0
    assert films.post(f"{DEMO}/people/{PERSON}/forget", json={"keep_name": "perhaps"}).status_code == 422
    assert len(named.find_pictures(PERSON)) > 1


def test_nobody_is_forgotten_while_a_job_begins_or_runs(films: TestClient, named: Project) -> None:
    begun = films.post(f"{DEMO}/jobs", json={"kind": "train"})
    refused = films.post(f"{DEMO}/people/{PERSON}/forget", json={})
    assert refused.status_code == 409 and "wait or cancel it" in refused.json()["detail"]
    assert films.post(f"{DEMO}/jobs/{begun.json()['id']}/cancel").status_code == 202
    job = {
        "project": "demo",
        "data_dir": str(named.data_dir),
        "output_dir": str(named.output_dir),
        "notebooks": None,
        "kernels": "",
    }
    with while_nobody_is_forgotten(named):  # as another request holds it, which no job was seen by
        with pytest.raises(BlockingIOError, match="being forgotten"):
            run_job({**job, "steps": [3], "finished": [], "parameters": {}}, print)
        assert films.post(f"{DEMO}/people/{PERSON}/forget", json={}).status_code == 409
    assert len(named.find_pictures(PERSON)) > 1
