"""One name per track, never twice in one frame, and every name with its reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from facelib.films.naming import TRACK_COLUMNS, NamingSettings, name_tracks
from facelib.films.naming.context import _may_be_named
from facelib.films.naming.evidence import AGAINST
from facelib.films.naming.joint import Named
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN, OpenSetSVM
from tests.recognizing import make_info

PICTURES = ("people/A/1.jpg", "people/A/2.jpg", "people/B/1.jpg")


@pytest.fixture
def recognizer():
    vectors = np.array([[0, 0], [0.1, 0], [1, 0]], np.float32)
    return OpenSetKNN(k=1, threshold=0.3).fit(vectors, ["A", "A", "B"])


@pytest.fixture
def info():
    # A name at distance 0.3 is right half of the time, one at 0.25 in seven cases of ten.
    return make_info(pictures=PICTURES, confidence_slope=-20.0, confidence_intercept=6.0)


def tracks(*rows):
    """Each row: shot, first frame, last frame, the embedding's first number."""
    table = pd.DataFrame([row[:3] for row in rows], columns=["shot", "start_frame", "end_frame"])
    return table.assign(
        track=range(len(rows)),
        start=table["start_frame"] / 25,
        end=table["end_frame"] / 25,
        faces=5,
        embedding=[np.array([row[3], 0], np.float32) for row in rows],
    )


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([(0, 0, 9, 0.0), (0, 10, 19, 1.0), (1, 20, 29, 0.5)], ["A", "B", UNKNOWN]),
        ([(0, 0, 9, 0.2), (0, 5, 15, 0.0)], [UNKNOWN, "A"]),  # the farther of two in one frame
        ([(0, 0, 9, 0.2), (0, 9, 15, 0.0)], [UNKNOWN, "A"]),  # one frame in common is enough
        ([(0, 0, 9, 0.2), (0, 10, 15, 0.0)], ["A", "A"]),  # one after the other
        ([(0, 0, 9, 0.0), (0, 0, 9, 1.0)], ["A", "B"]),
        ([(0, 0, 9, 0.0), (0, 0, 9, 0.05), (0, 0, 9, 0.1)], [UNKNOWN, "A", UNKNOWN]),
    ],
)
def test_names(rows, names, recognizer, info):
    named = name_tracks(tracks(*rows), recognizer, info)
    assert list(named.columns) == TRACK_COLUMNS
    if names.count("A") == 1 and len(rows) == 3 and UNKNOWN in names[:1]:
        assert sorted(named["person"]) == sorted(names)  # two lie equally near: either may win
    else:
        assert named["person"].tolist() == names


def test_reasons(recognizer, info):
    named = name_tracks(tracks((0, 0, 9, 0.12), (0, 10, 19, 0.5)), recognizer, info)
    assert named["evidence"].tolist() == ["people/A/2.jpg", "people/A/2.jpg"]
    assert named["reason"][0] == "face: A at 0.02, 2.jpg; next is B, 0.86 farther"
    assert named["distance"].tolist() == pytest.approx([0.02, 0.4])
    assert named["second_person"].tolist() == ["B", "B"]
    assert named["margin"].tolist() == pytest.approx([0.86, 0.1])
    # sure of the name, and sure that the other is nobody
    assert named["confidence"].tolist() == pytest.approx([1 / (1 + np.exp(-5.6)), 1 / (1 + np.exp(-2))], abs=1e-4)


def test_no_tracks(recognizer, info):
    named = name_tracks(tracks(), recognizer, info)
    assert named.empty
    assert list(named.columns) == TRACK_COLUMNS


def looks(table, *firsts, clothes=None, sizes=None):
    """Faces of each track: the first numbers of their embeddings; 60 pixels high unless said."""
    rows = [
        {
            "track": number,
            "shot": table["shot"][number],
            **{"left": 100.0, "top": 100.0, "right": 160.0, "bottom": 100.0 + (sizes[number] if sizes else 60)},
            "quality": 0.2,
            "embedding": np.array([first, 0], np.float32),
            "clothes": np.zeros(0, np.float16) if clothes is None else clothes[number],
        }
        for number, own in enumerate(firsts)
        for first in own
    ]
    return pd.DataFrame(rows)


def shots(table):
    numbers = sorted(set(table["shot"]))
    return pd.DataFrame({"shot": numbers, "scene": 0, "setup": range(len(numbers))})


ALONE = NamingSettings(context=False)


class TestVote:
    @pytest.mark.parametrize(
        ("faces", "ratio", "name", "share"),
        [
            ([0.0, 0.1, 0.05], 0.8, "A", 1.0),
            ([0.0, 0.1, 0.9, 0.8], 0.8, UNKNOWN, 0.5),  # half of its faces are nearer to B
            ([0.0, 0.1, 0.9, 0.8], 0.5, "A", 0.5),
            ([0.0, 0.9, 0.8], 0, "A", 1 / 3),  # no vote asked
        ],
    )
    def test_the_best_faces_must_agree(self, recognizer, info, faces, ratio, name, share):
        table = tracks((0, 0, 9, 0.1))
        settings = NamingSettings(context=False, dominant_ratio=ratio)
        named = name_tracks(table, recognizer, info, looks=looks(table, faces), settings=settings)
        assert named["person"].tolist() == [name]
        assert named["dominant"].tolist() == pytest.approx([share])
        assert ("of its faces agree" in named["reason"][0]) == (name == UNKNOWN)


class TestConfidence:
    @pytest.mark.parametrize(("threshold", "name"), [(0.5, "A"), (0.99, UNKNOWN)])
    def test_a_name_must_be_probable_enough(self, recognizer, info, threshold, name):
        settings = NamingSettings(context=False, confidence_threshold=threshold)
        named = name_tracks(tracks((0, 0, 9, 0.3)), recognizer, info, settings=settings)  # 0.2 from A: 0.88 right
        assert named["person"].tolist() == [name]
        assert named["source"].tolist() == ["face" if name == "A" else ""]
        likely = 1 / (1 + np.exp(-2))
        assert named["confidence"][0] == pytest.approx(likely if name == "A" else 1 - likely, abs=1e-4)


ANY = np.array([AGAINST], np.float32)


def worn(bin_):
    vector = np.full(576, 0.001)
    vector[bin_ : bin_ + 8] = 1
    return (vector / np.linalg.norm(vector)).astype(np.float16)


@pytest.mark.parametrize(
    ("probability", "threshold", "named"),
    [
        ([0.81, 0.0], 0.7, True),
        ([0.79, 0.0], 0.7, False),  # one in five may be a stranger
        ([0.62, 0.25], 0.7, True),  # surely one of the cast, and of these the more probable by far
        ([0.55, 0.35], 0.7, False),
        ([0.88, 0.0], 0.85, False),
        ([0.92, 0.0], 0.85, True),
    ],
)
def test_a_stranger_with_a_name_is_worse_than_an_unknown(probability, threshold, named):
    chance = np.array([probability], np.float32)
    nothing = np.zeros_like(chance)
    joint = Named(chance, nothing, nothing, nothing, nothing, nothing.astype(np.intp))
    settings = NamingSettings(confidence_threshold=threshold)
    assert _may_be_named(joint, np.array([0]), settings, within=np.array([True]), needed=ANY)[0] == named


@pytest.mark.parametrize("trait", ["clothes", "hair", "place"])
def test_a_face_beyond_the_threshold_gets_no_name_by_itself(trait):
    chance, nothing = np.array([[0.9]], np.float32), np.zeros((1, 1), np.float32)
    alone = Named(chance, nothing + 2, nothing, nothing, nothing, nothing.astype(np.intp))
    best, beyond = np.array([0]), np.array([False])
    assert not _may_be_named(alone, best, NamingSettings(), within=beyond, needed=ANY)[0]
    assert _may_be_named(alone, best, NamingSettings(), within=~beyond, needed=ANY)[0]
    assert _may_be_named(replace(alone, **{trait: nothing + 1}), best, NamingSettings(), within=beyond, needed=ANY)[0]


@pytest.mark.parametrize(("least", "named"), [(-2.0, True), (0.0, False)])
def test_clothes_name_no_face_that_says_otherwise_further_than_the_network_allows(least, named):
    chance, nothing = np.array([[0.99]], np.float32), np.zeros((1, 1), np.float32)
    joint = Named(chance, nothing - 0.3, nothing + 3, nothing, nothing, nothing.astype(np.intp))
    needed = np.array([least], np.float32)
    assert _may_be_named(joint, np.array([0]), NamingSettings(), within=np.array([False]), needed=needed)[0] == named


class TestContext:
    table = tracks((0, 0, 9, 0.0), (1, 10, 19, 1.0), (2, 20, 29, 0.45))
    clothes = (worn(40), worn(300), worn(40))
    seen = looks(table, [0.0], [1.0], [0.45], clothes=clothes, sizes=(60, 60, 22))

    def test_clothes_name_a_face_that_lies_between(self, recognizer, info):
        named = name_tracks(self.table, recognizer, info, looks=self.seen, shots=shots(self.table))
        assert named["person"].tolist() == ["A", "B", "A"]
        assert named["source"].tolist() == ["face", "face", "context"]
        assert "clothes as in shot 0" in named["reason"][2]
        assert 0.7 <= named["confidence"][2] < named["confidence"][0]

    @pytest.mark.parametrize(
        ("first", "yaw", "name"), [(0.45, 60.0, UNKNOWN), (0.38, 60.0, "A"), (0.45, -60.0, UNKNOWN), (0.45, 30.0, "A")]
    )
    def test_an_unmeasured_networks_turned_face_must_speak_for_the_name_itself(
        self, recognizer, info, first, yaw, name
    ):
        """Else a stranger's profile gets the name of whoever is dressed alike: 10 of 25 in one labelled film."""
        unknown = replace(info, embedder="my network", weights_sha256="0" * 64)
        table = tracks((0, 0, 9, 0.0), (1, 10, 19, 1.0), (2, 20, 29, first))
        seen = looks(table, [0.0], [1.0], [first], clothes=self.clothes, sizes=(60, 60, 22))
        seen = seen.assign(yaw=np.where(seen["track"] == 2, yaw, 0.0), pitch=0.0)
        named = name_tracks(table, recognizer, unknown, looks=seen, shots=shots(table))
        assert named["person"].tolist() == ["A", "B", name]
        assert name_tracks(table, recognizer, info, looks=seen, shots=shots(table))["person"][2] == "A"

    @pytest.mark.parametrize("how", ["off", "no shots", "no looks", "another scene"])
    def test_without_context_it_stays_unknown(self, recognizer, info, how):
        seen, cut = self.seen, shots(self.table)
        options = {"looks": seen, "shots": cut, "settings": NamingSettings()}
        if how == "off":
            options["settings"] = ALONE
        elif how == "another scene":
            options["shots"] = cut.assign(scene=[0, 0, 1])
        else:
            del options[how.split()[1]]
        assert name_tracks(self.table, recognizer, info, **options)["person"].tolist() == ["A", "B", UNKNOWN]

    def test_an_svm_is_given_context_too(self, info):
        rng = np.random.default_rng(0)
        gallery = np.vstack([rng.normal((0, 0), 0.02, (20, 2)), rng.normal((1, 0), 0.02, (20, 2))]).astype(np.float32)
        svm = OpenSetSVM(threshold=0.9, farthest=0.3).fit(gallery, ["A"] * 20 + ["B"] * 20)
        own = replace(info, pictures=("x",) * 40)
        named = name_tracks(self.table, svm, own, looks=self.seen, shots=shots(self.table))
        assert named["person"].tolist() == ["A", "B", "A"]

    @pytest.mark.parametrize(("own", "name"), [({}, "A"), ({"A": 0.15}, UNKNOWN)])
    def test_a_person_with_a_strict_threshold_is_strict_in_context_too(self, info, own, name):
        knn = OpenSetKNN(k=1, threshold=0.3, thresholds=own)
        knn.fit(np.array([[0, 0], [0.1, 0], [1, 0]], np.float32), ["A", "A", "B"])
        named = name_tracks(self.table, knn, info, looks=self.seen, shots=shots(self.table))
        assert named["person"].tolist() == ["A", "B", name]

    def test_who_is_nearer_than_the_person_named_is_said_so(self, info):
        knn = OpenSetKNN(k=1, threshold=0.3, thresholds={"A": 0.02})
        knn.fit(np.array([[0, 0], [0.1, 0], [1, 0]], np.float32), ["A", "A", "B"])
        named = name_tracks(tracks((0, 0, 9, 0.45)), knn, info)
        assert "nearest is B at 0.55" in named["reason"][0]
        assert named["reason"][0].endswith("next is A, 0.20 nearer")

    def test_a_gallery_of_one_person_is_enough(self, info):
        alone = OpenSetKNN(k=1, threshold=0.3).fit(np.zeros((3, 2), np.float32), ["A", "A", "A"])
        named = name_tracks(self.table, alone, info, looks=self.seen, shots=shots(self.table))
        assert named["person"].tolist()[:2] == ["A", UNKNOWN]


class TestLearning:
    def test_the_films_own_looks_reach_farther(self, recognizer, info):
        # Made up: the track at 0.18 is surely A, and the one at 0.38 is like it, not like A's pictures.
        table = tracks((0, 0, 9, 0.18), (1, 10, 19, 0.38))
        seen = looks(table, [0.18], [0.38])
        plain, taught = (
            name_tracks(table, recognizer, info, looks=seen, settings=replace(ALONE, adapt_to_film=learn))
            for learn in (False, True)
        )
        assert plain["person"].tolist() == ["A", UNKNOWN]
        assert taught["person"].tolist() == ["A", "A"]
        assert taught["source"].tolist() == ["face", "learned"]
        assert taught["evidence"].tolist()[1] == "this film, shot 0"
        assert taught["reason"].str.contains("unknown before faces of the film were learned").tolist() == [False, True]

    def test_nothing_sure_teaches_nothing(self, recognizer, info):
        table = tracks((0, 0, 9, 0.5))
        seen = looks(table, [0.5])
        settings = NamingSettings(context=False, adapt_to_film=True)
        assert name_tracks(table, recognizer, info, looks=seen, settings=settings)["person"].tolist() == [UNKNOWN]
