"""Faces of many pictures, cropped once into a cache that a killed run resumes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.detect.portraits import find_portrait
from facelib.embed import InputForm
from facelib.embed.align import DlibAligner, align
from facelib.faces import Image
from facelib.gather.workers import in_order
from facelib.images import UnreadablePicture, read_image
from facelib.nets import dlib as dlib_weights
from facelib.project import file_lock, write_text
from facelib.train.data import Crops, People, no_pictures
from facelib.train.face_store import FaceStore

_READ_AHEAD = 16


def crop_faces(
    people: People,
    cache: str | Path,
    detector: Detector,
    *,
    form: InputForm,
    least_pictures: int = 2,
    threads: int = 2,
    progress: bool = True,
) -> Crops:
    """Cut out the main face of every picture, once: later calls read them from the cache.

    Pictures that have changed since are cut out anew; a run that was killed continues where it stopped. Of pictures
    with pixel-identical faces one is kept, or none if they have the names of two people.

    Args:
        people: The pictures.
        cache: Folder for the faces; one folder in it a kind of pictures, detector, size and alignment.
        detector: Finds the faces.
        form: Its `size` and `alignment` say how they are cut out.
        least_pictures: People with fewer faces in the end are left out.
        threads: How many pictures are read at once, ahead of the detector.
        progress: Show a bar.

    Returns:
        The faces as a mapped file, in the order of `people.table`, and the pictures left out with the reason: `no
        face`, `unreadable`, `duplicate`, `two people`, or `too few faces`.

    Raises:
        BlockingIOError: When another process cuts out the same faces.
        OSError: When the cache cannot be written; what is done so far is kept.
        ValueError: When not one face is left.
    """
    folder = Path(cache) / _folder_name(people.folder, detector, form)
    with file_lock(folder / ".lock", what=f"other cutting of faces into {str(folder)!r}"):
        store = FaceStore(folder, size=form.size)
        write_text(json.dumps(_description(people.folder, detector, form), indent=1) + "\n", folder / "made_from.json")
        missing = [picture for picture in people.table["picture"] if not store.knows(picture, people.folder / picture)]
        with tqdm(
            total=len(missing), desc="Cut out faces", unit="picture", leave=False, disable=not progress or not missing
        ) as bar:
            _fill(store, people.folder, missing, detector, form, threads, bar)
        images = store.images()
    table = people.table.reset_index(drop=True)
    entries = [store.entries[picture] for picture in table["picture"]]
    table = table.assign(
        row=[entry.row for entry in entries],
        digest=[entry.digest for entry in entries],
        reason=[entry.reason for entry in entries],
    )
    table["reason"] = _with_reasons(table, least_pictures)
    used = table["reason"] == ""
    if not used.any():
        found = ", ".join(f"{reason}: {count}" for reason, count in table["reason"].value_counts().items())
        raise ValueError(f"expected a usable face in {str(people.folder)!r}, found none ({found or 'no pictures'})")
    left_out = pd.concat([no_pictures(), table.loc[~used, ["picture", "person", "reason"]]], ignore_index=True)
    return Crops(images, table.loc[used].drop(columns="reason").reset_index(drop=True), left_out, form)


def _with_reasons(table: pd.DataFrame, least_pictures: int) -> pd.Series[str]:
    """Return why each picture is left out, empty if it is used."""
    reason = table["reason"].copy()
    faces = table[reason == ""]
    people = faces.groupby("digest")["person"].transform("nunique")
    reason[faces.index[people > 1]] = "two people"
    reason[faces.index[(people == 1) & faces.duplicated("digest")]] = "duplicate"
    left = table["person"][reason == ""]
    few = left.map(left.value_counts()) < least_pictures
    reason[left.index[few]] = "too few faces"
    return reason


def _fill(
    store: FaceStore,
    folder: Path,
    pictures: list[str],
    detector: Detector,
    form: InputForm,
    threads: int,
    bar: tqdm[None],
) -> None:
    aligner = DlibAligner(dlib_weights.landmark_file(), size=form.size) if form.alignment == "dlib" else None
    with store.appending() as add:
        images = in_order(_read, [folder / picture for picture in pictures], threads=max(1, threads), ahead=_READ_AHEAD)
        for picture, image in zip(pictures, images, strict=True):
            face, reason = None, "unreadable"
            if image is not None:
                portrait = find_portrait(image, detector)
                reason = "" if len(portrait.faces) else "no face"
                if len(portrait.faces):
                    face = align(portrait.image, portrait.main, form.alignment, size=form.size, aligner=aligner)[0]
            add(picture, folder / picture, face, reason)
            bar.update()


def _read(path: Path) -> Image | None:
    try:
        return read_image(path)
    except (UnreadablePicture, OSError):
        return None


def _description(folder: Path, detector: Detector, form: InputForm) -> dict[str, object]:
    return {
        "pictures": str(folder.resolve()),
        "detector": detector.description,
        "size": form.size,
        "alignment": form.alignment,
    }


def _folder_name(folder: Path, detector: Detector, form: InputForm) -> str:
    """Return a readable folder name that is unique to how the faces are cropped."""
    made_from = json.dumps(_description(folder, detector, form), sort_keys=True)
    short = hashlib.blake2b(made_from.encode(), digest_size=4).hexdigest()
    return f"{detector.name}-{form.size}-{form.alignment.replace(' ', '_')}-{short}"
