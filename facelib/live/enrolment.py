"""Enrol a face from live pictures: save it as a picture of the cast and refit the recognizer."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from PIL import Image as PillowImage
from sklearn.base import clone

from facelib.embed import Embedder
from facelib.faces import Faces
from facelib.films.naming import Recognizer
from facelib.gallery.curation import curate
from facelib.gallery.decisions import find_disabled
from facelib.gallery.files import check_same_network, read_gallery
from facelib.gallery.records import face_record, face_table
from facelib.images import read_image, sharpness
from facelib.live.evidence import EnrolmentPicture
from facelib.project import Project, writer_lock
from facelib.project.digests import sha256_of
from facelib.project.files import numbered, write_bytes
from facelib.recognize import RecognizerInfo, load_recognizer, save_recognizer

SMALLEST_FACE = 40.0
"""The least shorter side, in pixels, of a face that is enrolled."""

LEAST_QUALITY = 0.1
"""See `facelib.embed.quality.quality`; a blurred or turned face teaches wrong things."""


def save_portrait(portrait: EnrolmentPicture | None, project: Project, person: str, *, track: int) -> Path:
    """Save a face as a picture of a person, named by the time and the track; no file is overwritten.

    Raises:
        ValueError: When the face is too small or too unclear to be recognised by.
        OSError: When the picture cannot be written.
    """
    if portrait is None:
        raise ValueError(f"expected a face of track {track} to enrol, none was clear enough to be looked at yet")
    side = float(min(portrait.box[2] - portrait.box[0], portrait.box[3] - portrait.box[1]))
    if side < SMALLEST_FACE or portrait.quality < LEAST_QUALITY:
        raise ValueError(
            f"expected a face of at least {SMALLEST_FACE:g} pixels and quality {LEAST_QUALITY:g} to enrol as "
            f"{person!r}, the best of track {track} has {side:.0f} and {portrait.quality:.2f}; wait for a better one"
        )
    buffer = io.BytesIO()
    PillowImage.fromarray(portrait.image).save(buffer, "JPEG", quality=95, subsampling=0)
    path = new_file(project.people / person, f"live {datetime.now(UTC):%Y-%m-%d %H%M%S}-{track}", ".jpg")
    write_bytes(buffer.getvalue(), path)
    return path


def new_file(folder: Path, stem: str, suffix: str) -> Path:
    """Return a path in a folder under which there is no file yet: a number is added where the name is taken."""
    return next(path for name in numbered(stem) if not (path := folder / f"{name}{suffix}").exists())


def learn(
    picture: Path, portrait: EnrolmentPicture, project: Project, person: str, embedder: Embedder
) -> tuple[Recognizer, RecognizerInfo]:
    """Add a picture to `faces.parquet`, and fit the recognizer to all that is used there.

    The recognizer keeps its settings and threshold; only the faces it knows change.

    Returns:
        The recognizer and what it was made from, as they are on disk now.

    Raises:
        FileNotFoundError: When the project has no gallery or no recognizer any more.
        ValueError: When one of them is damaged, or of another network.
        OSError: When a file cannot be written.
    """
    with writer_lock(project.faces):
        gallery, (recognizer, info) = read_gallery(project.faces), load_recognizer(project.recognizer)
        check_same_network(gallery, embedder)
        row = _row(picture, portrait, project, person, embedder)
        table = pd.concat([gallery.table, row], ignore_index=True)
        threshold = embedder.threshold if gallery.threshold is None else gallery.threshold
        disabled = find_disabled(project, set(table["picture"]))
        table = curate(table, threshold=threshold, disabled=disabled)
        known = replace(gallery, table=table, threshold=threshold)
        known.save(project.faces)
        recognizer = clone(recognizer).fit(known.vectors, known.names)
        info = replace(info, pictures=tuple(known.pictures))
        save_recognizer(recognizer, project.recognizer, info)
    return recognizer, info


def _row(picture: Path, portrait: EnrolmentPicture, project: Project, person: str, embedder: Embedder) -> pd.DataFrame:
    """Return the picture, as it was saved, as a row of `faces.parquet`."""
    image = read_image(picture)
    vector = embedder.embed(image, Faces.of(portrait.box, [portrait.score], portrait.landmarks))[0]
    landmarks, sharp = portrait.landmarks.reshape(-1), sharpness(image, portrait.box)
    record = face_record(0, portrait.box, portrait.score, landmarks, sharp, vector)
    return face_table([record | {"picture": project.label(picture), "sha256": sha256_of(picture), "person": person}])
