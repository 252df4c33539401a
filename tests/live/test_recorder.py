"""Recordings: their times, and what is left when the machine fails."""

import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest

from facelib.films.media.decode import probe, read_frames
from facelib.live.frames import LiveFrame
from facelib.live.recorder import Recorder
from facelib.live.view import LiveView

PICTURE = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)


def view(time_, image=PICTURE, number=0):
    return LiveView(LiveFrame.of(image, number=number, time_=time_))


def read(path):
    with av.open(f"file:{path}") as container:
        return [frame.time for frame in container.decode(video=0)], container.duration / 1e6


def test_every_picture_keeps_its_own_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recorder = Recorder("to: me.mp4")  # no address of a protocol `to`
    times = [7.0, 7.04, 7.1, 8.5, 8.501, *(12 + i / 25 for i in range(20))]
    for time_ in times:
        recorder.add(view(time_))
    recorder.close()
    recorder.close()

    stamps, duration = read(recorder.path)
    assert stamps == pytest.approx([time_ - 7 for time_ in times], abs=1e-3)
    assert duration == pytest.approx(5.8, abs=0.1)
    assert (recorder.written, recorder.lost, recorder.problem) == (25, 0, "")


@pytest.mark.parametrize(
    ("times", "duration"),
    [
        ([0.0], 1 / 30),
        ([0.0, 1.0], 2.0),
        ([*(number / 25 for number in range(80)), 3.6, 3.96], 4.32),  # the last lasts as long as the one before
        ([0.0, 0.04, 0.08, 2.0, 2.04, 4.0], 5.96),
    ],
)
def test_its_stated_length_reaches_beyond_the_last_picture_whatever_is_missing(tmp_path, times, duration):
    recorder = Recorder(tmp_path / "film.mp4")
    for number, time_ in enumerate(times):
        recorder.add(view(time_))
        while number - recorder.written > 20:  # all are to be written
            time.sleep(0.01)
    recorder.close()

    assert (recorder.written, recorder.lost) == (len(times), 0)
    assert probe(recorder.path).duration == pytest.approx(duration, abs=1e-3)


def test_times_that_do_not_rise_and_other_sizes_are_written_all_the_same(tmp_path):
    recorder = Recorder(tmp_path / "film.mp4")
    for time_, image in [(1.0, PICTURE), (1.0, PICTURE[:51, :77]), (0.5, PICTURE)]:
        recorder.add(view(time_, image))
    recorder.close()

    stamps, _ = read(recorder.path)
    assert len(stamps) == 3
    assert np.all(np.diff(stamps) > 0)


def test_nothing_recorded_leaves_no_file(tmp_path):
    recorder = Recorder(tmp_path / "film.mp4")
    recorder.close()
    recorder.add(view(0.0))

    assert not recorder.path.exists()
    assert recorder.written == 0


def test_two_recordings_that_begin_at_one_moment_do_not_share_a_file(tmp_path):
    first = Recorder(tmp_path / "a" / "film.mp4")
    with pytest.raises(FileExistsError, match="choose another name"):
        Recorder(tmp_path / "a" / "film.mp4")
    first.add(view(0.0))
    first.close()
    assert len(read(first.path)[0]) == 1


def test_what_comes_too_fast_is_counted_and_waits_for_nobody(tmp_path):
    large = np.zeros((1080, 1920, 3), np.uint8)
    recorder = Recorder(tmp_path / "film.mp4")
    views = [view(i / 1000, large) for i in range(4)]
    for i in range(150):
        recorder.add(views[i % 4])
    recorder.close()

    assert recorder.written + recorder.lost == 150
    assert recorder.lost > 0


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(OSError, match="file"):
        Recorder(tmp_path / "file" / "film.mp4")


def test_a_recording_that_was_killed_plays(tmp_path):
    program = f"""
import sys, time
import numpy as np
from facelib.live.frames import LiveFrame
from facelib.live.recorder import Recorder
from facelib.live.view import LiveView
recorder = Recorder({str(tmp_path / "film.mp4")!r})
for i in range(10_000):
    image = np.random.default_rng(i).integers(0, 255, (90, 120, 3), np.uint8)
    recorder.add(LiveView(LiveFrame.of(image, number=i, time_=i / 25)))
    if recorder.written > 200:
        print("well under way", flush=True)
        time.sleep(60)
    time.sleep(0.002)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "well under way\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()

    times = [frame.time for frame in read_frames(tmp_path / "film.mp4")]  # its last piece is cut off
    assert len(times) > 50
    steps = 25 * np.diff(times)  # a busy machine leaves pictures out; those that are there have their own times
    assert np.all(steps > 0.9)
    assert np.allclose(steps, steps.round(), atol=0.025)
