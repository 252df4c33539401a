"""The appearances as CSV, Parquet, JSON with all that is known of the film, and a graph of who appears with whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from facelib.films.appearances import graph_of, screen_time, together
from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line, write_json_document
from facelib.project import atomic_write, write_table

if TYPE_CHECKING:
    import networkx as nx


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


def write_graph(graph: nx.Graph, path: str | Path) -> None:
    """Write a graph of people as GraphML, with the attributes of nodes and edges; the ids are the names.

    Raises:
        OSError: When the file cannot be written.
    """
    import networkx as nx

    lines = {person: one_line(person) for person in graph}
    # Two names that differ only in what a line cannot hold stay two people.
    distinct = {
        person: line if list(lines.values()).count(line) == 1 else repr(person) for person, line in lines.items()
    }
    with atomic_write(path) as temporary:
        nx.write_graphml_xml(nx.relabel_nodes(graph, distinct), temporary)


def write_together(material: Material, path: Path) -> None:
    """Write who appears with whom in the film: the graph of `facelib.films.appearances.graph_of`."""
    write_graph(graph_of(material.stretches), path)
