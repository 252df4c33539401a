"""The demo as a whole: what it leaves in a project, that it is whole, and that facelib can work on it."""

import importlib.util
import itertools
import json
import math
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import av
import dlib
import numpy as np
import pandas as pd
import pytest

from facelib.demo import make_demo
from facelib.detect import load_detector
from facelib.faces import iou
from facelib.images import UnreadablePicture, read_image
from facelib.project import Project
from tests.waiting import kill_once

pytestmark = pytest.mark.long

CAST = ["Eileen Collins", "Grace Hopper"]
CORNERS = ["left", "top", "right", "bottom"]
SHORT = 0.08  # seconds per shot: two frames, the least


@pytest.fixture(scope="module")
def demo(tmp_path_factory, copy_demo):
    """The demo as users get it, by the command."""
    return copy_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def short_demo(tmp_path_factory):
    project = Project("short", tmp_path_factory.mktemp("short"))
    make_demo(project, seconds_per_shot=SHORT, progress=False)
    return project


@pytest.fixture(scope="module")
def embed():
    """face_recognition's recipe by dlib itself, so that the demo is judged by nothing of facelib's."""
    models = Path(importlib.util.find_spec("face_recognition_models").origin).parent / "models"
    points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def embedding(image, box):
        rectangle = dlib.rectangle(*(round(float(side)) for side in box))
        return np.array(network.compute_face_descriptor(image, points(image, rectangle)))

    return embedding


@pytest.fixture(scope="module")
def gallery(demo, embed):
    """Person -> embeddings of the pictures with one face, which must be all but the planted faults."""
    detector = load_detector("mtcnn")
    vectors = {person: [] for person in CAST}
    for person in CAST:
        for path in demo.find_pictures(person):
            if "copy" in path.stem or path.stem in {"two_people", "broken_download", "no_face"}:
                continue
            image = read_image(path)
            faces = detector.detect(image)
            assert len(faces) == 1, path.name
            assert 60 <= faces.heights[0] <= 320, path.name  # MTCNN's boxes are about a fifth higher than the truth's
            vectors[person].append(embed(image, faces.boxes[0]))
    return {person: np.array(found) for person, found in vectors.items()}


def decode(path, every=1):
    """Yield number and picture of every so many frames."""
    with av.open(str(path)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if number % every == 0:
                yield number, frame.to_ndarray(format="rgb24")


@cache
def times_of(path):
    """Return when each frame is shown, in seconds."""
    with av.open(str(path)) as film:
        return np.array([float(frame.pts * frame.time_base) for frame in film.decode(video=0)])


def test_leaves_what_a_project_needs(demo):
    assert demo.find_people() == CAST
    for person in CAST:
        varied = [path for path in demo.find_pictures(person) if path.stem[-2:].isdigit()]
        assert len(varied) == 24
        assert len({path.read_bytes() for path in varied}) == 24
    assert [film.name for film in demo.find_videos()] == ["demo.mp4", "demo_vfr.mp4"]
    assert sorted(path.name for path in (demo.data / "truth").iterdir()) == ["demo.csv", "demo_vfr.csv"]
    listed = json.loads((demo.data / "demo.json").read_text())["files"]
    there = {path.relative_to(demo.data).as_posix() for path in demo.data.rglob("*.*") if path.name != "demo.json"}
    assert set(listed) == there


def test_plants_four_faults(demo):
    collins, hopper = (demo.people / person for person in CAST)
    assert (collins / "eileen_collins_05_copy.jpg").read_bytes() == (collins / "eileen_collins_05.jpg").read_bytes()
    with pytest.raises(UnreadablePicture):
        read_image(hopper / "broken_download.jpg")
    detector = load_detector("mtcnn")
    assert len(detector.detect(read_image(hopper / "no_face.jpg"))) == 0
    assert len(detector.detect(read_image(collins / "two_people.jpg"))) == 2


def test_gallery_varies_but_each_person_stays_one(gallery):
    collins, hopper = (gallery[person] for person in CAST)
    for vectors in (collins, hopper):
        spread = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
        assert spread.mean() > 0.05 and spread.max() < 0.4
    assert np.linalg.norm(collins[:, None] - hopper[None], axis=2).min() > 0.5


def test_film_is_h264_with_sound_at_25_frames_a_second(demo):
    with av.open(str(demo.videos / "demo.mp4")) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        assert (video.codec.name, video.pix_fmt, video.width, video.height) == ("h264", "yuv420p", 640, 360)
        assert video.average_rate == 25 and float(video.duration * video.time_base) == 30.0
        assert audio.codec.name == "aac" and abs(float(audio.duration * audio.time_base) - 30.0) < 0.05
        loudness = [np.abs(frame.to_ndarray()).mean() for frame in film.decode(audio=0)]
    assert np.mean(loudness) > 0.01
    np.testing.assert_allclose(times_of(demo.videos / "demo.mp4"), np.arange(750) / 25, atol=1e-6)


def test_film_has_ten_shots_with_hard_cuts(demo):
    small = [image[::8, ::8].astype(float) for _, image in decode(demo.videos / "demo.mp4")]
    change = np.array([np.abs(after - before).mean() for before, after in itertools.pairwise(small)])
    cuts = np.flatnonzero(change > 20) + 1
    assert cuts.tolist() == list(range(75, 750, 75))
    assert np.delete(change, cuts - 1).max() < 15


def test_copy_varies_in_frame_rate_and_keeps_sound_and_length(demo):
    times = times_of(demo.videos / "demo_vfr.mp4")
    steps = np.diff(times)
    assert steps.min() >= 0.0199 and steps.max() <= 0.1401 and steps.std() > 0.015
    assert times[0] == 0 and times[-1] == pytest.approx(29.96)
    sounds = []
    for name in ("demo.mp4", "demo_vfr.mp4"):
        with av.open(str(demo.videos / name)) as film:
            assert film.duration == pytest.approx(30_000_000, abs=50_000)
            sounds.append(b"".join(bytes(packet) for packet in film.demux(audio=0)))
    assert sounds[0] == sounds[1]


@pytest.mark.parametrize("name", ["demo", "demo_vfr"])
def test_truth_lists_every_face(demo, name):
    truth = pd.read_csv(demo.data / "truth" / f"{name}.csv")
    assert list(truth.columns) == ["frame", *CORNERS, "person"]
    assert set(truth.person) == {*CAST, "unknown"}
    count = len(times_of(demo.videos / f"{name}.mp4"))
    assert truth.frame.max() == count - 1
    assert truth[CORNERS].to_numpy().min() >= 0
    assert truth.right.max() <= 640 and truth.bottom.max() <= 360
    heights = truth.bottom - truth.top
    assert 58 <= heights.min() < 70 and 185 < heights.max() <= 195
    together = truth.groupby("frame").person.agg(lambda people: tuple(sorted(people)))
    expected = {
        *((person,) for person in (*CAST, "unknown")),
        tuple(CAST), (CAST[0], "unknown"), (CAST[1], "unknown"), (*CAST, "unknown"),
    }  # fmt: skip
    assert set(together) == expected
    assert together.size < count - 20  # somewhere there is nobody


def test_faces_of_the_film_are_found_where_the_truth_says(demo):
    truth = pd.read_csv(demo.data / "truth" / "demo.csv").groupby("frame")
    detector = load_detector("mtcnn")
    found = wanted = false = 0
    for number, image in decode(demo.videos / "demo.mp4", every=5):
        boxes = detector.detect(image).boxes
        known = truth.get_group(number)[CORNERS].to_numpy() if number in truth.groups else np.empty((0, 4))
        overlap = iou(known, boxes) > 0.5
        found += overlap.any(axis=1).sum()
        wanted += len(known)
        false += (~overlap.any(axis=0)).sum()
    assert wanted > 190
    assert found / wanted >= 0.97
    assert false <= 4


def test_times_of_the_copy_match_its_truth(demo):
    """A frame of the copy shows what the film shows at that time, and its truth says the same."""
    steady, varying = (pd.read_csv(demo.data / "truth" / f"{name}.csv") for name in ("demo", "demo_vfr"))
    source = np.round(times_of(demo.videos / "demo_vfr.mp4") * 25).astype(int)
    mapped = varying.assign(frame=source[varying.frame])
    kept = steady[steady.frame.isin(source)].reset_index(drop=True)
    pd.testing.assert_frame_equal(mapped, kept)


def test_cast_is_near_its_gallery_and_strangers_are_far(demo, gallery, embed):
    truth = pd.read_csv(demo.data / "truth" / "demo.csv").groupby("frame")
    means = {person: vectors.mean(axis=0) for person, vectors in gallery.items()}
    seen = set()
    for number, image in decode(demo.videos / "demo.mp4", every=25):
        if number not in truth.groups:
            continue
        for face in truth.get_group(number).itertuples():
            vector = embed(image, (face.left, face.top, face.right, face.bottom))
            distance = {person: np.linalg.norm(vector - mean) for person, mean in means.items()}
            seen.add(face.person)
            if face.person == "unknown":
                assert min(distance.values()) > 0.6, (number, distance)
            else:
                assert distance[face.person] < 0.45, (number, distance)
                assert min(distance, key=distance.get) == face.person
    assert seen == {*CAST, "unknown"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(short_demo, tmp_path):
    again, other = Project("again", tmp_path), Project("other", tmp_path)
    make_demo(again, seconds_per_shot=SHORT, progress=False)
    make_demo(other, seconds_per_shot=SHORT, seed=1, progress=False)
    first, same, different = (
        json.loads((project.data / "demo.json").read_text())["files"] for project in (short_demo, again, other)
    )
    assert same == first
    assert different.keys() == first.keys()
    varied = [name for name in first if name.endswith("_01.jpg") or name.startswith("videos")]
    assert len(varied) == 4 and all(first[name] != different[name] for name in varied)


def test_a_whole_demo_is_left_as_it_is(short_demo):
    before = {path: path.stat().st_mtime_ns for path in short_demo.data.rglob("*")}
    make_demo(short_demo, seconds_per_shot=SHORT, progress=False)
    assert {path: path.stat().st_mtime_ns for path in short_demo.data.rglob("*")} == before


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: (data / "videos/demo.mp4").write_bytes(b""), id="film emptied"),
        pytest.param(lambda data: (data / "people/Grace Hopper/grace_hopper_07.jpg").unlink(), id="picture gone"),
        pytest.param(lambda data: (data / "demo.json").write_text('{"vers'), id="list of files broken"),
    ],
)
def test_a_spoilt_demo_is_made_whole_and_own_files_stay(short_demo, tmp_path, spoil):
    shutil.copytree(short_demo.data, tmp_path / "spoilt")
    project = Project("spoilt", tmp_path)
    own = project.people / "Eileen Collins" / "mine.jpg"
    own.write_bytes(b"mine")
    spoil(project.data)
    make_demo(project, seconds_per_shot=SHORT, progress=False)
    assert own.read_bytes() == b"mine"
    for path in short_demo.data.rglob("*.*"):
        assert (project.data / path.relative_to(short_demo.data)).read_bytes() == path.read_bytes(), path.name


def test_a_killed_run_is_made_whole_by_running_again(short_demo, tmp_path):
    program = (
        "import sys; from facelib.demo import make_demo; from facelib.project import Project;"
        "make_demo(Project('killed', sys.argv[1]), seconds_per_shot=3.0, progress=False)"
    )
    project = Project("killed", tmp_path)
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    kill_once(lambda: list(project.videos.glob(".demo*.mp4")), child)
    assert project.find_videos() == []
    assert not (project.data / "demo.json").exists()
    make_demo(project, seconds_per_shot=SHORT, progress=False)
    for path in short_demo.data.rglob("*.*"):
        assert (project.data / path.relative_to(short_demo.data)).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("folder", ["people/Ada", "videos"])
def test_nothing_is_put_into_another_project(tmp_path, folder):
    project = Project("mine", tmp_path)
    own = project.data / folder / "mine"
    own.parent.mkdir(parents=True)
    own.touch()
    with pytest.raises(FileExistsError, match=r"expected a new project or a demo in .*mine'.* choose another name"):
        make_demo(project, seconds_per_shot=SHORT, progress=False)
    assert [path for path in project.data.rglob("*") if path.is_file()] == [own]


@pytest.mark.parametrize("seconds", [0, 0.04, -1, math.nan, 1e9])
def test_shots_too_short_to_move_or_without_end_are_refused(tmp_path, seconds):
    with pytest.raises(ValueError, match=rf"of 0.08 to 600.0, got {re.escape(str(seconds))}"):
        make_demo(Project("demo", tmp_path), seconds_per_shot=seconds, progress=False)
    assert list(tmp_path.iterdir()) == []
