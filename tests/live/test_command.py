"""`facelib live`, as a process of its own."""

import json
import os
import signal
import subprocess
import sys

import av
import pytest

from facelib.live.command import check_display

pytestmark = pytest.mark.real_data


@pytest.fixture
def run_live(cast_project):
    """Return a function that starts `facelib live` on the project."""

    def start(source, *options):
        place = ["--project", "cast", "--data-dir", cast_project.data_dir, "--output-dir", cast_project.output_dir]
        command = [sys.executable, "-c", "from facelib.cli import main; main()", "live", source, *place, *options]
        return subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key not in {"DISPLAY", "WAYLAND_DISPLAY"}},
        )

    return start


def test_headless_prints_a_line_of_json_a_change(run_live, clip):
    out, errors = (process := run_live(clip("christian_bale1"), "--headless")).communicate(timeout=180)

    assert (process.returncode, errors) == (0, "")
    changes = [json.loads(line) for line in out.splitlines()]
    assert [changes[0]["kind"], changes[-1]["kind"]] == ["connected", "ended"]
    assert {"named", "appeared", "left"} <= {change["kind"] for change in changes}
    assert "Christian Bale" in {change["person"] for change in changes if change["kind"] == "named"}
    assert list(changes[0]) == ["when", "time", "kind", "track", "person", "confidence", "message"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_when_asked_and_its_recording_plays(run_live, clip, tmp_path, number):
    film = tmp_path / "live.mp4"
    process = run_live(clip("christian_bale1"), "--headless", "--loop", "--record", film)
    for line in process.stdout:  # each is there as soon as it is true
        if json.loads(line)["kind"] == "named":
            break

    process.send_signal(number)
    rest, errors = process.communicate(timeout=60)

    assert process.returncode == 0
    assert json.loads(rest.splitlines()[-1])["kind"] == "stopped"
    assert str(film) in errors
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 1


def test_it_ends_after_the_seconds_asked_for(run_live, clip):
    out, _ = (process := run_live(clip("christian_bale1"), "--headless", "--loop", "--seconds", 2)).communicate(
        timeout=120
    )

    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["kind"] == "stopped"


def test_it_ends_when_nobody_reads_any_more(run_live, clip):
    process = run_live(clip("christian_bale1"), "--headless", "--loop")
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(timeout=120) == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_source_that_fails_is_an_error(run_live):
    out, errors = (process := run_live("rtsp://127.0.0.1:9/x", "--headless", "--patience", 1)).communicate(timeout=120)

    assert process.returncode == 1
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["lost", "failed"]
    assert errors.startswith("Error: rtsp://127.0.0.1:9/x cannot be opened")


def test_without_a_display_headless_is_named(run_live, clip):
    out, errors = (process := run_live(clip("christian_bale1"))).communicate(timeout=120)

    assert (process.returncode, out) == (1, "")
    assert "--headless" in errors
    assert len(errors.splitlines()) == 1


def test_with_a_display_nothing_is_said(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")

    check_display()
