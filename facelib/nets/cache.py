"""The cache folder, and networks converted into it once for every source file."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pooch

from facelib.project.digests import sha256_of
from facelib.project.files import write_bytes
from facelib.project.kept import kept_by_file

if TYPE_CHECKING:
    import onnx

_log = logging.getLogger(__name__)

MODELS_VARIABLE = "FACELIB_MODELS"
_SEAL = b"facelib.sha256"


def cache_folder() -> Path:
    """Return the folder for weights: the environment variable `FACELIB_MODELS`, or else the user's cache folder.

    The folder need not exist yet.
    """
    named = os.environ.get(MODELS_VARIABLE, "").strip()
    return Path(named).expanduser() if named else Path(pooch.os_cache("facelib"))


def folders() -> tuple[Path, ...]:
    """Return where weights are looked for and kept, in this order: `FACELIB_MODELS` where set, the user's cache.

    The second serves where the first cannot be written, such as a folder shared by several users.
    """
    return tuple(dict.fromkeys((cache_folder(), Path(pooch.os_cache("facelib")))))


@kept_by_file(most=16)
def weights_digest(path: Path) -> str:
    """Return the SHA-256 of a weights file.

    Raises:
        OSError: When it cannot be read.
    """
    return sha256_of(path)


def converted(source: Path, name: str, build: Callable[[bytes], onnx.ModelProto]) -> Path:
    """Return the ONNX file made from `source`; it is built once and then found in the `folders`.

    The file carries its own SHA-256, so that one that is cut short or damaged is noticed and built
    again. Processes that start at once each build and move a whole file into place.

    Args:
        source: The weights file to convert.
        name: What the ONNX file's name starts with; the start of the source's SHA-256 follows.
            Change it when `build` comes to make something else of the same source.
        build: Makes the network from the content of `source`.

    Raises:
        FileNotFoundError: When `source` is not there.
        OSError: When none of the `folders` can be written; the message names `FACELIB_MODELS`.
        ValueError: When `build` refuses the content.
    """
    if not source.is_file():
        raise FileNotFoundError(f"expected a weights file to convert, found none at {str(source)!r}")
    file = f"{name}-{weights_digest(source)[:16]}.onnx"
    for folder in folders():
        if _is_whole(folder / file):
            return folder / file
        if (folder / file).exists():
            _log.warning("%s is cut short or damaged; converting it again", folder / file)
    _log.info("converting %s to %s", source, file)
    model = build(source.read_bytes()).SerializeToString(deterministic=True)
    return keep(model + _seal_of(hashlib.sha256(model).hexdigest()), file, "the converted network")


def keep(content: bytes, file: str, what: str) -> Path:
    """Write a file into the first of the `folders` that takes it; return its path.

    Raises:
        OSError: When none does.
    """
    failures = []
    for folder in folders():
        path = folder / file
        try:
            write_bytes(content, path)
        except OSError as error:
            if not _is_whole(path):  # else another process was quicker, and its open file cannot be replaced
                failures.append(f"{str(folder)!r}: {error}")
                continue
        return path
    raise OSError(
        f"expected to keep {what} {file!r} ({len(content)} bytes), could not write it to "
        f"{'; nor to '.join(failures)}; free some space, or set the environment variable {MODELS_VARIABLE} to a "
        f"folder that can be written"
    )


def _field(number: int, content: bytes) -> bytes:
    """Encode one length-delimited protobuf field, for contents under 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


def _seal_of(digest: str) -> bytes:
    """Return what is appended to a model: a `metadata_props` entry (field 14 of ONNX's ModelProto).

    Joining two protobuf messages merges them, so the file stays ordinary ONNX.
    """
    return _field(14, _field(1, _SEAL) + _field(2, digest.encode("ascii")))


def _is_whole(path: Path) -> bool:
    try:
        return _is_sealed(path)
    except OSError:
        return False


@kept_by_file(most=8)
def _is_sealed(path: Path) -> bool:
    content = memoryview(path.read_bytes())
    length = len(_seal_of("0" * 64))
    model, seal = content[:-length], bytes(content[-length:])
    return re.fullmatch(rb"[0-9a-f]{64}", seal[-64:]) is not None and seal == _seal_of(
        hashlib.sha256(model).hexdigest()
    )
