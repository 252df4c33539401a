"""Films of stills: a face that is seen in one frame only, which stays for seconds or is the only one, is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage

import facelib
from facelib.faces import Faces
from facelib.films.index import find_tracks
from facelib.films.track import ShotTracker
from facelib.images import read_image
from facelib.project import FilmFiles

FACE = Faces(np.array([[10, 10, 50, 60]], np.float32), np.array([0.9], np.float32), np.zeros((1, 5, 2), np.float32))


@pytest.mark.parametrize("method", ["sort", "bytetrack", "ocsort"])
def test_a_face_in_a_sample_that_stands_alone_begins_a_track(method):
    tracker = ShotTracker(0, 0, seconds_between_samples=0.1, method=method, sure_score=0.5)
    for number, alone in enumerate([True, True, False]):
        found = tracker.update(number, number * 5.0, FACE, alone=alone)
        assert (found[0] is not None) == alone
    faint = Faces(FACE.boxes, np.array([0.4], np.float32), FACE.landmarks)
    assert tracker.update(3, 15.0, faint, alone=True) == [None]
    assert [track.frames for track in tracker.tracks] == [[0], [1]]


@pytest.fixture(scope="module")
def networks():
    return facelib.load_detector(working_size=640), facelib.load_embedder("dlib")


@pytest.mark.parametrize(
    ("seconds", "name"), [((0,), "one.mp4"), ((0, 5), "slides.mp4"), ((0, 60), "slides.mkv"), ((0,), "one.avi")]
)
def test_the_faces_of_stills(seconds, name, networks, copy_demo, ffmpeg, tmp_path):
    project = copy_demo(tmp_path, 0.4)
    pictures = [project.find_pictures(person)[2] for person in project.find_people()[: len(seconds)]]
    for number, picture in enumerate(pictures):
        image = PillowImage.fromarray(read_image(picture)).resize((320, 320))
        image.save(tmp_path / f"{number}.png")
    when = "+".join(f"{second}*eq(N,{number})" for number, second in enumerate(seconds))
    film = ffmpeg(
        *("-i", tmp_path / "%d.png", "-vf", f"setpts='({when})/TB'", "-fps_mode", "passthrough"),
        *("-c:v", "mpeg4", "-q:v", "2", tmp_path / name),
    )
    files = FilmFiles(tmp_path / "out")
    files.folder.mkdir()
    tracks = find_tracks(film, files, *networks, progress=False).tracks
    assert tracks["start"].tolist() == list(seconds) and tracks["faces"].tolist() == [1] * len(seconds)
    assert tracks["until"].to_numpy()[:-1] == pytest.approx(seconds[1:])
    assert len(pd.read_parquet(files.looks)) == len(seconds)
