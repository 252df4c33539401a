"""Naming many tracks costs as much more as there are more of them, and names as comparing all with all did."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from facelib.films.naming.evidence import Tracks, face_evidence
from facelib.films.naming.joint import name_jointly
from facelib.films.naming.messages import LabelOptions, marginals
from facelib.films.naming.neighbours import blocks_of
from facelib.films.spans import frames_shared

CAST = 4


def made_up_scene(seed, *, shots=14, strangers=3, faces=3):
    """Return the tracks of one scene, up to `faces` of them in one frame, and who each is: a number, -1 a stranger."""
    rng = np.random.default_rng(seed)
    people = CAST + strangers
    wardrobe = np.abs(rng.normal(size=(people, 576))) ** 4
    rows = []
    for shot in range(shots):
        for place, who in enumerate(rng.choice(people, rng.integers(1, faces + 1), replace=False)):
            size = rng.uniform(18, 110)
            far = np.clip((60 - size) / 200, 0, 0.25)
            distances = rng.normal(0.68, 0.05, CAST)
            if who < CAST:
                distances[who] = rng.normal(0.38 + far, 0.05)
            seen = wardrobe[who] + np.abs(rng.normal(size=576)) * 2
            clothes = np.sqrt(seen / seen.sum()) if rng.random() > 0.15 else np.full(576, np.nan)
            start = shot * 100 + int(rng.integers(0, 40))
            where = rng.normal((150 + 250 * place, 200), 15)
            rows.append((distances, size, rng.uniform(0.05, 0.3), clothes, where, shot, (start, start + 50), who))
    distances, size, quality, clothes, middle, shot, frames, who = map(np.array, zip(*rows, strict=True))
    tracks = Tracks(
        distances=distances.astype(np.float32),
        size=size.astype(np.float32),
        quality=quality.astype(np.float32),
        turn=np.zeros(len(quality), np.float32),
        clothes=clothes.astype(np.float32),
        hair=np.full(clothes.shape, np.nan, np.float32),
        middle=middle.astype(np.float32),
        shot=shot.astype(np.int64),
        scene=np.zeros(len(rows), np.int64),
        setup=(shot % 3).astype(np.int64),
        frames=frames.astype(np.int64),
        time=(frames.mean(axis=1) / 25).astype(np.float32),
    )
    return tracks, np.where(who < CAST, who, -1)


def names_of(tracks):
    chance = name_jointly(tracks, face_evidence(tracks, threshold=0.48, strangers=0.65)).probability
    return np.where(chance.max(axis=1) >= 0.7, chance.argmax(axis=1), -1)


# What the method gave that compared each track with all others, and held each label against each track.
COMPARED_WITH_ALL = json.loads((Path(__file__).parent / "compared_with_all.json").read_text())


@pytest.mark.parametrize("scene", COMPARED_WITH_ALL, ids=lambda scene: f"seed {scene['seed']}")
def test_names_of_small_scenes_stay(scene):
    former = np.array(scene.pop("names"))
    tracks, who = made_up_scene(**scene)
    names = names_of(tracks)
    assert (names[former >= 0] == former[former >= 0]).all()
    more = (names >= 0) & (former < 0)  # what the number of strangers had outvoted
    assert (names[more] == who[more]).all()
    assert more.sum() <= 4


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_tracks_does_not_matter(seed):
    tracks, _ = made_up_scene(seed, shots=40, strangers=5, faces=4)
    order = np.random.default_rng(seed).permutation(len(tracks))
    evidence = face_evidence(tracks, threshold=0.48, strangers=0.65)
    one, other = name_jointly(tracks, evidence), name_jointly(tracks.take(order), evidence[order])
    assert np.array_equal(one.probability[order], other.probability)
    assert np.array_equal(one.clothes[order], other.clothes)
    seen = other.witness >= 0
    assert np.array_equal(seen, one.witness[order] >= 0)
    assert np.array_equal(order[other.witness[seen]], one.witness[order][seen])


def test_comparisons_grow_with_the_tracks_and_not_with_their_square():
    compared = {}
    for shots in (1000, 2000, 4000):
        tracks, _ = made_up_scene(0, shots=shots, strangers=20)
        tracks = tracks.take(tracks.in_order())
        pairs = frames_shared(tracks.shot, *tracks.frames.T)
        blocks = blocks_of(tracks, np.arange(len(tracks)), pairs)
        compared[shots] = sum(block.clothes.apart.size for block in blocks)
        # Each track stands in one block.
        assert [row for block in blocks for row in range(len(tracks))[block.rows]] == list(range(len(tracks)))
    assert compared[2000] < 2.2 * compared[1000]
    assert compared[4000] < 2.2 * compared[2000]


def test_who_shares_a_frame_is_not_compared():
    tracks, _ = made_up_scene(1, shots=20)
    (block,) = blocks_of(tracks, np.arange(len(tracks)), frames_shared(tracks.shot, *tracks.frames.T))
    first, last = tracks.frames.T
    together = (first[:, None] <= last) & (first <= last[:, None]) & (tracks.shot[:, None] == tracks.shot)
    assert np.isnan(block.clothes.apart[together]).all()
    seen = np.isfinite(tracks.clothes[:, 0])
    assert np.isfinite(block.clothes.apart[~together & seen & seen[:, None]]).all()


def test_a_crowd_does_not_outvote_a_name():
    """Forty strangers in other clothes leave a turned face in Ada's clothes as likely hers as four do."""
    few, many = (name_jointly(*_crowd(count)).probability[-1, 0] for count in (4, 40))
    assert many == pytest.approx(few, abs=0.02)
    assert many > 0.7


def _crowd(count):
    rng = np.random.default_rng(3)
    ada, turned, shots = np.abs(rng.normal(size=576)), (0.56, 0.7), count + 2
    clothes = [np.abs(rng.normal(size=576)) ** 4 for _ in range(count)]
    clothes = np.sqrt(np.array([ada, *clothes, ada]))
    frames = np.arange(shots)[:, None] * 10 + [0, 9]
    tracks = Tracks(
        distances=np.array([(0.3, 0.75), *[(0.75, 0.75)] * count, turned], np.float32),
        size=np.array([90.0] * (count + 1) + [25.0], np.float32),
        quality=np.full(shots, 0.2, np.float32),
        turn=np.zeros(shots, np.float32),
        clothes=(clothes / np.linalg.norm(clothes, axis=1, keepdims=True)).astype(np.float32),
        hair=np.full(clothes.shape, np.nan, np.float32),
        middle=np.full((shots, 2), 100, np.float32),
        shot=np.arange(shots),
        scene=np.zeros(shots, np.int64),
        setup=np.arange(shots),
        frames=frames,
        time=(frames.mean(axis=1) / 25).astype(np.float32),
    )
    return tracks, face_evidence(tracks, threshold=0.48, strangers=0.65)


@pytest.mark.parametrize("pairs", [[], [(0, 1)], [(0, 1), (1, 2)]], ids=["alone", "two", "a chain"])
def test_messages_give_the_exact_probabilities_where_there_is_no_circle(pairs):
    track, label = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1])
    evidence = np.array([2.0, 1.0, 1.5, -0.5, 0.7])
    expected, total = np.zeros(5), 0.0
    for borne in product((0, 1, None), (0, 1, None), (1, None)):
        if any(borne[a] is not None and borne[a] == borne[b] for a, b in pairs):
            continue
        own = [i for i in range(5) if borne[track[i]] == label[i]]
        weight = np.exp(evidence[own].sum())
        expected[own] += weight
        total += weight
    found = marginals(LabelOptions(track, label, 3), evidence, np.array(pairs, np.intp).reshape(-1, 2))
    assert found == pytest.approx(expected / total, abs=2e-3)


def test_no_options():
    nothing = np.empty(0, np.intp)
    assert marginals(LabelOptions(nothing, nothing, 2), np.empty(0), np.array([(0, 1)])).tolist() == []
