"""Weights that lie in other packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def packaged(package: str, *path: str, remedy: str) -> Path:
    """Return a file of an installed package, found without importing it, which may need more than is installed.

    Args:
        package: The package's name as it is imported.
        path: Where the file lies below the package's folder.
        remedy: What to do where the package or the file is missing.

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
