"""Live sessions on labelled clips, from their making to their end."""

import os
import resource
import threading
import time
from dataclasses import replace

import av
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import facelib
from facelib.films.media.decode import read_frames
from facelib.gallery import read_gallery
from facelib.live import LiveSession
from facelib.recognize import load_recognizer, save_recognizer
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.real_data


class TwoASecond:
    """A detector that is as slow as a bad machine: half a second a picture; `begun` is when it was given each."""

    def __init__(self, detector, seconds=0.5, begun=None):
        self._finder, self._seconds, self.begun = detector, seconds, [] if begun is None else begun
        self.name, self.description, self.score = detector.name, detector.description, detector.score

    def at_score(self, score):
        return TwoASecond(self._finder.at_score(score), self._seconds, self.begun)

    def detect(self, image):
        began = time.monotonic()
        self.begun.append(began)
        faces = self._finder.detect(image)
        time.sleep(max(0.0, self._seconds - (time.monotonic() - began)))
        return faces


def kinds(session):
    return [(change.kind, change.person) for change in session.changes()]


def names(session):
    view = session.view()
    return [face.person for face in view.faces] if view else []


def test_a_film_is_named_while_it_plays(cast_project, clip):
    heard = []
    session = LiveSession(clip("christian_bale1"), cast_project, on_change=heard.append)
    assert (session.running, session.state, session.view()) == (False, "connecting", None)

    with session:
        assert session.wait(PATIENCE)
        view = session.view()

    told = session.changes()
    assert [change.kind for change in told][0 :: len(told) - 1] == ["connected", "ended"]
    assert heard == told
    assert session.changes() == []
    assert "Christian Bale" in {change.person for change in told if change.kind == "named"}
    assert not {change.person for change in told} - {"", "unknown", "Christian Bale"}
    first = next(change for change in told if change.kind == "named")
    assert first.time < 2
    assert first.confidence >= 0.7
    appeared, left = ({c.track for c in told if c.kind == kind} for kind in ("appeared", "left"))
    assert appeared == left  # whoever came has gone in the end
    assert (view.state, session.state, session.running) == ("ended", "ended", False)
    assert view.image.shape == (720, 1280, 3)
    with pytest.raises(RuntimeError, match="new one"):
        session.start()


@pytest.mark.parametrize(("seconds", "between", "looks"), [(4.0, 0.0, 1), (0.0, 900.0, 2)])
def test_the_last_picture_of_a_film_is_recognised_however_long_it_takes(
    cast_project, clip, cut, seconds, between, looks
):
    detector = TwoASecond(facelib.load_detector(), seconds)
    options = {"detector": detector, "seconds_between_recognitions": between}
    with LiveSession(cut(clip("christian_bale1"), seconds=1), cast_project, **options) as session:
        assert session.wait(PATIENCE)

    assert (session.state, names(session)) == ("ended", ["Christian Bale"])
    assert len(detector.begun) > looks  # the first picture that it is given is to warm it up


def test_its_own_threads_and_files_are_released(cast_project, clip):
    film = clip("christian_bale1")
    with LiveSession(film, cast_project, loop=True) as session:
        session.start()  # goes on
        wait_until(lambda: session.view() is not None)
        assert os.path.realpath(film) in open_files()
    session.stop()  # once more

    assert session.state == "stopped"
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("facelib")]
    assert os.path.realpath(film) not in open_files()
    assert kinds(session)[-1] == ("stopped", "")


def open_files():
    folder = f"/proc/{os.getpid()}/fd"
    return {os.path.realpath(f"{folder}/{number}") for number in os.listdir(folder)}


def test_a_session_never_started_can_be_stopped(cast_project, clip):
    session = LiveSession(clip("christian_bale1"), cast_project)

    session.stop()

    assert session.state == "stopped"
    with pytest.raises(RuntimeError, match="new one"):
        session.start()


def test_it_can_be_stopped_from_within_a_change(cast_project, clip):
    session = LiveSession(clip("christian_bale1"), cast_project, loop=True, on_change=lambda _: session.stop())

    session.start()

    assert session.wait(PATIENCE)
    assert session.state == "stopped"


def test_a_listener_that_fails_stops_nothing(cast_project, clip, cut, caplog):
    def listen(change):
        raise KeyError(change.kind)

    with LiveSession(cut(clip("christian_bale1"), seconds=1), cast_project, on_change=listen) as session:
        assert session.wait(PATIENCE)

    assert session.state == "ended"
    assert "the listener failed" in caplog.text


def test_a_detector_that_breaks_ends_the_session_as_failed(cast_project, clip, caplog):
    class Broken(TwoASecond):
        def at_score(self, score):
            return self

        def detect(self, image):
            if image.shape == (720, 1280, 3):
                raise RuntimeError("out of order")
            return super().detect(image)

    with LiveSession(clip("christian_bale1"), cast_project, detector=Broken(facelib.load_detector(), 0)) as session:
        assert session.wait(PATIENCE)

    assert (session.state, session.message) == ("failed", "RuntimeError: out of order")
    assert kinds(session)[-1] == ("failed", "")


def test_a_stranger_is_enrolled_and_known_from_then_on(cast_project, clip):
    before = read_gallery(cast_project.faces).table
    with LiveSession(clip("jackie_chan1"), cast_project, loop=True) as session:
        wait_until(lambda: names(session) == ["unknown"] and session.view().faces[0].distance > 0)
        time.sleep(0.5)  # a better face than the first may come
        track = next(change.track for change in reversed(session.changes()) if change.track >= 0)
        colours = session.view().colours
        picture = session.enrol(track, " Jackie   Chan ")
        # Known when the film shows the same face anew, which is another track.
        wait_until(lambda: any(f.person == "Jackie Chan" and f.track > track for f in session.view().faces))
        assert "Jackie Chan" in session.people
        assert session.view().colours["Jackie Chan"].startswith("#")
        assert session.view().colours.items() >= colours.items()  # the others keep theirs
        told = session.changes()

    assert ("enrolled", "Jackie Chan", track) in [(c.kind, c.person, c.track) for c in told]
    assert picture.parent == cast_project.people / "Jackie Chan"
    with Image.open(picture) as saved:
        assert min(saved.size) > 100
    gallery = read_gallery(cast_project.faces)
    row = gallery.table.iloc[-1]
    assert (row["person"], row["used"], len(gallery.table)) == ("Jackie Chan", True, len(before) + 1)
    assert row["picture"] == picture.relative_to(cast_project.data).as_posix()
    face = Image.open(picture).crop(tuple(row[["left", "top", "right", "bottom"]].astype(int)))
    assert min(face.size) >= 40
    pd.testing.assert_frame_equal(gallery.table.iloc[:-1], before)
    recognizer, info = load_recognizer(cast_project.recognizer)
    assert recognizer.classes_.tolist() == ["Christian Bale", "Jackie Chan", "Steve Harvey"]
    assert (recognizer.k, recognizer.threshold, info.confidence_slope) == (3, 0.48, -30.0)
    assert info.pictures[-1] == row["picture"]


def test_enrolling_overwrites_nothing_and_uses_the_persons_own_spelling(cast_project, clip):
    (cast_project.people / "Jackie Chan").mkdir()
    with LiveSession(clip("jackie_chan1"), cast_project, loop=True) as session:
        wait_until(lambda: names(session) == ["unknown"] and session.view().faces[0].distance > 0)
        track = session.view().faces[0].track
        pictures = {session.enrol(track, "jackie chan") for _ in range(3)}

    assert len(pictures) == 3
    assert {picture.parent.name for picture in pictures} == {"Jackie Chan"}


@pytest.mark.parametrize("name", ["", "..", "a/b", "unknown", "Unknown 2", "not a face", "x" * 300])
def test_names_that_nobody_can_have_are_refused(cast_project, clip, name):
    session = LiveSession(clip("christian_bale1"), cast_project)

    with pytest.raises(ValueError, match="expected a"):
        session.enrol(0, name)

    session.stop()
    assert sorted(path.name for path in cast_project.people.iterdir()) == ["Christian Bale", "Steve Harvey"]


def test_nobody_who_was_not_seen_can_be_enrolled(cast_project, clip):
    session = LiveSession(clip("christian_bale1"), cast_project)

    with pytest.raises(ValueError, match="got 99"):
        session.enrol(99, "Ada")

    session.stop()
    assert not (cast_project.people / "Ada").exists()


def test_snapshot_and_recording_show_the_names(cast_project, clip):
    def some_pictures(*, named: int) -> None:
        seen: dict[float, bool] = {}
        wait_until(
            lambda: (
                seen.update({session.view().time: "Christian Bale" in names(session)})
                or (len(seen) > 5 and sum(seen.values()) >= named)
            )
        )

    with LiveSession(clip("christian_bale1"), cast_project, loop=True) as session:
        with pytest.raises(RuntimeError, match="none has come yet"):
            session.snapshot()
        wait_until(lambda: "Christian Bale" in names(session))
        view = session.view()
        taken = [session.snapshot(), session.snapshot(), session.snapshot(cast_project.output / "a.PNG")]
        film = session.record()
        assert session.recording == film
        with pytest.raises(RuntimeError, match="is being made; stop it first"):
            session.record()
        some_pictures(named=3)  # the first may have got its name when it was recorded already
        assert session.stop_recording() == film
        assert session.stop_recording() is None
        other = session.record(cast_project.output / "b.mp4")
        some_pictures(named=0)
        with pytest.raises(ValueError, match=r"\.mp4"):
            LiveSession(clip("christian_bale1"), cast_project, record="film.avi")

    assert len(set(taken)) == 3
    assert {path.parent for path in [*taken[:2], film]} == {cast_project.output / "live"}
    with Image.open(taken[0]) as shown:
        assert shown.size == (1280, 720)
    colour = [int(view.colours["Christian Bale"][i : i + 2], 16) for i in (1, 3, 5)]
    assert count_near(view.annotated(), colour) > 500
    assert count_near(view.image, colour) < 100
    with av.open(str(film)) as container:
        assert max(count_near(one.to_ndarray(format="rgb24"), colour) for one in container.decode(video=0)) > 500
    for path in (film, other):  # the second was finished by stopping
        with av.open(str(path)) as container:
            stamps = [frame.time for frame in container.decode(video=0)]
        assert len(stamps) > 2
        assert stamps[0] == 0
        assert np.all(np.diff(stamps) > 0)


def count_near(image, colour):
    return int((np.abs(image.astype(int) - colour).max(axis=2) < 40).sum())


def test_a_recording_that_exists_is_not_overwritten(cast_project, clip, tmp_path):
    film = tmp_path / "mine.mp4"
    film.write_text("mine")

    with pytest.raises(FileExistsError, match="another name"):
        LiveSession(clip("christian_bale1"), cast_project, record=film)

    assert film.read_text() == "mine"


def test_a_full_disk_ends_the_recording_and_not_the_session(cast_project, clip):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with LiveSession(clip("christian_bale1"), cast_project, loop=True) as session:
        wait_until(lambda: session.view() is not None)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            film = session.record()
            told = []
            wait_until(lambda: told.extend(session.changes()) or "unrecorded" in [change.kind for change in told])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        number = session.view().number
        wait_until(lambda: session.view().number > number)

    (message,) = [change.message for change in told if change.kind == "unrecorded"]
    assert film.name in message
    assert session.state == "stopped"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"seconds_between_recognitions": -1}, "seconds_between_recognitions"),
        ({"seconds_between_recognitions": float("nan")}, "seconds_between_recognitions"),
        ({"patience": 0}, "patience"),
        ({"detector": "none"}, "none"),
        ({"embedder": "none"}, "none"),
    ],
)
def test_bad_options_are_refused_at_once(cast_project, clip, options, what):
    with pytest.raises((ValueError, FileNotFoundError), match=what):
        LiveSession(clip("christian_bale1"), cast_project, **options)


def test_a_project_without_a_recognizer_is_told_what_to_run(cast_project, clip):
    cast_project.recognizer.unlink()

    with pytest.raises(FileNotFoundError, match="04_tune_threshold"):
        LiveSession(clip("christian_bale1"), cast_project)


def test_another_network_than_the_recognizers_is_refused(cast_project, clip, models_folder):
    with pytest.raises(ValueError, match=r"'dlib' with weights '\w{12}'.*'mobilefacenet' with weights"):
        LiveSession(clip("christian_bale1"), cast_project, embedder=models_folder / "mobilefacenet.onnx")


def test_any_recognizer_of_the_project_names(cast_project, clip, cut):
    knn, info = load_recognizer(cast_project.recognizer)
    svm = facelib.OpenSetSVM(farthest=0.48).fit(knn.vectors_, knn.classes_[knn.codes_])
    save_recognizer(svm, cast_project.recognizer, replace(info, kind="svm", k=1, threshold=0.5))

    with LiveSession(cut(clip("christian_bale1"), seconds=3), cast_project) as session:
        assert session.wait(PATIENCE)

    assert ("named", "Christian Bale") in kinds(session)


def test_the_first_picture_behind_a_cut_carries_its_names(cast_project, clip, make_film, monkeypatch):
    monkeypatch.setattr("facelib.live.player._LONGEST_HOLD", 60.0)  # however busy the machine is
    scenes = [next(read_frames(clip(stem))).image()[::2, ::2] for stem in ("steve_harvey1", "jackie_chan1")]
    pictures = [scene for scene in scenes * 2 for _ in range(35)]
    film = make_film(frames=len(pictures), pictures=pictures)
    means = [float(scene.mean()) for scene in scenes]
    assert abs(means[0] - means[1]) > 6
    shown, in_first = {}, []  # the people of each picture, and whether it is of the first scene

    def watched_long_enough():
        view = session.view()
        if view.number not in shown:
            shown[view.number] = [face.person for face in view.faces]
            mean = float(view.image.mean())
            in_first.append(abs(mean - means[0]) < abs(mean - means[1]))
        return False in in_first and sum(in_first[in_first.index(False) :]) > 5

    with LiveSession(film, cast_project, loop=True) as session:
        wait_until(lambda: "Steve Harvey" in names(session))
        wait_until(watched_long_enough, pause=0.002)

    assert all(people == ["Steve Harvey"] for people, first in zip(shown.values(), in_first, strict=True) if first)


@pytest.mark.parametrize("protocol", ["rtsp", "mjpeg"])
def test_the_delay_does_not_grow_when_recognition_is_slow(
    cast_project, clip, rtsp_server, mjpeg_server, protocol, make_long
):
    film = make_long(clip("christian_bale1"), seconds=9)
    server = rtsp_server(film) if protocol == "rtsp" else mjpeg_server(film, rate=30)
    delays, known, shown = [], [], []
    detector = TwoASecond(facelib.load_detector("centerface"))

    with LiveSession(server.address, cast_project, detector=detector) as session:
        wait_until(lambda: session.view() is not None)

        def watched_long_enough():
            view = session.view()
            if view.recognition_delay and (not shown or view.number != shown[-1]):
                delays.append(view.delay)
                known.append(view.recognition_delay)
                shown.append(view.number)
            return view.time >= 7 and len(shown) > 30

        wait_until(watched_long_enough)
        wait_until(lambda: session.state == "playing")
        rate = session.view().recognitions_per_second

    assert rate < 2.3
    # From one recognition to the next is what the recognition itself takes, however busy the machine is; a queue would
    # add that for each picture in it, and be seconds long by now.
    takes = np.median(np.diff(detector.begun))
    assert takes >= 0.5
    assert np.median(known[-30:]) < 2 * takes
    assert np.median(delays) < takes
