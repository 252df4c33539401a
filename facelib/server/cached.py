"""Tables of a project without their embeddings, read once for each state of the file."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq


def table_of(path: Path) -> pd.DataFrame | None:
    """Return a Parquet table without `embedding` and `landmarks`, None where there is none; do not change it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return _read(str(path), status.st_size, status.st_mtime_ns)


def tag_of(*paths: Path, also: object = "") -> str:
    """Return an ETag that changes with the size or the modification time of any of some files, or with `also`."""
    states = []
    for path in paths:
        status = path.stat() if path.is_file() else None
        states.append((str(path), status.st_size, status.st_mtime_ns) if status else (str(path), -1, -1))
    return f'"{hashlib.sha256(repr((states, also)).encode()).hexdigest()[:32]}"'


@lru_cache(maxsize=32)
def _read(path: str, size: int, changed: int) -> pd.DataFrame:
    names = [field.name for field in pq.read_schema(path) if field.name not in {"embedding", "landmarks"}]
    return pd.read_parquet(path, columns=names)
