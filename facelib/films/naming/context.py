"""Naming by context: from the tables of a film to `name_jointly`, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.embed.pose import view_weights
from facelib.embed.shapes import DLIB_SHAPE
from facelib.faces import FloatArray
from facelib.films.clothes import colour_word, track_colours
from facelib.films.naming.evidence import (
    AGAINST,
    Tracks,
    as_strangers,
    distances_to_people,
    face_evidence,
    turned,
    usual_distances,
)
from facelib.films.naming.impostors import Impostor, find_impostors
from facelib.films.naming.joint import Named, name_jointly
from facelib.films.naming.settings import NamingSettings, Recognizer, same_frame_conflicts
from facelib.nets.figures import EvidenceShape
from facelib.project.names import UNKNOWN

_RISK = 2 / 3  # of the doubt that a name may leave, which may be that the face is a stranger's
_TURNED = 0.2  # away by some 40 degrees, or cut by the edge; portraits do not show what such faces say
_LEAST = 1e-3  # probability of either side in the odds of nobody
# Of faces that stay unnamed, sharp ones are a stranger's more often than distances, clothes and places say. Fitted to
# the labelled films by `benchmarks/confidence.py`: 4.0 with dlib's mirrored embedding, 1.8 with dlib's.
_SHARP_TELLS = 3.0
_BLURRED, _SHARP = 0.05, 0.15


def name_by_context(
    named: pd.DataFrame,
    recognizer: Recognizer,
    looks: pd.DataFrame,
    shots: pd.DataFrame,
    settings: NamingSettings,
    *,
    shape: EvidenceShape = DLIB_SHAPE,
) -> pd.DataFrame:
    """Name tracks that their faces leave unknown, and withdraw names that the context contradicts.

    Args:
        named: The tracks as their faces name them, with all columns of `tracks.parquet`.
        recognizer: Knows the people, and how far apart faces lie.
        looks: The film's `looks.parquet`, the columns `LOOK_COLUMNS`.
        shots: The film's `shots.csv`.
        settings: When a track gets a name.
        shape: How much the embedder's distances say, see `facelib.embed.shapes.evidence_shape`.

    Returns:
        The tracks with `person`, `confidence`, `source`, `reason` and `scene` as the whole scene has it.
    """
    people = recognizer.classes_
    seen = describe_tracks(named, recognizer, looks, shots)
    threshold, strangers = usual_distances(recognizer, shape)
    pictures = np.bincount(recognizer.codes_)
    face = face_evidence(seen, threshold=threshold, strangers=strangers, shape=shape, pictures=pictures)
    impostors = find_impostors(named, seen, face, recognizer, looks, shots, threshold=threshold)
    joint = name_jointly(seen, as_strangers(face, [one.row for one in impostors]))
    best = joint.probability.argmax(axis=1)
    each = np.arange(len(named))
    probability, nobody = joint.probability[each, best], _nobody(joint)
    by_face = named["person"].to_numpy()
    within = seen.distances[each, best] <= threshold
    needed = np.where(seen.turn > _TURNED, shape.context_from, AGAINST)
    enough = _may_be_named(joint, best, settings, within=within, needed=needed)
    names = np.where(enough, people[best], by_face).astype(object)
    # A face's name is kept unless another face of the frame has it, or another name is more probable; one within half
    # the threshold is kept whatever the context, and a turned one must be confirmed by it.
    column = np.minimum(np.searchsorted(people, by_face.astype(people.dtype)), len(people) - 1)
    own = np.where(people[column] == by_face, joint.probability[each, column], 0)
    sure = (by_face != UNKNOWN) & (named["distance"].to_numpy() <= threshold / 2)
    names[sure] = by_face[sure]
    least = np.where(seen.turn > 0.5, settings.confidence_threshold, 0.3)
    doubted = (own < least) | (nobody > _most_nobody(settings))
    names[(by_face != UNKNOWN) & (names == by_face) & doubted & ~sure] = UNKNOWN
    result = named.assign(person=names, scene=seen.scene.astype(np.int32))
    order = named["distance"].where(sure, 1 + threshold - np.maximum(probability, own))
    result.loc[same_frame_conflicts(result.assign(distance=order)), "person"] = UNKNOWN
    strange = sure_of_unknown(nobody, seen.quality)
    result = _explained(result, named, joint, best, probability, strange, seen)
    return _with_impostors(result, impostors, people)


def _may_be_named(
    joint: Named, best: NDArray[np.intp], settings: NamingSettings, *, within: NDArray[np.bool_], needed: FloatArray
) -> NDArray[np.bool_]:
    """Return whose best name is probable enough: among the cast's, and rather than a stranger's.

    Users forgive an unknown face, and the wrong one of two people of the cast less, and a stranger with a name least.
    A face beyond the threshold gets no name by itself: its clothes, hair or place must say it too. Nor do these by
    themselves, where the face says less than is needed.
    """
    each = np.arange(len(best))
    around = (joint.clothes + joint.hair + joint.place)[each, best] > 0
    nobody = _nobody(joint)
    cast = np.maximum(1 - nobody, 1e-6)
    enough = (joint.probability[each, best] / cast >= settings.confidence_threshold) & (within | around)
    enough &= joint.face[each, best] >= needed
    return np.asarray(enough & (nobody <= _most_nobody(settings)), bool)


def _nobody(joint: Named) -> FloatArray:
    return np.asarray(np.clip(1 - joint.probability.sum(axis=1), 0, 1), np.float32)


def sure_of_unknown(nobody: FloatArray, quality: FloatArray, *, tells: float = _SHARP_TELLS) -> FloatArray:
    """Return the probability that the answer unknown is right, `(n,)`.

    Args:
        nobody: `(n,)`, the probability of being nobody in the cast.
        quality: `(n,)`, 0 to 1, of the best face.
        tells: What a sharp face adds to the logarithm of the odds; raising it makes sharp strangers more certain.
    """
    likely = np.clip(nobody, _LEAST, 1 - _LEAST)
    sharp = np.clip((quality - _BLURRED) / (_SHARP - _BLURRED), 0, 1)
    odds = np.log(likely / (1 - likely)) + tells * sharp
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _most_nobody(settings: NamingSettings) -> float:
    """Return the largest probability of being a stranger with which a face still gets a name."""
    return _RISK * (1 - settings.confidence_threshold)


def _explained(
    result: pd.DataFrame,
    named: pd.DataFrame,
    joint: Named,
    best: NDArray[np.intp],
    probability: FloatArray,
    strange: FloatArray,
    seen: Tracks,
) -> pd.DataFrame:
    """Fill in probability, source and reason where the context has changed or confirmed the answer."""
    known = (result["person"] != UNKNOWN).to_numpy()
    same = known & (result["person"] == named["person"]).to_numpy()
    result["confidence"] = np.where(
        same, np.maximum(named["confidence"], probability), np.where(known, probability, strange)
    ).astype(np.float32)
    result["source"] = np.where(same, "face", np.where(known, "context", ""))
    doubt = named["reason"] + ", but clothes and place contradict it"
    lost = ~known & (named["person"] != UNKNOWN).to_numpy()
    result["reason"] = named["reason"].where(~lost, doubt)
    for row in np.flatnonzero(known & ~same).tolist():
        result.loc[row, "reason"] = _context_reason(result, row, int(best[row]), joint, seen)
    return result


def _with_impostors(result: pd.DataFrame, impostors: list[Impostor], people: NDArray[np.str_]) -> pd.DataFrame:
    """Say of tracks without a name who they only look like."""
    for row, person, distance, nearest in impostors:
        if result["person"].iloc[row] == UNKNOWN:
            result.loc[row, "reason"] = (
                f"looks like {people[person]}, at {distance:.2f}, whose own faces in this scene lie at {nearest:.2f}"
            )
    return result


def describe_tracks(named: pd.DataFrame, recognizer: Recognizer, looks: pd.DataFrame, shots: pd.DataFrame) -> Tracks:
    """Collect the observations of each track, in the tracks' order.

    Args:
        named: `track`, `embedding`, `shot`, `start_frame`, `end_frame`, `start`, `end`.
        recognizer: Knows the people.
        looks: The film's `looks.parquet`, the columns `LOOK_COLUMNS`.
        shots: `shot`, `scene`, `setup`.
    """
    looks = looks[looks["track"].isin(named["track"])]
    away = turned(looks)
    weight = view_weights(looks["quality"].to_numpy(), away)
    views = looks.assign(
        x=(looks["left"] + looks["right"]) / 2,
        y=(looks["top"] + looks["bottom"]) / 2,
        size=looks["bottom"] - looks["top"],
        weight=weight,
        turned=away * weight,
    ).groupby("track")
    middle = views[["x", "y", "size"]].median().reindex(named["track"])
    turn = views[["turned", "weight"]].sum().reindex(named["track"])
    of_shot = shots.set_index("shot").reindex(named["shot"])
    return Tracks(
        distances=distances_to_people(np.stack(named["embedding"].to_list()), recognizer),
        size=middle["size"].to_numpy(np.float32),
        quality=views["quality"].max().reindex(named["track"]).to_numpy(np.float32),
        turn=(turn["turned"] / turn["weight"]).to_numpy(np.float32),
        clothes=track_colours(looks, named["track"], "clothes"),
        hair=track_colours(looks, named["track"], "hair"),
        middle=middle[["x", "y"]].to_numpy(np.float32),
        shot=named["shot"].to_numpy(np.int64),
        scene=of_shot["scene"].to_numpy(np.int64),
        setup=of_shot["setup"].to_numpy(np.int64),
        frames=named[["start_frame", "end_frame"]].to_numpy(np.int64),
        time=((named["start"] + named["end"]) / 2).to_numpy(np.float32),
    )


def _context_reason(result: pd.DataFrame, row: int, person: int, joint: Named, seen: Tracks) -> str:
    parts = []
    witness = int(joint.witness[row, person])
    if joint.clothes[row, person] > 0.5 and witness >= 0:
        colour = colour_word(seen.clothes[row])
        parts.append(f"{colour} clothes as in shot {seen.shot[witness]}".strip())
    if joint.place[row, person] > 0.5:
        parts.append("same place in the same camera set-up")
    if joint.face[row, person] > 0.5:
        parts.append(f"a face like {result['evidence'].iloc[row]}")
    return ", ".join(parts) or "everybody else in the cast is ruled out"
