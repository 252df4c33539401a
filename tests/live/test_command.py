"""`facelib live`, as a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from facelib.films.media.decode import read_frames
from facelib.live.command import check_display
from facelib.plots.colours import colours_of
from tests.waiting import PATIENCE, wait_until

from ..forked import FACELIB

pytestmark = pytest.mark.real_data

# In a process of its own: PyAV and OpenCV bring libxcb each, and do not bear each other's.
GRAB = """
import sys, av
with av.open(sys.argv[1], format="x11grab", options={"video_size": "1280x800", "draw_mouse": "0"}) as screen:
    next(screen.decode(video=0)).to_image().save(sys.argv[2])
"""


@pytest.fixture
def run_live(cast_project, facelib_command):
    """Return a function that starts `facelib live` on the project."""

    def start(source, *options, command=facelib_command, stdout=None, **environment):
        place = ["--project", "cast", "--data-dir", cast_project.data_dir, "--output-dir", cast_project.output_dir]
        place += ["--seconds-between-recognitions", "0.2"]  # it leaves other tests some of the machine
        words = [*command, "live", source, *place, *options]
        process = subprocess.Popen(
            [str(word) for word in words],
            stdout=subprocess.PIPE if stdout is None else os.open(stdout, os.O_WRONLY),
            stderr=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}} | environment,
        )
        running.append(process)
        return process

    running = []
    yield start
    for process in running:
        if process.poll() is None:  # a failed test has left it
            process.kill()
            process.communicate()


@pytest.fixture
def display():
    """A screen that nobody sees, of 1280x800."""
    if not shutil.which("Xvfb"):
        if os.environ.get("CI") == "true":
            pytest.fail("expected Xvfb: apt-get install xvfb")
        pytest.skip("needs Xvfb: apt-get install xvfb")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield f":{server.stdout.readline().strip()}"
    server.terminate()
    server.communicate()


@pytest.fixture
def see(display, tmp_path):
    """Return a function that takes a picture of the screen."""

    def take():
        path = tmp_path / "screen.png"
        subprocess.run([sys.executable, "-c", GRAB, display, str(path)], check=True, timeout=PATIENCE)
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))

    return take


def test_headless_prints_a_line_of_json_a_change(run_live, clip):
    out, errors = (process := run_live(clip("christian_bale1"), "--headless", command=FACELIB)).communicate(
        timeout=PATIENCE
    )

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
    rest, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert json.loads(rest.splitlines()[-1])["kind"] == "stopped"
    assert str(film) in errors
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 1


def test_it_ends_after_the_seconds_asked_for(run_live, clip):
    out, _ = (process := run_live(clip("christian_bale1"), "--headless", "--loop", "--seconds", 1)).communicate(
        timeout=PATIENCE
    )

    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["kind"] == "stopped"


def test_it_ends_when_nobody_reads_any_more(run_live, clip):
    process = run_live(clip("christian_bale1"), "--headless", "--loop")
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(timeout=PATIENCE) == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_it_ends_in_an_error_when_the_disk_is_full(run_live, clip):
    process = run_live(clip("christian_bale1"), "--headless", "--loop", stdout="/dev/full")
    _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert errors.splitlines() == ["Error: the changes cannot be written: No space left on device"]


def test_a_source_that_fails_is_an_error(run_live):
    out, errors = (process := run_live("rtsp://127.0.0.1:9/x", "--headless", "--patience", 1)).communicate(
        timeout=PATIENCE
    )

    assert process.returncode == 1
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["lost", "failed"]
    assert errors.startswith("Error: rtsp://127.0.0.1:9/x cannot be opened")


def test_without_a_display_headless_is_named(run_live, clip):
    out, errors = (process := run_live(clip("christian_bale1"))).communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (1, "")
    assert "--headless" in errors
    assert len(errors.splitlines()) == 1


def test_with_a_display_nothing_is_said(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")

    check_display()


def test_a_window_shows_the_film_with_its_names(run_live, clip, display, see):
    film = clip("christian_bale1")
    colour = colours_of(["Christian Bale", "Steve Harvey"])["Christian Bale"]
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    process = run_live(film, "--loop", DISPLAY=display)
    screen = []

    def is_named():
        assert process.poll() is None, process.stderr.read()
        screen[:] = [see()]
        return (np.abs(screen[0].astype(int) - wanted).max(axis=2) < 8).sum() > 1000

    wait_until(is_named)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out, errors) == (0, "", "")
    shown = small(screen[0][:720])  # a window without a frame lies in the corner
    assert min(np.abs(small(frame.image()) - shown).mean() for frame in read_frames(film)) < 12


def small(image):
    return cv2.resize(image, (64, 36), interpolation=cv2.INTER_AREA).astype(int)


def test_the_window_closes_after_the_seconds_asked_for(run_live, clip, display):
    process = run_live(clip("christian_bale1"), "--loop", "--seconds", 1, DISPLAY=display)

    out, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out, errors) == (0, "", "")
