"""Faces filed under the wrong person are found, and others are left in peace."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from facelib.gallery.mislabels import far_from_own, find_mislabelled, neighbour_shares


def vectors_of(table: pd.DataFrame) -> np.ndarray:
    return np.stack(table["embedding"].to_list())


def test_no_faces_are_no_mistakes() -> None:
    found = find_mislabelled(np.zeros((0, 8)), [])
    assert list(found.columns) == ["wrong", "doubt", "likeliest"] and found.empty


def test_a_pure_gallery_has_no_mistakes(make_table: Callable[..., pd.DataFrame]) -> None:
    table = make_table({"Ada": 20, "Grace": 12, "Mary": 4})
    found = find_mislabelled(vectors_of(table), table["person"])
    assert not found["wrong"].any()
    assert (found["likeliest"] == table["person"]).all()


@pytest.mark.parametrize("counts", [{"Ada": 20, "Grace": 20, "Mary": 20}, {"Ada": 40, "Grace": 8, "Mary": 5}])
def test_misfiled_faces_are_found_and_named(make_table: Callable[..., pd.DataFrame], counts: dict[str, int]) -> None:
    table = make_table(counts)
    names = table["person"].to_numpy(dtype=object).copy()
    names[[0, 1]] = "Grace"
    names[-1] = "Ada"
    found = find_mislabelled(vectors_of(table), names)
    assert np.flatnonzero(found["wrong"]).tolist() == [0, 1, len(table) - 1]
    assert found["likeliest"].iloc[[0, 1, -1]].to_list() == ["Ada", "Ada", "Mary"]
    assert (found["doubt"].iloc[[0, 1, -1]] > 0.75).all()


def test_of_three_faces_nobody_can_say_which_is_wrong(make_table: Callable[..., pd.DataFrame]) -> None:
    table = make_table({"Ada": 10, "Grace": 2})
    names = table["person"].to_numpy(dtype=object).copy()
    names[0] = "Grace"
    assert not find_mislabelled(vectors_of(table), names)["wrong"].any()


def test_a_cast_of_one_has_nobody_to_be_mistaken_for(make_table: Callable[..., pd.DataFrame]) -> None:
    table = make_table({"Ada": 10})
    assert not find_mislabelled(vectors_of(table), table["person"])["wrong"].any()


def test_the_votes_leave_the_face_itself_out_even_among_copies() -> None:
    vectors = np.array([[0.0], [0.0], [0.0], [5.0], [5.1]])
    shares = neighbour_shares(vectors, np.array([0, 0, 0, 1, 1]), k=2)
    assert shares.tolist() == [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
    misfiled = neighbour_shares(vectors, np.array([0, 0, 1, 1, 1]), k=2)
    # The third copy has two others beside it, both the first person's; of the last two, one neighbour each is far off.
    assert misfiled[2].tolist() == [1, 0]
    assert np.allclose(misfiled.sum(axis=1), 1)


def test_strangers_are_dropped_until_the_rest_is_alike(make_table: Callable[..., pd.DataFrame]) -> None:
    random = np.random.default_rng(1)
    table = make_table({"Ada": 12, "Grace": 12, "Mary": 12}, scatter=0.4)
    strangers = random.normal(size=(3, 32))
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    vectors = np.concatenate([vectors_of(table), strangers])
    codes = np.concatenate([np.repeat([0, 1, 2], 12), [0, 1, 2]])
    assert np.flatnonzero(far_from_own(vectors, codes)).tolist() == [36, 37, 38]
    assert not far_from_own(vectors, codes, spread=1.0).any()


def test_an_angle_shared_by_all_faces_does_not_matter_to_the_centred_rule(
    make_table: Callable[..., pd.DataFrame],
) -> None:
    table = make_table({"Ada": 12, "Grace": 12, "Mary": 12})
    codes = np.repeat([0, 1, 2], 12)
    codes[0] = 1
    vectors = vectors_of(table) + 3  # as dlib's lie, all in one direction
    assert np.flatnonzero(far_from_own(vectors, codes)).tolist() == [0]
    assert not far_from_own(vectors, codes, spread=0.1, centred=False).any()


def test_never_more_than_half_of_a_person_is_dropped() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 32))
    codes = np.repeat([0, 1], 20)
    dropped = far_from_own(vectors, codes, spread=0.0)
    assert np.bincount(codes[dropped]).tolist() == [10, 10]
