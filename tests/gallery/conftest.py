"""Galleries made up of random embeddings and small pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.gallery.files import COLUMNS
from facelib.images import encode_jpeg
from facelib.project import Project

FRONT = np.array([30, 40, 70, 40, 50, 60, 35, 80, 65, 80], np.float32)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project("cast", tmp_path / "data", tmp_path / "output")
    made.people.mkdir(parents=True)
    return made


@pytest.fixture
def make_table() -> Callable[..., pd.DataFrame]:
    """Return a factory of galleries: one face per picture, about a middle of its person's own."""

    def make(
        people: dict[str, int], *, dimension: int = 32, scatter: float = 0.3, seed: int = 0, digits: int = 2
    ) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        rows = []
        for person, count in people.items():
            middle = random.normal(size=dimension)
            middle /= np.linalg.norm(middle)
            for number in range(count):
                vector = middle + random.normal(size=dimension) * scatter / np.sqrt(dimension)
                rows.append(row_of(f"people/{person}/{number:0{digits}}.jpg", person, vector))
        return as_table(rows)

    return make


def row_of(picture: str, person: str, vector: Sequence[float] | np.ndarray, **others: object) -> dict[str, object]:
    """Return one row of a gallery: a large, sharp face that looks into the camera, unless said otherwise."""
    row: dict[str, object] = {
        "picture": picture, "sha256": picture, "face": 0, "person": person, "left": 20.0, "top": 20.0,
        "right": 140.0, "bottom": 160.0, "score": 0.99, "landmarks": FRONT, "sharpness": 300.0,
        "embedding": np.asarray(vector, np.float32), "used": True, "reason": "",
    }  # fmt: skip
    return row | others


def as_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"face": "int32", "used": "bool"})


@pytest.fixture
def gallery_of() -> Callable[..., pd.DataFrame]:
    """Return a function that makes a gallery of rows: `picture`, `person`, `vector` and whatever else is special."""
    return lambda *rows: as_table([row_of(**row) for row in rows])


def noise(seed: int, *, size: int = 180) -> np.ndarray:
    """Return a picture like no other one: coarse grey blocks."""
    blocks = np.random.default_rng(seed).integers(60, 255, (9, 9, 1)).astype(np.uint8)
    return np.kron(blocks, np.ones((size // 9, size // 9, 3), np.uint8))


@pytest.fixture
def put_pictures(project: Project) -> Callable[[pd.DataFrame], None]:
    """Return a function that writes a picture for every row of a gallery that has none yet."""

    def put(table: pd.DataFrame) -> None:
        for number, picture in enumerate(table["picture"]):
            path = project.data / picture
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(encode_jpeg(noise(number)))

    return put
