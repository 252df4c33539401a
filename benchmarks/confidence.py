"""Calibration of confidences on films: of names, and of the answer unknown.

Every labelled film is named by its cast, by its cast without each person and without several at once, who are strangers
then, and by the casts of other films. A track is asked many times in this way, with another number of strangers beside
it. A calibration error is never 0: beside it stands what it would be on average if each probability were right, with
each answer drawn for itself, and with each track drawn once for all its answers. In the last two columns each track
counts as much as any other, as one of the cast and as a stranger: by one divided by the number of its answers in the
pool, names and unknown together, so that neither twenty repetitions nor one rare mistake count like another track. That
measure, over whole casts and all casts without people who appear, is the one to go by. What a sharp face adds to the
answer unknown (`facelib.films.naming.context`) is fitted without each film in turn and tried on it, and then to all.

Usage: python benchmarks/confidence.py [--data ../shared/data] [--keep FOLDER] [--embedder dlib]
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from unittest.mock import patch

import numpy as np
import pandas as pd
from context import Film, FilmSet, ask, labelled_sets
from scipy.optimize import minimize_scalar

from facelib.embed import Embedder
from facelib.evaluate import calibration_error, match_faces, reliability
from facelib.evaluate.matching import NO_FACE, NOBODY
from facelib.films.naming import context
from facelib.project.names import UNKNOWN

# One film under two sets of labels is one film, and must be left out as one; each clip is one by itself.
FILMS = {"friends_four": "friends", "friends_six": "friends", "table_one": "table", "table_ten": "table"}
LEADS = ("sitcom", "friends_four", "friends_six")  # films with the same people, who are in the cast of table_one too
SEVERAL = 40  # casts without several people, drawn for each set
WHOLE, ONE, SEVERAL_OUT, FOREIGN = "whole", "one left out", "several left out", "of another film"


def labels_of(film: Film) -> pd.Series:
    """Return whose each labelled track is."""
    matches = match_faces(film.detections.assign(person="anybody"), film.truth)
    matches = matches[(matches["name"] != NOBODY) & ~matches["label"].isin([NO_FACE, "ignore", ""])]
    return matches.groupby("track")["label"].agg(lambda labels: labels.mode().iloc[0])


def judged(film: Film, known: pd.DataFrame, whose: pd.Series, embedder: Embedder) -> pd.DataFrame:
    """Return a row a labelled track: its answer and confidence, whether it is right, and what the model goes by."""
    seen: list[pd.DataFrame] = []

    def watched(nobody, quality):  # type: ignore[no-untyped-def]
        seen.append(pd.DataFrame({"nobody": nobody, "quality": quality}))
        return sure(nobody, quality)

    sure = context.sure_of_unknown
    with patch.object(context, "sure_of_unknown", watched):
        tracks = film.named(known, embedder, context=True).reset_index(drop=True)
    table = tracks[["track", "person", "confidence"]].join(seen[0])
    table = table[table["track"].isin(whose.index)]
    label = table["track"].map(whose)
    label = label.where(label.isin(known["person"]), UNKNOWN)
    return table.assign(right=table["person"] == label, stranger=label == UNKNOWN)


def casts(films: FilmSet, present: set[str], random: np.random.Generator) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield who is left out: nobody, each one in turn, and several of those who appear."""
    people = sorted(films.known["person"].unique())
    yield WHOLE, ()
    yield from ((ONE, (person,)) for person in people)
    here = sorted(present.intersection(people))
    several = [some for size in range(2, len(here) + 1) for some in combinations(here, size) if len(some) < len(people)]
    yield from ((SEVERAL_OUT, several[row]) for row in random.permutation(len(several))[:SEVERAL])


def collect(sets: dict[str, FilmSet], embedder: Embedder) -> pd.DataFrame:
    """Return the answers of all films to all casts: `film`, `cast` and `matters` beside those of `judged`.

    `matters` is False where somebody is left out who does not appear, so that the whole cast's answers come again.
    """
    random, parts = np.random.default_rng(0), []
    whose = {(name, film.name): labels_of(film) for name, one in sets.items() for film in one.films}
    for name, one in sets.items():
        present = {str(who) for (of, _), labels in whose.items() if of == name for who in labels}
        for film in one.films:
            labels = whose[name, film.name]
            about = {"film": FILMS.get(name, film.name)}
            for cast, out in casts(one, present, random):
                known = one.known[~one.known["person"].isin(out)]
                matters = cast == WHOLE or bool(labels.isin(out).any())
                parts.append(judged(film, known, labels, embedder).assign(**about, cast=cast, matters=matters))
            for other, foreign in sets.items():
                if _foreign(name, other):
                    parts.append(
                        judged(film, foreign.known, labels, embedder).assign(**about, cast=FOREIGN, matters=True)
                    )
    return pd.concat(parts, ignore_index=True)


def _foreign(name: str, other: str) -> bool:
    """Return whether nobody in the films of one set is of the cast of another one."""
    return FILMS.get(name, name) != FILMS.get(other, other) and not (name in LEADS and other in (*LEADS, "table_one"))


def fitted(table: pd.DataFrame) -> float:
    """Fit what a sharp face adds to the odds of nobody; films with many tracks count by the root of their number."""
    weight = (table.groupby("film")["film"].transform("size").astype(float) ** -0.5).to_numpy()
    right = table["right"].to_numpy(bool)

    def loss(tells: float) -> float:
        sure = by_model(table, tells)
        return float(-(weight * np.log(np.where(right, sure, 1 - sure))).sum())

    return float(minimize_scalar(loss, bounds=(0, 8), method="bounded").x)


def by_model(table: pd.DataFrame, tells: float) -> np.ndarray:
    """Return the confidence of the answer unknown where a sharp face adds so much."""
    nobody, quality = table["nobody"].to_numpy(float), table["quality"].to_numpy(float)
    return np.clip(context.sure_of_unknown(nobody, quality, tells=tells).astype(float), 1e-6, 1 - 1e-6)


def by_chance(table: pd.DataFrame, *, once: bool, draws: int = 200) -> float:
    """Return the mean calibration error were each confidence the probability of being right.

    Args:
        table: `film`, `track`, `confidence`, `right`.
        once: Whether a track, as one of the cast and as a stranger, is drawn once for all its answers.
        draws: How often.
    """
    random, sure = np.random.default_rng(0), table["confidence"].to_numpy(float).clip(0, 1)
    place = table.groupby(["film", "track", "right"]).ngroup().to_numpy() if once else np.arange(len(table))
    return float(
        np.mean(
            [calibration_error(reliability(sure, random.random(place.max() + 1)[place] < sure)) for _ in range(draws)]
        )
    )


def each_once(pool: pd.DataFrame) -> pd.Series:
    """Return the weight of each answer of a pool: one divided by the number of its track's, as cast or as stranger."""
    return 1 / pool.groupby(["film", "track", "stranger"])["track"].transform("size")


def weighted_error(table: pd.DataFrame, right: np.ndarray, *, bins: int = 10) -> float:
    """Return the calibration error of answers with a `weight` each, by `confidence`."""
    sure, weight = table["confidence"].to_numpy(float).clip(0, 1), table["weight"].to_numpy(float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    apart = np.bincount(place, weight * (sure - right), bins)
    return float(np.abs(apart).sum() / weight.sum())


def weighted_by_chance(table: pd.DataFrame, *, draws: int = 200) -> float:
    """Return the mean of `weighted_error` were each confidence right, each track drawn once for all its answers."""
    random, sure = np.random.default_rng(0), table["confidence"].to_numpy(float).clip(0, 1)
    place = table.groupby(["film", "track", "stranger"]).ngroup().to_numpy()
    drawn = (random.random(place.max() + 1)[place] < sure for _ in range(draws))
    return float(np.mean([weighted_error(table, right) for right in drawn]))


def show(what: str, casts_: str, table: pd.DataFrame) -> None:
    """Print the line of some answers."""
    sure, right = table["confidence"].clip(0, 1), table["right"]
    error, brier = calibration_error(reliability(sure, right)), ((sure - right) ** 2).mean()
    chances = " | ".join(f"{by_chance(table, once=once):.3f}" for once in (False, True))
    once = f"{weighted_error(table, right.to_numpy(float)):.3f} | {weighted_by_chance(table):.3f}"
    print(f"| {what} | {casts_} | {len(table)} | {right.mean():.3f} | {error:.3f} | {chances} | {brier:.4f} | {once} |")


def main() -> None:
    """Print the table, and what is fitted."""
    asked = ask(__doc__)
    sets = dict(labelled_sets(asked))
    if not sets:
        return
    table = collect(sets, asked.embedder)
    unknown = table[table["person"] == UNKNOWN]
    teaching = unknown[unknown["matters"] & (unknown["cast"] != FOREIGN)]
    bare = unknown.assign(confidence=unknown["nobody"].astype(float))
    modelled = bare.copy()
    for film in unknown["film"].unique():
        away = unknown["film"] == film
        modelled.loc[away, "confidence"] = by_model(unknown[away], fitted(teaching[teaching["film"] != film]))
    print(
        "| answers | casts | tracks | right | calibration error | by chance | tracks drawn once | Brier score | "
        "each track once: error | by chance |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    matters, near = table["matters"], table["cast"] != FOREIGN
    pools = {
        WHOLE: table["cast"] == WHOLE,
        f"{WHOLE}, {ONE}": table["cast"].isin([WHOLE, ONE]),
        "the same, where they appear": table["cast"].isin([WHOLE, ONE]) & matters,
        f"and {SEVERAL_OUT}": near & matters,
        f"and {FOREIGN}": matters,
    }
    weights = {casts_: each_once(table[pool]) for casts_, pool in pools.items()}
    answers = {
        "names": table[table["person"] != UNKNOWN],
        "unknown": unknown,
        "unknown, as probable as nobody": bare,
        "unknown, fitted without each film": modelled,
    }
    for what, rows in answers.items():
        for casts_, weight in weights.items():
            own = rows.loc[rows.index.intersection(weight.index)]
            show(what, casts_, own.assign(weight=weight[own.index]))
    print(f"\nfitted to all films: {fitted(teaching):.2f}")


if __name__ == "__main__":
    main()
