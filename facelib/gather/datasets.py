"""Known data sets imported as a cast: one folder of pictures for each person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from facelib.gather.adding import IMPORTED_COLUMNS, take_in
from facelib.gather.archives import list_archive, read_archive
from facelib.gather.facescrub import fetch_facescrub
from facelib.gather.folders import check_apart
from facelib.gather.sources.web import WebLimits
from facelib.images import find_pictures_below
from facelib.project import Project, text_of
from facelib.project.wording import sized

_LARGEST = 50 * 10**6  # bytes of a picture


def import_dataset(
    source: str | Path, project: Project, *, limits: WebLimits | None = None, progress: bool = True
) -> pd.DataFrame:
    """Bring a data set into a project's `people/`, whatever its form.

    Args:
        source: An archive such as LFW's (see `import_lfw`), a list of FaceScrub's, `.txt` or `.tsv` (see
            `facelib.gather.facescrub.fetch_facescrub`), or a folder tree (see `import_tree`).
        project: Where to.
        limits: How far to go for each picture of a list.
        progress: Show a bar with rate and time left.

    Returns:
        The columns `IMPORTED_COLUMNS`; `picture` is relative to the project's `people/`.

    Raises:
        FileNotFoundError: When there is nothing at `source`.
        ValueError: When it is none of these, or is damaged.
        OSError: When a picture cannot be written.
    """
    source = Path(source)
    if source.is_dir():
        return import_tree(source, project, progress=progress)
    if source.suffix.lower() in {".txt", ".tsv"}:
        return fetch_facescrub(source, project.people, limits=limits, progress=progress)
    return import_lfw(source, project.people, progress=progress)


def import_lfw(
    archive: str | Path,
    destination: str | Path,
    *,
    fewest_pictures: int = 1,
    progress: bool = True,
) -> pd.DataFrame:
    """Unpack the archive of Labeled Faces in the Wild, or any other with one folder of pictures per person.

    The archive is checked from end to end before anything is written, see `facelib.gather.archives`; then each picture
    is checked before it is kept. Existing files stay as they are, so that it may be killed and run again. People
    keep the names of their folders, as LFW's lists of pairs have them. Source of the data: Huang et al., "Labeled Faces
    in the Wild" (University of Massachusetts, 2007).

    Args:
        archive: `lfw.tgz`, `lfw-deepfunneled.tgz`, or another `.tar`, `.tar.gz` or `.zip`.
        destination: The folder for the folders of the people, such as a project's `people/`.
        fewest_pictures: People with fewer are left out: most of LFW's have one.
        progress: Show a bar with rate and time left.

    Returns:
        The columns `IMPORTED_COLUMNS`, one row per picture of the people who are not left out.

    Raises:
        FileNotFoundError: When there is no such archive.
        ValueError: When it is none, is damaged, holds no picture, holds too much, or holds what has no business there.
        OSError: When a picture cannot be written.
    """
    names = list_archive(archive)
    if not names:
        raise ValueError(f"expected pictures in the archive {str(archive)!r}, found none")
    counts = Counter(name.parent.name for name in names)
    wanted = {person for person, count in counts.items() if count >= fewest_pictures}
    entries = (entry for entry in read_archive(archive) if entry.name.parent.name in wanted)
    total = sum(counts[person] for person in wanted)
    rows = []
    for entry in tqdm(
        entries, total=total, desc=Path(archive).name, unit=" pictures", leave=False, disable=not progress
    ):
        person = entry.name.parent.name
        picture, reason = "", entry.problem
        if not reason:
            picture, reason = take_in(entry.content, person, entry.name.name, Path(destination))
        rows.append([str(entry.name), person, picture, reason])
    return pd.DataFrame(rows, columns=pd.Index(IMPORTED_COLUMNS), dtype="str")


def import_tree(source: str | Path, project: Project, *, progress: bool = True) -> pd.DataFrame:
    """Copy the pictures of a folder tree of any depth; the folder of a picture is its person.

    So `train/Ada/1.jpg` and `test/Ada/1.jpg` both become Ada's, and where one has the other's name, but not its
    content, it gets one of its own. What is there already stays as it is, so that it may be killed and run again.

    Returns:
        The columns `IMPORTED_COLUMNS`; `source` is relative to the tree, `picture` to the project's `people/`. Whatever
        else lies in the tree has a row with the reason, behind the pictures.

    Raises:
        FileNotFoundError: When `source` is no folder, or holds no picture.
        ValueError: When the project's `people/` lies in it, or it in `people/`.
        OSError: When a picture cannot be written.
    """
    source, people = Path(source), project.people
    check_apart(source, project)
    found = find_pictures_below(source)
    if not found.pictures:
        raise FileNotFoundError(f"expected a folder tree with pictures at {str(source)!r}, found none")
    rows = []
    for path in tqdm(found.pictures, desc="copying", unit=" pictures", leave=False, disable=not progress):
        name = path.relative_to(source)
        picture, reason = _copied(path, name.parent.name, people)
        rows.append([text_of(one) for one in (name.as_posix(), name.parent.name, picture, reason)])
    rows += [[text_of(path.relative_to(source).as_posix()), "", "", reason] for path, reason in found.left_out]
    return pd.DataFrame(rows, columns=pd.Index(IMPORTED_COLUMNS), dtype="str")


def _copied(path: Path, person: str, people: Path) -> tuple[str, str]:
    try:
        if path.stat().st_size > _LARGEST:
            return "", f"larger than {sized(_LARGEST)}"
        content = path.read_bytes()
    except OSError as error:
        return "", f"unreadable: {error.strerror or error}"
    return take_in(content, person, path.name, people)
