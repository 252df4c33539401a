"""Who appears with whom, as GraphML, which Gephi, yEd, Cytoscape and networkx read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facelib.films.appearances import graph_of
from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line
from facelib.project import atomic_write

if TYPE_CHECKING:
    import networkx as nx


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
