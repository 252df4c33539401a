"""Tracks of unknown people become groups: near ones join, those that cannot be one person never do."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score

import facelib
from facelib.films.identify import identify_films
from facelib.films.linkage import link
from facelib.films.unknowns import (
    fit_grouping,
    group_unknowns,
    grouping_threshold,
    people_of,
)
from facelib.films.unknowns.kept import no_groups
from facelib.gallery import build_gallery, read_gallery, write_gallery
from facelib.project import Project
from facelib.project.names import UNKNOWN
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune


def at(*degrees):
    """Return embeddings of length 2 in these directions of a plane: only the direction counts."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]) * 2


NEAR = 2 * math.sin(math.radians(20) / 2)  # the distance of two directions 20 degrees apart


class TestLink:
    @pytest.mark.parametrize(
        ("degrees", "options", "groups"),
        [
            ((), {}, []),
            ((0,), {}, [0]),
            ((0, 10, 90, 100), {}, [0, 0, 2, 2]),
            ((0, 90, 10, 100), {}, [0, 1, 0, 1]),
            ((0, 21), {}, [0, 1]),
            ((0, 19), {}, [0, 0]),
            ((0, 14, 28, 42), {}, [0, 0, 2, 2]),  # the middles are too far: no chain
            ((0, 10), {"apart": [(0, 1)]}, [0, 1]),
            ((0, 10), {"apart": [(1, 0), (0, 1), (1, 1)]}, [0, 1]),
            ((0, 8, 4), {"apart": [(0, 1)]}, [0, 1, 0]),  # equally near to both: the first wins
            ((0, 8, 5), {"apart": [(0, 1)]}, [0, 1, 1]),
            # 0 joins 1 first, so 2 may not join them though it may join 1
            ((0, 3, 8), {"apart": [(0, 2)]}, [0, 0, 2]),
            ((0, 180), {"together": [[1, 0]]}, [0, 0]),
            ((0, 180), {"together": [[0, 1]], "apart": [(0, 1)]}, [0, 0]),
            ((0, 90, 2, 88), {"together": [[0, 1]], "apart": [(2, 3)]}, [0, 0, 2, 3]),  # their mean is far
            ((0, 2, 4, 6), {"together": [[0, 2], [1, 3]], "apart": [(0, 1)]}, [0, 1, 0, 1]),
            ((0, 0, 0), {}, [0, 0, 0]),
            ((0, 0, 0), {"apart": [(0, 1), (1, 2), (0, 2)]}, [0, 1, 2]),
            ((0, 15), {"worth": [0, 0]}, [0, 1]),
            ((0, 9), {"worth": [0, 0]}, [0, 0]),
            ((0, 15), {"worth": [0, 1]}, [0, 0]),  # a poor one joins a good one as any other does
            ((0, 15), {"worth": [-3, 7]}, [0, 0]),
            ((0, 15, 7), {"worth": [0, 0, 1]}, [0, 0, 0]),  # the good one between them joins both
        ],
    )
    def test_groups(self, degrees, options, groups):
        assert link(at(*degrees), threshold=NEAR, **options).tolist() == groups

    @pytest.mark.parametrize(("threshold", "groups"), [(0, [0, 1, 2]), (2, [0, 1, 0]), (math.inf, [0, 1, 0])])
    def test_extreme_thresholds(self, threshold, groups):
        assert link(at(0, 180, 0), threshold=threshold, apart=[(0, 1)]).tolist() == groups

    @pytest.mark.parametrize("threshold", [math.nan, -0.1])
    def test_threshold_must_be_a_distance(self, threshold):
        with pytest.raises(ValueError, match="0 or more"):
            link(at(0, 1), threshold=threshold)

    @pytest.mark.parametrize("bad", [[math.nan, 1], [math.inf, 1], [0, 0]])
    def test_vectors_must_be_usable(self, bad):
        with pytest.raises(ValueError, match="finite embeddings"):
            link([[1, 0], bad], threshold=1)

    @pytest.mark.parametrize("seed", range(12))
    def test_is_average_linkage(self, seed):
        """Against scipy's, where what must stay apart is far away and what is poor is farther."""
        random = np.random.default_rng(seed)
        count = int(random.integers(2, 160))
        middles = random.normal(size=(random.integers(1, 25), 16))
        vectors = middles[random.integers(0, len(middles), count)] + random.normal(size=(count, 16)) * 0.7
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        distances = squareform(pdist(unit, "sqeuclidean"))
        apart = [(int(a), int(b)) for a, b in random.integers(0, count, (count // 4, 2)) if a != b]
        for a, b in apart:
            distances[a, b] = distances[b, a] = 1e7
        worth = random.uniform(0, 1, count) if seed % 2 else np.ones(count)
        for threshold in (0.3, 0.7, 1.0, 1.3):
            poor = distances + 0.75 * threshold**2 * np.outer(1 - worth, 1 - worth)
            np.fill_diagonal(poor, 0)
            expected = fcluster(linkage(squareform(poor, checks=False), "average"), threshold**2, "distance")
            found = link(vectors, threshold=threshold, apart=apart, worth=worth)
            assert adjusted_rand_score(expected, found) == 1
            assert all(found[a] != found[b] for a, b in apart)

    def test_blocks_change_nothing(self, monkeypatch):
        vectors = np.random.default_rng(0).normal(size=(60, 4))
        expected = link(vectors, threshold=0.6)
        monkeypatch.setattr("facelib.films.agglomerate._BLOCK", 100)
        assert link(vectors, threshold=0.6).tolist() == expected.tolist()
        assert 1 < len(set(expected)) < 60

    def test_memory_grows_with_the_number_only(self):
        import tracemalloc

        random = np.random.default_rng(0)
        vectors = random.normal(size=(150, 32))[random.integers(0, 150, 4000)] + random.normal(size=(4000, 32)) * 0.5
        tracemalloc.start()
        groups = link(vectors, threshold=0.95)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert 140 <= len(set(groups)) <= 160
        assert peak < 4000 * 4000 * 8 * 0.8  # a matrix of all distances would be 128 MB


def film(*rows):
    """Make a table of tracks; each row: first frame, last frame, direction in degrees, and a person or nothing."""
    frames = np.array([row[:2] for row in rows]).reshape(-1, 2)
    vectors = [None if row[2] is None else at(row[2])[0].astype(np.float32) for row in rows]
    return pd.DataFrame(
        {
            "track": np.arange(len(rows), dtype=np.int32),
            "start_frame": frames[:, 0],
            "end_frame": frames[:, 1],
            "start": frames[:, 0] / 25,
            "end": frames[:, 1] / 25,
            "person": pd.Series([row[3] if len(row) > 3 else UNKNOWN for row in rows], dtype="str"),
            "cluster": pd.Series([""] * len(rows), dtype="str"),
            "embedding": pd.Series(vectors, dtype=object),
        }
    )


def looks_of(*qualities):
    """Make a table of looks; each track: the qualities of its looks."""
    rows = [(track, value) for track, values in enumerate(qualities) for value in values]
    return pd.DataFrame(rows, columns=["track", "quality"])


def clusters(tables, **options):
    """Group and return the numbers alone, films in the order of the tables; `.` for no group."""
    grouped = group_unknowns(tables, **{"threshold": NEAR, "least_seconds": 0.0} | options)
    return [" ".join(label.removeprefix("Unknown ") or "." for label in table["cluster"]) for table in grouped.values()]


class TestGroups:
    @pytest.mark.parametrize(
        ("rows", "numbers"),
        [
            ([], ""),
            ([(0, 9, 0)], "1"),
            ([(0, 9, 0, "Ada")], "."),
            ([(0, 9, 0), (10, 19, 5)], "1 1"),
            ([(0, 30, 0), (30, 59, 5)], "1 2"),  # one frame in common: two people, the longer one first
            ([(0, 9, 0), (5, 45, 5), (10, 99, 1)], "1 2 1"),
            ([(0, 9, 0), (10, 30, 90)], "2 1"),  # the longest on screen is first
            ([(0, 9, 0), (10, 19, 90)], "1 2"),  # equally long: the first on screen
            ([(10, 19, 0), (0, 9, 90)], "2 1"),
            ([(0, 9, 0), (10, 30, 90), (31, 45, 2)], "1 2 1"),  # it is the sum that counts
            ([(0, 9, 0), (10, 19, 0, "Ada"), (20, 29, 0)], "1 . 1"),
            ([(0, 9, 0, "not a face"), (10, 19, 0)], ". 1"),
            ([(0, 9, None), (10, 19, 0)], ". 1"),
            ([(0, 9, math.nan), (10, 19, 0)], ". 1"),
            ([(0, 9, None)], "."),
        ],
    )
    def test_numbers(self, rows, numbers):
        # Tracks without a usable embedding have no look either.
        assert clusters({"a.mp4": film(*rows)}) == [numbers]

    def test_over_films(self):
        tables = {"b.mp4": film((0, 9, 0), (10, 99, 90)), "a.mp4": film((0, 30, 4), (50, 60, 180)), "c.mp4": film()}
        assert clusters(tables) == ["2 1", "2 3", ""]

    def test_order_of_films_does_not_matter(self):
        tables = {"b.mp4": film((0, 99, 0), (200, 299, 90)), "a.mp4": film((0, 99, 45), (200, 299, 0))}
        forward = group_unknowns(tables, threshold=NEAR)
        backward = group_unknowns(dict(reversed(tables.items())), threshold=NEAR)
        assert list(forward) == ["b.mp4", "a.mp4"]
        for name, table in forward.items():
            pd.testing.assert_frame_equal(table, backward[name])

    def test_one_frame_number_in_two_films_is_no_meeting(self):
        assert clusters({"a.mp4": film((0, 9, 0)), "b.mp4": film((0, 9, 5))}) == ["1", "1"]

    def test_tables_are_left_as_they_are(self):
        table = film((0, 30, 0), (40, 49, 0, "Ada")).set_index(pd.Index([7, 3]))
        grouped = group_unknowns({"a.mp4": table}, threshold=NEAR)["a.mp4"]
        assert table["cluster"].tolist() == ["", ""]
        pd.testing.assert_frame_equal(grouped.drop(columns="cluster"), table.drop(columns="cluster"))
        assert list(grouped.columns) == list(table.columns)
        assert grouped["cluster"].tolist() == ["Unknown 1", ""]
        assert grouped["cluster"].dtype == table["cluster"].dtype

    def test_again_gives_the_same(self):
        tables = {"a.mp4": film((0, 40, 0), (50, 99, 90), (100, 105, 3, "Ada"))}
        once = group_unknowns(tables, threshold=NEAR)
        assert once["a.mp4"]["cluster"].tolist() == ["Unknown 2", "Unknown 1", ""]
        pd.testing.assert_frame_equal(group_unknowns(once, threshold=NEAR)["a.mp4"], once["a.mp4"])

    def test_no_films(self):
        assert group_unknowns({}, threshold=NEAR) == {}

    @pytest.mark.parametrize("threshold", [math.nan, -1.0])
    def test_bad_threshold(self, threshold):
        with pytest.raises(ValueError, match="0 or more"):
            group_unknowns({"a.mp4": film()}, threshold=threshold)


class TestPoorTracks:
    def test_hardly_join_each_other(self):
        tables = {"a.mp4": film((0, 19, 0), (20, 29, 15), (30, 35, 90))}
        assert clusters(tables) == ["1 1 2"]
        assert clusters(tables, looks={"a.mp4": looks_of([0.09], [0.09, 0.09], [0.5])}) == ["1 2 3"]
        assert clusters(tables, looks={"a.mp4": looks_of([0.09], [0.5], [0.5])}) == ["1 1 2"]
        # it is the mean that counts: one lucky look among many poor ones tells little
        assert clusters(tables, looks={"a.mp4": looks_of([0.09], [0.2, 0.05, 0.05], [0.5])}) == ["1 2 3"]

    def test_alone_have_no_number(self):
        tables = {"a.mp4": film((0, 99, 0), (100, 110, 90), (120, 199, 90))}
        looks = {"a.mp4": looks_of([0.07], [0.07], [0.5])}
        assert clusters(tables, looks=looks) == [". 1 1"]
        assert clusters(tables, looks=looks, least_quality=0.0) == ["1 2 2"]

    def test_films_without_looks_count_as_good(self):
        tables = {"a.mp4": film((0, 99, 0)), "b.mp4": film((0, 49, 90))}
        assert clusters(tables, looks={"a.mp4": looks_of([])}) == [".", "1"]

    def test_moments_have_no_number(self):
        tables = {"a.mp4": film((0, 26, 0), (30, 40, 90), (50, 60, 180)), "b.mp4": film((0, 20, 92))}
        assert clusters(tables) == ["2 1 3", "1"]
        assert clusters(tables, least_seconds=1.0) == ["2 1 .", "1"]  # 0.4 s and 0.8 s make more than one
        grouped = group_unknowns(tables, threshold=NEAR)  # a second, when nothing is said
        assert grouped["a.mp4"]["cluster"].tolist() == ["Unknown 2", "Unknown 1", ""]


class TestLabels:
    """Labels that the user has given to groups are not given to others, and tracks with a name have no group."""

    TABLES: ClassVar = {"a.mp4": film((0, 99, 0), (100, 150, 2), (200, 240, 90), (300, 330, 92), (400, 420, 180))}

    @pytest.mark.parametrize(
        ("reserved", "numbers"),
        [([], "1 1 2 2 3"), (["Unknown 1", "Unknown 3"], "2 2 4 4 5"), (["The waiter"], "1 1 2 2 3")],
    )
    def test_reserved(self, reserved, numbers):
        assert clusters(self.TABLES, reserved=reserved) == [numbers]

    def test_naming_one_removes_it(self):
        table = self.TABLES["a.mp4"]
        named = table.assign(person=table["person"].mask(table["track"] < 2, "Ada"))
        assert clusters({"a.mp4": named}) == [". . 1 1 2"]
        assert clusters({"a.mp4": named}, reserved=["Unknown 1"]) == [". . 2 2 3"]

    def test_over_films(self):
        tables = {"a.mp4": film((0, 99, 0), (100, 150, 12)), "b.mp4": film((0, 9, 1), (20, 29, 11))}
        assert clusters(tables) == ["1 1", "1 1"]

    def test_without_embeddings(self):
        tables = {"a.mp4": film((0, 9, None), (10, 19, None), (20, 29, 0), (30, 39, 2))}
        assert clusters(tables) == [". . 1 1"]


def people(tables, looks=None):
    """Return one row per group of unknown people."""
    return people_of(no_groups().with_members(tables, looks or {}).members)


PEOPLE_COLUMNS = ["cluster", "seconds", "tracks", "films", "first_film", "first_time", "best_film", "best_track"]


class TestSummary:
    def test_rows(self):
        tables = {"b.mp4": film((50, 75, 0), (100, 150, 90)), "a.mp4": film((200, 225, 3), (0, 9, 3, "Ada"))}
        grouped = group_unknowns(tables, threshold=NEAR)
        found = people(grouped)
        assert list(found.columns) == PEOPLE_COLUMNS
        assert found.to_numpy().tolist() == [
            ["Unknown 1", 2.0, 2, 2, "a.mp4", 8.0, "a.mp4", 0],
            ["Unknown 2", 2.0, 1, 1, "b.mp4", 4.0, "b.mp4", 1],
        ]
        looks = {"a.mp4": looks_of([0.3], [0.9]), "b.mp4": looks_of([0.1, 0.4], [0.2])}
        assert people(grouped, looks)["best_film"].tolist() == ["b.mp4", "b.mp4"]

    @pytest.mark.parametrize("tables", [{}, {"a.mp4": film()}, {"a.mp4": film((0, 9, 0, "Ada"))}])
    def test_nobody(self, tables):
        found = people(tables)
        assert found.empty
        assert list(found.columns) == PEOPLE_COLUMNS


def gallery(people, pictures, spread=0.5, seed=0):
    random = np.random.default_rng(seed)
    middles = random.normal(size=(people, 64))
    names = np.repeat([f"person {number:03d}" for number in range(people)], pictures)
    return np.repeat(middles, pictures, axis=0) + random.normal(size=(len(names), 64)) * spread, names


class TestFit:
    def test_on_many_people(self):
        vectors, names = gallery(60, 9)
        fitted = fit_grouping(vectors, names, embedder="dlib", fallback=0.48)
        assert fitted.from_data
        assert fitted.people == 60
        assert fitted.threshold != 0.33
        assert fitted.b_cubed > 0.99
        assert fitted.purity > 0.99
        assert 0.95 < fitted.groups < 1.05
        assert fitted == fit_grouping(vectors, names, embedder="dlib", fallback=0.48)
        # the groups are right also when they are made by the grouping itself
        others, whose = gallery(40, 6, seed=1)
        assert adjusted_rand_score(whose, link(others, threshold=fitted.threshold)) > 0.9

    @pytest.mark.parametrize(
        ("people", "pictures"), [(0, 9), (1, 9), (2, 9), (39, 9), (60, 5)]
    )  # too few, and then too few pictures of each
    def test_too_few(self, people, pictures):
        vectors, names = gallery(people, pictures)
        fitted = fit_grouping(vectors, names, embedder="dlib", fallback=0.48)
        assert fitted.threshold == 0.33
        assert not fitted.from_data
        assert fitted.people == (people if pictures >= 6 else 0)
        assert math.isnan(fitted.purity) == (fitted.people < 2)
        assert "too few" in fitted.advice

    def test_unknown_embedder_takes_the_recognizers(self):
        vectors, names = gallery(3, 6)
        lengths = np.linalg.norm(vectors, axis=1)
        fitted = fit_grouping(vectors, names, embedder="another", fallback=8.0)
        assert fitted.threshold == pytest.approx(0.95 * 8.0 / np.median(lengths))

    @pytest.mark.parametrize("threshold", [math.nan, math.inf])
    def test_nobody_measured_anything(self, threshold):
        assert grouping_threshold("another", threshold) == 0
        assert clusters({"a.mp4": film((0, 9, 0), (10, 19, 0))}, threshold=0.0) == ["1 2"]

    def test_lengths_must_agree(self):
        with pytest.raises(ValueError, match="one name per vector"):
            fit_grouping(np.ones((3, 2)), ["a"], embedder="dlib", fallback=0.48)


def purity(whose, groups):
    pairs = Counter(zip(groups, whose, strict=True))
    return sum(max(count for (other, _), count in pairs.items() if other == group) for group in set(groups)) / len(
        whose
    )


@pytest.fixture(scope="module")
def embedder():
    return facelib.load_embedder("dlib")


@pytest.mark.real_data
def test_strangers_of_lfw(shared_data, tmp_path, embedder):
    """People of whom there are several pictures, among others with one: as many groups as people, and pure ones."""
    project = Project("lfw", tmp_path / "data", tmp_path / "output")
    source = shared_data / "lfw"
    chosen = sorted((source / "people").iterdir())[:12]
    for folder in [*chosen, *sorted((source / "strangers").iterdir())[:30]]:
        (project.people / folder.name).mkdir(parents=True)
        for picture in sorted(folder.iterdir())[:9]:
            (project.people / folder.name / picture.name).symlink_to(picture)
    table = build_gallery(project, facelib.load_detector(), embedder, progress=False)
    table = table[table["used"]]
    rows, whose = [], []
    for person, own in table.groupby("person"):
        vectors = np.stack(own["embedding"])
        for part in np.array_split(vectors, math.ceil(len(vectors) / 3)):
            rows.append(part.mean(axis=0))
            whose.append(person)
    spans = [(20 * number, 20 * number + 9, 0) for number in range(len(rows))]
    tracks = film(*spans).assign(embedding=rows)
    threshold = grouping_threshold(embedder.name, embedder.threshold)
    grouped = group_unknowns({"lfw.mp4": tracks}, threshold=threshold, least_seconds=0.0)["lfw.mp4"]
    people = len(set(whose))
    assert people >= 30  # curation leaves some pictures out
    assert len(rows) >= people + 20
    assert purity(whose, grouped["cluster"]) >= 0.98
    assert 0.9 <= grouped["cluster"].nunique() / people <= 1.1


@pytest.mark.real_data
def test_strangers_of_the_film_clips(make_clips, known_faces, tmp_path, embedder):
    """Five strangers in five clips, one of them in two: each is one group."""
    project = make_clips(tmp_path)
    known = known_faces("film_clips")
    table = build_gallery(project, facelib.load_detector(), embedder, known=known, progress=False)
    write_gallery(table, project.faces, detector="mtcnn", embedder=embedder.name, weights_sha256=embedder.sha256)
    tune(read_gallery(project.faces), fallback=embedder.threshold).save(project.recognizer)
    films = project.find_videos([f"{name}.mp4" for name in ("other1", "other2", "other4", "other5", "will_smith1")])
    detector = facelib.load_detector(working_size=640)
    identify_films(films, project, detector, embedder, *load_recognizer(project.recognizer), progress=False)
    files = {film.name: project.film(film) for film in films}
    tables = {name: pd.read_parquet(one.tracks) for name, one in files.items()}
    looks = {name: pd.read_parquet(one.looks) for name, one in files.items() if one.looks.is_file()}
    grouped = group_unknowns(tables, threshold=grouping_threshold(embedder.name, embedder.threshold), looks=looks)
    rows = pd.concat([table.assign(film=name) for name, table in grouped.items()])
    rows = rows[(rows["person"] == UNKNOWN) & (rows["cluster"] != "")]
    assert rows["end"].sub(rows["start"]).sum() > 23  # of 24.9 seconds
    # By eye: the bearded man of other1 is in will_smith1 too; between his two shots another man is seen.
    bald = (rows["film"] == "other1.mp4") & rows["start"].between(1.2, 2.9) & rows["end"].between(1.2, 2.9)
    whose = rows["film"].replace("will_smith1.mp4", "other1.mp4").mask(bald, "bald man").tolist()
    assert len(set(whose)) == 5
    found = rows["cluster"].tolist()
    assert purity(whose, found) == 1
    assert len(set(found)) == 5
    groups = people(grouped, looks)
    assert sorted(groups["films"]) == [1, 1, 1, 1, 2]
    assert groups["cluster"].tolist() == [f"Unknown {number}" for number in range(1, 6)]
    assert groups["seconds"].is_monotonic_decreasing
    for (_, one), (_, other) in combinations(rows.iterrows(), 2):
        meet = one["film"] == other["film"] and one["start_frame"] <= other["end_frame"]
        if meet and other["start_frame"] <= one["end_frame"]:
            assert one["cluster"] != other["cluster"]
