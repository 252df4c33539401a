"""The best faces of a track are cut out of the film, and as few others as may be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

import facelib
from facelib.films import index
from facelib.films.index import find_tracks
from facelib.project import FilmFiles


@pytest.fixture(scope="module")
def networks():
    return facelib.load_detector(smallest_face=16, working_size=640), facelib.load_embedder("dlib")


def coming_nearer():
    """Pictures of 640x360 with the astronaut's face, larger and so better from picture to picture."""
    face = np.asarray(data.astronaut(), np.uint8)[20:270, 90:340]
    for side in range(100, 200, 2):
        picture = np.full((360, 640, 3), 90, np.uint8)
        picture[80 : 80 + side, 200 : 200 + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        yield picture


def test_faces_that_are_soon_replaced_by_better_ones_are_not_cut_out(make_film, networks, tmp_path, monkeypatch):
    film, (detector, embedder) = make_film(pictures=list(coming_nearer())), networks
    cut: dict[str, int] = {}
    chips = embedder.chips

    def counting(image, faces):
        cut[files.folder.name] = cut.get(files.folder.name, 0) + len(faces)
        return chips(image, faces)

    monkeypatch.setattr(embedder, "chips", counting)
    looks = []
    for name, pixels in (("later", index._PIXELS_UNCUT), ("at once", 0)):
        monkeypatch.setattr(index, "_PIXELS_UNCUT", pixels)
        files = FilmFiles(tmp_path / name)
        find_tracks(film, files, detector, embedder, progress=False)
        looks.append(files.looks.read_bytes())
    assert looks[0] == looks[1]
    assert cut["later"] == 8 < cut["at once"]
