"""Weights that lie in other packages."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path


def packaged(package: str, *path: str, remedy: str) -> Path:
    """Return a file below an installed package's folder, found without importing it, which may need more than there is.

    Raises:
        FileNotFoundError: When the package, or the file in it, is not there.
    """
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise FileNotFoundError(f"expected {path[-1]} in the package {package}, which is not installed; {remedy}")
    file = Path(folders[0], *path)
    if not file.is_file():
        raise FileNotFoundError(f"expected weights at {str(file)!r}, found no file; {remedy}")
    return file


def check_content(content: bytes, sha256: str, source: Path, *, of: str, remedy: str) -> None:
    """Refuse weights that are not the known ones, `of` a package and version.

    Raises:
        ValueError: When the content has another SHA-256.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"expected {str(source)!r} to be the file of {of} with sha256 {sha256}, found {len(content)} bytes with "
            f"sha256 {found}; {remedy}"
        )
