"""A film, its people and where they appear, in the vocabulary of European broadcasters, as RDF (Turtle).

Source: EBU Tech 3293, EBUCore as an ontology; people are tied to Wikidata where the user gives their ids.
"""

from __future__ import annotations

import re
from pathlib import Path

from facelib.films.exports.material import Material
from facelib.films.exports.text import one_line
from facelib.project import read_csv_table, write_text

EBUCORE = "http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#"
_WIKIDATA = "http://www.wikidata.org/entity/"
_ID = re.compile(r"Q[1-9]\d*")


def read_wikidata(path: Path) -> dict[str, str]:
    """Read which person is which in Wikidata: a CSV file with the columns `person` and `id`, empty when there is none.

    An id is such as `Q466110`; the page's address is accepted as well.

    Raises:
        ValueError: When a column is missing, or an id is none of Wikidata's.
        OSError: When the file cannot be read.
    """
    if not path.is_file():
        return {}
    table = read_csv_table(path, dtype="str")
    if not {"person", "id"} <= set(table):
        raise ValueError(f"expected the columns person and id in {str(path)!r}, got {list(table)!r}")
    rows = zip(table["person"], table["id"], strict=True)
    return {str(person): _checked(str(identity), path) for person, identity in rows if person and identity}


def _checked(identity: str, path: Path) -> str:
    plain = identity.strip().rpartition("/")[2]
    if not _ID.fullmatch(plain):
        raise ValueError(f"expected an id of Wikidata such as 'Q466110' in {str(path)!r}, got {identity!r}")
    return plain


def write_ebucore(material: Material, path: Path) -> None:
    """Write the film as a media resource, each person, and each stretch on screen as a media fragment of it.

    A fragment's address is the film's with `#t=start,end`, and its times are seconds to the microsecond. An annotation
    says of each fragment who is in it, and how sure that is. Somebody with a Wikidata id is `owl:sameAs` the entity.
    """
    from rdflib import OWL, RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef
    from rdflib.namespace import NamespaceManager

    class Names(NamespaceManager):
        def compute_qname(self, uri: str, generate: bool = True) -> tuple[str, URIRef, str]:
            """Leave the film's own addresses as they are: to look for a prefix of each takes longer with each other."""
            if uri.startswith(material.address):
                raise KeyError(uri)
            return super().compute_qname(uri, generate)

    ebucore, graph = Namespace(EBUCORE), Graph()
    graph.namespace_manager = Names(graph)
    graph.bind("ebucore", ebucore)
    film = URIRef(material.address)
    graph.add((film, RDF.type, ebucore.MediaResource))
    graph.add((film, ebucore.title, Literal(one_line(material.info.path.stem))))
    graph.add((film, ebucore.duration, Literal(f"{material.clock.end:.6f}", datatype=XSD.decimal)))
    numbers = {person: number for number, person in enumerate(material.people, 1)}
    people = {person: URIRef(f"{film}#person-{number}") for person, number in numbers.items()}
    for person, node in people.items():
        graph.add((node, RDF.type, ebucore.Person))
        graph.add((node, RDFS.label, Literal(one_line(person))))
        graph.add((film, ebucore.hasContributor, node))
    for person in people.keys() & material.wikidata.keys():
        graph.add((people[person], OWL.sameAs, URIRef(f"{_WIKIDATA}{material.wikidata[person]}")))
    columns = ["person", "start", "end", "confidence"]
    for number, (person, *span, confidence) in enumerate(
        material.stretches[columns].itertuples(index=False, name=None), 1
    ):
        start, end = (f"{time:.6f}" for time in span)
        fragment = URIRef(f"{film}#t={start},{end}&person={numbers[person]}")
        annotation = URIRef(f"{film}#annotation-{number}")
        for one, name, value in (
            (fragment, "start", start),
            (fragment, "end", end),
            (annotation, "annotationConfidence", f"{confidence:.4f}"),
        ):
            graph.add((one, ebucore[name], Literal(value, datatype=XSD.decimal)))
        graph.add((fragment, RDF.type, ebucore.MediaFragment))
        graph.add((film, ebucore.hasMediaFragment, fragment))
        graph.add((fragment, ebucore.hasContributor, people[person]))
        graph.add((annotation, RDF.type, ebucore.Annotation))
        graph.add((annotation, ebucore.hasAnnotationTarget, fragment))
        graph.add((annotation, ebucore.hasAnnotationRelatedAgent, people[person]))
    write_text(graph.serialize(format="turtle"), path)
