"""Two look-alikes of a cast get stricter thresholds, and the others keep theirs."""

import numpy as np
import pandas as pd
import pytest

from facelib.gallery import Gallery
from facelib.recognize import load_recognizer
from facelib.recognize.thresholds import find_look_alikes, fit_threshold, look_alikes, trials
from facelib.recognize.tuning import tune

OWN = 0.5
PEOPLE, FACES = 30, 30


def cast(*, brothers, spread=0.028, seed=0):
    """Thirty people of thirty faces; with `brothers`, the last two lie as near as one person's faces."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(PEOPLE, 64))
    centres *= 0.48 / np.linalg.norm(centres, axis=1, keepdims=True)
    if brothers:
        centres[-1] = centres[-2] + 0.12 * rng.normal(size=64) / 8
    vectors = np.repeat(centres, FACES, axis=0) + rng.normal(size=(PEOPLE * FACES, 64)) * spread
    return vectors.astype(np.float32), np.repeat([f"P{number:02d}" for number in range(PEOPLE)], FACES)


def test_brothers_lower_only_their_own_thresholds():
    outcome = trials(*cast(brothers=True))
    alone = fit_threshold(trials(*cast(brothers=False)), fallback=OWN).threshold
    together = fit_threshold(outcome, fallback=OWN).threshold
    assert together < alone - 0.02  # the fault: two of thirty people decided for all
    found = find_look_alikes(outcome, fallback=OWN)
    assert [pair[:2] for pair in found.pairs] == [("P28", "P29")]
    thresholds = found.table.set_index("person")["threshold"]
    assert thresholds.iloc[:-2].to_numpy() == pytest.approx(alone, abs=0.02)
    assert (thresholds.iloc[-2:] < together).all()
    assert found.table["from_data"].tolist() == [False] * 28 + [True] * 2
    assert (found.table["alike"] == together).all()


def test_with_the_offsets_one_threshold_does_for_all():
    vectors, names = cast(brothers=True)
    found = find_look_alikes(trials(vectors, names), fallback=OWN)
    again = fit_threshold(trials(vectors, names, offsets=found.offsets), fallback=OWN)
    assert again.threshold == pytest.approx(found.table["threshold"].max(), abs=0.01)
    assert again.fpir <= 0.011


@pytest.mark.parametrize("case", ["no pair", "few people", "not measured"])
def test_nothing_is_set_apart(case):
    vectors, names = cast(brothers=case != "no pair")
    fallback = np.nan if case == "not measured" else OWN
    if case == "few people":
        vectors, names = vectors[-5 * FACES :], names[-5 * FACES :]
    assert find_look_alikes(trials(vectors, names), fallback=fallback) is None


def test_only_people_who_are_near_are_compared_pair_by_pair(monkeypatch):
    """A pair each of a thousand people took seconds, of four thousand minutes."""
    compared = []
    against = look_alikes._against
    monkeypatch.setattr(
        look_alikes, "_against", lambda outcome, *pair: compared.append(pair) or against(outcome, *pair)
    )
    assert find_look_alikes(trials(*cast(brothers=True)), fallback=OWN) is not None
    assert set(compared) == {(PEOPLE - 2, PEOPLE - 1)}


def gallery(vectors, names):
    faces = pd.DataFrame({"picture": [f"people/{name}/{row}.jpg" for row, name in enumerate(names)], "person": names})
    faces = faces.assign(used=True, embedding=list(vectors))
    return Gallery(table=faces, detector="centerface", embedder="dlib", weights_sha256="0" * 64)


def test_the_notebook_says_so_and_the_recognizer_has_it(tmp_path):
    tuning = tune(gallery(*cast(brothers=True)), fallback=OWN, aliases=[])
    assert "P28 and P29 look alike" in tuning.fitted.advice
    own = tuning.per_person.set_index("person")["threshold"]
    assert own["P28"] == own["P29"] < own["P00"] == tuning.fitted.threshold
    recognizer, info = load_recognizer(tuning.save(tmp_path / "recognizer.skops"))
    assert info.per_person
    assert recognizer.thresholds["P28"] == pytest.approx(own["P28"])
    assert recognizer.predict(cast(brothers=True)[0][::FACES]).tolist()[:3] == ["P00", "P01", "P02"]
