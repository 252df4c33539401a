"""What of a person is left in the files of a project, looked for byte by byte and within tables and archives."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.archive.traces import spellings
from facelib.gallery import read_gallery
from facelib.project import Project


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file but the films, what is in its columns, and what is packed in it."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix != ".mp4"):
        yield str(path), path.read_bytes()
        if path.read_bytes()[:4] == b"PAR1":  # whatever it is called
            for name, column in pd.read_parquet(path).items():
                parts = (np.asarray(one).tobytes() if isinstance(one, np.ndarray) else one for one in column)
                parts = (one if isinstance(one, bytes) else str(one).encode() for one in parts)
                yield f"{path}: {name}", b"\n".join(parts)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                for member in packed.namelist():
                    yield f"{path}: {member}", packed.read(member)


def of(project: Project, person: str) -> dict[str, list[bytes]]:
    """Return what must be gone: digests and bytes of pictures, embeddings, spellings of the name, by kind."""
    gallery = read_gallery(project.faces).table
    pictures = [path.read_bytes() for path in project.find_pictures(person)]
    vectors = [np.asarray(one, np.float32).tobytes() for one in gallery.loc[gallery["person"] == person, "embedding"]]
    for film in project.find_videos():
        files = project.film(film)
        tracks, looks = pd.read_parquet(files.tracks), pd.read_parquet(files.looks)
        own = set(tracks.loc[tracks["person"] == person, "track"])
        vectors += [np.asarray(one, np.float32).tobytes() for one in tracks.loc[tracks["track"].isin(own), "embedding"]]
        vectors += [np.asarray(one, np.float32).tobytes() for one in looks.loc[looks["track"].isin(own), "embedding"]]
        pictures += [one for one in looks.loc[looks["track"].isin(own), "picture"] if one]
    whole = [vector for vector in vectors if np.isfinite(np.frombuffer(vector, np.float32)).all()]
    return {
        "pictures": pictures,
        "digests": [hashlib.sha256(one).hexdigest().encode() for one in pictures],
        "vectors": whole,
        "name": spellings(person),
    }


def found(folder: Path, sought: dict[str, list[bytes]]) -> list[tuple[str, str]]:
    """Return what is found in a folder: of which kind, and where."""
    return [
        (kind, where)
        for where, content in _contents(folder)
        for kind, words in sought.items()
        if any(word in content for word in words)
    ]
