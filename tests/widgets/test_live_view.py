"""The live widget with a real film as its camera, as the page speaks to it: by its traits."""

from __future__ import annotations

import gc
import io
import math
import os
import socket
import subprocess
import sys
import textwrap
import time
import weakref
from pathlib import Path

import psutil
import pytest
from PIL import Image

import facelib
from facelib.films.media.decode import UnreadableFilm, probe
from facelib.gallery import read_gallery
from facelib.images import read_image
from facelib.recognize import load_recognizer
from facelib.widgets import LiveCamera, read_changes
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def project(tmp_path_factory, make_tuned_demo):
    """A project of each test's own: it enrols people, also when it is run once more."""
    project = make_tuned_demo(tmp_path_factory.mktemp("live"), 1.2)
    (project.videos / "demo_vfr.mp4").unlink()
    return project


@pytest.fixture(scope="module")
def detector():
    return facelib.load_detector("centerface", working_size=640)


@pytest.fixture
def camera(project, detector):
    # Not as often as it can, which would leave the page and other tests little of the machine.
    # No page answers here for minutes, where the machine is slow.
    often = {"detector": detector, "seconds_between_recognitions": 0.1, "patience": math.inf}
    with_loop = LiveCamera(project.videos / "demo.mp4", project, loop=True, **often)
    yield with_loop
    with_loop.close()


def let_play(camera, pictures=5):
    """Wait until so many further pictures have come."""
    seen = set()
    wait_until(lambda: len(seen.add(camera.played) or seen) > pictures)


def ask(camera, action, **more):
    """Do what the page does."""
    camera.set_state({"requests": [{"number": camera.handled + 1, "action": action, **more}]})


def is_open(film):
    return any(Path(file.path) == film.resolve() for file in psutil.Process().open_files())


def test_nothing_is_opened_before_start(camera, project):
    assert (camera.state, camera.message, camera.picture) == ("stopped", "Press Start.", b"")
    assert camera.source.endswith("demo.mp4") and camera.people == ["Eileen Collins", "Grace Hopper"]
    assert not is_open(project.videos / "demo.mp4") and camera.session is None and camera.started == ""
    assert camera.played == 0
    with pytest.raises(RuntimeError, match="press Start first"):
        camera.snapshot_page()


def test_the_page_starts_sees_names_and_stops(camera, project):
    ask(camera, "start")
    wait_until(lambda: any(face["label"].startswith("Eileen Collins") for face in camera.faces))
    assert (camera.state, camera.status, camera.error) == ("playing", "Started.", "")
    assert is_open(project.videos / "demo.mp4")
    assert Image.open(io.BytesIO(camera.picture)).size == (640, 360)
    wait_until(lambda: any(face["label"] == "Eileen Collins" for face in camera.seen) and camera.thumbnails)
    assert "played" in camera.facts
    first, number = camera.session, camera.number
    ask(camera, "start")  # once more changes nothing
    assert camera.session is first and camera.number >= number
    ask(camera, "stop")
    assert (camera.state, camera.message) == ("stopped", "Stopped; press Start to continue.")
    assert not is_open(project.videos / "demo.mp4") and camera.status == "Stopped."
    assert {"The source plays", "Stopped"} <= {event["text"] for event in camera.events}
    ask(camera, "start")  # goes on with a session of its own
    assert camera.session is not first and camera.handled == 4
    wait_until(lambda: camera.picture)


def test_a_snapshot_directly_after_the_start_has_names(camera):
    camera.start()
    assert "data:image/jpeg" in camera.snapshot_page().html
    assert "Eileen Collins" in camera.faces_page().html


def test_the_next_picture_waits_for_the_page(camera, monkeypatch):
    ask(camera, "start")
    wait_until(lambda: camera.number > 2)
    camera.set_state({"shown": camera.number})
    sent, begin = [], time.monotonic()
    camera.observe(lambda change: sent.append(change["new"]), names="number")
    wait_until(lambda: len(sent) >= 2)
    assert time.monotonic() - begin > 0.5  # the second was sent although the page did not answer the first
    monkeypatch.setattr("facelib.widgets.live_view_page._UNANSWERED", 600.0)
    sent.clear()
    wait_until(lambda: camera.set_state({"shown": camera.number}) or len(sent) > 3, pause=0.005)
    wait_until(lambda: "delay" in camera.facts)
    assert 0 <= float(camera.facts["delay"].removesuffix(" s")) < 60  # and no time of the day


def test_an_unknown_face_is_enrolled_and_named_from_then_on(camera, project):
    before = len(read_gallery(project.faces).table)
    ask(camera, "start")
    found = []
    wait_until(lambda: found.extend(face for face in camera.seen if not face["known"] and face["now"]) or found)
    stranger = found[0]
    wait_until(lambda: str(stranger["track"]) in camera.thumbnails)

    def enrolled() -> bool:
        ask(camera, "enrol", track=stranger["track"], person="nina")
        return camera.error == ""

    wait_until(enrolled)  # refused until its face was looked at
    assert camera.status.startswith("Enrolled as nina")
    assert len(list((project.people / "nina").iterdir())) == 1
    wait_until(lambda: any(face["label"] == "nina" for face in camera.seen))
    assert "nina" in camera.people and "nina" in load_recognizer(project.recognizer)[0].classes_
    assert len(read_gallery(project.faces).table) == before + 1
    ask(camera, "enrol", track=stranger["track"], person="Nina")
    assert (camera.asked["near"], camera.asked["same"]) == (["nina"], True)  # asks whether that is meant
    assert len(list((project.people / "nina").iterdir())) == 1
    ask(camera, "enrol", track=stranger["track"], person="nina")
    assert len(list((project.people / "nina").iterdir())) == 2 and not (project.people / "Nina").exists()
    assert any(event["text"] == "nina, enrolled" for event in camera.events)


def test_snapshot_and_recording(camera, project):
    ask(camera, "start")
    wait_until(lambda: camera.picture)
    ask(camera, "snapshot")
    snapshot = Path(camera.status.removeprefix("Saved "))
    assert read_image(snapshot).shape == (360, 640, 3)
    ask(camera, "record")
    wait_until(lambda: camera.recording)
    let_play(camera)
    ask(camera, "stop recording")
    first = Path(camera.status.removeprefix("Recorded "))
    wait_until(lambda: not camera.recording)
    ask(camera, "record")
    let_play(camera)
    ask(camera, "stop")
    second = Path(camera.status.removeprefix("Stopped; recorded "))
    assert first != second and probe(first).frames > 3 and probe(second).frames > 1
    ask(camera, "start")
    ask(camera, "record")
    wait_until(lambda: camera.recording)
    let_play(camera)
    camera.session.stop()  # nobody on the page asked for it, as where a film has ended
    wait_until(lambda: camera.status.startswith("Recorded "))
    assert probe(Path(camera.status.removeprefix("Recorded "))).frames > 1


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"action": "snapshot"}, "press Start first"),
        ({"action": "record"}, "press Start first"),
        ({"action": "stop"}, "press Start first"),
        ({"action": "enrol", "track": 1, "person": "Hedy"}, "press Start first"),
        ({"action": "enrol"}, "KeyError"),
        ({"action": "dance"}, "'dance'"),
        ({}, "got 'None'"),
    ],
)
def test_errors_are_shown_and_the_next_request_goes_on(camera, request_, message):
    camera.set_state({"requests": [{"number": 1, **request_}]})
    assert message in camera.error and camera.handled == 1 and camera.status == ""
    ask(camera, "start")
    assert camera.error == "" and camera.status == "Started."


@pytest.mark.parametrize(
    ("track", "person", "message"),
    [(12345, "Hedy", "12345"), (0, "a/b", "expected a name that a folder"), (0, "  ", "expected a name that a folder")],
)
def test_what_cannot_be_enrolled_is_refused_and_the_picture_goes_on(camera, project, track, person, message):
    people = sorted(project.people.rglob("*"))
    ask(camera, "start")
    wait_until(lambda: camera.seen)
    ask(camera, "enrol", track=track, person=person)
    assert message in camera.asked["problem"] and camera.asked["person"] == person  # the page asks again
    assert camera.error == camera.status == "" and sorted(project.people.rglob("*")) == people
    number = camera.number
    wait_until(lambda: camera.number > number)
    assert camera.state == "playing"


def test_requests_that_come_together_are_all_done_once(camera, project):
    kept = set((project.output / "live").glob("*.jpg"))
    ask(camera, "start")
    wait_until(lambda: camera.picture)
    requests = [{"number": n, "action": "snapshot"} for n in (2, 3, 4)]
    camera.set_state({"requests": requests[:2]})
    camera.set_state({"requests": requests})
    assert camera.handled == 4 and len(set((project.output / "live").glob("*.jpg")) - kept) == 3


def test_closing_it_or_opening_the_same_source_again_lets_go_of_it(project, detector):
    film = project.videos / "demo.mp4"
    first = LiveCamera(film, project, detector=detector, loop=True)
    first.start()
    wait_until(lambda: first.picture)
    second = LiveCamera(film, project, detector=detector, loop=True)  # as the cell does that is run again
    assert not is_open(film) and first.state == "stopped" and first.comm is None
    second.start()
    wait_until(lambda: second.picture)
    second.close()
    second.close()
    assert not is_open(film) and second.state == "stopped"


def test_a_page_that_lets_go_ends_it_and_one_that_comes_back_does_not(project, detector):
    film = project.videos / "demo.mp4"
    camera = LiveCamera(film, project, detector=detector, loop=True, patience=4.0)
    ask(camera, "start")
    wait_until(lambda: camera.set_state({"shown": camera.number}) or camera.number > 1)
    begin = time.monotonic()
    while time.monotonic() - begin < 5:  # longer than its patience
        camera.set_state({"shown": camera.number})
        time.sleep(0.02)
    assert camera.state == "playing"
    camera.set_state({"shown": -1})
    camera.set_state({"shown": camera.number})
    assert camera.state == "playing"
    camera.set_state({"shown": -1})
    wait_until(lambda: camera.state == "stopped")
    assert not is_open(film) and "no page shows" in camera.status
    camera.close()


def test_without_a_page_it_plays_on(project, detector):
    camera = LiveCamera(project.videos / "demo.mp4", project, detector=detector, loop=True, patience=0.2)
    camera.start()
    time.sleep(2.0)
    assert camera.state == "playing"
    camera.close()


def test_watching_for_some_seconds_and_to_the_end(tmp_path, make_tuned_demo, detector, capsys):
    project = make_tuned_demo(tmp_path, 0.4)
    film = project.videos / "demo.mp4"
    length = probe(film).duration
    camera = LiveCamera(film, project, detector=detector)
    camera.watch(1.5)
    assert camera.state == "stopped" and "/1.5 s" in capsys.readouterr().err  # the bar goes with its last move
    changes = read_changes(camera.changes_file, since=camera.started)
    assert changes["kind"].tolist()[0] == "connected" and changes["kind"].tolist()[-1] == "stopped"
    camera.watch(progress=False)
    assert camera.state == "ended" and capsys.readouterr().err == ""
    changes = read_changes(camera.changes_file, since=camera.started)
    assert changes["kind"].tolist()[-1] == "ended" and changes["time"].max() == pytest.approx(length, abs=0.3)
    assert camera.played == pytest.approx(length, abs=0.3)
    assert "<figure" in camera.faces_page().html and "data:image/jpeg" in camera.snapshot_page().html
    with pytest.raises(ValueError, match="expected seconds"):
        camera.watch(-1)
    camera.close()


def test_a_source_that_gives_no_picture_is_told(project, detector, monkeypatch):
    monkeypatch.setattr("facelib.widgets.live_view._FIRST", 1.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens there
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/picture.mjpg"
        camera = LiveCamera(address, project, detector=detector)
        with pytest.raises(OSError, match="expected pictures from 'http://127"):
            camera.watch(0.5, progress=False)
    assert camera.state == "stopped" and camera.picture == b""
    assert "No picture" in camera.snapshot_page().html
    camera.close()


def test_a_film_that_is_none_is_refused(project, detector, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no film")
    with pytest.raises(UnreadableFilm, match="broken"):
        LiveCamera(broken, project, detector=detector)


@pytest.mark.parametrize(
    "options", [{"picture_size": 0}, {"pictures_per_second": -1}, {"seconds_between_recognitions": -1}]
)
def test_bad_options_are_refused(project, detector, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        LiveCamera(project.videos / "demo.mp4", project, detector=detector, **options)


def test_a_film_that_is_not_there_is_refused(project, detector):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        LiveCamera("nowhere.mp4", project, detector=detector)


def test_the_picture_is_made_smaller_and_the_boxes_stay_in_place(project, detector):
    camera = LiveCamera(project.videos / "demo.mp4", project, detector=detector, loop=True, picture_size=320)
    camera.start()
    wait_until(lambda: camera.faces)
    assert Image.open(io.BytesIO(camera.picture)).size == (320, 180)
    assert all(0 <= share <= 1 for face in camera.faces for share in face["place"])
    camera.close()


def test_a_closed_one_holds_no_networks_and_pictures(project, detector):
    camera = LiveCamera(project.videos / "demo.mp4", project, detector=detector)
    camera.watch(0.5, progress=False)
    session = weakref.ref(camera.session)
    camera.close()
    gc.collect()
    assert session() is None and camera.session is None


def test_the_end_of_the_process_finishes_the_recording(project, tmp_path):
    program = f"""
        import time
        from facelib.project import Project
        from facelib.widgets import LiveCamera
        project = Project("demo", {str(project.data_dir)!r}, {str(tmp_path)!r})
        camera = LiveCamera(project.videos / "demo.mp4", project, detector="haar", loop=True, record=True)
        camera.start()
        seen = set()
        while len(seen) < 10:
            seen.add(camera.played)
            time.sleep(0.01)
    """
    (tmp_path / "demo").mkdir()
    for path in (project.faces, project.recognizer, project.recognizer.with_suffix(".json")):
        (tmp_path / "demo" / path.name).write_bytes(path.read_bytes())
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=PATIENCE, env=environment)
    (recording,) = (tmp_path / "demo" / "live").glob("*.mp4")
    assert probe(recording).frames > 3
    assert read_changes(tmp_path / "demo" / "live" / "changes.jsonl")["kind"].iloc[-1] == "stopped"
