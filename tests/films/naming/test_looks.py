"""The looks of a film, read a piece at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facelib.films.clothes import track_colours
from facelib.films.growing import LOOKS
from facelib.films.naming import LOOK_COLUMNS, read_looks
from facelib.films.naming.places import PLACE_COLUMNS

COLOURS = ["clothes", "hair"]


@pytest.fixture
def looks(tmp_path):
    """Return a function that writes some looks: the track of each, and whether its clothes and hair are seen."""

    def write(rows: list[tuple[int, bool, bool]]):
        rng = np.random.default_rng(0)
        table = [
            {name: 0 for name in LOOKS.names if name not in ("embedding", "picture", *COLOURS)}
            | {"track": track, "embedding": rng.random(4), "picture": b""}
            | {name: rng.random(576) if seen else [] for name, seen in zip(COLOURS, known, strict=True)}
            for track, *known in rows
        ]
        pq.write_table(pa.Table.from_pylist(table, LOOKS), tmp_path / "looks.parquet")
        return tmp_path / "looks.parquet"

    return write


@pytest.mark.parametrize("rows", [1, 3, 4096])
def test_the_colours_of_each_track_are_those_of_all_its_looks(looks, rows, monkeypatch):
    monkeypatch.setattr("facelib.films.naming.looks._ROWS", rows)
    tracks = [(2, True, True)] * 5 + [(7, False, True), (7, True, True), (7, False, False)] + [(8, False, False)] * 2
    path = looks([*tracks, (9, True, False), (2, True, True)])
    whole, read = pd.read_parquet(path, columns=LOOK_COLUMNS), read_looks(path)
    assert list(read.columns) == LOOK_COLUMNS
    asked = pd.Series([9, 2, 8, 7, 1])
    for trait in COLOURS:
        assert np.array_equal(*(track_colours(one, asked, trait) for one in (whole, read)), equal_nan=True)
    others = [name for name in LOOK_COLUMNS if name not in ("embedding", *COLOURS)]
    pd.testing.assert_frame_equal(read[others], whole[others])
    assert np.array_equal(np.stack(read["embedding"]), np.stack(whole["embedding"]))


def test_a_track_keeps_one_row_of_colours(looks):
    read = read_looks(looks([(0, True, True)] * 8 + [(1, True, False)] * 8), PLACE_COLUMNS)
    assert list(read.columns) == PLACE_COLUMNS
    assert read["clothes"].map(len).tolist() == [576, *[0] * 7] * 2
    assert read["hair"].map(len).tolist() == [576, *[0] * 15]


def test_no_looks(looks):
    read = read_looks(looks([]))
    assert read.empty and list(read.columns) == LOOK_COLUMNS
