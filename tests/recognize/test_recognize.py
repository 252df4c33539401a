"""Naming by neighbours and by support vector machines, and the files recognizers are kept in."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.base
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from facelib.embed.neighbours import find_neighbours
from facelib.project.names import UNKNOWN
from facelib.recognize import (
    OpenSetKNN,
    OpenSetSVM,
    RecognizerInfo,
    load_recognizer,
    read_recognizer_info,
    save_recognizer,
    svm,
)
from facelib.recognize.calibration import platt
from facelib.recognize.svm import Kernel
from facelib.recognize.votes import winners

Estimator = OpenSetKNN | OpenSetSVM


def cluster(centre: list[float], count: int, seed: int, spread: float = 0.02) -> np.ndarray:
    """Return embeddings on the unit sphere around a direction."""
    vectors = np.array(centre) + np.random.default_rng(seed).normal(0, spread, (count, len(centre)))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def gallery() -> tuple[np.ndarray, np.ndarray]:
    """Three people of 12, 9 and 2 faces, at right angles to each other, the fourth direction left to strangers."""
    counts = {"Ada": 12, "Grace": 9, "Łucja Nowak": 2}
    parts = [cluster(list(np.eye(4)[row]), count, row) for row, count in enumerate(counts.values())]
    return np.concatenate(parts), np.repeat(list(counts), list(counts.values()))


def expected_failures(estimator: Any) -> dict[str, str]:
    if isinstance(estimator, OpenSetKNN) and estimator.threshold < 100:
        return {"check_classifiers_one_label": "a face far from the only person known is a stranger, not that person"}
    if isinstance(estimator, OpenSetSVM):
        return {"check_classifiers_train": "a stranger's probabilities sum to less than one"}
    return {}


@parametrize_with_checks(
    [
        OpenSetKNN(unknown_label=-7),
        OpenSetKNN(k=1, weights="distance", unknown_label=-7),
        OpenSetKNN(threshold=1e6),
        OpenSetSVM(unknown_label=-7),
        OpenSetSVM(kernel="rbf", unknown_label=-7),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_takes_them_for_estimators(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        OpenSetKNN(k=1, threshold=0.5),
        OpenSetKNN(k=5, threshold=0.5, weights="distance"),
        OpenSetKNN(k=3, threshold=0.5, thresholds={"Grace": 0.2}),
        OpenSetSVM(farthest=0.5),
    ],
)
def test_probabilities_agree_with_the_names(estimator: Estimator, gallery: tuple[np.ndarray, np.ndarray]) -> None:
    estimator = sklearn.base.clone(estimator).fit(*gallery)
    cast = np.concatenate([cluster(list(np.eye(4)[row]), 4, 100 + row) for row in range(3)])
    probes = np.concatenate([cast, cluster([0, 0, 0, 1], 5, 200)])
    shares = estimator.predict_proba(probes)
    assert shares.shape == (17, len(estimator.classes_))
    assert (shares >= 0).all() and (shares.sum(axis=1) <= 1 + 1e-12).all()
    labels = np.array([*estimator.classes_, UNKNOWN])
    likeliest = labels[np.column_stack([shares, 1 - shares.sum(axis=1)]).argmax(axis=1)]
    assert likeliest.tolist() == estimator.predict(probes).tolist()
    assert likeliest.tolist() == ["Ada"] * 4 + ["Grace"] * 4 + ["Łucja Nowak"] * 4 + [UNKNOWN] * 5
    assert estimator.predict_proba(probes[:0]).shape == (0, 3)


def test_votes_are_shared_among_those_within_the_threshold() -> None:
    knn = OpenSetKNN(k=3, threshold=1, weights="uniform").fit(LINE, LINE_NAMES)
    np.testing.assert_allclose(knn.predict_proba([[0.2], [2.5], [9.0]]), [[1 / 3, 2 / 3, 0], [0, 0, 1], [0, 0, 0]])
    knn = OpenSetKNN(k=3, threshold=1, weights="distance").fit(LINE, LINE_NAMES)
    np.testing.assert_allclose(knn.predict_proba([[0.1]]), [[10 / 14.5, 4.5 / 14.5, 0]])


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("people", [2, 5])
@pytest.mark.parametrize("shared", [0, 1000])
def test_an_svm_is_calibrated_on_what_scikit_learns_cross_validation_gives(
    kernel: Kernel, people: int, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svm, "_MOST_SHARED", shared)
    vectors = np.concatenate([cluster(list(np.eye(6)[row]), 7, row, spread=0.4) for row in range(people)])
    codes = np.repeat(np.arange(people), 7)
    fitted = OpenSetSVM(kernel=kernel).fit(vectors, codes)
    machines = OneVsRestClassifier(SVC(kernel=kernel, class_weight="balanced"))
    scores = cross_val_predict(machines, vectors, codes, cv=StratifiedKFold(5), method="decision_function")
    scores = np.column_stack([-scores, scores]) if people == 2 else scores
    wanted = [platt(scores[:, code], codes == code) for code in range(people)]
    assert np.column_stack([fitted.slopes_, fitted.intercepts_]) == pytest.approx(np.array(wanted), rel=1e-6)


def test_probabilities_of_an_svm_never_exceed_one_together(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    svm = OpenSetSVM().fit(*gallery)
    between = (gallery[0][:1] + gallery[0][12:13]) / 2
    one_by_one, shares = svm.probabilities(between), svm.predict_proba(between)
    np.testing.assert_allclose(shares, one_by_one / max(1, one_by_one.sum()))


# distance 1-D gallery: 0.0 Ada, 0.5 Grace, 0.6 Grace, 3.0 Mary
LINE = np.array([[0.0], [0.5], [0.6], [3.0]])
LINE_NAMES = ["Ada", "Grace", "Grace", "Mary"]


@pytest.mark.parametrize(
    ("options", "probe", "person", "distance", "neighbour"),
    [
        ({"k": 1, "threshold": 1}, 0.2, "Ada", 0.2, 0),
        ({"k": 3, "threshold": 1}, 0.2, "Grace", 0.3, 1),  # outvoted two to one
        ({"k": 3, "threshold": 0.25}, 0.2, "Ada", 0.2, 0),  # only those within the threshold vote
        ({"k": 2, "threshold": 1}, 0.2, "Ada", 0.2, 0),  # a tie goes to the nearest
        ({"k": 2, "threshold": 1}, 0.3, "Grace", 0.2, 1),  # the same tie, seen from the other side
        ({"k": 3, "threshold": 1, "weights": "distance"}, 0.1, "Ada", 0.1, 0),  # 10 against 2.5 + 2
        ({"k": 99, "threshold": 9}, 2.9, "Grace", 2.3, 2),  # a k above the gallery's size: everybody votes
        ({"k": 5, "threshold": 0.1}, 0.25, "unknown", 0.25, 0),
        ({"k": 5, "threshold": 0}, 3.0, "Mary", 0.0, 3),  # at the threshold counts as within it
    ],
)
def test_who_is_named(options: dict[str, Any], probe: float, person: str, distance: float, neighbour: int) -> None:
    table = OpenSetKNN(**options).fit(LINE, LINE_NAMES).decide([[probe]])
    row = table.iloc[0]
    assert (row["person"], row["neighbour"]) == (person, neighbour)
    assert row["distance"] == pytest.approx(distance)
    assert OpenSetKNN(**options).fit(LINE, LINE_NAMES).predict([[probe]]).tolist() == [person]


def test_the_decision_names_the_runner_up() -> None:
    row = OpenSetKNN(k=3, threshold=1).fit(LINE, LINE_NAMES).decide([[0.2]]).iloc[0]
    assert (row["best_person"], row["second_person"]) == ("Grace", "Ada")
    assert row["second_distance"] == pytest.approx(0.2)
    assert row["margin"] == pytest.approx(-0.1)  # outvoted, though nearer


def test_unknown_still_tells_who_it_would_have_been() -> None:
    row = OpenSetKNN(k=3, threshold=0.1).fit(LINE, LINE_NAMES).decide([[0.2]]).iloc[0]
    assert (row["person"], row["best_person"]) == ("unknown", "Ada")


def test_agrees_with_scikit_learn_where_nobody_is_too_far(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    probes = np.random.default_rng(5).normal(size=(300, 4))
    for weights in ("uniform", "distance"):
        ours = OpenSetKNN(k=5, threshold=math.inf, weights=weights).fit(*gallery)
        theirs = KNeighborsClassifier(5, weights=weights).fit(*gallery)
        # 5 voters can tie 2:2:1, which the two break differently; all else must agree.
        shares = np.sort(theirs.predict_proba(probes), axis=1)
        clear = shares[:, -1] > shares[:, -2] + 1e-9
        assert clear.sum() > 250
        np.testing.assert_array_equal(ours.predict(probes)[clear], theirs.predict(probes)[clear])
        np.testing.assert_allclose(ours.kneighbors(probes)[0], theirs.kneighbors(probes)[0], atol=1e-6)


def test_winners_for_every_threshold_are_those_of_a_count_by_hand() -> None:
    rng = np.random.default_rng(3)
    distances, people = np.sort(rng.random((200, 7)), axis=1), rng.integers(0, 4, (200, 7))
    for weights in ("uniform", "distance"):
        found = winners(distances, people, weights=weights)
        for row in range(200):
            for last in range(7):
                votes: dict[int, float] = {}
                for j in range(last + 1):
                    vote = 1 / distances[row, j] if weights == "distance" else 1
                    votes[people[row, j]] = votes.get(people[row, j], 0) + vote
                most = max(votes.values())
                best = next(j for j in range(last + 1) if votes[people[row, j]] > most - 1e-9)
                assert found[row, last] == best


def test_neighbours_in_pieces_are_those_of_the_whole_matrix() -> None:
    rng = np.random.default_rng(0)
    gallery, probes, people = rng.random((9, 3)), rng.random((40, 3)), np.array([2, 0, 1, 1, 0, 2, 2, 0, 1])
    seen = find_neighbours(probes, gallery, people, k=4)
    whole = np.linalg.norm(probes[:, None] - gallery, axis=-1)
    np.testing.assert_array_equal(seen.rows, np.argsort(whole, axis=1)[:, :4])
    np.testing.assert_allclose(seen.to_people[:, 1], whole[:, people == 1].min(axis=1))
    np.testing.assert_array_equal(people[seen.people_rows], np.tile([0, 1, 2], (40, 1)))


@pytest.mark.parametrize("estimator", [OpenSetKNN(), OpenSetSVM(), OpenSetSVM(kernel="rbf")])
def test_no_faces_give_no_names(estimator: Estimator, gallery: tuple[np.ndarray, np.ndarray]) -> None:
    estimator.fit(*gallery)
    assert estimator.predict(np.empty((0, 4))).shape == (0,)
    table = estimator.decide(np.empty((0, 4), np.float32))
    assert len(table) == 0 and {"person", "distance", "second_person", "margin", "neighbour"} <= set(table)


@pytest.mark.parametrize("estimator", [OpenSetKNN(), OpenSetSVM(), OpenSetSVM(kernel="rbf")])
def test_the_cast_is_named(estimator: Estimator, gallery: tuple[np.ndarray, np.ndarray]) -> None:
    estimator.fit(*gallery)
    probes = np.concatenate([cluster(list(np.eye(4)[row]), 5, 9 + row) for row in range(3)])
    people = np.repeat(["Ada", "Grace", "Łucja Nowak"], 5)
    assert estimator.predict(probes).tolist() == people.tolist()
    table = estimator.decide(probes)
    assert (gallery[1][table["neighbour"]] == people).all()
    assert (table["margin"] > 0.5).all()


def test_strangers_stay_unknown_to_the_neighbours(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    strangers = cluster([0, 0, 0, 1], 20, 30)
    assert set(OpenSetKNN().fit(*gallery).predict(strangers)) == {"unknown"}


def test_a_machine_claims_nobody_who_is_far_from_everybody(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, names = gallery
    far = vectors[:3] * 5  # on the same side of every plane, only farther out
    svm = OpenSetSVM().fit(vectors, names)
    assert (svm.predict(far) != UNKNOWN).any()
    farthest = 1.01 * svm.decide(vectors[:3])["distance"].max() + 0.01
    guarded = OpenSetSVM(farthest=farthest).fit(vectors, names)
    assert (guarded.predict(far) == UNKNOWN).all()
    assert (guarded.probabilities(far) == 0).all()
    assert guarded.predict(vectors[:3]).tolist() == svm.predict(vectors[:3]).tolist()


def test_probability_decides_for_a_machine(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    svm = OpenSetSVM(threshold=0).fit(*gallery)
    between = (np.eye(4)[0] + np.eye(4)[1])[None] / math.sqrt(2)
    highest = svm.decide(between)["probability"].iloc[0]
    assert svm.predict(between)[0] in {"Ada", "Grace"}
    svm.set_params(threshold=min(1.0, highest + 0.001))
    assert svm.predict(between).tolist() == ["unknown"]
    assert svm.probabilities(gallery[0]).shape == (23, 3)


@pytest.mark.parametrize(
    ("options", "probe", "person", "distance"),
    [
        ({"thresholds": {"Ada": 0.1}}, 0.2, "Grace", 0.3),  # beyond Ada's own, within what all others have
        ({"thresholds": {"Ada": 0.1}}, 0.05, "Ada", 0.05),
        ({"thresholds": {"Ada": 0.1, "Grace": 0.15}}, 0.2, "unknown", 0.2),
        ({"thresholds": {"Grace": 0.35}, "threshold": 0.1}, 0.2, "Grace", 0.3),
        (
            {"thresholds": {"Grace": 0.38}, "threshold": 0.25},
            0.2,
            "Grace",
            0.3,
        ),  # deeper within than the nearer Ada
        ({"thresholds": {"Grace": 0.32}, "threshold": 0.25}, 0.2, "Ada", 0.2),
        ({"thresholds": {"Nobody of these": 9}}, 0.2, "Ada", 0.2),
        ({"thresholds": {}}, 0.2, "Ada", 0.2),
        ({"thresholds": {"Ada": 0}}, 0.0, "Ada", 0.0),
    ],
)
def test_people_may_have_thresholds_of_their_own(
    options: dict[str, Any], probe: float, person: str, distance: float
) -> None:
    knn = OpenSetKNN(**{"k": 1, "threshold": 0.5} | options).fit(LINE, LINE_NAMES)
    row = knn.decide([[probe]]).iloc[0]
    assert row["person"] == person
    assert row["distance"] == pytest.approx(distance)  # as far as it is, whatever the thresholds
    assert knn.predict([[probe]]).tolist() == [person]
    assert knn.kneighbors([[probe]])[0][0, 0] == pytest.approx(abs(LINE[:, 0] - probe).min())


def test_equal_thresholds_of_their_own_are_one_threshold(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    probes = np.random.default_rng(5).normal(size=(200, 4))
    own = dict.fromkeys(np.unique(gallery[1]).tolist(), 0.9)
    for weights in ("uniform", "distance"):
        plain, each = OpenSetKNN(3, 0.9, weights), OpenSetKNN(3, 0.2, weights, thresholds=own)
        people = [estimator.fit(*gallery).decide(probes)["person"].tolist() for estimator in (plain, each)]
        assert people[0] == people[1] and 0 < people[0].count(UNKNOWN) < 200


def test_people_may_have_probabilities_of_their_own(gallery: tuple[np.ndarray, np.ndarray]) -> None:
    plain = OpenSetSVM(threshold=0.5).fit(*gallery)
    probes = gallery[0][:12]  # of Ada
    likely = plain.probabilities(probes)[:, 0]
    middle = float(np.median(likely))
    strict = OpenSetSVM(threshold=0.5, thresholds={"Ada": middle}).fit(*gallery)
    assert (strict.predict(probes) == "Ada").tolist() == (likely >= middle).tolist()
    np.testing.assert_allclose(strict.decide(probes)["probability"][likely >= middle], likely[likely >= middle])
    others = gallery[0][12:]
    assert strict.predict(others).tolist() == plain.predict(others).tolist()


def test_one_person_is_enough_for_the_neighbours() -> None:
    knn = OpenSetKNN().fit(cluster([1, 0, 0, 0], 3, 0), ["Ada"] * 3)
    table = knn.decide([[1, 0, 0, 0], [0, 1, 0, 0]])
    assert table["person"].tolist() == ["Ada", "unknown"]
    assert table["second_person"].isna().all() and table["margin"].isna().all()


@pytest.mark.parametrize(
    ("estimator", "names", "message"),
    [
        (OpenSetKNN(k=0), ["Ada", "Grace"], "got 0"),
        (OpenSetKNN(k=1.5), ["Ada", "Grace"], "a whole number from 1 on, got 1.5"),  # type: ignore[arg-type]
        (OpenSetKNN(threshold=-1), ["Ada", "Grace"], "got -1"),
        (OpenSetKNN(threshold=math.nan), ["Ada", "Grace"], "got nan"),
        (OpenSetKNN(weights="near"), ["Ada", "Grace"], "got 'near'"),  # type: ignore[arg-type]
        (OpenSetKNN(), ["Ada", "unknown"], "rename the person"),
        (OpenSetSVM(), ["Ada", None], "expected a name for each face, got None in row 1"),  # type: ignore[list-item]
        (OpenSetSVM(kernel="poly"), ["Ada", "Grace"], "got 'poly'"),  # type: ignore[arg-type]
        (OpenSetSVM(farthest=0.0), ["Ada", "Grace"], "got 0.0"),
        (OpenSetSVM(C=0), ["Ada", "Grace"], "above 0, got 0"),
        (OpenSetSVM(C=math.inf), ["Ada", "Grace"], "finite and above 0, got inf"),
        (OpenSetSVM(threshold=1.5), ["Ada", "Grace"], "got 1.5"),
        (OpenSetKNN(thresholds={"Ada": -0.1}), ["Ada", "Grace"], "threshold of 'Ada' between 0 and inf, got -0.1"),
        (OpenSetKNN(thresholds={"Ada": math.inf}), ["Ada", "Grace"], "finite threshold of 'Ada' .* got inf"),
        (OpenSetKNN(thresholds={"Ada": math.nan}), ["Ada", "Grace"], "threshold of 'Ada' .* got nan"),
        (OpenSetKNN(threshold=math.inf, thresholds={"Ada": 0.4}), ["Ada", "Grace"], "a finite threshold"),
        (OpenSetSVM(thresholds={"Ada": 1.1}), ["Ada", "Grace"], "threshold of 'Ada' between 0 and 1, got 1.1"),
        (OpenSetSVM(), ["Ada", "Ada"], "OpenSetKNN works with one"),
    ],
)
def test_what_cannot_be_fitted_is_told(estimator: Estimator, names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.fit([[0.0, 1.0], [1.0, 0.0]], names)


def test_a_penalty_with_which_training_would_not_end_is_told() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 4))
    with pytest.raises(ValueError, match=r"trained in 1000000 steps, C=1e\+300 and 40 faces take more; lower C"):
        OpenSetSVM(C=1e300).fit(vectors, ["Ada", "Grace"] * 20)


@pytest.mark.parametrize("kind", [str, object])
def test_many_people_with_one_picture_each_are_fitted_without_a_warning(kind: type) -> None:
    people = np.array([f"person {number}" for number in range(30)], dtype=kind)
    mixed = OpenSetKNN(k=1, threshold=0.1).fit(np.arange(30.0)[:, None], people)
    assert mixed.predict([[7.0]]).tolist() == ["person 7"]


def test_numbers_for_names() -> None:
    mixed = OpenSetKNN(k=1, threshold=0.1).fit(LINE, [4, 7, 7, 9])
    assert mixed.predict([[0.0], [9.0]]).tolist() == [4, "unknown"]
    numbers = OpenSetKNN(k=1, threshold=0.1, unknown_label=-1).fit(LINE, [4, 7, 7, 9]).predict([[0.0], [9.0]])
    assert numbers.dtype.kind == "i" and numbers.tolist() == [4, -1]


# --- files ---


def info(count: int, **changes: Any) -> RecognizerInfo:
    made = RecognizerInfo(
        kind="knn",
        k=5,
        threshold=0.5,
        wanted_fpir=0.01,
        fpir=0.0,
        fnir=0.04,
        fpir_interval=(0.0, math.nan),
        fnir_interval=(0.01, 0.08),
        impostor_trials=0,
        genuine_trials=23,
        detector="mtcnn",
        embedder="dlib",
        weights_sha256="ab" * 32,
        facelib_version="0.1.0",
        pictures=tuple(f"people/Łucja Nowak/{number}.jpg" for number in range(count)),
        confidence_slope=-22.0,
        confidence_intercept=11.0,
    )
    return dataclasses.replace(made, **changes)


@pytest.mark.parametrize(
    ("estimator", "kind"), [(OpenSetKNN(), "knn"), (OpenSetSVM(), "svm"), (OpenSetSVM(kernel="rbf"), "svm")]
)
def test_a_recognizer_comes_back_as_it_was(
    estimator: Estimator, kind: Any, gallery: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "new folder" / "recognizer.skops"
    estimator.fit(*gallery)
    wanted = info(23, kind=kind)
    save_recognizer(estimator, path, wanted)
    loaded, read = load_recognizer(path)
    assert repr(read_recognizer_info(path)) == repr(read)
    probes = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    assert loaded.decide(probes).equals(estimator.decide(probes))
    assert math.isnan(read.fpir_interval[1])
    settled = {"fpir_interval": (0.0, 0.0)}
    assert dataclasses.replace(read, **settled) == dataclasses.replace(wanted, **settled)
    assert sorted(file.name for file in path.parent.iterdir()) == ["recognizer.json", "recognizer.skops"]
    assert "Łucja" in path.with_suffix(".json").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["knn", "svm"])
def test_a_recognizer_of_before_there_were_thresholds_of_people_still_works(
    kind: Any, gallery: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    estimator: Estimator = OpenSetKNN(k=3) if kind == "knn" else OpenSetSVM()
    probes = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    before = estimator.fit(*gallery).decide(probes)
    del estimator.__dict__["thresholds"]
    save_recognizer(estimator, tmp_path / "r.skops", info(23, kind=kind))
    file = tmp_path / "r.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    del fields["strangers"], fields["per_person"]
    file.write_text(json.dumps(fields), encoding="utf-8")
    loaded, read = load_recognizer(tmp_path / "r.skops")
    assert "thresholds" not in loaded.__dict__ and not read.per_person
    assert loaded.decide(probes).equals(before)
    assert sklearn.base.clone(loaded).fit(*gallery).decide(probes).equals(before)


def test_thresholds_of_people_are_saved(gallery: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    own = {"Ada": 0.25, "Łucja Nowak": 0.75}
    probes = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    estimator = OpenSetKNN(thresholds=own).fit(*gallery)
    save_recognizer(estimator, tmp_path / "r.skops", info(23, per_person=True, strangers=7))
    loaded, read = load_recognizer(tmp_path / "r.skops")
    assert loaded.thresholds == own and (read.per_person, read.strangers) == (True, 7)
    assert loaded.decide(probes).equals(estimator.decide(probes))


def test_without_room_for_its_description_the_recognizer_that_was_there_stays(small_disk: Path) -> None:
    rng, path = np.random.default_rng(0), small_disk / "recognizer.skops"
    few, many = (
        OpenSetKNN().fit(rng.normal(size=(count, 128)).astype(np.float32), np.array(["Ada", "Bo"] * (count // 2)))
        for count in (4, 400)
    )
    described = info(400, pictures=tuple(f"people/{'Łucja Nowak ' * 16}/{number}.jpg" for number in range(400)))
    save_recognizer(many, path, described)
    room = path.stat().st_size + 16384  # of the recognizer, not of its pictures' names
    save_recognizer(few, path, info(4))
    with suppress(OSError), open(small_disk / "large", "wb", buffering=0) as large:
        while True:
            large.write(bytes(4096))
    os.truncate(small_disk / "large", (small_disk / "large").stat().st_size - room)
    with pytest.raises(OSError, match=r"No space left on device: .*recognizer\.json"):
        save_recognizer(many, path, described)
    assert len(load_recognizer(path)[0].vectors_) == 4
    assert sorted(file.name for file in small_disk.iterdir()) == ["large", "recognizer.json", "recognizer.skops"]
    (small_disk / "large").unlink()
    save_recognizer(many, path, described)
    assert len(load_recognizer(path)[0].vectors_) == 400


def test_confidence_falls_with_the_distance() -> None:
    likely = info(0).confidence([0.0, 0.5, 5.0, math.nan])
    assert likely[0] > 0.99 and likely[1] == pytest.approx(0.5) and likely[2] < 1e-6 and math.isnan(likely[3])


@pytest.fixture
def saved(gallery: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> Path:
    path = tmp_path / "recognizer.skops"
    save_recognizer(OpenSetKNN().fit(*gallery), path, info(23))
    return path


class Sly:
    """Any type that a recognizer has no business to hold."""

    def __init__(self) -> None:
        self.payload = [1, 2]


def dumps(anything: object) -> bytes:
    """Return what skops writes of it; to import skops takes two seconds, of each process that collects the tests."""
    import skops.io

    return skops.io.dumps(anything)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: dumps(Sly()), "refused"),
        (lambda whole: dumps(OpenSetKNN(k=Sly())), "refused"),  # type: ignore[arg-type]
        (lambda whole: dumps({"threshold": 0.5}), "expected a fitted OpenSetKNN or OpenSetSVM"),
        (lambda whole: dumps(OpenSetKNN()), "expected a fitted OpenSetKNN or OpenSetSVM"),
        (lambda whole: pickle.dumps(OpenSetKNN()), "could not read it"),
        (lambda whole: whole[: len(whole) // 2], "could not read it"),
        (lambda whole: b"", "could not read it"),
        (lambda whole: dumps(OpenSetKNN().fit(LINE, LINE_NAMES)), "of one run"),
    ],
    ids=["other type", "other type within", "a dict", "not fitted", "pickle", "truncated", "empty", "another run's"],
)
def test_no_other_file_is_taken(saved: Path, content: Callable[[bytes], bytes], message: str) -> None:
    saved.write_bytes(content(saved.read_bytes()))
    with pytest.raises(ValueError, match=message):
        load_recognizer(saved)
    with pytest.raises(ValueError, match="of one run"):
        read_recognizer_info(saved)


def test_a_pickle_is_never_run(saved: Path, tmp_path: Path) -> None:
    target = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (target,)

    saved.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="could not read it"):
        load_recognizer(saved)
    assert not target.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop("threshold"),
        lambda fields: fields.update(kind="forest"),
        lambda fields: fields.pop("recognizer_sha256"),
        lambda fields: fields.update(surprise=1),
    ],
)
def test_a_broken_description_is_told(saved: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = saved.with_suffix(".json")
    fields = json.loads(file.read_text(encoding="utf-8"))
    change(fields)
    file.write_text(json.dumps(fields), encoding="utf-8")
    for read in (load_recognizer, read_recognizer_info):
        with pytest.raises(ValueError, match="expected the description of a recognizer"):
            read(saved)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_description_that_is_none(saved: Path, text: str) -> None:
    saved.with_suffix(".json").write_text(text, encoding="utf-8")
    for read in (load_recognizer, read_recognizer_info):
        with pytest.raises(ValueError, match="run notebook 04_tune_threshold again"):
            read(saved)


@pytest.mark.parametrize("suffix", [".skops", ".json"])
def test_a_missing_file_names_the_step_to_run(saved: Path, suffix: str) -> None:
    saved.with_suffix(suffix).unlink()
    for read in (load_recognizer, read_recognizer_info):
        with pytest.raises(FileNotFoundError, match="04_tune_threshold first"):
            read(saved)


@pytest.mark.parametrize(("changes", "message"), [({"kind": "svm"}, "got 'svm'"), ({"pictures": ()}, "23")])
def test_a_description_must_fit(
    gallery: tuple[np.ndarray, np.ndarray], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        save_recognizer(OpenSetKNN().fit(*gallery), tmp_path / "r.skops", info(23, **changes))
    assert list(tmp_path.iterdir()) == []
