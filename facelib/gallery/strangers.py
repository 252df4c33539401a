"""Pictures of people outside the cast, whom a threshold must leave without a name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.gallery.curation import MEASURED_REASONS
from facelib.gallery.files import Gallery, find_gallery
from facelib.gallery.records import describe_search, face_table, measure_picture, measured
from facelib.images import find_pictures_below
from facelib.project import Project
from facelib.project.digests import sha256_if_readable

_log = logging.getLogger(__name__)


def strangers_folder(project: Project) -> Path:
    """Return where the user puts pictures of strangers, in folders of any depth: `data/<project>/strangers/`."""
    return project.data / "strangers"


def strangers_file(project: Project) -> Path:
    """Return the table of the faces in them: `output/<project>/strangers.parquet`."""
    return project.output / "strangers.parquet"


def find_strangers(project: Project) -> list[Path]:
    """Return the pictures of strangers, sorted; none where there is no such folder. Hidden files are skipped."""
    folder = strangers_folder(project)
    return find_pictures_below(folder).pictures if folder.is_dir() else []


def embed_strangers(
    project: Project,
    detector: Detector,
    embedder: Embedder,
    *,
    cast: Gallery | None = None,
    working_size: int = 1000,
    progress: bool = True,
) -> Gallery | None:
    """Find and embed the faces of a project's strangers, and write `strangers.parquet`.

    Every face in a picture is a stranger's. Pictures that were looked at before, in the same way, are not looked at
    again. Without pictures of strangers a table of a former run is removed.

    Args:
        project: Its `strangers/` may hold pictures in folders of any depth.
        detector: Finds the faces.
        embedder: Embeds them.
        cast: The known faces: a file that is among their pictures too is no stranger's. That they were looked for in
            another way, which makes the two hard to compare, is logged.
        working_size: As in `find_portrait`; take the one the cast's faces were found with.
        progress: Show a bar.

    Returns:
        A row per face, with the columns of `faces.parquet`; `person` is empty. Not used are, with the reason as of the
        gallery: pictures without a face (`no face`) or that cannot be read (`unreadable`), and files that came before
        or are of the cast (`duplicate`). None where there are no pictures.

    Raises:
        OSError: When the table cannot be written.
    """
    pictures, path = find_strangers(project), strangers_file(project)
    if not pictures:
        path.unlink(missing_ok=True)
        return None
    described = describe_search(detector, working_size=working_size)
    if cast is not None and cast.detector != described:
        _log.warning(
            "the cast's faces were looked for by %s, those of strangers by %s: give notebook 04 the detector, "
            "smallest_face and working_size of 02",
            cast.detector,
            described,
        )
    done = measured(read_strangers(project), described, embedder)
    seen = set() if cast is None else set(cast.table["sha256"])
    rows: list[dict[str, Any]] = []
    for picture in tqdm(pictures, desc="strangers", unit=" pictures", leave=False, disable=not progress):
        digest = sha256_if_readable(picture)
        if digest not in done:
            done[digest] = measure_picture(picture, detector, embedder, working_size)
        place = {"picture": project.label(picture), "sha256": digest, "person": ""}
        rows += [face | place | _judged(face, repeated=bool(digest) and digest in seen) for face in done[digest]]
        seen.add(digest)
    table = face_table(rows)
    table = table.assign(used=(table["reason"] == "").to_numpy())
    found = Gallery(table, described, embedder.name, embedder.sha256)
    found.save(path)
    return found


def read_strangers(project: Project) -> Gallery | None:
    """Return the faces of strangers that `embed_strangers` wrote; None where there are none, or the file is broken."""
    return find_gallery(strangers_file(project))


def _judged(face: dict[str, Any], *, repeated: bool) -> dict[str, str]:
    """Return why a face is not used; of a former run only what the picture itself says counts."""
    reason = str(face["reason"]) if face["reason"] in MEASURED_REASONS else ""
    return {"reason": reason or ("duplicate" if repeated else "")}
