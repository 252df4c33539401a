"""Prepare gathered pictures: set aside those without a face and near duplicates, and balance the people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.detect import load_detector
from facelib.embed import Embedder, load_embedder
from facelib.gallery import accept, accepted, build_gallery, curate, describe_search, read_gallery, undo, write_gallery
from facelib.gallery.doctor import face_worth
from facelib.gallery.files import partial_file
from facelib.gallery.measures import measure_pictures
from facelib.gallery.repetitions import find_repetitions
from facelib.gallery.report import LARGEST_IMBALANCE
from facelib.gather.crops import align_pictures, crop_names
from facelib.gather.cutting import Cutting
from facelib.gather.keeping import gathered_pictures
from facelib.project import Project, write_table
from facelib.project.spreadsheets import read_own_table

PREPARED_COLUMNS = ["picture", "person", "gathered", "reason", "crop"]
"""One row per picture: whether it was gathered, why it is not used, and its crop in `aligned/`."""

_ENOUGH_TO_BALANCE = 20  # pictures; nobody loses any below it, however few the others have
_KEPT = "kept by its user"
_SET_ASIDE = ("no face", "unreadable", "near duplicate", "more than others have")


def prepare_pictures(
    project: Project,
    *,
    cutting: Cutting | None = None,
    embedder: str = "dlib",
    per_person: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """Prepare the gathered pictures of a project for use; nothing is done where none were gathered.

    The faces are found and embedded, which notebook 02 takes over. Gathered pictures without a face, those that show
    the same moment as a better one, and those of which a person has more than the others, the worst and least varied
    first, are set aside: written into `disabled.txt` with the reason, as the gallery doctor does, so that no file is
    moved and every step leaves them out. The faces of all pictures in use that show one person are cut out into
    `aligned/<Person>/` in the data folder. The user's own pictures are never set aside, and a gathered one whose line
    the user takes off `disabled.txt` stays in use from then on.

    It may be killed and run again; what is done already is not done again.

    Args:
        project: Its pictures are read; `prepared.csv` in its output folder keeps what was decided.
        cutting: How faces are found and cut out; None takes the defaults: 160 pixels, a margin of an eighth.
        embedder: Name or path of the network that tells what is alike.
        per_person: Pictures that each person keeps at most; 0: about as many as the others have, that is the median
            over the people, but no more than three times the fewest, and at least 20.
        progress: Whether to show progress bars.

    Returns:
        The columns `PREPARED_COLUMNS`, sorted by `picture` (relative to the data folder); `reason` is empty for
        pictures in use, `crop` is relative to the data folder too, and empty where there is none.

    Raises:
        ValueError: When `per_person` is negative, or `disabled.txt` is not UTF-8 text.
        OSError: When a file cannot be written.
    """
    if per_person < 0:
        raise ValueError(f"expected per_person of at least 0, got {per_person!r}")
    cutting = cutting or Cutting()
    gathered = {row.file: row.sha256 for row in gathered_pictures(project) if (project.data / row.file).is_file()}
    if not gathered:
        return pd.DataFrame(columns=pd.Index(PREPARED_COLUMNS))
    network = load_embedder(embedder)
    faces = _find_faces(project, cutting, network, progress=progress)
    listed = accepted(project)
    ours, kept = _decided(project, listed)
    # A picture that was changed since it was gathered is the user's own.
    whose = faces["picture"].map(gathered) == faces["sha256"]
    free = set(faces.loc[whose, "picture"]) - (listed - ours) - kept
    faces = curate(faces, threshold=network.threshold, disabled=listed - free)
    reasons = _reasons(faces, free, project, network, per_person=per_person, progress=progress)
    gathered_now = set(faces.loc[whose, "picture"])
    write_table(_table(faces, gathered_now, reasons, kept, {}), _plan(project))
    accept(project, pd.DataFrame(list(reasons.items()), columns=pd.Index(["picture", "kind"])))
    undo(project, (ours & listed) - reasons.keys())
    faces = curate(faces, threshold=network.threshold, disabled=accepted(project))
    crops = _crops(faces, project, cutting, progress=progress)
    table = _table(faces, gathered_now, reasons, kept, crops)
    _remove_stale(project, crops)
    write_table(table, _record(project))
    _plan(project).unlink()
    return table


def _find_faces(project: Project, cutting: Cutting, embedder: Embedder, *, progress: bool) -> pd.DataFrame:
    """Return a gallery's table, and leave it where notebook 02 takes it over."""
    detector = load_detector(cutting.detector, smallest_face=cutting.smallest_face)
    partial, known = partial_file(project.faces), None
    with suppress(FileNotFoundError, ValueError):
        known = read_gallery(project.faces)
    try:
        faces = build_gallery(project, detector, embedder, known=known, progress=progress)
    except ValueError:  # no usable face: the table is still written
        return read_gallery(partial).table
    made = {"detector": describe_search(detector), "embedder": embedder.name, "weights_sha256": embedder.sha256}
    write_gallery(faces, partial, **made, threshold=embedder.threshold)
    return faces


def _reasons(
    faces: pd.DataFrame, free: set[str], project: Project, embedder: Embedder, *, per_person: int, progress: bool
) -> dict[str, str]:
    """Return why pictures are set aside, of those in `free`."""
    empty = faces[faces["reason"].isin(["no face", "unreadable"]) & faces["picture"].isin(free)]
    reasons = dict(zip(empty["picture"], empty["reason"], strict=True))
    used = faces[faces["used"]]
    if used.empty:
        return reasons
    used = used.join(measure_pictures(used, project, progress=progress))
    own = ~used["picture"].isin(free)
    used = used.assign(own=own, worth=face_worth(used) + own)  # of two alike the user's own stays
    again = used.loc[find_repetitions(used, threshold=embedder.threshold).index]
    reasons |= dict.fromkeys(again.loc[~again["own"], "picture"], "near duplicate")
    used = used[~used["picture"].isin(reasons)]
    most = per_person or _about_the_same(used["person"].value_counts())
    for _, rows in used.groupby("person", sort=True):
        reasons |= dict.fromkeys(_surplus(rows, most), "more than others have")
    return reasons


def _about_the_same(counts: pd.Series) -> int:
    """Return how many pictures each person may keep, given how many each has."""
    fair = min(float(counts.median()), LARGEST_IMBALANCE * float(counts.min()))
    return max(_ENOUGH_TO_BALANCE, math.ceil(fair))


def _surplus(rows: pd.DataFrame, most: int) -> list[str]:
    """Return the pictures that one person has too many: good faces unlike those that stay are taken first."""
    if len(rows) <= most:
        return []
    vectors, worth = np.stack(rows["embedding"].to_list()), rows["worth"].to_numpy(float)
    stays = rows["own"].to_numpy(bool).copy()
    if not stays.any():
        stays[worth.argmax()] = True
    nearest = np.min([np.linalg.norm(vectors - vectors[row], axis=1) for row in np.flatnonzero(stays)], axis=0)
    while stays.sum() < most:
        best = int(np.argmax(np.where(stays, -1.0, nearest * (worth + 0.1))))
        stays[best] = True
        nearest = np.minimum(nearest, np.linalg.norm(vectors - vectors[best], axis=1))
    return [str(picture) for picture in rows["picture"][~stays]]


def _crops(faces: pd.DataFrame, project: Project, cutting: Cutting, *, progress: bool) -> dict[str, str]:
    """Cut out the faces of the pictures in use; of one with several faces nobody could tell which it would be."""
    alone = faces.groupby("picture")["face"].transform("size") == 1
    pictures = [project.picture(picture) for picture in faces.loc[faces["used"] & alone, "picture"]]
    named = crop_names(project.people, pictures)
    places = {picture: project.data / "aligned" / name for picture, name in named.items()}
    if not places:
        return {}
    cut = align_pictures(places, cutting=cutting, relative_to=project.data, progress=progress)
    made = cut[cut["crop"] != ""]
    crops = [Path(crop).relative_to(project.data).as_posix() for crop in made["crop"]]
    return dict(zip(made["picture"], crops, strict=True))


def _table(
    faces: pd.DataFrame, gathered: set[str], reasons: Mapping[str, str], kept: set[str], crops: Mapping[str, str]
) -> pd.DataFrame:
    best = faces.sort_values("used", ascending=False, kind="stable").drop_duplicates("picture").sort_values("picture")
    rows = [
        [picture, person, picture in gathered, reasons.get(picture, _KEPT if picture in kept else reason)]
        for picture, person, reason in zip(best["picture"], best["person"], best["reason"], strict=True)
    ]
    table = pd.DataFrame([[*row, crops.get(str(row[0]), "")] for row in rows], columns=pd.Index(PREPARED_COLUMNS))
    return table.astype({"gathered": "bool"})


def _record(project: Project) -> Path:
    return project.output / "prepared.csv"


def _plan(project: Project) -> Path:
    """Return the path of the record that tells a killed run from the user's own decision."""
    return project.output / "prepared.partial.csv"


def _decided(project: Project, listed: set[str]) -> tuple[set[str], set[str]]:
    """Return the pictures that were set aside here before, and those of them that their user took back."""
    former, plan = (
        {str(row["picture"]): str(row["reason"]) for row in table[table["gathered"] == "True"].to_dict("records")}
        for table in (read_own_table(path, PREPARED_COLUMNS) for path in (_record(project), _plan(project)))
    )
    aside = {picture for picture, reason in (*former.items(), *plan.items()) if reason in _SET_ASIDE}
    kept = {picture for picture, reason in (plan or former).items() if reason == _KEPT}
    return aside, kept if plan else kept | (aside - listed)


def _remove_stale(project: Project, crops: Mapping[str, str]) -> None:
    """Remove the crops of an earlier run whose pictures are not in use any more."""
    stays = set(crops.values())
    for crop in read_own_table(_record(project), PREPARED_COLUMNS)["crop"]:
        if crop.startswith("aligned/") and ".." not in crop.split("/") and crop not in stays:
            (project.data / crop).unlink(missing_ok=True)
