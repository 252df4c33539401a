"""Web Annotations, read by an RDF library."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import rdflib
from rdflib.namespace import DCTERMS, RDF

from facelib.films.exports import export_film
from facelib.films.exports.annotations import CONTEXT

# rdflib's own parser uses what rdflib has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

OA = rdflib.Namespace("http://www.w3.org/ns/oa#")
AS = rdflib.Namespace("https://www.w3.org/ns/activitystreams#")

# The terms of http://www.w3.org/ns/anno.jsonld that are used, as it defines them: tests have no network.
TERMS = {
    "oa": str(OA),
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": str(DCTERMS),
    "as": str(AS),
    "rdf": str(RDF),
    "foaf": "http://xmlns.com/foaf/0.1/",
    "id": {"@id": "@id", "@type": "@id"},
    "type": {"@id": "@type", "@type": "@vocab"},
    "Annotation": "oa:Annotation",
    "AnnotationPage": "as:OrderedCollectionPage",
    "FragmentSelector": "oa:FragmentSelector",
    "SpecificResource": "oa:SpecificResource",
    "TextualBody": "oa:TextualBody",
    "Software": "as:Application",
    "identifying": "oa:identifying",
    "describing": "oa:describing",
    "body": {"@type": "@id", "@id": "oa:hasBody"},
    "target": {"@type": "@id", "@id": "oa:hasTarget"},
    "source": {"@type": "@id", "@id": "oa:hasSource"},
    "selector": {"@type": "@id", "@id": "oa:hasSelector"},
    "motivation": {"@type": "@vocab", "@id": "oa:motivatedBy"},
    "purpose": {"@type": "@vocab", "@id": "oa:hasPurpose"},
    "conformsTo": {"@type": "@id", "@id": "dcterms:conformsTo"},
    "generator": {"@type": "@id", "@id": "as:generator"},
    "format": "dc:format",
    "value": "rdf:value",
    "name": "foaf:name",
    "items": {"@type": "@id", "@id": "as:items", "@container": "@list"},
}


def read(path: Path) -> tuple[dict[str, object], rdflib.Graph]:
    document = json.loads(path.read_text("utf-8"))
    assert document["@context"] == CONTEXT == "http://www.w3.org/ns/anno.jsonld"
    known = set(TERMS) | {"@context"}
    assert set(re.findall(r'"([\w@]+)":', json.dumps(document))) <= known  # no term that the context does not define
    graph = rdflib.Graph().parse(data=json.dumps(document | {"@context": TERMS}), format="json-ld")
    return document, graph


def test_each_named_track_is_an_annotation_of_its_piece_of_the_film(film_at, files_of):
    film = film_at(25, 50)
    files = files_of(film, ("Ada", 0, 9), ("unknown", 5, 9), ("not a face", 5, 9), ("Grace", 10, 49))
    _, graph = read(export_film(film, files, formats=["annotations"])["annotations"])
    annotations = list(graph.subjects(RDF.type, OA.Annotation))
    assert len(annotations) == 2
    found = {}
    for one in annotations:
        assert isinstance(one, rdflib.URIRef) and str(one).startswith("urn:uuid:")
        assert graph.value(one, OA.motivatedBy) == OA.identifying
        target = graph.value(one, OA.hasTarget)
        assert graph.value(target, OA.hasSource) == rdflib.URIRef(film.as_uri())
        selector = graph.value(target, OA.hasSelector)
        assert (selector, RDF.type, OA.FragmentSelector) in graph
        assert graph.value(selector, DCTERMS.conformsTo) == rdflib.URIRef("http://www.w3.org/TR/media-frags/")
        bodies = {graph.value(body, OA.hasPurpose): body for body in graph.objects(one, OA.hasBody)}
        name = str(graph.value(bodies[OA.identifying], RDF.value))
        found[name] = str(graph.value(selector, RDF.value))
        reason = str(graph.value(bodies[OA.describing], RDF.value))
        assert reason == "confidence 0.90: face: 0.31 from people/Ada/3.jpg"
    assert found == {"Ada": "t=0.000,0.400&xywh=4,6,8,10", "Grace": "t=0.400,2.000&xywh=4,6,8,10"}


def test_unknown_groups_are_annotated_when_asked_for(film_at, files_of):
    film = film_at(25, 20)
    files = files_of(film, ("unknown", 0, 9, "Unknown 1"), ("unknown", 0, 9), ("not a face", 0, 9, "Unknown 2"))
    for unknown, names in ((False, []), (True, ["Unknown 1"])):
        _, graph = read(export_film(film, files, formats=["annotations"], unknown=unknown)["annotations"])
        bodies = graph.subjects(OA.hasPurpose, OA.identifying)
        assert [str(graph.value(body, RDF.value)) for body in bodies] == names


def test_boxes_stay_inside_the_picture(film_at, files_of):
    film = film_at(25, 20)
    files = files_of(film, ("Ada", 0, 9), box=(-5.0, -5.0, 99.0, 99.0))
    document, _ = read(export_film(film, files, formats=["annotations"])["annotations"])
    assert document["items"][0]["target"]["selector"]["value"] == "t=0.000,0.400&xywh=0,0,32,24"


def test_awkward_names_come_back_as_they_are(film_at, files_of, awkward_names):
    film = film_at(25, 20)
    files = files_of(film, *((name, 0, 9) for name in awkward_names))
    _, graph = read(export_film(film, files, formats=["annotations"])["annotations"])
    names = {str(graph.value(body, RDF.value)) for body in graph.subjects(OA.hasPurpose, OA.identifying)}
    assert names == set(awkward_names)


def test_nobody_on_screen_is_a_page_without_items(film_at, files_of):
    film = film_at(25, 10)
    document, graph = read(export_film(film, files_of(film), formats=["annotations"])["annotations"])
    assert document["items"] == [] and document["type"] == "AnnotationPage"
    assert (rdflib.URIRef(str(document["id"])), RDF.type, AS.OrderedCollectionPage) in graph


def test_an_address_of_the_film_is_what_is_annotated(film_at, files_of):
    film = film_at(25, 10)
    files = files_of(film, ("Ada", 0, 9))
    address = "https://example.org/media?id=1&part=2"
    document, graph = read(export_film(film, files, formats=["annotations"], address=address)["annotations"])
    assert list(graph.objects(None, OA.hasSource)) == [rdflib.URIRef(address)]
    other, _ = read(export_film(film, files, formats=["annotations"])["annotations"])
    assert other["items"][0]["id"] != document["items"][0]["id"]


@pytest.mark.real_data
def test_the_box_of_a_real_track_lies_on_the_labelled_face(shared_data, files_of):
    film = shared_data / "film_clips" / "videos" / "marques1.mp4"
    truth = pd.read_csv(shared_data / "film_clips" / "truth" / "marques1.csv")
    own = truth[truth["person"] == "Marques Brownlee"]
    box = tuple(own[["left", "top", "right", "bottom"]].mean())
    files = files_of(film, ("Marques Brownlee", int(own["frame"].min()), int(own["frame"].max())), box=box)
    document, _ = read(export_film(film, files, formats=["annotations"])["annotations"])
    value = document["items"][0]["target"]["selector"]["value"]
    left, top, width, height = (int(number) for number in value.split("xywh=")[1].split(","))
    assert (left, top, left + width, top + height) == pytest.approx(box, abs=1.1)
