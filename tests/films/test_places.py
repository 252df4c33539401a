"""Unknown people are grouped by their surroundings where a profile tells nothing."""

import numpy as np
import pandas as pd
import pytest

from facelib.films.unknowns import group_unknowns, match_unknowns, table_of_groups, tracks_of_one_place
from facelib.films.unknowns.linkage import link_to
from facelib.recognize import UNKNOWN

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
    fixed = group_unknowns({"film": tracks}, together={"film": together}, fixed={("film", 1): "Unknown 9"}, **options)[
        "film"
    ]["cluster"]
    assert fixed[1] == "Unknown 9" != fixed[0]  # what the user said counts


def test_a_new_film_is_grouped_in_the_same_way():
    tracks, looks, shots = film(STRAIGHT, PROFILE)
    together = tracks_of_one_place(tracks, looks, shots, threshold=LIMIT)
    nothing = table_of_groups({"other": tracks[:0].assign(cluster="")})
    options = {"threshold": LIMIT, "looks": looks}
    table, _ = match_unknowns("film", tracks, nothing, together=together, **options)
    assert table["cluster"].tolist() == ["Unknown 1", "Unknown 1"]
    table, _ = match_unknowns("film", tracks, nothing, **options)
    assert table["cluster"].nunique() == 2


def test_rows_together_join_beside_existing_groups():
    vectors = [[0, 1], [1, 0.1], [-1, 0]]
    options = {"threshold": 0.5, "worth": [1, 1, 1]}
    assert link_to([[3, 0, 0]], [3], vectors, **options).tolist() == [1, 0, 3]
    joined = link_to([[3, 0, 0]], [3], vectors, together=[(0, 2)], **options)
    assert joined.tolist() == [1, 0, 1]
