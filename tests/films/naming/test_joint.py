"""Names travel from sure faces to like clothes and places, never to two faces of one frame, nor to strangers."""

from dataclasses import replace

import numpy as np
import pytest

from facelib.films.naming.context import sure_of_unknown
from facelib.films.naming.evidence import AGAINST, Tracks, face_evidence, presence
from facelib.films.naming.joint import name_jointly
from facelib.films.naming.likeness import Moments, fit_likeness
from facelib.nets.figures import EvidenceShape

ADA, GRACE = 0, 1
NEAR, FAR, UNSURE = 0.3, 0.75, 0.60


def worn(kind):
    """Clothes of a kind, as a unit vector; None is out of the picture."""
    if kind is None:
        return np.full(576, np.nan, np.float32)
    vector = np.full(576, 0.001, np.float32)
    vector[20 * kind : 20 * kind + 10] = 1
    return vector / np.linalg.norm(vector)


def tracks(*rows):
    """Each row: shot, distances to Ada and Grace, size, clothes, and where it stands."""
    shot = np.array([row[0] for row in rows], np.int64)
    return Tracks(
        distances=np.array([row[1] for row in rows], np.float32).reshape(-1, 2),
        size=np.array([row[2] for row in rows], np.float32),
        quality=np.full(len(rows), 0.2, np.float32),
        turn=np.zeros(len(rows), np.float32),
        clothes=np.stack([worn(row[3]) for row in rows]) if rows else np.empty((0, 576), np.float32),
        hair=np.stack([worn(None)] * len(rows)) if rows else np.empty((0, 576), np.float32),
        middle=np.array([(row[4], 100) for row in rows], np.float32).reshape(-1, 2),
        shot=shot,
        scene=np.array([row[5] if len(row) > 5 else 0 for row in rows], np.int64),
        setup=shot % 2,
        frames=np.stack([shot * 100, shot * 100 + 50], axis=1),
        time=(shot * 4.0).astype(np.float32),
    )


def names(seen):
    evidence = face_evidence(seen, threshold=0.48, strangers=0.65)
    chance = name_jointly(seen, evidence).probability
    assert np.isfinite(chance).all()
    assert (chance.sum(axis=1) <= 1 + 1e-5).all()
    return [("Ada", "Grace")[row.argmax()] if row.max() >= 0.7 else "?" for row in chance]


SURE_ADA = (0, (NEAR, FAR), 90, 1, 100)
SURE_GRACE = (1, (FAR, NEAR), 90, 5, 400)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ((2, (UNSURE, UNSURE), 22, 1, 300), "Ada"),  # Ada's clothes
        ((2, (UNSURE, UNSURE), 22, 5, 300), "Grace"),
        ((2, (UNSURE, UNSURE), 22, 9, 300), "?"),  # clothes that nobody was seen in
        ((2, (UNSURE, UNSURE), 22, None, 300), "?"),
        ((2, (FAR, FAR), 90, 1, 300), "?"),  # a good face of a stranger in Ada's clothes
        ((2, (FAR, NEAR), 90, 1, 300), "Grace"),  # Grace's good face in Ada's clothes: she has changed
        ((2, (UNSURE, UNSURE), 22, 1, 300, 1), "?"),  # another scene
    ],
)
def test_clothes_carry_names(row, name):
    assert names(tracks(SURE_ADA, SURE_GRACE, row)) == ["Ada", "Grace", name]


def test_the_place_in_the_same_set_up_helps():
    row = (2, (0.585, 0.62), 24, None, 100)
    elsewhere = (*row[:4], 500)
    evidence = {}
    for name, one in (("there", row), ("elsewhere", elsewhere)):
        seen = tracks(SURE_ADA, one)
        result = name_jointly(seen, face_evidence(seen, threshold=0.48, strangers=0.65))
        evidence[name] = result.place[1, ADA], result.probability[1, ADA]
    assert evidence["there"][0] > 1 > 0 > evidence["elsewhere"][0]
    assert evidence["there"][1] > evidence["elsewhere"][1]


def test_nobody_is_twice_in_one_frame():
    twins = [(3, (UNSURE, UNSURE), 22, 1, 100), (3, (UNSURE, UNSURE), 22, 1, 300)]
    seen = tracks(SURE_ADA, SURE_GRACE, *twins)
    chance = name_jointly(seen, face_evidence(seen, threshold=0.48, strangers=0.65)).probability
    assert chance[2:, ADA].max() < 0.7
    assert chance[2:, ADA].sum() <= 1.05


def test_a_strangers_clothes_speak_for_the_stranger():
    stranger = (1, (FAR, FAR), 90, 3, 400)  # surely nobody, in clothes of her own
    turned = (2, (0.59, UNSURE), 24, 3, 300)  # a bit like Ada, in the stranger's clothes
    assert names(tracks(SURE_ADA, stranger, turned)) == ["Ada", "?", "?"]


def test_the_witness_is_the_one_in_the_like_clothes():
    seen = tracks(SURE_ADA, SURE_GRACE, (2, (UNSURE, UNSURE), 22, 5, 300))
    result = name_jointly(seen, face_evidence(seen, threshold=0.48, strangers=0.65))
    assert result.witness[2, GRACE] == 1


def test_no_tracks_and_one_track():
    assert names(tracks()) == []
    assert names(tracks(SURE_ADA)) == ["Ada"]


def test_small_faces_are_weaker_evidence():
    seen = tracks((0, (0.5, 0.7), 100, None, 0), (1, (0.5, 0.7), 22, None, 0))
    large, small = face_evidence(seen, threshold=0.48, strangers=0.65)
    assert large[ADA] - large[GRACE] > 2 * (small[ADA] - small[GRACE]) > 0
    assert small[ADA] > large[ADA] - 1  # far for a large face, usual for a small one


@pytest.mark.parametrize(
    ("quality", "even"),  # thresholds, of labelled samples of 52 pixels and more, with dlib's embedding
    [(0.25, 1.06), (0.10, 1.22), (0.03, 1.44), (0.01, 1.49)],
)
def test_a_blurred_face_may_lie_farther_from_its_person(quality, even):
    apart = (0.48 * even, 0.75)
    seen = replace(tracks((0, apart, 100, None, 0)), quality=np.array([quality], np.float32))
    evidence = face_evidence(seen, threshold=0.48, strangers=1.4 * 0.48)[0, ADA]
    assert evidence == pytest.approx(0, abs=2.2)
    clear = replace(seen, quality=np.array([0.25], np.float32))
    assert (evidence > face_evidence(clear, threshold=0.48, strangers=1.4 * 0.48)[0, ADA]) == (quality < 0.12)


def test_a_blurred_face_says_little_against_anybody():
    far = tracks(*[(0, (FAR, FAR), 100, None, 0)] * 2)
    clear, blurred = face_evidence(
        replace(far, quality=np.array([0.25, 0.02], np.float32)), threshold=0.48, strangers=0.65
    )[:, ADA]
    assert clear < AGAINST < blurred < 0


@pytest.mark.parametrize(
    ("quality", "least", "most"),
    [
        (0.02, 0.5, 0.5),  # blurred: as probable as nobody
        (0.05, 0.5, 0.5),
        (0.10, 0.75, 0.9),
        (0.15, 0.9, 0.99),
        (0.80, 0.9, 0.99),  # no more than from 0.15 on
    ],
)
def test_a_sharp_face_without_a_name_is_more_surely_a_strangers(quality, least, most):
    sure = sure_of_unknown(np.array([0.0, 0.1, 0.5, 1.0], np.float32), np.full(4, quality, np.float32))
    assert least - 1e-6 <= sure[2] <= most + 1e-6
    assert (np.diff(sure) > 0).all()
    assert ((sure > 0) & (sure < 1)).all()


def test_two_faces_in_the_same_clothes_do_not_give_each_other_a_name_that_one_of_them_barely_shows():
    """What the second knows of Ada it has from the first: a stranger's two faces would be sure of each other."""
    barely, other = (0, (0.525, 0.62), 37, 1, 100), (1, (0.56, 0.62), 32, 1, 500)
    assert names(tracks(barely, other)) == ["?", "?"]
    assert names(tracks(SURE_ADA, (1, *barely[1:]), (2, *other[1:]))) == ["Ada"] * 3  # a third shows it


def test_a_face_may_lie_farther_from_the_only_picture_of_a_person():
    """On portraits of LFW the even point moves by 0.13 of the threshold from one picture to ten."""
    seen = tracks((0, (0.55, 0.55), 100, None, 0))
    shape = EvidenceShape(even=(0.3, 0.8), slope=(7.0, 2.0), few=0.1)
    (one, ten), (_, many) = (
        face_evidence(seen, threshold=0.48, strangers=0.65, shape=shape, pictures=count)[0]
        for count in ([1, 10], [1, 99])
    )
    assert one - ten == pytest.approx(0.1 * 0.48 * 7 / 0.17, rel=1e-3)
    assert ten == many == face_evidence(seen, threshold=0.48, strangers=0.65)[0, GRACE]


def test_another_network_has_an_even_point_and_a_slope_of_its_own():
    seen = tracks((0, (0.48, 0.65), 100, None, 0), (1, (0.48, 0.65), 19, None, 0))
    shape = EvidenceShape(even=(0.0, 1.0), slope=(4.0, 2.0))
    large, small = face_evidence(seen, threshold=0.48, strangers=0.65, shape=shape)
    assert large == pytest.approx([0, -4], abs=1e-4)
    assert small == pytest.approx([2, 0], abs=1e-4)


def test_evidence_is_learned_from_the_scene():
    drab = fit_likeness(Moments.of(np.full(200, 0.10)), Moments.of(np.full(200, 0.2)))
    loud = fit_likeness(Moments.of(np.full(200, 0.20)), Moments.of(np.full(200, 0.8)))
    apart = np.array([0.1, 0.2, 0.5, np.nan], np.float32)
    assert drab.evidence(apart)[1] < 0 < loud.evidence(apart)[1]
    assert drab.evidence(apart)[3] == loud.evidence(apart)[3] == 0
    assert np.isfinite(fit_likeness(Moments(), Moments()).evidence(apart)).all()


def test_the_pairs_of_a_scene_outweigh_what_is_usual():
    """With little colour one person's clothes lie at 0.18 (8 pairs), two people's at 0.34 (46): 0.3 is two people's."""
    one, two = 0.18 + 0.08 * np.array([-1, 1] * 4), 0.34 + 0.10 * np.array([-1, 1] * 23)
    assert -1 < fit_likeness(Moments.of(one), Moments.of(two)).evidence(np.array([0.3], np.float32))[0] < 0


def test_parts_of_the_pairs_add_up_to_all_of_them():
    values = np.random.default_rng(0).uniform(0.1, 0.9, 300)
    parts = Moments.of(values[:100]) + Moments.of([np.nan]) + Moments.of(values[100:])
    fitted = fit_likeness(parts, Moments()).same
    assert fitted == pytest.approx(fit_likeness(Moments.of(values), Moments()).same)
    weights = np.array([300, 5])
    assert fitted[0] == pytest.approx(np.average([values.mean(), 0.27], weights=weights))
    spread = np.average([np.mean((values - fitted[0]) ** 2), 0.10**2], weights=weights)
    assert fitted[1] == pytest.approx(spread**0.5)


def test_other_hair_speaks_against_a_name_and_hair_alike_says_nothing():
    """A profile in clothes a bit like Ada's; she has been seen with hair of her own."""
    row = (2, (0.60, 0.66), 90, 1, 300)
    seen = turned_away(tracks(SURE_ADA, SURE_GRACE, row), r2=1.0)
    evidence = face_evidence(seen, threshold=0.48, strangers=0.65)
    chances = {}
    for name, kind in (("not seen", None), ("alike", 2), ("other", 9)):
        heads = np.stack([worn(2), worn(7), worn(kind)])
        chances[name] = name_jointly(replace(seen, hair=heads), evidence).probability[2, ADA]
    odds = {name: np.log(chance / (1 - chance)) for name, chance in chances.items()}
    assert odds["other"] < odds["not seen"] - 0.7
    assert odds["alike"] == pytest.approx(odds["not seen"], abs=0.2)


def turned_away(seen, **turn):
    """Return tracks with some turned: by row."""
    away = np.zeros(len(seen), np.float32)
    for row, value in turn.items():
        away[int(row[1:])] = value
    return replace(seen, turn=away)


def test_a_turned_face_says_nothing_rather_than_stranger():
    evidence = face_evidence(
        turned_away(tracks(SURE_ADA, (1, (FAR, FAR), 90, 1, 100), (2, (FAR, FAR), 90, 1, 100)), r2=1.0),
        threshold=0.48,
        strangers=0.65,
    )
    assert evidence[1].max() < -4
    assert (np.abs(evidence[2]) <= 1).all()


def test_a_profile_gets_its_name_from_the_clothes_and_a_straight_face_does_not():
    row = (2, (0.62, 0.66), 90, 1, 300)
    assert names(turned_away(tracks(SURE_ADA, SURE_GRACE, row), r2=1.0))[2] == "Ada"
    assert names(tracks(SURE_ADA, SURE_GRACE, row))[2] == "?"


def test_what_surrounds_a_face_does_not_outvote_what_it_says():
    """A straight face unlike Ada's stands in Ada's clothes where she always is."""
    row = (2, (0.64, 0.70), 90, 1, 100)
    assert names(tracks(SURE_ADA, (4, (NEAR, FAR), 90, 1, 100), row))[2] == "?"


@pytest.mark.parametrize(("first", "passed"), [((0.6, -3.0), False), ((3.0, -3.0), True)])
def test_a_name_that_no_face_shows_is_not_passed_on(first, passed):
    """Three tracks in the same clothes, whose faces are a little like Ada's; or the first one clearly so."""
    seen = tracks(*((shot, (UNSURE, FAR), 90, 1, 100 + 300 * shot) for shot in range(3)))
    result = name_jointly(seen, np.array([first, (0.6, -3.0), (0.6, -3.0)], np.float32))
    assert (result.clothes[1:, ADA] > 0).tolist() == [passed] * 2


SHOWN, HIDDEN = (3.0, -3.0), (0.5, 0.5)  # evidence of a face


@pytest.mark.parametrize(
    ("probability", "face", "turns", "wanted"),
    [
        # Ada is there, and no stranger: a profile is likelier hers, and less likely Grace's, whom nobody saw.
        ([[1.0, 0.0], [0.0, 0.0]], (SHOWN, HIDDEN), (0, 1), [[0.0, -1.5], [0.75, -0.75]]),
        # A straight face is a stranger's: the profile may be too.
        ([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], (SHOWN, HIDDEN, HIDDEN), (0, 0, 1), [[0.0, -1.5]] * 3),
        # One straight face in four is a stranger's: half of the gain is left.
        (
            [[1.0, 0.0]] * 3 + [[0.0, 0.0]] * 2,
            (SHOWN,) * 3 + (HIDDEN,) * 2,
            (0, 0, 0, 0, 1),
            [[0.0, -1.5]] * 4 + [[0.375, -1.125]],
        ),
        ([[0.5, 0.5]], (SHOWN,), (1,), [[-1.5, -1.5]]),  # a profile alone is no witness for itself
        # Two profiles with Ada's name, whose faces say nothing: each could be the other's only witness.
        ([[1.0, 0.0], [1.0, 0.0]], (HIDDEN, HIDDEN), (1, 1), [[-1.5, -1.5]] * 2),
    ],
)
def test_who_was_seen_in_the_scene_is_likelier(probability, face, turns, wanted):
    rows = [(shot, (FAR, FAR), 90, 1, 100) for shot in range(len(turns))]
    seen = replace(tracks(*rows), turn=np.array(turns, np.float32))
    found = presence(np.array(probability, np.float32), np.array(face, np.float32), seen)
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_a_blurred_face_does_not_show_that_strangers_are_there():
    rows = [(shot, (FAR, FAR), 90, 1, 100) for shot in range(3)]
    seen = replace(tracks(*rows), turn=np.array([0, 0, 1], np.float32), quality=np.array([0.3, 0.02, 0.1], np.float32))
    found = presence(np.array([[1.0], [0.0], [0.0]], np.float32), np.array([[3.0], [-4.0], [0.5]], np.float32), seen)
    np.testing.assert_allclose(found[:, 0], [0.0, 0.75, 0.75], atol=1e-3)


def test_a_name_that_a_straight_face_speaks_against_travels_to_no_other_track():
    """A stranger in Ada's clothes is seen straight, then in profile at the same place."""
    straight, profile = (2, (0.56, 0.70), 90, 1, 400), (4, (0.60, 0.62), 90, 1, 400)
    alone = turned_away(tracks(SURE_ADA, profile), r1=1.0)
    both = turned_away(tracks(SURE_ADA, straight, profile), r2=1.0)
    evidence = face_evidence(both, threshold=0.48, strangers=0.65)
    assert -2 < evidence[1, ADA] < -0.5  # it speaks against her, and is not surely a stranger's
    place = name_jointly(both, evidence).place
    assert place[2, ADA] <= 0
    assert names(alone)[1] == "Ada"
