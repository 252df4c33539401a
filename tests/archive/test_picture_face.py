from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import facelib
from facelib.archive import embed_face, find_face, open_archive, update_archive
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
    with open_archive(project) as archive:
        found = find_face(archive, vector, most=3, weights=weights)
        assert set(found["person"]) == {"Grace Hopper"} and (found["distance"] < 0.5).all()
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(ValueError, match="found none in"):
        embed_face(project, tmp_path / "grey.png")
