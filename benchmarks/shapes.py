"""How much the distance of a face says about whose it is: labelled looks of films, by turn and by size.

Usage: python benchmarks/shapes.py [--sets sitcom ...] [--data ../shared/data] [--keep FOLDER] [--embedder dlib]

The even point and the slope are of a logistic model of "the same person" against others, both equally frequent, by the
distance to the mean of a person's three nearest pictures, in units of the embedder's own threshold.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from context import Film, ask, labelled_sets
from sklearn.linear_model import LogisticRegression

from facelib.embed import Embedder
from facelib.embed.pose import away
from facelib.evaluate import match_faces
from facelib.evaluate.matching import NO_FACE, NOBODY
from facelib.films.naming.evidence import distances_to_people
from facelib.recognize import OpenSetKNN

TURNS = ((0, 20), (20, 35), (35, 50), (50, 65), (65, 180))  # degrees away from the camera
SIZES = ((0, 20), (20, 28), (28, 36), (36, 52), (52, 80), (80, 9999))  # pixels
LARGE, SHARP, STRAIGHT = 40, 0.08, 20
FEWEST = 20


def looks_of(film: Film, known: pd.DataFrame, embedder: Embedder) -> pd.DataFrame:
    """Return a row for each labelled look and each person of the cast: `apart`, `same`, `turn`, `size`, `quality`."""
    matches = match_faces(film.detections.assign(person="anybody"), film.truth)
    matches = matches[(matches["name"] != NOBODY) & ~matches["label"].isin([NO_FACE, "ignore", ""])]
    whose = matches.groupby("track")["label"].agg(lambda labels: labels.mode().iloc[0])
    looks = film.looks[film.looks["track"].isin(whose.index)]
    knn = OpenSetKNN(threshold=embedder.threshold).fit(np.stack(known["embedding"]), known["person"].to_numpy())
    apart = distances_to_people(np.stack(looks["embedding"].to_list()), knn) / embedder.threshold
    label = looks["track"].map(whose).to_numpy()
    table = pd.DataFrame(
        {
            "turn": away(looks[["yaw", "pitch", "yaw"]].to_numpy()),
            "size": (looks["bottom"] - looks["top"]).to_numpy(),
            "quality": looks["quality"].to_numpy(),
        }
    )
    parts = [
        table.assign(apart=apart[:, column], same=label == person)
        for column, person in enumerate(knn.classes_.tolist())
    ]
    return pd.concat(parts, ignore_index=True)


def row(what: str, table: pd.DataFrame) -> None:
    """Print the line of some looks, unless there are too few."""
    same = table["same"].to_numpy(bool)
    if same.sum() < FEWEST:
        return
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum()) * len(same)
    model = LogisticRegression(C=1e6).fit(table[["apart"]].to_numpy(), same, sample_weight=weight)
    slope = -float(model.coef_[0, 0])
    own, others = table.loc[same, "apart"].median(), table.loc[~same, "apart"].median()
    even = float(model.intercept_[0]) / slope
    print(f"| {what} | {same.sum()} | {own:.2f} | {others:.2f} | {even:.2f} | {slope:.0f} |")


def main() -> None:
    """Print both tables."""
    asked = ask(__doc__)
    embedder = asked.embedder
    sets = [films for _, films in labelled_sets(asked)]
    if not sets:
        return
    looks = pd.concat([looks_of(film, one.known, embedder) for one in sets for film in one.films], ignore_index=True)
    print(f"{embedder.name}\n")
    print("| looks | number | own pictures | others' | even point | slope |\n|---|---|---|---|---|---|")
    large = looks[(looks["size"] >= LARGE) & (looks["quality"] >= SHARP)]
    for low, high in TURNS:
        row(f"turned by {low} to {high} degrees", large[large["turn"].between(low, high, inclusive="left")])
    straight = looks[looks["turn"] < STRAIGHT]
    for low, high in SIZES:
        row(f"{low} to {high} pixels", straight[straight["size"].between(low, high, inclusive="left")])


if __name__ == "__main__":
    main()
