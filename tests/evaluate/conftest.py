"""Tables of found and of labelled faces, written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from facelib.evaluate import Truth


@pytest.fixture
def found() -> Callable[..., pd.DataFrame]:
    """Return a factory of found faces: rows of frame, left, track and person; boxes are 10 pixels wide and high."""

    def make(*rows: tuple[int, int, int, str], **columns: object) -> pd.DataFrame:
        table = pd.DataFrame(
            [(frame, x, 0, x + 10, 10, track, person, frame / 25, 0) for frame, x, track, person in rows],
            columns=["frame", "left", "top", "right", "bottom", "track", "person", "time", "shot"],
        )
        return table.assign(**{"cluster": "", "confidence": 0.9, "distance": 0.4, "evidence": ""} | columns)

    return make


@pytest.fixture
def truth() -> Callable[..., Truth]:
    """Return a factory of truths: rows of frame, left and person."""

    def make(*rows: tuple[int, int, str], **parts: object) -> Truth:
        faces = pd.DataFrame(
            [(frame, x, 0, x + 10, 10, person) for frame, x, person in rows],
            columns=["frame", "left", "top", "right", "bottom", "person"],
        )
        faces["identity"] = faces["person"].where(faces["person"] != "unknown", "")
        return Truth(faces, **parts)

    return make
