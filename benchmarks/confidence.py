"""Whether confidences keep their word on films: names, and the answer unknown.

Every labelled film is named by its cast, and by its cast without each person, who is a stranger then. Beside it stands
a logistic model of the answer unknown, fitted without each film in turn and tried on it: is it worth having?

Usage: python benchmarks/confidence.py [--data ../shared/data] [--keep FOLDER] [--embedder dlib]
"""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pandas as pd
from context import Film, ask, labelled_sets
from sklearn.linear_model import LogisticRegression

import facelib
from facelib.evaluate import calibration_error, match_faces, reliability
from facelib.evaluate.matching import NO_FACE, NOBODY
from facelib.films.naming import context
from facelib.films.naming.evidence import muteness
from facelib.project.names import UNKNOWN

# One film under two sets of labels is one film, and must be left out as one.
FILMS = {"friends_four": "friends", "friends_six": "friends", "table_one": "table", "table_ten": "table"}


def judged(name: str, film: Film, known: pd.DataFrame, embedder: facelib.Embedder) -> pd.DataFrame:
    """Return a row a labelled track: its answer and confidence, whose it is, and what speaks of a stranger."""
    seen: list[pd.DataFrame] = []

    def watched(result, named, joint, best, chance, tracks):  # type: ignore[no-untyped-def]
        nobody = 1 - joint.probability.sum(axis=1)
        seen.append(pd.DataFrame({"track": named["track"], "nobody": nobody, "mute": muteness(tracks)}))
        return explained(result, named, joint, best, chance, tracks)

    explained = context._explained
    with patch.object(context, "_explained", watched):
        tracks = film.named(known, embedder, context=True)
    faces = film.detections.merge(tracks[["track", "person", "confidence"]], on="track")
    matches = match_faces(faces, film.truth)
    matches = matches[(matches["name"] != NOBODY) & ~matches["label"].isin([NO_FACE, "ignore", ""])]
    whose = matches.groupby("track")["label"].agg(lambda labels: labels.mode().iloc[0]).rename("label")
    table = tracks[["track", "person", "confidence"]].merge(whose, on="track").merge(seen[0], on="track")
    table["label"] = table["label"].where(table["label"].isin(known["person"]), UNKNOWN)
    return table.assign(film=FILMS.get(name, name), right=table["person"] == table["label"])


def features(table: pd.DataFrame) -> np.ndarray:
    """Return what the model of the answer unknown goes by: the odds of nobody, and how little the face tells."""
    nobody = table["nobody"].clip(1e-4, 1 - 1e-4)
    return np.column_stack([np.log(nobody / (1 - nobody)), table["mute"]])


def fitted(table: pd.DataFrame) -> LogisticRegression:
    """Fit the model; films with many tracks count by the root of their number."""
    weight = table.groupby("film")["film"].transform("size").astype(float) ** -0.5
    return LogisticRegression().fit(features(table), table["right"], sample_weight=weight / weight.mean())


def main() -> None:
    """Print the tables."""
    asked = ask(__doc__)
    parts = []
    for name, films in labelled_sets(asked):
        for left_out in (None, *sorted(films.known["person"].unique())):
            known = films.known[films.known["person"] != left_out]
            parts += [judged(name, film, known, asked.embedder).assign(all=left_out is None) for film in films.films]
    if not parts:
        return
    table = pd.concat(parts, ignore_index=True)
    unknown = table[table["person"] == UNKNOWN].reset_index(drop=True)
    modelled = unknown.copy()
    for film in unknown["film"].unique():
        away = (unknown["film"] == film).to_numpy()
        modelled.loc[away, "confidence"] = fitted(unknown[~away]).predict_proba(features(unknown[away]))[:, 1]
    print("| answers | casts | tracks | right | calibration error |\n|---|---|---|---|---|")
    answers = {"names": table[table["person"] != UNKNOWN], "unknown": unknown, "unknown, by the model": modelled}
    for what, rows in answers.items():
        for casts, some in (("whole", rows[rows["all"]]), ("whole, and one left out in turn", rows)):
            error = calibration_error(reliability(some["confidence"].clip(0, 1), some["right"]))
            print(f"| {what} | {casts} | {len(some)} | {some['right'].mean():.3f} | {error:.3f} |")


if __name__ == "__main__":
    main()
