"""Films that a project has without their bytes: empty files of the right size, with a note of where the film lies.

The note is a hidden file beside it. Whoever opens the film by its path reads it in place, there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from facelib.project.files import atomic_write, short_name, write_text


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a film lies, such as `s3://bucket/data/demo/videos/film.mp4`, and the SHA-256 of its content."""

    address: str
    sha256: str


def lies_elsewhere(path: str | Path) -> Elsewhere | None:
    """Return where the film lies whose place a file holds; None for a file that holds its own content."""
    try:
        return Elsewhere(**json.loads(_note(Path(path)).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # a path that is none, or a hidden file of somebody else
        return None


def hold_place(path: Path, size: int, film: Elsewhere) -> None:
    """Write a file of `size` bytes that holds a film's place; it takes no room on a disk that can leave out zeros.

    Raises:
        OSError: When it cannot be written.
    """
    write_text(json.dumps(asdict(film)), _note(path))  # first: without it, the zeros would be taken for the film
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.truncate(size)


def give_place_back(path: Path) -> None:
    """Take the note away, once the file holds the film itself or is gone."""
    _note(path).unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(f".{short_name(path.name)}.elsewhere")
