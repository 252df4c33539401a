"""The appearances as CSV, Parquet, and JSON with all that is known of the film."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from facelib.films.appearances import screen_time, together
from facelib.films.exports.material import Material
from facelib.films.exports.text import write_json_document
from facelib.project import write_table


def write_csv(material: Material, path: Path) -> None:
    """Write the stretches on screen, one per row, with the columns of `facelib.films.exports.exact_appearances`."""
    write_table(material.stretches, path)


def write_parquet(material: Material, path: Path) -> None:
    """Write the same columns as Parquet, whose types stay when the table is empty."""
    numbers = ["start", "end", "confidence"]
    texts = ["person", "start_timecode", "end_timecode", "tracks"]
    write_table(material.stretches.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(texts, "str")), path)


def write_json(material: Material, path: Path) -> None:
    """Write one JSON object: `film`, `people` (screen time), `together` and `appearances`, times in seconds."""
    info, clock = material.info, material.clock
    film = {
        "name": info.path.name,
        "address": material.address,
        "width": info.width,
        "height": info.height,
        "seconds": round(clock.end, 6),
        "frames": len(clock.times),
        "constant_rate": clock.constant,
        "timeline_rate": f"{clock.rate.numerator}/{clock.rate.denominator}",
    }
    document = {
        "film": film,
        "people": _records(screen_time(material.stretches, material.tracks)),
        "together": _records(together(material.stretches)),
        "appearances": _records(material.stretches),
    }
    write_json_document(document, path)


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(table.to_json(orient="records", double_precision=6))
    return rows
