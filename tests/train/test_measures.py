"""The measures, against what can be counted by hand and what others count."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier

from facelib.train.measures import balanced_pairs, embed_crops, face_metrics, pair_score


@pytest.fixture
def cloud():
    """Ten people of different numbers of faces, whose clouds overlap."""
    random = np.random.default_rng(0)
    names = np.repeat([f"p{n}" for n in range(10)], random.integers(3, 40, 10))
    centres = {name: random.normal(0, 1, 8) for name in np.unique(names)}
    vectors = np.array([centres[name] for name in names]) + random.normal(0, 0.8, (len(names), 8))
    return vectors.astype(np.float32), names


def test_perfect_and_hopeless():
    names = np.repeat(["a", "b", "c"], 10)
    apart = np.eye(3, dtype=np.float32)[np.repeat([0, 1, 2], 10)]
    assert (
        face_metrics(apart, names).pair_accuracy
        == face_metrics(apart, names).recall_at_1
        == face_metrics(apart, names).knn_accuracy
        == 1
    )
    noise = np.random.default_rng(0).normal(size=(30, 8))
    assert 0.4 < face_metrics(noise, names).pair_accuracy < 0.65


def test_recall_and_neighbours_as_sklearn_counts_them(cloud):
    vectors, names = cloud
    apart = pairwise_distances(vectors)
    np.fill_diagonal(apart, np.inf)
    found = face_metrics(vectors, names)
    assert found.recall_at_1 == pytest.approx((names[apart.argmin(1)] == names).mean())
    left_out = []
    for row in range(len(vectors)):
        rest = np.arange(len(vectors)) != row
        knn = KNeighborsClassifier(5).fit(vectors[rest], names[rest])
        left_out.append(knn.predict(vectors[[row]])[0] == names[row])
    assert found.knn_accuracy == pytest.approx(np.mean(left_out), abs=0.03)  # ties are broken in another way


def test_pairs_are_balanced_over_people(cloud):
    _, names = cloud
    first, second, same = balanced_pairs(names, pairs=4000)
    assert same.sum() == 4000 and len(same) == 8000
    assert ((names[first] == names[second]) == same).all() and (first != second).all()
    for side in (first[same], first[~same], second[~same]):
        _, counts = np.unique(names[side], return_counts=True)
        assert len(counts) == 10 and counts.min() > 0.75 * 400 and counts.max() < 1.25 * 400
    again = balanced_pairs(names, pairs=4000)
    np.testing.assert_array_equal(first, again[0])
    assert (balanced_pairs(names, pairs=4000, seed=1)[0] != first).any()


def test_who_has_one_face_is_in_pairs_of_two_people_only():
    names = np.array(["a", "a", "b"])
    first, second, same = balanced_pairs(names, pairs=50)
    assert set(first[same]) | set(second[same]) == {0, 1}
    assert {2} <= set(first[~same]) | set(second[~same])


def test_pair_accuracy_is_told_with_its_error(cloud):
    found = pair_score(*cloud, pairs=500)
    assert len(found.folds) == 10 and found.pairs == 1000 and 0 < found.standard_error < 0.05
    assert found.accuracy == face_metrics(*cloud).pair_accuracy or found.accuracy == pytest.approx(
        face_metrics(*cloud).pair_accuracy, abs=0.05
    )


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a"], ["a", "b", "c"]])
def test_too_few_to_compare(names):
    with pytest.raises(ValueError, match=r"expected (faces of at least two people|at least two faces)"):
        face_metrics(np.zeros((len(names), 4), np.float32), names)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="got 2 names and 3 vectors"):
        pair_score(np.zeros((3, 2)), ["a", "b"])


def test_vectors_do_not_hang_on_the_batch_or_the_mode(make_crops):
    import torch

    from facelib.train.networks import make_network

    torch.manual_seed(0)
    model, crops = make_network("mobilenetv3_small_050", dimension=8), make_crops(range(3))
    model.train()
    one, other = (embed_crops(model, crops, batch_size=size) for size in (5, 64))
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert model.training and one.dtype == np.float32 and one.shape == (18, 8)
    both = embed_crops(model, crops, mirrored=True)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    assert (both != one).any()
