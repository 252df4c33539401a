"""A cast for the notebooks that show faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import facelib
from facelib.gallery import write_gallery
from facelib.project import Project


def make_cast(root: Path, *, spread: float = 0.034) -> Project:
    """Make twelve people of one colour each, already embedded; by their `spread` some of them look alike."""
    project = Project("demo", root / "data", root / "output")
    random = np.random.default_rng(0)
    rows = []
    for number in range(12):
        centre = 0.047 * random.normal(size=128)
        folder = project.people / f"Person {number:02d} Ünï"
        folder.mkdir(parents=True)
        for face in range(6):
            Image.new("RGB", (60, 60), (20 * number, 40 * face, 90)).save(folder / f"{face}.png")
            vector = (centre + spread * random.normal(size=128)).astype(np.float32)
            rows.append({"picture": f"people/{folder.name}/{face}.png", "person": folder.name, "embedding": vector})
    box = {"left": 5.0, "top": 5.0, "right": 55.0, "bottom": 55.0, "score": 1.0, "sharpness": 100.0}
    table = pd.DataFrame(rows).assign(sha256="", face=0, used=True, reason="", **box)
    table["landmarks"] = [np.zeros(10, np.float32)] * len(table)
    sha256 = facelib.load_embedder("dlib").sha256
    write_gallery(table, project.faces, detector="cnn", embedder="dlib", weights_sha256=sha256)
    return project
