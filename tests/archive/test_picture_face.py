from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import facelib
from facelib import Faces
from facelib.archive import embed_face, find_face, open_archive, update_archive
from facelib.archive.picture_face import embed_largest
from facelib.films.identify import identify_films
from facelib.recognize import load_recognizer


def test_a_picture_finds_its_person_in_the_films(make_tuned_demo, tmp_path):
    project = make_tuned_demo(tmp_path, 0.4)
    recognizer, info = load_recognizer(project.recognizer)
    film = project.find_videos()[0]
    identify_films([film], project, facelib.load_detector(), facelib.load_embedder(), recognizer, info, progress=False)
    update_archive(project)
    picture = project.people / "Grace Hopper" / "grace_hopper_01.jpg"
    vector, weights = embed_face(project, picture)
    assert (vector.shape, weights) == ((128,), info.weights_sha256)
    # On its side, upside down, without colours, in 16 bits, for print: the same face.
    with Image.open(picture) as opened:
        colours = opened.convert("RGB")
    made = [colours.rotate(turn, expand=True) for turn in (90, 180, 270)]
    made += [colours.convert("L"), Image.fromarray(np.asarray(colours.convert("L")).astype(np.uint16) * 257)]
    for number, one in enumerate([*made, colours.convert("CMYK")]):
        one.save(path := tmp_path / f"{number}.tif")
        assert np.linalg.norm(embed_face(project, path)[0] - vector) < 0.3
    with open_archive(project) as archive:
        found = find_face(archive, vector, most=3, weights=weights)
        assert set(found["person"]) == {"Grace Hopper"} and (found["distance"] < 0.5).all()
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(ValueError, match="found none in"):
        embed_face(project, tmp_path / "grey.png")


def test_a_face_that_stays_sideways_is_refused_by_the_picture_s_name():
    class Stubborn:
        def detect(self, image):
            return Faces.of([[10, 30, 50, 70]], [0.9], [[[20, 60], [20, 40], [30, 50], [40, 60], [40, 40]]])

    with pytest.raises(ValueError, match=r"lies sideways in 'a\.jpg'; turn the picture"):
        embed_largest(np.zeros((100, 100, 3), np.uint8), Stubborn(), None, name="a.jpg")
