"""Tracks to names: one name a track, or unknown, each with its probability and its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from facelib.context import Named, Tracks, colour_word, face_evidence, mean_clothes, name_jointly
from facelib.faces import FloatArray
from facelib.recognize import UNKNOWN, OpenSetKNN, OpenSetSVM, RecognizerInfo

TRACK_COLUMNS = [
    "track", "shot", "start_frame", "end_frame", "start", "end", "person", "cluster", "confidence",
    "distance", "second_person", "margin", "evidence", "faces", "embedding",
    "dominant", "reason", "scene", "source",
]  # fmt: skip

LOOK_COLUMNS = ["track", "shot", "left", "top", "right", "bottom", "quality", "embedding", "clothes"]
"""What naming needs of `looks.parquet`."""

_TEACHES = 0.95  # probability from which a name's faces may teach how the person looks in this film


Recognizer = OpenSetKNN | OpenSetSVM
"""What puts names to embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a track is given a name.

    Attributes:
        confidence_threshold: Least probability of a name; below it the track stays unknown. Raising it names fewer.
        dominant_ratio: Least share of a track's faces, by quality, whose nearest person is the one that the track's
            face is named; 0 asks no vote.
        context: Whether names travel to small and turned faces by clothes and places; see `facelib.context`.
        learn_looks: Whether the film's surest faces are laid beside the gallery, and all tracks named once more.
    """

    confidence_threshold: float = 0.7
    dominant_ratio: float = 0.8
    context: bool = True
    learn_looks: bool = False


def name_tracks(
    tracks: pd.DataFrame,
    recognizer: Recognizer,
    info: RecognizerInfo,
    *,
    looks: pd.DataFrame | None = None,
    shots: pd.DataFrame | None = None,
    rules: Rules | None = None,
) -> pd.DataFrame:
    """Give every track of a film one name.

    A track's face is named when the recognizer names the mean of its best faces, these agree, and the name is probable
    enough. Nobody is twice in one frame: of two tracks with one name and a frame in common, the farther one becomes
    unknown. With context, the tracks that their faces leave unknown may still be named together with those around them.

    Args:
        tracks: As `facelib.film.Followed` holds them; may be empty.
        recognizer: Fitted on the gallery.
        info: What the recognizer was made from: the gallery's pictures and the calibration of its distances.
        looks: The film's `looks.parquet`; without it there is neither vote nor context.
        shots: The film's `shots.csv`; without it there is no context.
        rules: When a track is given a name.

    Returns:
        The columns of `tracks.parquet`. `confidence` is the probability that the name, or the answer unknown, is right;
        `evidence` is the gallery picture nearest to the track; `dominant` the share of the vote; `source` is `face`,
        `context`, `learned`, or nothing for unknown; `reason` says it in words.
    """
    rules = rules or Rules()
    if tracks.empty:
        named = tracks.reindex(columns=pd.Index(TRACK_COLUMNS))
        return named.astype(
            dict.fromkeys(["person", "cluster", "second_person", "evidence", "reason", "source"], "str")
        )
    tracks = tracks.reset_index(drop=True)
    named = _once(tracks, recognizer, info, looks, shots, rules)
    if rules.learn_looks and looks is not None:
        taught, pictures = _taught(named, looks, recognizer, info)
        again = _once(tracks, taught, replace(info, pictures=pictures), looks, shots, rules)
        changed = again["person"] != named["person"]
        again.loc[changed & (again["person"] != UNKNOWN), "source"] = "learned"
        again["reason"] = again["reason"].mask(
            changed, again["reason"] + "; " + named["person"] + " before the film's looks were learned"
        )
        named = again
    return named[TRACK_COLUMNS]


def _once(
    tracks: pd.DataFrame,
    recognizer: Recognizer,
    info: RecognizerInfo,
    looks: pd.DataFrame | None,
    shots: pd.DataFrame | None,
    rules: Rules,
) -> pd.DataFrame:
    named = _by_face(tracks, recognizer, info, looks, rules)
    if not rules.context or looks is None or shots is None:
        return named
    return _by_context(named, recognizer, looks, shots, rules)


def _by_face(
    tracks: pd.DataFrame, recognizer: Recognizer, info: RecognizerInfo, looks: pd.DataFrame | None, rules: Rules
) -> pd.DataFrame:
    decided = recognizer.decide(np.stack(tracks["embedding"].to_list())).reset_index(drop=True)
    likely = info.confidence(decided["distance"].to_numpy())
    dominant = _votes(tracks, looks, recognizer, decided["best_person"])
    sure = (likely >= rules.confidence_threshold) & (dominant >= rules.dominant_ratio)
    named = tracks.assign(
        person=decided["person"].where(sure, UNKNOWN),
        best=decided["best_person"],
        cluster="",
        distance=decided["distance"].astype(np.float32),
        second_person=decided["second_person"].fillna(""),
        margin=decided["margin"].astype(np.float32),
        evidence=[info.pictures[row] for row in decided["neighbour"]],
        dominant=dominant.astype(np.float32),
        scene=0,
    )
    named.loc[_doubles(named), "person"] = UNKNOWN
    known = named["person"] != UNKNOWN
    named["confidence"] = np.where(known, likely, 1 - likely).astype(np.float32)
    named["source"] = np.where(known, "face", "")
    named["reason"] = [_face_reason(row, rules) for _, row in named.iterrows()]
    return named


def _votes(
    tracks: pd.DataFrame, looks: pd.DataFrame | None, recognizer: Recognizer, names: pd.Series
) -> NDArray[np.float64]:
    """Return the share of each track's best faces, by quality, that are nearest to the person `names` says."""
    if looks is None or looks.empty:
        return np.ones(len(tracks))
    nearest = recognizer.decide(np.stack(looks["embedding"].to_list()))["best_person"].to_numpy()
    wanted = looks["track"].map(dict(zip(tracks["track"], names, strict=True))).to_numpy()
    weights = looks["quality"].to_numpy() + 1e-3
    votes = pd.DataFrame({"track": looks["track"].to_numpy(), "for": weights * (nearest == wanted), "all": weights})
    total = votes.groupby("track").sum().reindex(tracks["track"])
    return np.asarray((total["for"] / total["all"]).fillna(1.0), np.float64)


def _doubles(named: pd.DataFrame) -> list[int]:
    """Return the rows whose name a nearer track carries in the same frame."""
    losers: list[int] = []
    for _, tracks in named[named["person"] != UNKNOWN].sort_values("distance").groupby(["person", "shot"]):
        taken: list[tuple[int, int]] = []
        for row, start, end in zip(tracks.index, tracks["start_frame"], tracks["end_frame"], strict=True):
            if any(start <= other_end and other_start <= end for other_start, other_end in taken):
                losers.append(row)
            else:
                taken.append((start, end))
    return losers


def _by_context(
    named: pd.DataFrame, recognizer: Recognizer, looks: pd.DataFrame, shots: pd.DataFrame, rules: Rules
) -> pd.DataFrame:
    """Name what the faces leave unknown, and take names back that all else speaks against."""
    people = recognizer.classes_
    seen = _describe(named, recognizer, looks, shots)
    threshold, strangers = _scale(recognizer)
    joint = name_jointly(seen, face_evidence(seen, threshold=threshold, strangers=strangers))
    best = joint.probability.argmax(axis=1)
    each = np.arange(len(named))
    chance = joint.probability[each, best]
    by_face = named["person"].to_numpy()
    names = np.where(chance >= rules.confidence_threshold, people[best], by_face).astype(object)
    # A face's name stands unless another face of the frame, or a likelier name, has taken it.
    own = np.array([joint.probability[i, np.searchsorted(people, name)] if name in people else 0 for i, name in
                    enumerate(by_face)])  # fmt: skip
    names[(by_face != UNKNOWN) & (names == by_face) & (own < 0.3)] = UNKNOWN
    result = named.assign(person=names, scene=seen.scene.astype(np.int32))
    result.loc[_doubles(result.assign(distance=-np.maximum(chance, own))), "person"] = UNKNOWN
    return _explained(result, named, joint, best, chance, seen, rules)


def _explained(
    result: pd.DataFrame,
    named: pd.DataFrame,
    joint: Named,
    best: NDArray[np.intp],
    chance: FloatArray,
    seen: Tracks,
    rules: Rules,
) -> pd.DataFrame:
    """Fill in probability, source and reason where the context has changed the answer, or made it surer."""
    known = (result["person"] != UNKNOWN).to_numpy()
    same = known & (result["person"] == named["person"]).to_numpy()
    result["confidence"] = np.where(
        same, np.maximum(named["confidence"], chance), np.where(known, chance, 1 - chance)
    ).astype(np.float32)
    result["source"] = np.where(same, "face", np.where(known, "context", ""))
    doubt = named["reason"] + ", but clothes and place speak against it"
    lost = ~known & (named["person"] != UNKNOWN).to_numpy()
    result["reason"] = named["reason"].where(~lost, doubt)
    for row in np.flatnonzero(known & ~same).tolist():
        result.loc[row, "reason"] = _context_reason(result, row, int(best[row]), joint, seen)
    return result


def _describe(named: pd.DataFrame, recognizer: Recognizer, looks: pd.DataFrame, shots: pd.DataFrame) -> Tracks:
    """Gather what the tables say of each track, in the tracks' order."""
    looks = looks[looks["track"].isin(named["track"])]
    views = looks.assign(
        x=(looks["left"] + looks["right"]) / 2,
        y=(looks["top"] + looks["bottom"]) / 2,
        size=looks["bottom"] - looks["top"],
    ).groupby("track")
    middle = views[["x", "y", "size"]].median().reindex(named["track"])
    worn = {track: [np.asarray(one, np.float32) for one in own if len(one)] for track, own in views["clothes"]}
    of_shot = shots.set_index("shot").reindex(named["shot"])
    return Tracks(
        distances=_to_people(np.stack(named["embedding"].to_list()), recognizer),
        size=middle["size"].to_numpy(np.float32),
        quality=views["quality"].max().reindex(named["track"]).to_numpy(np.float32),
        clothes=np.stack([mean_clothes(worn.get(track, [])) for track in named["track"]]),
        middle=middle[["x", "y"]].to_numpy(np.float32),
        shot=named["shot"].to_numpy(np.int64),
        scene=of_shot["scene"].to_numpy(np.int64),
        setup=of_shot["setup"].to_numpy(np.int64),
        frames=named[["start_frame", "end_frame"]].to_numpy(np.int64),
        time=((named["start"] + named["end"]) / 2).to_numpy(np.float32),
    )


def _to_people(vectors: FloatArray, recognizer: Recognizer, *, nearest: int = 3) -> FloatArray:
    """Return the mean distance to each person's three nearest pictures, `(n, people)`."""
    apart = np.sqrt(np.maximum(_squares(vectors, recognizer.vectors_), 0))
    columns = [
        np.sort(apart[:, recognizer.codes_ == person], axis=1)[:, :nearest].mean(axis=1)
        for person in range(len(recognizer.classes_))
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _squares(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    squares: NDArray[np.float64] = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return squares


def _scale(recognizer: Recognizer) -> tuple[float, float]:
    """Return within which distance a good face is named, and how far strangers lie, in the embedding's own units."""
    threshold = float(recognizer.farthest if isinstance(recognizer, OpenSetSVM) else recognizer.threshold)
    # Some hundred faces tell the median as well as all of them.
    some = np.unique(np.linspace(0, len(recognizer.vectors_) - 1, 400).astype(int))
    apart = _to_people(recognizer.vectors_[some], recognizer)
    apart[np.arange(len(some)), recognizer.codes_[some]] = np.inf
    others = float(np.median(apart.min(axis=1)))  # infinite in a gallery of one person
    if not np.isfinite(threshold):
        threshold = 0.7 * others
    return threshold, float(np.clip(others, 1.1 * threshold, 1.4 * threshold))


def _taught(
    named: pd.DataFrame, looks: pd.DataFrame, recognizer: Recognizer, info: RecognizerInfo
) -> tuple[Recognizer, tuple[str, ...]]:
    """Return the recognizer fitted to the gallery and the film's surest faces, and what its rows are called."""
    sure = named[(named["source"] == "face") & (named["confidence"] >= _TEACHES)]
    names = dict(zip(sure["track"], sure["person"], strict=True))
    lessons = looks[looks["track"].isin(names)]
    if lessons.empty:
        return recognizer, info.pictures
    vectors = np.vstack([recognizer.vectors_, np.stack(lessons["embedding"].to_list())])
    people = np.concatenate([recognizer.classes_[recognizer.codes_], lessons["track"].map(names)])
    shown = tuple(f"this film, shot {shot}" for shot in lessons["shot"])
    return clone(recognizer).fit(vectors, people), info.pictures + shown


def _face_reason(row: pd.Series, rules: Rules) -> str:
    near = f"{row['best']} at {row['distance']:.2f}, {row['evidence']}"
    second = f"; next is {row['second_person']}, {row['margin']:.2f} farther" if row["second_person"] else ""
    if row["person"] != UNKNOWN:
        return f"face: {near}{second}"
    agree = float(row["dominant"])
    doubt = f"; only {agree:.0%} of its faces agree" if agree < rules.dominant_ratio else ""
    return f"not sure enough: nearest is {near}{second}{doubt}"


def _context_reason(result: pd.DataFrame, row: int, person: int, joint: Named, seen: Tracks) -> str:
    parts = []
    witness = int(joint.witness[row, person])
    if joint.clothes[row, person] > 0.5 and witness >= 0:
        colour = colour_word(seen.clothes[row])
        parts.append(f"{colour} clothes as in shot {seen.shot[witness]}".strip())
    if joint.place[row, person] > 0.5:
        parts.append("same place in the same set-up")
    if joint.face[row, person] > 0.5:
        parts.append(f"a face like {result['evidence'].iloc[row]}")
    return ", ".join(parts) or "nobody else of the cast is left for it"
