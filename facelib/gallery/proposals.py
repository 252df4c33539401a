"""Proposals to leave out pictures of the cast, each with its reason in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from facelib.embed.neighbours import ALIKE, find_neighbours
from facelib.gallery.mislabels import find_mislabelled
from facelib.gallery.repetitions import find_repetitions

ProposalKind = Literal[
    "wrong person", "several faces", "duplicate", "near duplicate", "blurred", "tiny", "profile", "dark",
    "no face", "unreadable",
]  # fmt: skip
PROPOSAL_KINDS: tuple[str, ...] = get_args(ProposalKind)
"""The kinds of proposals, those that do most harm first."""

PROPOSAL_COLUMNS = ["picture", "face", "person", "kind", "detail", "score", "fits", "used"]
_LEAST_SHARPNESS = 40.0  # as in `facelib.images.sharpness`
_SMALLEST_FACE = 32.0  # pixels of the shorter side
_LEAST_LIGHT = 20.0  # lightness, 0 to 100, that a quarter of a face has to exceed
_STRONG_PROFILE = 0.475  # of `turn`: one eye is all but hidden
_STRANGER = 1.1  # thresholds from a person's mean, as automatic curation draws the line
_OF_ITSELF = {
    "no face": "no face was found: crop it, or choose another detector",
    "unreadable": "cannot be read as a picture: fetch it again",
}


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A proposal about the face in one row of the gallery; see `Examination.proposals` for the fields."""

    row: int
    kind: ProposalKind
    detail: str
    score: float
    fits: str = ""


class Likeness:
    """Whom of the cast a face looks like, by its distance to the mean of each person's used faces.

    Args:
        used: The columns `person` and `embedding`.
        threshold: The embedder's own; with NaN nobody looks like anybody.
    """

    def __init__(self, used: pd.DataFrame, threshold: float) -> None:
        groups = used.groupby("person", sort=True)["embedding"]
        self.means = {str(person): np.mean(np.stack(own.to_list()), axis=0) for person, own in groups}
        self.threshold = threshold

    def distance(self, vector: Any, person: str) -> float:
        """Return how far a face is from a person's mean, in thresholds; infinite where nothing is known of them."""
        if person not in self.means or not math.isfinite(self.threshold):
            return math.inf
        return float(np.linalg.norm(self.means[person] - np.asarray(vector)) / self.threshold)

    def of(self, vector: Any, *, other_than: str) -> str:
        """Return the nearest person, or nothing when that is `other_than`, or when nobody is near."""
        near = min(self.means, key=lambda person: self.distance(vector, person), default="")
        return near if near != other_than and self.distance(vector, near) <= _STRANGER else ""


def wrong_people(used: pd.DataFrame, likeness: Likeness) -> list[_Proposal]:
    """Propose used faces that are likely to be somebody else's; see `find_mislabelled`."""
    if used.empty:
        return []
    judged = find_mislabelled(np.stack(used["embedding"].to_list()), used["person"])
    rows = used.join(judged.set_axis(used.index))
    found = []
    for row, face in _records(rows[rows["wrong"]]):
        person, fits = face["person"], face["likeliest"]
        known = math.isfinite(likeness.threshold)
        if fits == person or (known and likeness.distance(face["embedding"], fits) > _STRANGER):
            fits = ""
        others = f"{face['doubt']:.0%} of the nearest faces are not {person}"
        detail = f"{_looks(fits, person)}: {others if face['doubt'] else 'far from most of them'}"
        found.append(_Proposal(row, "wrong person", detail, max(face["doubt"], 0.5), fits))
    return found


def _looks(fits: str, person: str) -> str:
    return f"looks like {fits}" if fits else f"looks unlike the others of {person}"


def misfiled_copies(used: pd.DataFrame, *, threshold: float) -> list[_Proposal]:
    """Propose copies of a picture in another person's folder: the copy that fits its folder less."""
    if used.empty or not math.isfinite(threshold):
        return []
    vectors = np.stack(used["embedding"].to_list())
    people, codes = np.unique(used["person"].to_numpy(dtype=str), return_inverse=True)
    seen = find_neighbours(vectors, vectors, codes, k=1)
    rows = np.arange(len(codes))
    seen.to_people[rows, codes] = np.inf
    nearest = seen.to_people.argmin(axis=1)
    away, copy = seen.to_people[rows, nearest], seen.people_rows[rows, nearest]

    def to_own(face: int) -> float:
        others = vectors[(codes == codes[face]) & (rows != face)]
        return float(np.linalg.norm(others - vectors[face], axis=1).min(initial=np.inf))

    found = []
    for place in np.flatnonzero(away <= ALIKE * threshold).tolist():
        other = int(copy[place])
        if to_own(place) > to_own(other):
            fits, name = str(people[codes[other]]), _name(used["picture"].iloc[other])
            detail = f"the same picture as {name} of {fits}, whose other pictures are nearer"
            found.append(_Proposal(int(used.index[place]), "wrong person", detail, 1.0, fits))
    return found


def curated_away(faces: pd.DataFrame, likeness: Likeness) -> list[_Proposal]:
    """List what automatic curation has left out, one face per picture."""
    found = []
    for row, face in _records(faces[faces["reason"] == "outlier"]):
        fits = likeness.of(face["embedding"], other_than=face["person"])
        away = likeness.distance(face["embedding"], face["person"])
        much = f", {away:.2f} thresholds away" if math.isfinite(away) else ""
        found.append(_Proposal(row, "wrong person", _looks(fits, face["person"]) + much, min(1.0, away / 2), fits))
    first = faces.drop_duplicates("picture")
    for row, face in _records(first[first["reason"].isin(["duplicate", *_OF_ITSELF])]):
        found.append(_Proposal(row, face["reason"], _OF_ITSELF.get(face["reason"]) or _same_file(faces, face), 1.0))
    return found + _crowds(faces, likeness)


def _same_file(faces: pd.DataFrame, face: dict[str, Any]) -> str:
    others = faces[(faces["sha256"] == face["sha256"]) & (faces["picture"] != face["picture"])]
    elsewhere = others[others["person"] != face["person"]]
    if len(elsewhere):
        return f"the same file is filed under {elsewhere['person'].iloc[0]} too, so neither is used"
    return f"the same file as {_name(others['picture'].iloc[0])}"


def _crowds(faces: pd.DataFrame, likeness: Likeness) -> list[_Proposal]:
    """Return the largest face that is left out of each picture with several."""
    found = []
    crowded = faces[faces["picture"].isin(faces.loc[faces["reason"] == "several faces", "picture"])]
    for _, group in crowded.groupby("picture", sort=True):
        row, face = max(_records(group[~group["used"].astype(bool)]), key=lambda pair: float(pair[1]["size"]))
        person, taken = face["person"], bool(group["used"].any())
        if taken:
            detail = f"{len(group)} faces: the one that fits {person} is used, not this one"
        else:
            detail = f"{len(group)} faces, and it is unclear which is {person}: crop the picture"
        fits = likeness.of(face["embedding"], other_than=person)
        found.append(_Proposal(row, "several faces", detail, 0.5 if taken else 1.0, fits))
    return found


def repeated(used: pd.DataFrame, *, threshold: float) -> list[_Proposal]:
    """Propose used faces that repeat a better one; see `find_repetitions`."""
    again = find_repetitions(used, threshold=threshold)
    names = used["picture"].map(_name)
    return [
        _Proposal(row, "near duplicate", f"nearly the same as {names[face['of']]}, which is better", face["sameness"])
        for row, face in _records(again)
    ]


def poor(used: pd.DataFrame) -> list[_Proposal]:
    """Propose used faces that are hard to recognise; the score is by how much they miss the limit."""
    found = []
    for row, face in _records(used):
        sharp, size, light, turn = (float(face[name]) for name in ("sharpness", "size", "light", "turn"))
        if sharp < _LEAST_SHARPNESS:
            detail = f"sharpness {sharp:.0f}; 300 is crisp"
            found.append(_Proposal(row, "blurred", detail, 1 - sharp / _LEAST_SHARPNESS))
        if size < _SMALLEST_FACE:
            found.append(_Proposal(row, "tiny", f"a face of {size:.0f} pixels", 1 - size / _SMALLEST_FACE))
        if abs(turn) > _STRONG_PROFILE:
            detail = f"seen from the side; keep it if films show {face['person']} so"
            found.append(_Proposal(row, "profile", detail, min(1.0, abs(turn) / (2 * _STRONG_PROFILE))))
        if light < _LEAST_LIGHT:
            found.append(_Proposal(row, "dark", f"lightness {light:.0f} of 100", 1 - light / _LEAST_LIGHT))
    return found


def as_table(faces: pd.DataFrame, proposals: Iterable[_Proposal]) -> pd.DataFrame:
    """Return proposals with the columns `PROPOSAL_COLUMNS`, in the order of `KINDS`, most certain first."""
    rank = {kind: number for number, kind in enumerate(PROPOSAL_KINDS)}
    best = {(each.row, each.kind): each for each in sorted(proposals, key=lambda each: each.score)}
    found = sorted(best.values(), key=lambda each: (rank[each.kind], -each.score, each.row))
    table = faces.loc[[each.row for each in found], ["picture", "face", "person", "used"]].reset_index(drop=True)
    for field, kind in (("kind", "str"), ("detail", "str"), ("score", "float64"), ("fits", "str")):
        table[field] = pd.Series([getattr(each, field) for each in found], dtype=kind)
    return table[PROPOSAL_COLUMNS].astype({"used": "bool"})


def _records(table: pd.DataFrame) -> list[tuple[int, dict[str, Any]]]:
    """Return each row's number and values."""
    return [
        (int(row), {str(name): value for name, value in record.items()})
        for row, record in zip(table.index.tolist(), table.to_dict("records"), strict=True)
    ]


def _name(picture: str) -> str:
    return picture.rsplit("/", 1)[-1]
