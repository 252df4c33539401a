"""What takes a second to import waits until it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("facelib", {"importlib.metadata"}),
        ("facelib.archive.cluster.worker", {"av", "cv2", "onnxruntime", "scipy", "sklearn", "supervision"}),
        ("facelib.films.indexed", {"requests", "scipy", "sklearn", "supervision"}),
        ("facelib.films.naming.settings", {"scipy", "sklearn"}),
        ("facelib.films.unknowns.kept", {"scipy", "sklearn"}),  # the server's list of unknown people
        ("facelib.gallery.names, facelib.pipeline.findings, facelib.recognize.report", {"cv2", "scipy", "sklearn"}),
        ("facelib.widgets.project_page", {"onnxruntime", "scipy", "sklearn", "supervision"}),
    ],
)
def test_what_is_not_needed_is_not_imported(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print({heavy} & set(sys.modules) or 'none')"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "none\n"
