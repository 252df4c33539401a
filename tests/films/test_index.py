"""The best faces of a track are cut out of the film, and as few others as may be."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest
from skimage import data

import facelib
from facelib.films import index
from facelib.films.index import find_tracks
from facelib.films.media.decode import read_frames
from facelib.live.feed import ContainerFeed
from facelib.live.source import read_source
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


@pytest.fixture
def film_with_a_loss(make_film, ffmpeg, tmp_path):
    """A broadcast of two groups of 25 pictures in which some packets of the second group are missing."""
    film = make_film(pictures=list(coming_nearer()))
    options = ["-c:v", "libx264", "-g", "25", "-bf", "0", "-sc_threshold", "0", "-an", "-f", "mpegts"]
    whole = ffmpeg("-i", film, *options, tmp_path / "whole.ts")
    content = whole.read_bytes()
    packets = [content[at : at + 188] for at in range(0, len(content), 188)]
    begin = len(packets) * 7 // 10
    (tmp_path / "lost.ts").write_bytes(b"".join(packets[:begin] + packets[begin + 2 :]))
    return whole, tmp_path / "lost.ts"


def test_what_a_loss_has_garbled_is_known(film_with_a_loss):
    whole, lost = ({frame.source: frame for frame in read_frames(film)} for film in film_with_a_loss)
    differ = [t for t, frame in lost.items() if (frame.image() != whole[t].image()).any()]
    assert 5 < len(differ) < 25
    assert {t for t, frame in lost.items() if frame.garbled} >= set(differ)
    assert not any(frame.garbled for frame in list(lost.values())[:25] + list(whole.values()))
    live = list(ContainerFeed(read_source(film_with_a_loss[1])).pictures())
    assert [picture.garbled for picture in live] == [frame.garbled for frame in lost.values()]


def test_faces_of_garbled_pictures_are_not_taken_where_there_are_others(film_with_a_loss, networks, tmp_path):
    files, (_, lost) = FilmFiles(tmp_path / "results"), film_with_a_loss
    find_tracks(lost, files, *networks, progress=False)
    garbled = {frame.index for frame in read_frames(lost) if frame.garbled}
    looks = pd.read_parquet(files.looks)
    assert len(looks) == 8 and not garbled & set(looks["frame"])
