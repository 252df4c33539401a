from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from facelib.gallery.map import find_strays, make_map, map_table, measure_map, usable_perplexity


def clusters(sizes: list[int], *, spread: float = 0.05, dimension: int = 128, seed: int = 0):
    """Vectors around one centre a person, and the people's names."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(sizes), dimension))
    people = np.repeat(np.arange(len(sizes)), sizes)
    vectors = centres[people] + spread * random.normal(size=(sum(sizes), dimension))
    return vectors.astype(np.float32), np.array([f"person {i}" for i in people], dtype=object)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7, 40])
def test_every_size_of_gallery_gives_a_finite_map_of_distinct_faces(count):
    vectors, _ = clusters([count], spread=1.0)
    points = make_map(vectors, progress=False)
    assert points.shape == (count, 2) and points.dtype == np.float32
    assert np.isfinite(points).all()
    assert len(np.unique(points.round(4), axis=0)) == count


@pytest.mark.parametrize(
    "sizes",
    [
        [20, 20, 20],
        [3, 3],  # barely enough for t-SNE
        [2, 2],  # too few: principal components
    ],
)
def test_people_far_apart_stay_apart_on_the_map(sizes):
    vectors, names = clusters(sizes)
    figures = measure_map(vectors, make_map(vectors, progress=False), names)
    assert figures["person"].tolist() == [*sorted(set(names)), "everybody"]
    assert figures["faces"].tolist() == [*sizes, sum(sizes)]
    assert (figures[["purity", "purity_on_map"]] == 1.0).all(axis=None)
    assert (figures[["silhouette", "silhouette_on_map"]] > 0.4).all(axis=None)


def test_a_map_is_the_same_every_time_and_another_with_another_seed_or_perplexity():
    vectors, _ = clusters([15, 15], spread=0.8)
    first = make_map(vectors, perplexity=8, seed=3, progress=False)
    assert np.array_equal(first, make_map(vectors, perplexity=8, seed=3, progress=False))
    assert not np.allclose(first, make_map(vectors, perplexity=3, seed=3, progress=False))


@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((8, 16), np.float32),  # the same picture eight times
        np.repeat(np.eye(2, 16, dtype=np.float32), 6, axis=0),  # two pictures, six times each
        np.ones((8, 1), np.float32),  # an embedding of one dimension
    ],
)
def test_identical_embeddings_do_not_break_the_map(vectors):
    points = make_map(vectors, progress=False)
    assert points.shape == (len(vectors), 2)
    assert np.isfinite(points).all()


@pytest.mark.parametrize(
    ("vectors", "options", "told"),
    [
        (np.full((3, 4), np.nan, np.float32), {}, "12 values that are not finite"),
        (np.zeros(4, np.float32), {}, r"\(4,\)"),
        (np.zeros((6, 4), np.float32), {"perplexity": 0.5}, "perplexity of 1 or more, got 0.5"),
        (np.zeros((6, 4), np.float32), {"perplexity": float("nan")}, "got nan"),
    ],
)
def test_bad_input_is_told(vectors, options, told):
    with pytest.raises(ValueError, match=told):
        make_map(vectors, progress=False, **options)


def test_a_perplexity_too_large_is_brought_down_and_told(caplog):
    with caplog.at_level(logging.INFO, logger="facelib"):
        assert usable_perplexity(10, 30) == 3.0
    assert "from 30 to 3" in caplog.text
    assert usable_perplexity(2, 30) == 1.0
    assert usable_perplexity(100, 5) == 5.0


def test_mixed_people_are_measured_as_mixed():
    # Two people alternating on a line: nobody's nearest is their own, and the silhouette is below 0.
    points = np.stack([np.arange(6.0), np.zeros(6)], axis=1).astype(np.float32)
    figures = measure_map(points, points, ["a", "b"] * 3)
    assert (figures["purity"] == 0).all()
    assert (figures["silhouette"] < 0).all()


@pytest.mark.parametrize(
    ("names", "defined"),
    [
        ([], []),
        (["a"], []),
        (["a", "a"], ["purity"]),  # one person: a silhouette needs another
        (["a", "b"], []),  # one face each: no face has a fellow
        (["a", "a", "b"], ["purity", "silhouette"]),
    ],
)
def test_figures_that_do_not_exist_are_nan(names, defined):
    points = np.arange(2.0 * len(names), dtype=np.float32).reshape(-1, 2)
    everybody = measure_map(points, points, names).iloc[-1]
    assert everybody["person"] == "everybody" and everybody["faces"] == len(names)
    for figure in ("purity", "silhouette"):
        assert pd.notna(everybody[figure]) == (figure in defined)


def test_a_persons_only_face_counts_for_nothing():
    points = np.float32([[0, 0], [0, 1], [0, 0.4]])
    figures = measure_map(points, points, ["a", "a", "b"]).set_index("person")
    assert np.isnan(figures.loc["b", "purity"]) and np.isnan(figures.loc["b", "silhouette"])
    assert figures.loc["everybody", "purity"] == 0.0  # both of a's faces are nearest to b's


def test_the_table_of_the_map_has_the_columns_of_the_contract_in_the_order_of_the_faces():
    faces = pd.DataFrame(
        {"picture": ["b.jpg", "a.jpg"], "face": [1, 0], "person": ["B", "A"], "score": [1.0, 1.0]}, index=[7, 3]
    )
    table = map_table(faces, np.float32([[1, 2], [3, 4]]))
    assert table.columns.tolist() == ["picture", "face", "person", "x", "y"]
    assert table.loc[0].tolist() == ["b.jpg", 1, "B", 1.0, 2.0]
    with pytest.raises(ValueError, match=r"\(2, 2\), got \(3, 2\)"):
        map_table(faces, np.zeros((3, 2), np.float32))


def test_lengths_that_disagree_are_refused():
    with pytest.raises(ValueError, match="got 2, 3, 3"):
        measure_map(np.zeros((2, 4), np.float32), np.zeros((3, 2), np.float32), ["a"] * 3)


def astray(people: list[str], places: list[float], *, k: int = 3) -> pd.DataFrame:
    vectors = np.array([[place, 0.0] for place in places], np.float32)
    return find_strays(pd.DataFrame({"picture": range(len(people)), "person": people}), vectors, k=k)


def test_strays_are_the_faces_among_another_persons():
    found = astray(list("AAAABBBBA"), [0, 0.1, 0.2, 0.3, 9, 9.1, 9.2, 9.3, 9.15])
    assert found["picture"].tolist() == [8]
    assert (found["among"].item(), found["share"].item()) == ("B", 1.0)


@pytest.mark.parametrize(
    ("people", "places"),
    [
        ([], []),  # nobody
        (["A"], [0.0]),  # a single face has no neighbours
        (["A", "A", "A"], [0.0, 1.0, 2.0]),  # one person has nobody to be among
        (["A", "A", "B", "B"], [0.0, 0.1, 9.0, 9.1]),  # fewer neighbours than asked
    ],
)
def test_there_are_no_strays_where_nobody_is_out_of_place(people, places):
    found = astray(people, places, k=1 if len(people) == 4 else 5)
    assert found.empty and list(found.columns) == ["picture", "person", "among", "share"]


def test_strays_come_the_farthest_first_and_k_is_checked():
    found = astray(list("AABBBA"), [0, 0.1, 5, 5.1, 5.2, 5.15], k=2)
    assert found["share"].is_monotonic_decreasing and 5 in found["picture"].tolist()
    with pytest.raises(ValueError, match="k=0"):
        astray(["A", "B"], [0, 1], k=0)


def test_a_map_that_starts_from_another_stays_near_it():
    vectors, _ = clusters([15, 15, 15], spread=0.5)
    first = make_map(vectors, progress=False)
    mirrored = first[:, ::-1].copy()
    alike, other = make_map(vectors, start=first, progress=False), make_map(vectors, start=mirrored, progress=False)
    size = np.linalg.norm(first, axis=1).mean()
    assert np.linalg.norm(alike - first, axis=1).mean() < 0.5 * size
    assert np.linalg.norm(other - mirrored, axis=1).mean() < 0.5 * size


@pytest.mark.parametrize("start", [np.zeros((45, 2)), np.zeros((3, 2)), np.full((45, 2), np.nan)])
def test_a_start_that_is_none_is_refused(start):
    with pytest.raises(ValueError, match=r"start of shape \(45, 2\)"):
        make_map(clusters([45])[0], start=start, progress=False)
