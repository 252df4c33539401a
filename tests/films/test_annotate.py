"""Whole films drawn upon: who gets a box, which words stand there, and who is blurred."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.films import annotate
from facelib.films.annotate import annotate_film
from facelib.films.draw import draw_marks
from facelib.films.media.decode import probe, read_frames
from facelib.films.media.encode import WriteReport
from facelib.films.tracking import DETECTIONS
from facelib.project import FilmFiles

COLOURS = {"Ada": "#FF0000", "unknown": "#888888"}
ADA, STRANGER, MUG = 0, 1, 2
TRACKS = pd.DataFrame(
    {
        "track": [ADA, STRANGER, MUG],
        "person": ["Ada", "unknown", "not a face"],
        "confidence": [0.979, 0.9, 1.0],
        "cluster": ["", "Unknown 3", ""],
    }
)
PLACES = {ADA: 30, STRANGER: 140, MUG: 250}


@pytest.fixture
def film(make_film) -> Path:
    """Twenty frames of fine stripes, which no blur keeps."""
    stripes = np.repeat((np.indices((160, 320)).sum(axis=0) % 8 * 30).astype(np.uint8)[..., None], 3, axis=2)
    return make_film(pictures=[stripes] * 20, codec="libx264")


@pytest.fixture
def files(tmp_path) -> FilmFiles:
    """Three faces side by side in the frames 5 to 9, of which 6 to 8 are interpolated."""
    files = FilmFiles(tmp_path / "out")
    files.folder.mkdir()
    rows = [
        (f, f / 25, 0, track, x, 60, x + 20, 90, 1.0, f in {6, 7, 8})
        for f in range(5, 10)
        for track, x in PLACES.items()
    ]
    pd.DataFrame(rows, columns=DETECTIONS.names).to_parquet(files.detections, index=False)
    return files


def changes(film: Path, files: FilmFiles, inset: int = 5) -> dict[int, list[int]]:
    """Return the frames in which the inside of each face's box is another than in the film."""
    pairs = list(zip(read_frames(film), read_frames(files.annotated), strict=True))
    found: dict[int, list[int]] = {}
    for track, x in PLACES.items():
        area = (slice(60 + inset, 90 - inset), slice(x + inset, x + 20 - inset))
        found[track] = [a.index for a, b in pairs if np.abs(a.image()[area].astype(int) - b.image()[area]).mean() > 25]
    return found


def labels_drawn(monkeypatch, film, files, **options) -> dict[str, tuple[int, int, int]]:
    """Return the labels that were drawn, with their colours; the film is drawn as ever."""
    drawn = {}

    def look_on(planes, marks, *, line):
        drawn.update({mark.label: mark.colour for mark in marks})
        draw_marks(planes, marks, line=line)

    monkeypatch.setattr(annotate, "draw_marks", look_on)
    annotate_film(film, files, TRACKS, COLOURS | options.pop("colours", {}), progress=False, **options)
    return drawn


class TestBoxes:
    def test_boxes_in_their_frames(self, make_film, files):
        film = make_film(size=(320, 160), frames=20)
        annotate_film(film, files, TRACKS, COLOURS, quality=10, progress=False)
        assert probe(files.annotated).frames == 20
        before, after = ([frame.image().astype(int) for frame in read_frames(path)] for path in (film, files.annotated))
        for track, x in PLACES.items():
            edges = [np.abs(a - b)[60:90, x - 2 : x + 22].max() > 60 for a, b in zip(before, after, strict=True)]
            assert edges == [track != MUG and 5 <= i < 10 for i in range(20)]
        red = after[7][75, 30]
        assert red[0] > red[1] + 80

    @pytest.mark.parametrize(
        ("label", "problem"),
        [("Ada", ""), ("", ""), ("\U00100000", "no installed font has \U00100000, ")],
    )
    def test_letters_that_no_font_has_are_told(self, film, files, label, problem):
        report = WriteReport()
        annotate_film(film, files, TRACKS, COLOURS, labels={"Ada": label}, report=report, progress=False)
        assert [said.startswith(problem) for said in report.problems] == [True] * bool(problem)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, {"Ada": (255, 0, 0), "Unknown 3": (136, 136, 136)}),
            ({"show_clusters": False}, {"Ada": (255, 0, 0), "unknown": (136, 136, 136)}),
            ({"colours": {"Unknown 3": "#00FF00"}}, {"Ada": (255, 0, 0), "Unknown 3": (0, 255, 0)}),
            ({"show_confidence": True}, {"Ada 97 %": (255, 0, 0), "Unknown 3": (136, 136, 136)}),
            (
                {"labels": {"Ada": "Countess", "Unknown 3": "the man with the hat"}, "show_confidence": True},
                {"Countess 97 %": (255, 0, 0), "the man with the hat": (136, 136, 136)},
            ),
            ({"labels": {"Ada": ""}, "show_confidence": True}, {"": (255, 0, 0), "Unknown 3": (136, 136, 136)}),
            ({"boxes": "cast"}, {"Ada": (255, 0, 0)}),
            ({"boxes": "nobody"}, {}),
        ],
    )
    def test_words_and_colours(self, monkeypatch, film, files, options, expected):
        assert labels_drawn(monkeypatch, film, files, **options) == expected

    def test_nobody_found(self, make_film, tmp_path):
        files = FilmFiles(tmp_path / "out")
        files.folder.mkdir()
        DETECTIONS.empty_table().to_pandas().to_parquet(files.detections, index=False)
        annotate_film(
            make_film(),
            files,
            TRACKS[:0],
            {},
            blur="everyone",
            show_confidence=True,
            show_clusters=True,
            progress=False,
        )
        assert probe(files.annotated).frames == 50


class TestBlur:
    @pytest.mark.parametrize(
        ("options", "blurred"),
        [
            ({}, set()),
            ({"blur": "strangers"}, {STRANGER}),
            ({"blur": "everyone"}, {ADA, STRANGER}),
            ({"blur": "everyone", "sharp": ["Ada"]}, {STRANGER}),
            ({"blur": "everyone", "sharp": "Ada"}, {STRANGER}),
            ({"blur": "everyone", "sharp": ["Ad"]}, {ADA, STRANGER}),
            ({"blur": "everyone", "sharp": ["Unknown 3"]}, {ADA}),
            ({"blur": "strangers", "sharp": ["Unknown 3"]}, set()),
        ],
    )
    def test_whose_faces(self, film, files, options, blurred):
        annotate_film(film, files, TRACKS, COLOURS, linger=0, progress=False, **options)
        expected = {track: [5, 6, 7, 8, 9] if track in blurred else [] for track in PLACES}
        assert changes(film, files) == expected

    def test_a_track_without_a_name_is_a_stranger(self, film, files):
        annotate_film(film, files, TRACKS[:1], COLOURS, blur="strangers", boxes="nobody", linger=0, progress=False)
        assert changes(film, files)[STRANGER] == [5, 6, 7, 8, 9]

    def test_lingers_before_and_after(self, film, files):
        annotate_film(film, files, TRACKS, COLOURS, blur="strangers", linger=0.09, progress=False)
        found = changes(film, files)
        assert found[STRANGER] == list(range(3, 12))
        assert found[ADA] == []

    def test_lingers_not_across_a_cut(self, film, files):
        shots = pd.DataFrame({"shot": [0, 1, 2], "start_frame": [0, 4, 11], "end_frame": [3, 10, 19]})
        shots.to_csv(files.shots, index=False)
        annotate_film(film, files, TRACKS, COLOURS, blur="strangers", linger=0.3, progress=False)
        assert changes(film, files)[STRANGER] == list(range(4, 11))

    def test_a_gap_in_a_track_is_closed(self, film, files):
        rows = pd.read_parquet(files.detections)
        rows[~rows["interpolated"]].to_parquet(files.detections, index=False)
        annotate_film(film, files, TRACKS, COLOURS, blur="strangers", boxes="nobody", linger=0.1, progress=False)
        assert set(range(5, 10)) <= set(changes(film, files)[STRANGER])

    def test_drawn_over_the_blur(self, film, files):
        annotate_film(
            film, files, TRACKS, COLOURS | {"unknown": "#00FF00"}, blur="strangers", quality=5, progress=False
        )
        picture = next(frame for frame in read_frames(files.annotated) if frame.index == 7).image().astype(int)
        edge = picture[62:88, PLACES[STRANGER]]
        assert (edge[:, 1] > edge[:, 0] + 80).all()


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"blur": "all"}, "blur to be one of .*'everyone'.*got 'all'"),
            ({"boxes": "some"}, "boxes to be one of"),
        ],
    )
    def test_unknown_choice(self, film, files, options, message):
        with pytest.raises(ValueError, match=message):
            annotate_film(film, files, TRACKS, COLOURS, **options)

    def test_name_without_a_colour(self, film, files):
        with pytest.raises(ValueError, match=r"none for \['Ada'\]"):
            annotate_film(film, files, TRACKS, {"unknown": "#888888"})

    def test_no_confidence_to_show(self, film, files):
        with pytest.raises(ValueError, match="'confidence'"):
            annotate_film(film, files, TRACKS[["track", "person"]], COLOURS, show_confidence=True)
        assert not files.annotated.exists()
