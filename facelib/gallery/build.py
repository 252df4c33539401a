"""Pictures of the cast become the table of known faces."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.gallery.curation import curate
from facelib.gallery.decisions import find_disabled
from facelib.gallery.files import Gallery, find_gallery, partial_file
from facelib.gallery.records import describe_search, face_table, measure_picture, measured
from facelib.project import Project, identities
from facelib.project.cast import entries_left_out
from facelib.project.digests import sha256_if_readable

_SECONDS_BETWEEN_CHECKPOINTS = 20.0
_log = logging.getLogger(__name__)


def build_gallery(
    project: Project,
    detector: Detector,
    embedder: Embedder,
    *,
    known: Gallery | pd.DataFrame | None = None,
    working_size: int = 1000,
    progress: bool = True,
) -> pd.DataFrame:
    """Find and embed the faces of a project's people, and decide which of them are used.

    Every 20 seconds what is done so far is written to `faces.partial.parquet` beside the project's
    `faces.parquet`; a run that was killed continues from there. `write_gallery` removes that file.

    Args:
        project: Its `people/` holds one folder of pictures per person; names that were merged are one person. Files
            that are no pictures are ignored. Pictures listed in `disabled.txt` in the project's data folder, one
            path relative to that folder a line, are not used; lines that start with `#` are comments.
        detector: Finds the faces.
        embedder: Embeds them.
        known: A former gallery. Pictures with a sha256 that occurs in it are not looked at again, provided that it
            was made with the same detector and options (`describe_search`), embedder and weights. Of a bare table,
            which does not say what it was made with, only the embeddings' length is checked.
        working_size: As in `find_portrait`.
        progress: Whether to show a progress bar.

    Returns:
        One row per face, with the columns of `faces.parquet`. A picture without a face has one row, with face -1 and
        boxes and embedding of NaN.

    Raises:
        FileNotFoundError: When the project has no `people/` folder.
        ValueError: When there are no people, no pictures, or not one usable face.
    """
    names = identities.merged(project)
    pictures = [(names.get(person, person), path) for person, path in _find_pictures(project)]
    partial = partial_file(project.faces)
    described = describe_search(detector, working_size=working_size)
    done = measured(known, described, embedder) | measured(find_gallery(partial), described, embedder)
    rows: list[dict[str, Any]] = []
    written = time.monotonic()
    for person, path in tqdm(pictures, desc="faces", unit=" pictures", leave=False, disable=not progress):
        digest = sha256_if_readable(path)
        if digest not in done:
            done[digest] = measure_picture(path, detector, embedder, working_size)
        place = {"picture": project.label(path), "sha256": digest, "person": person}
        rows += [face | place for face in done[digest]]
        if time.monotonic() - written > _SECONDS_BETWEEN_CHECKPOINTS:
            _checkpoint(face_table(rows), partial, described, embedder)
            written = time.monotonic()
    disabled = find_disabled(project, {row["picture"] for row in rows})
    table = curate(face_table(rows), threshold=embedder.threshold, disabled=disabled)
    if not table["used"].any():
        _checkpoint(table, partial, described, embedder)
        found = table.drop_duplicates("picture")["reason"].value_counts()
        listed = ", ".join(f"{reason}: {count}" for reason, count in found.items())
        raise ValueError(
            f"expected at least one picture with a usable face in {str(project.people)!r}, found none among "
            f"{table['picture'].nunique()} pictures ({listed}); add pictures, or choose another detector"
        )
    return table


def _find_pictures(project: Project) -> list[tuple[str, Path]]:
    people = project.find_people()
    pictures = [(person, path) for person in people for path in project.find_pictures(person)]
    if not pictures:
        loose = [f"{path.name!r}: {reason}" for path, reason in entries_left_out(project.people)]
        found = f"{len(people)} folders without a picture" if people else loose[0] if loose else "an empty folder"
        raise ValueError(
            f"expected one folder of pictures per person in {str(project.people)!r}, found {found}; "
            f"put pictures into {str(project.people / 'Name of a Person')!r}, or have step 1 gather them "
            "by name (-p names=...) or from films (-p faces_from=all)"
        )
    return pictures


def _checkpoint(table: pd.DataFrame, path: Path, detector: str, embedder: Embedder) -> None:
    """Save the records so far; warn if the folder cannot be written, and continue."""
    try:
        Gallery(table, detector, embedder.name, embedder.sha256, embedder.threshold).save(path)
    except OSError as error:
        _log.warning("what is done so far cannot be kept: %s", error)
