"""The review notebook without anybody to review: what it shows, and what it leaves behind."""

from __future__ import annotations

import pandas as pd
import pytest

import facelib
from facelib.detect.portraits import find_portrait
from facelib.films.identify import identify_films
from facelib.films.media.decode import read_frames
from facelib.gallery import move
from facelib.images import read_image
from facelib.page.pack import script_value
from facelib.project.decisions import read_corrections
from facelib.recognize import load_recognizer
from facelib.review import Review
from tests.notebooks.runs import run, texts

NAME = "06_review_tracks"


@pytest.fixture(scope="module")
def demo(tmp_path_factory, make_tuned_demo):
    project = make_tuned_demo(tmp_path_factory.mktemp("demo"), 0.4)
    (project.videos / "demo_vfr.mp4").rename(project.videos / "not_yet.mp4")
    detector, named = facelib.load_detector(working_size=640), load_recognizer(project.recognizer)
    embedder = facelib.load_embedder("dlib")
    identify_films([project.videos / "demo.mp4"], project, detector, embedder, *named, progress=False)
    return project


def test_it_shows_pictures_and_follows_decisions(demo):
    files = demo.film("demo.mp4")
    before = pd.read_parquet(files.tracks)
    shown = texts(run(NAME, demo, draw=False))
    assert any("<figure" in output and "data:image/jpeg;base64" in output for output in shown)
    assert any("TrackReview" in output for output in shown)
    pd.testing.assert_frame_equal(pd.read_parquet(files.tracks)[list(before.columns)], before)

    review = Review(demo, [demo.videos / "demo.mp4"], by="Ann")
    tracks = review.tracks
    stranger = tracks.index[(tracks["person"] == "unknown") & (tracks["shot"] == 4)][0]
    hopper = tracks.index[tracks["label"] == "Grace Hopper"][0]
    review.name([stranger], "Nina")
    review.not_a_face([hopper])
    shown = texts(run(NAME, demo, draw=True))
    assert any("named by Ann on" in output for output in shown)
    after = pd.read_parquet(files.tracks)
    assert after.loc[[stranger, hopper], "person"].tolist() == ["Nina", "not a face"]
    assert "Nina" in set(pd.read_csv(files.appearances)["person"])
    assert "Nina" in {label["name"] for label in script_value(files.page_data)["labels"]}
    assert len(list(read_frames(files.annotated))) == 100
    pictures = sorted(path.name for path in (demo.people / "Nina").iterdir())
    assert pictures and all(name.startswith("film demo ") for name in pictures)
    # 02 looks for a face in them again.
    detector = facelib.load_detector("mtcnn")
    found = [len(find_portrait(read_image(demo.people / "Nina" / name), detector).faces) for name in pictures]
    assert found == [1] * len(pictures)

    # What a lasso on the map moves stays there: 06 puts it back to nobody.
    moved = move(demo, f"people/Nina/{pictures[0]}", "Grace Hopper")
    shown = texts(run(NAME, demo, draw=False))
    assert not any("DrawnFilms" in output for output in shown)
    assert (demo.data / moved).is_file()
    assert sorted(path.name for path in (demo.people / "Nina").iterdir()) == pictures[1:]

    review.undo()
    review.undo()
    shown = texts(run(NAME, demo, draw=False))
    assert any("DrawnFilms" in output for output in shown)  # the film still shows Nina: a button draws it again
    pd.testing.assert_frame_equal(pd.read_parquet(files.tracks)[list(before.columns)], before)
    assert not (demo.people / "Nina").exists()
    assert len(read_corrections(demo.corrections)) == 4


def test_a_film_that_was_never_looked_at_is_left_out(demo):
    with pytest.raises(Exception, match="run 05 first"):
        run(NAME, demo, videos=["not_yet.mp4"])
