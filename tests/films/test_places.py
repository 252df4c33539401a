"""Unknown people are grouped by their surroundings where a profile tells nothing."""

import numpy as np
import pandas as pd
import pytest

from facelib.films.linkage import link
from facelib.films.naming.places import tracks_of_one_place
from facelib.films.unknowns import (
    add_to_groups,
    group_unknowns,
    join_by_context,
    number_groups,
    table_of_groups,
)
from facelib.project.names import UNKNOWN

ADA, GRACE = np.array([1.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])
LIMIT = 0.33


def worn(kind):
    vector = np.full(576, 0.001, np.float32)
    vector[20 * kind : 20 * kind + 10] = 1
    return vector / np.linalg.norm(vector)


def film(*rows):
    """Each row: shot, where it stands, clothes, hair, yaw, embedding; a shot is 100 frames, a track its first 50.

    Shots 0, 2, 4 are of one set-up, and shots 1, 3, 5.
    """
    tracks, looks = [], []
    for number, (shot, x, clothes, hair, yaw, vector) in enumerate(rows):
        start = 100 * shot
        tracks.append((number, shot, start, start + 50, shot * 4.0, shot * 4.0 + 2, UNKNOWN, vector, 0.0))
        box = (x - 30.0, 70.0, x + 30.0, 130.0)
        looks.append((number, *box, worn(clothes), worn(hair), yaw, 0.0, 0.0, 0.3))
    names = ["track", "shot", "start_frame", "end_frame", "start", "end", "person", "embedding", "distance"]
    sides = ["left", "top", "right", "bottom"]
    seen = pd.DataFrame(looks, columns=["track", *sides, "clothes", "hair", "yaw", "pitch", "cut", "quality"])
    shots = pd.DataFrame({"shot": range(6), "scene": 0, "setup": [0, 1] * 3})
    return pd.DataFrame(tracks, columns=names), seen, shots


STRAIGHT = (0, 100, 1, 2, 0.0, ADA)
PROFILE = (2, 110, 1, 2, 80.0, 0.3 * ADA + GRACE)


@pytest.mark.parametrize(
    ("second", "joined"),
    [
        (PROFILE, True),
        ((1, *PROFILE[1:]), False),  # another set-up
        ((2, 300, *PROFILE[2:]), False),  # at another place
        ((2, 110, 9, *PROFILE[3:]), False),  # other clothes
        ((2, 110, 1, 9, *PROFILE[4:]), False),  # other hair
        ((2, 110, 1, 2, 0.0, PROFILE[5]), False),  # a straight face of somebody else
        ((2, 110, 1, 2, 0.0, ADA + 0.1 * GRACE), True),
        ((0, *PROFILE[1:]), False),  # of one shot: tracking has decided
    ],
)
def test_place_clothes_and_hair_join_what_faces_do_not(second, joined):
    tracks, looks, shots = film(STRAIGHT, second)
    found = tracks_of_one_place(tracks, looks, shots, threshold=LIMIT)
    assert found == ([[0, 1]] if joined else [])


def test_nobody_is_joined_with_whoever_shares_a_frame_with_him():
    """Two in one frame and a third who is like both: he is one of them, and they stay apart."""
    tracks, looks, shots = film(STRAIGHT, (0, 120, 1, 2, 80.0, GRACE), (2, 105, 1, 2, 80.0, GRACE))
    (group,) = tracks_of_one_place(tracks, looks, shots, threshold=LIMIT)
    assert len(group) == 2
    assert 2 in group


def test_no_tracks_and_no_looks():
    tracks, looks, shots = film(STRAIGHT, PROFILE)
    assert tracks_of_one_place(tracks[:0], looks, shots, threshold=LIMIT) == []
    assert tracks_of_one_place(tracks, looks[:0], shots, threshold=LIMIT) == []
    assert tracks_of_one_place(tracks[:1], looks, shots, threshold=LIMIT) == []


def test_the_groups_follow_the_places():
    tracks, looks, shots = film(STRAIGHT, PROFILE, (4, 400, 5, 7, 0.0, np.array([0, 0, 1.0, 0])))
    together = tracks_of_one_place(tracks, looks, shots, threshold=LIMIT)
    options = {"threshold": LIMIT, "looks": {"film": looks}}
    alone = group_unknowns({"film": tracks}, **options)["film"]["cluster"]
    joined = group_unknowns({"film": tracks}, together={"film": together}, **options)["film"]["cluster"]
    assert alone.nunique() == 3
    assert joined[0] == joined[1] != joined[2]


def test_a_new_film_is_grouped_in_the_same_way():
    tracks, looks, shots = film(STRAIGHT, PROFILE)
    together = tracks_of_one_place(tracks, looks, shots, threshold=LIMIT)
    nothing = table_of_groups({"other": tracks[:0].assign(cluster="")})
    options = {"groups": nothing, "threshold": LIMIT, "looks": {"film": looks}}
    table = group_unknowns({"film": tracks}, together={"film": together}, **options)["film"]
    assert table["cluster"].tolist() == ["Unknown 1", "Unknown 1"]
    table = group_unknowns({"film": tracks}, **options)["film"]
    assert table["cluster"].nunique() == 2


def test_rows_together_join_beside_existing_groups():
    vectors = [[0, 1], [1, 0.1], [-1, 0]]
    options = {"threshold": 0.5, "sums": [[3, 0, 0]], "sizes": [3]}
    assert link(vectors, **options).tolist() == [1, 0, 3]
    joined = link(vectors, together=[(0, 2)], **options)
    assert joined.tolist() == [1, 0, 1]


ADAS, ADAS_TOO = (0, 100, 1, 2, 0.0, ADA), (4, 105, 1, 2, 0.0, ADA + 0.05 * GRACE)
GRACES, GRACES_TOO = (1, 300, 5, 7, 0.0, GRACE), (3, 305, 5, 7, 0.0, GRACE + 0.05 * ADA)
NOBODYS = np.array([0.4, 0.35, 1.0, 0])


def joined(rows, clusters, **options):
    tracks, looks, shots = film(*rows)
    table = join_by_context(tracks.assign(cluster=clusters), looks, shots, threshold=LIMIT, **options)
    return table["cluster"].tolist()


@pytest.mark.parametrize(
    ("lone", "group"),
    [
        ((2, 108, 1, 2, 80.0, NOBODYS), "A"),  # a profile in Ada's place and clothes
        ((2, 300, 5, 7, 80.0, NOBODYS), "G"),  # in Grace's clothes, in another set-up
        ((2, 500, 15, 12, 80.0, NOBODYS), ""),  # in nobody's
        ((2, 108, 1, 2, 0.0, np.array([0, 0, 1.0, 0])), ""),  # a straight face of somebody else
        ((0, 130, 1, 2, 80.0, NOBODYS), ""),  # beside Ada in one frame
    ],
)
def test_a_track_without_a_group_joins_the_one_around_it(lone, group):
    rows = (ADAS, ADAS_TOO, GRACES, GRACES_TOO, lone)
    assert joined(rows, ["A", "A", "G", "G", ""]) == ["A", "A", "G", "G", group]


def test_a_group_that_few_faces_tell_becomes_part_of_another():
    profiles = [(2, 108, 1, 2, 80.0, NOBODYS)]
    rows, clusters = (ADAS, ADAS_TOO, GRACES, GRACES_TOO, *profiles), ["A", "A", "G", "G", "P"]
    assert joined(rows, clusters) == ["A", "A", "G", "G", "A"]
    assert joined(rows, clusters, settled={"P", "A", "G"}) == clusters


def test_groups_that_straight_faces_told_apart_stay():
    """Brothers in the same clothes: their faces are alike, and farther apart than one person's."""
    brother = ADA + 0.4 * GRACE
    own = [(shot, 100 + shot, 1, 2, 0.0, ADA) for shot in (0, 2, 4)]
    others = [(shot, 300 + shot, 1, 2, 0.0, brother) for shot in (1, 3, 5)]
    clusters = ["A"] * 3 + ["B"] * 3
    assert joined([*own, *others], clusters) == clusters


def test_the_cast_takes_no_part_and_its_tracks_are_no_group():
    tracks, looks, shots = film(ADAS, ADAS_TOO, GRACES, (2, 108, 1, 2, 80.0, NOBODYS))
    tracks = tracks.assign(cluster=["", "", "G", ""], person=["Ada", "Ada", "unknown", "unknown"])
    table = join_by_context(tracks, looks, shots, threshold=LIMIT)
    assert table["cluster"].tolist() == ["", "", "G", ""]
    assert table["person"].tolist() == ["Ada", "Ada", "unknown", "unknown"]


def test_nothing_to_join():
    tracks, looks, shots = film(ADAS, GRACES)
    for table in (tracks.assign(cluster=""), tracks[:0].assign(cluster=""), tracks.assign(cluster="A", person="Ada")):
        assert join_by_context(table, looks, shots, threshold=LIMIT)["cluster"].tolist() == table["cluster"].tolist()
    without = tracks.assign(cluster=["A", ""])
    assert join_by_context(without, looks[:0], shots, threshold=LIMIT)["cluster"].tolist() == ["A", ""]


def test_numbers_are_given_anew_longest_first():
    tracks, _, _ = film(ADAS, GRACES, GRACES_TOO)
    table = number_groups(
        {"film": tracks.assign(cluster=["Unknown 1", "Unknown 4", "Unknown 4"])}, reserved={"Unknown 1"}
    )
    assert table["film"]["cluster"].tolist() == ["Unknown 3", "Unknown 2", "Unknown 2"]
    assert number_groups({"film": tracks[:0].assign(cluster="")})["film"].empty


def test_groups_get_a_films_tracks():
    tracks, _, _ = film(ADAS, GRACES, GRACES_TOO)
    tracks = tracks.assign(cluster=["Unknown 2", "Unknown 1", ""])
    groups = table_of_groups({"a film": tracks})
    both = add_to_groups(groups, {"b film": tracks}).set_index("cluster")
    assert both["size"].to_dict() == {"Unknown 1": 2.0, "Unknown 2": 2.0}
    pd.testing.assert_frame_equal(add_to_groups(groups[:0], {"a film": tracks}), groups)
