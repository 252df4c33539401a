"""The whole way from pictures and a film to names, on the demo and on real film clips."""

from __future__ import annotations

import io
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage
from sklearn.base import clone

import facelib
from facelib.evaluate import Score, count, found_faces, load_truth, match_faces, read_truth, score_film
from facelib.faces import BOX
from facelib.films.appearances import APPEARANCE_COLUMNS
from facelib.films.identify import identify_films
from facelib.films.index import find_tracks
from facelib.films.indexed import index_film, read_index
from facelib.films.naming import TRACK_COLUMNS, NamingSettings, name_tracks
from facelib.films.record import EARLIER, read_summary
from facelib.films.settle import settle_films
from facelib.films.tracking import TrackingSettings
from facelib.films.unknowns.kept import read_groups
from facelib.gallery import build_gallery, read_gallery, write_gallery
from facelib.project import FilmFiles, Project, write_table, write_text
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections, now
from facelib.project.digests import sha256_of
from facelib.project.names import UNKNOWN
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def detector():
    return facelib.load_detector(working_size=640)


@pytest.fixture(scope="module")
def embedder():
    return facelib.load_embedder("dlib")


def enrol(project, embedder, known=None):
    """Do what notebooks 02 and 04 do, with what they take when nothing is said."""
    table = build_gallery(project, facelib.load_detector(), embedder, known=known, progress=False)
    write_gallery(table, project.faces, detector="mtcnn", embedder=embedder.name, weights_sha256=embedder.sha256)
    tuning = tune(read_gallery(project.faces), fallback=embedder.threshold)
    tuning.save(project.recognizer, tuning.fitted.threshold)
    return load_recognizer(project.recognizer)


@pytest.fixture(scope="module")
def demo(tmp_path_factory, make_tuned_demo):
    project = make_tuned_demo(tmp_path_factory.mktemp("demo"))
    return project, *load_recognizer(project.recognizer)


@pytest.fixture(scope="module")
def identified(demo, detector, embedder):
    project, recognizer, info = demo
    return identify_films(project.find_videos(), project, detector, embedder, recognizer, info, progress=False)


@pytest.fixture(scope="module")
def short(tmp_path_factory, make_tuned_demo, detector, embedder):
    """The demo with shots of 10 frames, its film looked through."""
    project = make_tuned_demo(tmp_path_factory.mktemp("short"), 0.4)
    recognizer, info = load_recognizer(project.recognizer)
    identify_films([project.videos / "demo.mp4"], project, detector, embedder, recognizer, info, progress=False)
    return project, recognizer, info


class Blind:
    """A detector that must not be asked."""

    def __init__(self, detector):
        self.name, self.description, self.score = detector.name, detector.description, detector.score

    def at_score(self, score):
        return self

    def detect(self, image):
        raise AssertionError("the detector was asked to look")


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds_between_samples": -1},
        {"seconds_between_samples": math.inf},
        {"video_speedup": -2},
        {"seconds_between_whole": -1},
        {"faces_per_track": 0},
    ],
)
def test_a_search_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="0 or more"):
        TrackingSettings(**wrong)


class TestDemo:
    def test_names(self, demo, identified):
        project = demo[0]
        assert [film.name for film in identified.films] == ["demo.mp4", "demo_vfr.mp4"]
        for film in identified.films:
            result = score_film(project.film(film), read_truth(project.data / "truth" / f"{film.stem}.csv"))
            assert result.recall >= 0.97
            assert result.named_right >= 0.97
            assert (result.wrong, result.strangers_named, result.false_named) == (0, 0, 0)

    def test_tables(self, demo, identified):
        project = demo[0]
        for film in identified.films:
            files = project.film(film)
            detections, tracks = pd.read_parquet(files.detections), pd.read_parquet(files.tracks)
            assert list(tracks.columns)[: len(TRACK_COLUMNS)] == TRACK_COLUMNS
            assert all(
                tracks[name].dtype.kind == "i" for name in ("track", "shot", "start_frame", "end_frame", "faces")
            )
            assert list(pd.read_csv(files.appearances).columns) == APPEARANCE_COLUMNS
            assert set(detections["track"]) == set(tracks["track"])
            assert detections["frame"].is_monotonic_increasing
            assert not detections.duplicated(["frame", "track"]).any()
            spans = detections.groupby("track")["frame"].agg(["min", "max"])
            assert (spans.to_numpy() == tracks.set_index("track").loc[spans.index, ["start_frame", "end_frame"]]).all(
                axis=None
            )
            assert all(len(vector) == 128 for vector in tracks["embedding"])
            assert tracks["confidence"].between(0, 1).all()

    def test_what_is_kept_of_a_film(self, demo, identified):
        files = demo[0].film("demo.mp4")
        tracks, looks = pd.read_parquet(files.tracks), pd.read_parquet(files.looks)
        assert set(looks["track"]) == set(tracks["track"])
        assert looks.groupby("track").size().max() <= 8
        assert (looks.groupby("track")["quality"].diff().dropna() <= 0).all()  # best first
        shown = looks["picture"].map(len) > 0
        assert shown.groupby(looks["track"]).sum().between(1, 4).all()
        picture = np.asarray(PillowImage.open(io.BytesIO(looks["picture"][shown].iloc[0])))
        assert picture.ndim == 3 and 30 < max(picture.shape) <= 224
        assert looks["clothes"].map(len).isin([0, 576]).all()
        shots, keyframes = pd.read_csv(files.shots, keep_default_na=False), pd.read_parquet(files.keyframes)
        assert (shots["start_frame"][1:].to_numpy() == shots["end_frame"][:-1].to_numpy() + 1).all()
        assert shots["transition"].tolist() == ["", *["cut"] * (len(shots) - 1)]
        assert keyframes["shot"].tolist() == shots["shot"].tolist()
        assert (keyframes["time"].between(shots["start"], shots["end"])).all()

    def test_a_film_is_looked_through_once(self, short, detector, embedder):
        project, recognizer, info = short
        blind = Blind(detector)
        before = pd.read_parquet(project.film("demo.mp4").tracks)
        films = [project.videos / "demo.mp4"]
        identify_films(films, project, blind, embedder, recognizer, info, progress=False)
        pd.testing.assert_frame_equal(pd.read_parquet(project.film("demo.mp4").tracks), before)
        with pytest.raises(ValueError, match=r"none of the films.*was asked to look"):
            tracking = TrackingSettings(seconds_between_samples=0.5)
            identify_films(films, project, blind, embedder, recognizer, info, tracking=tracking, progress=False)
        # What was left half-way is not taken for whole.
        with pytest.raises(ValueError, match=r"none of the films.*was asked to look"):
            identify_films(films, project, blind, embedder, recognizer, info, progress=False)
        identify_films(films, project, detector, embedder, recognizer, info, progress=False)
        pd.testing.assert_frame_equal(pd.read_parquet(project.film("demo.mp4").tracks), before)

    @pytest.mark.parametrize("name", ["Demo.mp4", "pilot.mkv"])
    def test_a_film_that_was_renamed_keeps_its_results(self, short, detector, embedder, tmp_path, name):
        project, recognizer, info = short
        other = Project("demo", tmp_path / "data", tmp_path / "output")
        shutil.copytree(project.output, other.output)
        (other.people / "Eileen Collins").mkdir(parents=True)
        other.videos.mkdir()
        shutil.copy(project.videos / "demo.mp4", other.videos / name)
        files = other.film("demo.mp4")
        looks, before = files.looks.read_bytes(), pd.read_parquet(files.tracks)
        face = pd.read_parquet(files.looks).iloc[0]
        row = dict.fromkeys(CORRECTION_COLUMNS, "") | {key: face[key] for key in ("frame", *BOX)}
        row |= {"when": now(), "video": "demo.mp4", "was": UNKNOWN, "is": "Eileen Collins"}
        append_corrections(other.corrections, pd.DataFrame([row]))
        films = [other.videos / name]
        done = identify_films(films, other, Blind(detector), embedder, recognizer, info, progress=False)
        assert not files.folder.exists() and other.film(name).looks.read_bytes() == looks
        after = done.tracks[name]
        assert after.loc[after["source"] == "user", "person"].tolist() == ["Eileen Collins"]
        assert after["track"].tolist() == before["track"].tolist()
        assert set(read_groups(other).films) == {name}

    def test_a_copy_of_a_film_has_results_of_its_own(self, short, detector, embedder, tmp_path):
        project, recognizer, info = short
        other = Project("demo", tmp_path / "data", tmp_path / "output")
        shutil.copytree(project.output, other.output)
        other.videos.mkdir(parents=True)
        for name in ("demo.mp4", "copy.mp4"):
            shutil.copy(project.videos / "demo.mp4", other.videos / name)
        with pytest.raises(ValueError, match=r"none of the films.*was asked to look"):
            films = [other.videos / "copy.mp4"]
            identify_films(films, other, Blind(detector), embedder, recognizer, info, progress=False)
        assert other.film("demo.mp4").tracks.is_file()

    def test_a_damaged_table_is_made_again(self, short):
        files = short[0].film("demo.mp4")
        made = json.loads(files.followed.read_text(encoding="utf-8"))["made"]
        assert read_index(files, made) is not None
        for path in (files.found, files.detections, files.looks, files.keyframes, files.times, files.shots):
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2] if path != files.shots else b"shot\n")
            assert read_index(files, made) is None, path.name
            path.write_bytes(whole)
        assert read_index(files, made) is not None

    @pytest.mark.parametrize("made", [{"form": 1}, {"film": "x", "changed": 1}], ids=["another form", "version 0.3"])
    def test_a_film_searched_by_an_earlier_version_is_searched_again_and_noted(
        self, short, detector, embedder, tmp_path, made
    ):
        project, recognizer, info = short
        other = Project("demo", project.data_dir, tmp_path)
        shutil.copytree(project.output, other.output)
        files = other.film("demo.mp4")
        record = json.loads(files.followed.read_text(encoding="utf-8"))
        files.followed.write_text(json.dumps(record | {"made": made}), encoding="utf-8")
        before = pd.read_parquet(files.tracks)
        films = [project.videos / "demo.mp4"]
        noted = [
            identify_films(films, other, detector, embedder, recognizer, info, progress=False).summary["notes"].tolist()
            for _ in range(2)
        ]
        assert noted == [[EARLIER], [""]]
        pd.testing.assert_frame_equal(pd.read_parquet(files.tracks), before)

    def test_a_films_looks_at_every_nth_frame(self, short, detector, embedder, tmp_path):
        files, film = FilmFiles(tmp_path), short[0].videos / "demo.mp4"
        find_tracks(film, files, detector, embedder, tracking=TrackingSettings(video_speedup=5), progress=False)
        detections = pd.read_parquet(files.detections)
        seen = detections.loc[~detections["interpolated"], "frame"] % 10
        assert set(seen) <= {0, 5, 9}  # the first and the last frame of each shot are looked at too

    def test_no_track_crosses_a_cut(self, demo, identified):
        detections = pd.read_parquet(demo[0].film("demo.mp4").detections)
        shots = detections.groupby("shot")["frame"].agg(["min", "max"])
        assert (detections.groupby("track")["shot"].nunique() == 1).all()
        # The demo's cuts lie every 75 frames.
        assert (shots["min"] // 75 == shots["max"] // 75).all()

    def test_variable_rate_has_the_films_own_times(self, demo, identified):
        from facelib.films.media.decode import read_frames

        project = demo[0]
        times = [frame.time for frame in read_frames(project.videos / "demo_vfr.mp4")]
        detections = pd.read_parquet(project.film("demo_vfr.mp4").detections)
        assert np.allclose(np.array(times)[detections["frame"]], detections["time"])
        assert np.ptp(np.diff(times)) > 0.05

    def test_again_gives_the_same_tables(self, short, detector, embedder, tmp_path):
        project, recognizer, info = short
        other = Project("demo", project.data_dir, tmp_path)
        film = project.videos / "demo.mp4"
        identify_films([film], other, detector, embedder, recognizer, info, progress=False)
        for table in ("detections", "tracks"):
            first, second = (pd.read_parquet(getattr(place.film(film), table)) for place in (project, other))
            pd.testing.assert_frame_equal(first, second)


class TestBadFilms:
    def test_the_others_go_on(self, short, detector, embedder, make_film, tmp_path):
        project, recognizer, info = short
        other = Project("demo", project.data_dir, tmp_path / "out")
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(b"no film")
        empty = make_film("nobody.mp4")
        done = identify_films([broken, empty], other, detector, embedder, recognizer, info, progress=False)
        assert done.films == [empty]
        assert done.summary["problem"].str.contains("broken.mp4").tolist() == [True, False]
        assert pd.read_csv(other.film_summary, keep_default_na=False)["film"].tolist() == ["broken.mp4", "nobody.mp4"]
        tracks = pd.read_parquet(other.film(empty).tracks)
        assert tracks.empty
        assert list(tracks.columns)[: len(TRACK_COLUMNS)] == TRACK_COLUMNS
        assert pd.read_parquet(other.film(empty).detections).empty
        assert not other.film(broken).folder.exists() or not list(other.film(broken).folder.iterdir())

    def test_what_another_run_holds_is_told_and_its_row_stays(self, short, detector, embedder, make_film, tmp_path):
        project, recognizer, info = short
        other = Project("demo", project.data_dir, tmp_path / "out")
        held, empty = tmp_path / "held.mp4", make_film("nobody.mp4")
        write_table(pd.DataFrame({"film": ["held.mp4"], "tracks": [7]}), other.film_summary)
        with other.hold(held):
            done = identify_films([held, empty], other, detector, embedder, recognizer, info, progress=False)
            assert done.summary["problem"].str.contains("no other run on the film 'held.mp4'").tolist() == [True, False]
            with pytest.raises(BlockingIOError, match=r"none of the films.*held\.mp4"):
                identify_films([held], other, detector, embedder, recognizer, info, progress=False)
        rows = read_summary(other).set_index("film")
        assert rows["tracks"].to_dict() == {"nobody.mp4": "0", "held.mp4": "7"} and not rows["problem"].any()

    def test_cut_short_is_told(self, short, detector, embedder, tmp_path):
        project, recognizer, info = short
        other = Project("demo", project.data_dir, tmp_path / "out")
        half = tmp_path / "half.mp4"
        content = (project.videos / "demo.mp4").read_bytes()
        half.write_bytes(content[: len(content) // 2])
        done = identify_films([half], other, detector, embedder, recognizer, info, progress=False)
        assert done.films == [half]
        assert done.summary["problem"].str.fullmatch(r"read to [12]\.\d of 4\.0 seconds.*").all()
        assert len(pd.read_csv(other.film(half).appearances)) >= 2

    def test_none_can_be_read(self, demo, detector, embedder, tmp_path):
        project, recognizer, info = demo
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(b"no film")
        with pytest.raises(ValueError, match=r"none of the films.*broken\.mp4"):
            identify_films([broken], project, detector, embedder, recognizer, info, progress=False)

    def test_no_films(self, demo, detector, embedder):
        project, recognizer, info = demo
        with pytest.raises(ValueError, match="at least one film"):
            identify_films([], project, detector, embedder, recognizer, info, progress=False)

    def test_decisions_that_cannot_be_read_are_told_before_the_search(self, demo, detector, embedder, tmp_path):
        project, recognizer, info = demo
        other = Project(project.name, project.data_dir, tmp_path)
        write_text("no,table\n", other.corrections)
        with pytest.raises(ValueError, match=r"columns .* in '.*corrections.csv', lacks"):
            identify_films(other.find_videos(), other, Blind(detector), embedder, recognizer, info, progress=False)

    def test_another_network(self, demo, detector, models_folder):
        project, recognizer, info = demo
        other = facelib.load_embedder(models_folder / "mobilefacenet.onnx")
        with pytest.raises(ValueError, match="run 02 and 04 again"):
            identify_films(project.find_videos(), project, detector, other, recognizer, info, progress=False)


@pytest.mark.parametrize(("weights", "one_person"), [("of this network", True), ("of another", False)])
def test_faces_by_another_network_are_not_compared(weights, one_person, make_reviewed):
    """Two films show a stranger with the same numbers; these mean something to each other by one network only."""
    films = {"a.mp4": [("unknown", "", 0.1)] * 4, "b.mp4": [("unknown", "Unknown 1", 0.1)] * 4}
    project = make_reviewed(films)
    for film in films:
        made = {"made": {"weights": weights if film == "b.mp4" else "of this network"}}
        project.film(film).followed.write_text(json.dumps(made), encoding="utf-8")
    before = project.film("b.mp4").tracks.read_bytes()
    settled = settle_films(project, [project.videos / "a.mp4"], threshold=0.5, weights="of this network")
    assert list(settled.tracks) == ["a.mp4"]
    own = set(settled.tracks["a.mp4"]["cluster"]) - {""}
    assert own
    assert set(settled.unknown["films"]) == ({2} if one_person else {1})
    if one_person:
        assert own == set(pd.read_parquet(project.film("b.mp4").tracks)["cluster"]) - {""}
    else:
        assert "Unknown 1" not in own
        assert project.film("b.mp4").tracks.read_bytes() == before


@pytest.mark.real_data
def test_film_clips(shared_data, make_clips, known_faces, tmp_path, detector, embedder):
    """Enrolled from its pictures as they are, all 11 clips."""
    source, project = shared_data / "film_clips", make_clips(tmp_path)
    recognizer, info = enrol(project, embedder, known_faces("film_clips"))
    films = project.find_videos()
    assert len(films) == 11
    identify_films(films, project, detector, embedder, recognizer, info, progress=False)
    total = Score()
    for film in films:
        total += score_film(project.film(film), read_truth(source / "truth" / f"{film.stem}.csv"))
    assert total.recall >= 0.97, total
    assert total.named_right >= 0.96, total
    assert (total.wrong, total.strangers_named, total.false_named) == (0, 0, 0), total
    strangers = [film for film in films if film.stem.startswith("other")]
    for film in strangers:
        assert set(pd.read_parquet(project.film(film).tracks)["person"]) == {UNKNOWN}


def names_without(person, found, files, recognizer, info, truth):
    """Name a film's tracks by the gallery without one person, and count the person's faces by the names they get."""
    kept = recognizer.codes_ != recognizer.classes_.tolist().index(person)
    without = clone(recognizer).fit(recognizer.vectors_[kept], recognizer.classes_[recognizer.codes_[kept]])
    pictures = tuple(picture for picture, keep in zip(info.pictures, kept, strict=True) if keep)
    looks, shots = pd.read_parquet(files.looks), pd.read_csv(files.shots, keep_default_na=False)
    named = name_tracks(found.tracks, without, replace(info, pictures=pictures), looks=looks, shots=shots)
    faces = pd.read_parquet(files.detections).merge(named[["track", "person"]], on="track")
    matches = match_faces(faces, truth)
    return int(((matches["label"] == person) & ~matches["name"].isin([UNKNOWN, ""])).sum())


@pytest.fixture(scope="module")
def sitcom(shared_data, tmp_path_factory, embedder):
    """A project that knows six leads by 40 pictures each, over one scene: whoever asks first has its film searched."""
    folder = tmp_path_factory.mktemp("sitcom")
    project = Project("sitcom", folder / "data", folder / "output")
    for person in (shared_data / "sitcom" / "people").iterdir():
        (project.people / person.name).mkdir(parents=True)
        for picture in sorted(person.iterdir())[:40]:
            (project.people / person.name / picture.name).symlink_to(picture)
    project.videos.symlink_to(shared_data / "sitcom" / "videos")
    return project, *enrol(project, embedder)


@pytest.mark.real_data
def test_who_is_left_out_of_a_cast_is_given_nobody_elses_name(shared_data, sitcom, embedder):
    """In two scenes of one sitcom each of six leads is a stranger in turn: straight, in profile, in like clothes."""
    project, recognizer, info = sitcom
    detector = facelib.load_detector(smallest_face=16, working_size=640)
    for film, truth in (
        ("sitcom/videos/scene_a.mp4", "sitcom/truth/scene_a.csv"),
        ("scenes/friends_four/videos/friends.mp4", "scenes/friends_six/truth/friends.csv"),
    ):
        path, labels = shared_data / film, load_truth(shared_data / truth)
        files = project.film(path)
        found = index_film(path, files, detector, embedder, content=sha256_of(path), progress=False)
        for person in recognizer.classes_.tolist():
            assert names_without(person, found, files, recognizer, info, labels) <= 2, (film, person)


@pytest.mark.real_data
def test_a_sitcom_scene(shared_data, sitcom, embedder):
    """Small and turned faces in six people's clothes."""
    source = shared_data / "sitcom"
    project, recognizer, info = sitcom
    (film,) = project.find_videos()
    detector = facelib.load_detector(smallest_face=16, working_size=640)
    truth = load_truth(source / "truth" / "scene_a.csv")
    scores = {}
    for context in (True, False):
        naming = NamingSettings(context=context)
        identify_films([film], project, detector, embedder, recognizer, info, naming=naming, progress=False)
        scores[context] = count(match_faces(found_faces(project.film(film)), truth))
    assert scores[True].recall >= 0.95
    assert scores[True].named_right >= 0.93
    assert scores[True].wrong == 0 and scores[True].false_named <= 1
    assert scores[False].named_right <= 0.5
    shots = pd.read_csv(project.film(film).shots)
    wanted = np.loadtxt(source / "truth" / "scene_a.shots", int)
    assert (shots[["start_frame", "end_frame"]].to_numpy() == wanted).all()
    assert shots["scene"].tolist() == [0] * 16
