"""Uploaded films and pictures looked at in a limited process, before they are taken into a project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

UploadKind = Literal["film", "picture"]
"""What an upload is: a film of the project, or a picture of one of its people."""

MOST_PIXELS = {"film": 64_000_000, "picture": 100_000_000}
"""Width times height of the largest picture that is decoded."""

_MEMORY_GB = 2.0
_SECONDS = 60.0


@contextmanager
def inspected_picture(content: bytes) -> Iterator[Path]:
    """Yield the file of a picture that came in a request, after a look at it; it lies on the disk only meanwhile.

    Raises:
        ValueError: As in `inspect_file`.
    """
    with tempfile.TemporaryDirectory(prefix="facelib-") as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        inspect_file(path, "picture")
        yield path


def inspect_file(path: Path, kind: UploadKind) -> str:
    """Look at a file whose content nobody has checked, in a process with little memory and time and no network.

    Its suffix does not matter.

    Returns:
        FFmpeg's name of the film's container, or Pillow's of the picture's format.

    Raises:
        ValueError: When it is something else, is broken, too large to decode, or brings its reader down.
    """
    asked = {
        "path": str(path.absolute()), "kind": kind, "memory_gb": _MEMORY_GB, "seconds": _SECONDS,
        "most_pixels": MOST_PIXELS[kind],
    }  # fmt: skip
    kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "facelib.server.uploads.child"],
            input=json.dumps(asked) + "\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=2 * _SECONDS,
            env=environment | {"OMP_NUM_THREADS": "1"},
            check=False,
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        told = {"problem": f"it cannot be read within {2 * _SECONDS:.0f} seconds"}
    except ValueError:
        told = {"problem": "it crashes its reader"}
    if "problem" in told:
        raise ValueError(f"expected a {kind}, could not take this file: {told['problem']}")
    return str(told["format"])
