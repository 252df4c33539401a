"""Named weights: found in a folder, fetched, and listed with their licences."""

from __future__ import annotations

import logging
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pooch

from facelib.nets.cache import MODELS_VARIABLE, folders, weights_digest
from facelib.nets.weights import Weights, built_in, catalogue
from facelib.project import atomic_write

_log = logging.getLogger(__name__)

_SECONDS_TO_ANSWER = 30


class MissingWeights(FileNotFoundError):
    """Weights that are neither in the folders for them nor could be fetched."""


def find_weights(name_or_path: str | Path, *, fetch: bool = True) -> Path:
    """Return the file of weights, fetched when it is not there yet.

    A file is looked for in the folder `FACELIB_MODELS`, then in the user's cache folder.

    Args:
        name_or_path: A name in the catalogue, such as `yunet`, a file name in those folders (`.onnx` may be left
            out), or a path.
        fetch: Whether to fetch what is not there.

    Raises:
        MissingWeights: When the file is not there, is not the known one, or could not be fetched; the message
            gives its address, its SHA-256 and where to put it.
        ValueError: When the name is not in the catalogue.
    """
    known = {weights.name: weights for weights in catalogue()} | {weights.file: weights for weights in catalogue()}
    path = Path(name_or_path)
    if str(name_or_path) not in known:
        return _given_file(path)
    weights = known[str(name_or_path)]
    if path.is_file() and path.suffix == ".onnx":
        return path
    damaged = []
    for folder in folders():
        candidate = folder / weights.file
        reason = _what_is_wrong(candidate, weights)
        if reason is None:
            return candidate
        if candidate.is_file():
            damaged.append(f"{str(candidate)!r} is not it: {reason}, so remove it")
    if damaged or not fetch or not weights.fetchable:
        raise MissingWeights(_how_to_get(weights, damaged))
    return fetch_weights(weights, _writable_folder())


def _given_file(path: Path) -> Path:
    plain = path.suffix == "" and len(path.parts) <= 1  # a user's own network in the same folder
    name = f"{path.name}.onnx" if plain else path.name
    places = [path, *(folder / name for folder in folders() if path.parent == Path())]
    for place in places:
        if place.is_file():
            return place
    if plain:
        names = sorted(weights.name for weights in catalogue())
        raise ValueError(f"expected the path of an ONNX file or one of the names {names!r}, got {str(path)!r}")
    looked = [str(place) for place in places]
    raise MissingWeights(f"expected weights in one of {looked!r}, found no file there; check the path")


def _writable_folder() -> Path:
    """Return the first folder that can be written, or the first of all, so that the error is about that one."""
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError as error:
            _log.info("cannot write to %s: %s", folder, error)
    return folders()[0]


def _what_is_wrong(path: Path, weights: Weights) -> str | None:
    """Return None for the right file, else what was found instead."""
    if not path.is_file():
        return "no file"
    size = path.stat().st_size
    if weights.size is not None and size != weights.size:
        return f"it has {size} bytes, not {weights.size}"
    if weights.sha256 is None:
        return None
    found = weights_digest(path)
    return None if found == weights.sha256 else f"its sha256 is {found}, not {weights.sha256}"


def _how_to_get(weights: Weights, reasons: list[str]) -> str:
    looked = [str(folder) for folder in folders()]
    size = f"{weights.size} bytes" if weights.size else "size not known"
    address = (
        f"get it from {weights.url}" if weights.url else "no address is known for it: ask whoever gave you the name"
    )
    parts = [
        f"expected the weights {weights.name!r} as {weights.file!r} in one of {looked!r}",
        *(reasons or ["found no such file"]),
        f"{address} ({size}, sha256 {weights.sha256 or 'not known'}) and put it at "
        f"{str(folders()[0] / weights.file)!r}, or set {MODELS_VARIABLE} to a folder that has it, or give the "
        f"path of the file in place of its name",
        *([weights.note] if weights.note else []),
    ]
    return "; ".join(parts)


def fetch_weights(weights: Weights, folder: Path, *, progress: bool = True) -> Path:
    """Fetch weights into a folder and return the file; nothing stays there unless it is whole and the right one.

    Raises:
        MissingWeights: When it cannot be fetched or written, or is not the known file.
        ValueError: When the catalogue gives no address or no SHA-256 to fetch it by.
    """
    if not weights.fetchable or weights.url is None:
        raise ValueError(f"expected weights with the address of a file and a sha256, got {weights!r}")
    path = folder / weights.file
    _log.info("fetching %s (%s) from %s", weights.name, weights.licence, weights.url)
    try:
        with atomic_write(path) as temporary, tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            got = _download(weights.url, Path(scratch), progress=progress)
            if got.suffix == ".zip":
                got = _unpack(got, weights.file)
            reason = _what_is_wrong(got, weights)
            if reason is not None:
                raise ValueError(f"what is there now is another file: {reason}")
            shutil.copyfile(got, temporary)  # a downloaded file is only its owner's; this one is as readable as others
    except (OSError, ValueError, zipfile.BadZipFile) as error:  # requests' exceptions are OSErrors
        raise MissingWeights(_how_to_get(weights, [f"could not fetch it: {error}"])) from error
    return path


def _download(url: str, folder: Path, *, progress: bool) -> Path:
    pooch.get_logger().setLevel("WARNING")  # it logs every download to the error stream
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=_SECONDS_TO_ANSWER)
    name = url.rsplit("/", 1)[-1]
    try:
        return Path(pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=downloader))
    except OSError as error:
        response = getattr(error, "response", None)
        if response is not None:
            response.close()  # pooch leaves the connection open when the server answers with an error
        raise


def _unpack(archive: Path, file: str) -> Path:
    """Take one file out of a zip archive, whatever folder it lies in there."""
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if Path(member.filename).name == file]
        if len(members) != 1:
            raise ValueError(f"expected one {file!r} in the archive, found {opened.namelist()!r}")
        members[0].filename = file  # so that it cannot leave the folder
        return Path(opened.extract(members[0], archive.parent))


def weights_table() -> pd.DataFrame:
    """Return all weights that facelib knows, those that installed packages carry first.

    Columns: `name`, `kind`, `present` (bool: found, and the right file), `commercial` (`yes`, `no` or `unclear`),
    `licence`, `origin`, `file`, `size` (bytes), `sha256`, `path` (empty when not present), `url`, `note` (which also
    says what is wrong with a file that is not the right one).
    """
    rows = [_row(weights, _built_in_path(find)) for weights, find in built_in()]
    for weights in catalogue():
        there = (folder / weights.file for folder in folders())
        rows.append(_row(weights, next((path for path in there if path.is_file()), None)))
    return pd.DataFrame(rows).astype({"size": "Int64"})


def _built_in_path(find: Callable[[], Path]) -> Path | None:
    try:
        return find()
    except FileNotFoundError:
        return None


def _row(weights: Weights, path: Path | None) -> dict[str, object]:
    wrong = None if path is None else _what_is_wrong(path, weights)
    present = path is not None and wrong is None
    return {
        "name": weights.name,
        "kind": weights.kind,
        "present": present,
        "commercial": {True: "yes", False: "no", None: "unclear"}[weights.commercial],
        "licence": weights.licence,
        "origin": weights.origin,
        "file": weights.file,
        "size": weights.size,
        "sha256": weights.sha256 or "",
        "path": str(path) if present else "",
        "url": weights.url or "",
        "note": "; ".join(part for part in (weights.note, wrong and f"{path} is not it: {wrong}") if part),
    }
