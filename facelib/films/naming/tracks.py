"""Name tracks: one name per track, or unknown, with its probability and its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from facelib.embed.shapes import evidence_shape
from facelib.films.naming.context import name_by_context
from facelib.films.naming.settings import TRACK_COLUMNS, NamingSettings, Recognizer, same_frame_conflicts
from facelib.project.names import UNKNOWN
from facelib.recognize import RecognizerInfo

_SAID = ["person", "best", "distance", "evidence", "margin", "second_person", "dominant"]  # in a reason
_TEACHES = 0.95  # probability from which a track's faces are added to the gallery for this film


def name_tracks(
    tracks: pd.DataFrame,
    recognizer: Recognizer,
    info: RecognizerInfo,
    *,
    looks: pd.DataFrame | None = None,
    shots: pd.DataFrame | None = None,
    settings: NamingSettings | None = None,
) -> pd.DataFrame:
    """Name every track of a film.

    A track gets a name when the recognizer names the mean of its best faces, these agree, and the name is probable
    enough. Nobody is twice in one frame: of two tracks with one name and a frame in common, the farther one becomes
    unknown. With context, tracks that their faces leave unknown may still be named by the tracks around them.

    Args:
        tracks: As `facelib.films.tracking.FilmTracks` holds them; may be empty.
        recognizer: Fitted on the gallery.
        info: What the recognizer was made from: the gallery's pictures and the calibration of its distances.
        looks: The film's `looks.parquet`; without it, neither vote nor context is used.
        shots: The film's `shots.csv`; without it, no context is used.
        settings: When a track gets a name.

    Returns:
        The columns of `tracks.parquet`. `confidence` is the probability that the name, or the answer unknown, is right;
        `evidence` is the gallery picture nearest to the track; `dominant` the share of the vote; `source` is `face`,
        `context`, `learned`, or empty for unknown; `reason` says it in words.
    """
    settings = settings or NamingSettings()
    if tracks.empty:
        named = tracks.reindex(columns=pd.Index(TRACK_COLUMNS))
        return named.astype(
            dict.fromkeys(["person", "cluster", "second_person", "evidence", "reason", "source"], "str")
        )
    tracks = tracks.reset_index(drop=True)

    def named_by(recognizer: Recognizer, info: RecognizerInfo) -> pd.DataFrame:
        named = _by_face(tracks, recognizer, info, looks, settings)
        if not settings.context or looks is None or shots is None:
            return named
        shape, _ = evidence_shape(info.embedder, info.weights_sha256)
        return name_by_context(named, recognizer, looks, shots, settings, shape=shape)

    named = named_by(recognizer, info)
    if settings.adapt_to_film and looks is not None:
        taught, pictures = _taught(named, looks, recognizer, info)
        again = named_by(taught, replace(info, pictures=pictures))
        changed = again["person"] != named["person"]
        again.loc[changed & (again["person"] != UNKNOWN), "source"] = "learned"
        again["reason"] = again["reason"].mask(
            changed, again["reason"] + "; " + named["person"] + " before faces of the film were learned"
        )
        named = again
    return named[TRACK_COLUMNS]


def _by_face(
    tracks: pd.DataFrame,
    recognizer: Recognizer,
    info: RecognizerInfo,
    looks: pd.DataFrame | None,
    settings: NamingSettings,
) -> pd.DataFrame:
    decided = recognizer.decide(np.stack(tracks["embedding"].to_list())).reset_index(drop=True)
    likely = info.confidence(decided["distance"].to_numpy())
    dominant = _votes(tracks, looks, recognizer, decided["best_person"])
    sure = (likely >= settings.confidence_threshold) & (dominant >= settings.dominant_ratio)
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
    named.loc[same_frame_conflicts(named), "person"] = UNKNOWN
    known = named["person"] != UNKNOWN
    named["confidence"] = np.where(known, likely, 1 - likely).astype(np.float32)
    named["source"] = np.where(known, "face", "")
    named["reason"] = [_face_reason(row, settings) for row in named[_SAID].itertuples(index=False)]
    return named


def _votes(
    tracks: pd.DataFrame, looks: pd.DataFrame | None, recognizer: Recognizer, names: pd.Series
) -> NDArray[np.float64]:
    """Return the share of each track's best faces, weighted by quality, that are nearest to the person in `names`."""
    if looks is None or looks.empty:
        return np.ones(len(tracks))
    nearest = recognizer.decide(np.stack(looks["embedding"].to_list()))["best_person"].to_numpy()
    wanted = looks["track"].map(dict(zip(tracks["track"], names, strict=True))).to_numpy()
    weights = looks["quality"].to_numpy() + 1e-3
    votes = pd.DataFrame({"track": looks["track"].to_numpy(), "for": weights * (nearest == wanted), "all": weights})
    total = votes.groupby("track").sum().reindex(tracks["track"])
    return np.asarray((total["for"] / total["all"]).fillna(1.0), np.float64)


def _taught(
    named: pd.DataFrame, looks: pd.DataFrame, recognizer: Recognizer, info: RecognizerInfo
) -> tuple[Recognizer, tuple[str, ...]]:
    """Return the recognizer fitted to the gallery and the film's most certain faces, and the names of its rows."""
    sure = named[(named["source"] == "face") & (named["confidence"] >= _TEACHES)]
    names = dict(zip(sure["track"], sure["person"], strict=True))
    lessons = looks[looks["track"].isin(names)]
    if lessons.empty:
        return recognizer, info.pictures
    vectors = np.vstack([recognizer.vectors_, np.stack(lessons["embedding"].to_list())])
    people = np.concatenate([recognizer.classes_[recognizer.codes_], lessons["track"].map(names)])
    shown = tuple(f"this film, shot {shot}" for shot in lessons["shot"])
    return clone(recognizer).fit(vectors, people), info.pictures + shown


def _face_reason(row: Any, settings: NamingSettings) -> str:
    near = f"{row.best} at {row.distance:.2f}, {row.evidence.removeprefix(f'people/{row.best}/')}"
    # With thresholds of their own, the person named may be the farther one.
    apart = f"{abs(row.margin):.2f} {'farther' if row.margin >= 0 else 'nearer'}"
    second = f"; next is {row.second_person}, {apart}" if row.second_person else ""
    if row.person != UNKNOWN:
        return f"face: {near}{second}"
    doubt = f"; only {row.dominant:.0%} of its faces agree" if row.dominant < settings.dominant_ratio else ""
    return f"not certain enough: nearest is {near}{second}{doubt}"
