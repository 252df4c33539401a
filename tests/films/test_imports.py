"""What takes a second to import waits until a film is searched, or its faces are named."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("facelib.archive.cluster.worker", {"av", "cv2", "onnxruntime", "scipy", "sklearn", "supervision"}),
        ("facelib.films.indexed", {"requests", "scenedetect", "scipy", "sklearn", "supervision"}),
        ("facelib.films.naming.settings", {"scipy", "sklearn"}),
        ("facelib.films.unknowns.kept", {"scipy", "sklearn"}),  # the server's list of unknown people
    ],
)
def test_what_is_not_needed_is_not_imported(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print({heavy} & set(sys.modules) or 'none')"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "none\n"
