"""Films of a knowledge graph, asked for at a real SPARQL endpoint on loopback."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from facelib.gather.sources import MediaResource
from facelib.gather.sources.ebucore import EBUCoreResolver
from facelib.gather.sources.sparql import iri, select

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")  # its graphs warn of their own parts

PREFIXES = """
@prefix ebucore: <http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix schema: <http://schema.org/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix : <http://example.org/> .
"""

# A programme as an archive describes it: people as resources, texts, and members of a cast with their characters.
PROGRAMME = """
:programme1 a ebucore:TVProgramme ;
  ebucore:title "Die Fahrt"@de, "The  journey"@en ;
  ebucore:description "A journey." ;
  ebucore:hasPublicationHistory [ ebucore:hasPublicationEvent
    [ ebucore:publicationStartDateTime "2016-05-04T20:00:00+02:00"^^xsd:dateTime ] ] ;
  ebucore:hasCastMember [ a ebucore:Cast ; ebucore:isAgent :ada ; ebucore:isCharacter [ foaf:name "The captain" ] ] ;
  ebucore:hasCastMember [ ebucore:givenName "Grace" ; ebucore:familyName "Hopper" ] ;
  ebucore:hasContributor :joan, "Mary Jackson", :studio, :ada ;
  ebucore:hasRights [ ebucore:rightsExpression "CC BY 4.0" ] ;
  ebucore:isInstantiatedBy :media1 .
:media1 a ebucore:MediaResource ; ebucore:locator "https://example.org/1.mp4" .
:ada a ebucore:Contact ; ebucore:agentName "Ada Lovelace" ; rdfs:label "A. Lovelace" .
:joan a foaf:Person ; foaf:name "Joan Clarke"@en, "ジョーン・クラーク"@ja .
:studio a ebucore:Organisation ; ebucore:agentName "The Studio" .
:programme2 ebucore:title "Another" ; ebucore:hasCastMember "Nobody" ; ebucore:isInstantiatedBy :media2 .
:media2 ebucore:locator "https://example.org/2.mp4" .
"""
FOUND = MediaResource(
    video="https://example.org/1.mp4",
    title="The journey",
    date="2016-05-04T20:00:00+02:00",
    people=("Ada Lovelace", "Grace Hopper", "Joan Clarke", "Mary Jackson"),
    licence="CC BY 4.0",
    details=(("description", "A journey."),),
)


@pytest.fixture
def ask_graph(site, settings):
    """Return a function that puts a graph behind an endpoint and asks it about a resource."""

    def ask(turtle, resource="http://example.org/film", **options):
        endpoint = site.put_graph("/sparql", PREFIXES + turtle, **options)
        return EBUCoreResolver(settings).resolve(f"sparql+{endpoint}#{resource}")

    return ask


@pytest.mark.parametrize("resource", ["programme1", "media1"])
@pytest.mark.parametrize("methods", [("GET", "POST"), ("GET",), ("POST",)])
def test_a_programme_and_its_file_describe_one_film(resource, methods, ask_graph, site):
    assert ask_graph(PROGRAMME, f"http://example.org/{resource}", methods=methods) == FOUND
    assert {command for command, _, _ in site.asked} >= set(methods[:1] if len(methods) == 1 else ["POST"])


def test_an_endpoint_whose_default_graph_is_empty(ask_graph):
    assert ask_graph(f":archive {{ {PROGRAMME} }}", "http://example.org/programme1") == FOUND


@pytest.mark.parametrize(
    ("turtle", "expected"),
    [
        # The least: an address, also as a resource or as a typed text.
        ('ebucore:locator "http://h/a.mp4"', {"video": "http://h/a.mp4"}),
        ("ebucore:locator <http://h/a.mp4>", {"video": "http://h/a.mp4"}),
        ('ebucore:locator "http://h/a.mp4"^^xsd:anyURI', {"video": "http://h/a.mp4"}),
        ('ebucore:locator "/a.mp4"', {"video": "http://example.org/a.mp4"}),
        # What ends as a film does comes first; what is no web address is passed over.
        (
            'ebucore:locator "ftp://h/a.mp4", "Shelf 12", "http://h/a", "http://h/c.mp4", "http://h/b.mp4"',
            {"video": "http://h/b.mp4"},
        ),
        # A file without an address of its own in the graph.
        ('ebucore:isInstantiatedBy [ ebucore:locator "http://h/a.mp4" ]', {"video": "http://h/a.mp4"}),
        # The vocabulary of the web at large.
        (
            'schema:contentUrl <http://h/a.mp4> ; schema:name "A" ; schema:dateCreated "1999" ; '
            'schema:actor [ a schema:Person ; schema:name "Ann" ] ; schema:license <http://h/licence>',
            {
                "video": "http://h/a.mp4",
                "title": "A",
                "date": "1999",
                "people": ("Ann",),
                "licence": "http://h/licence",
            },
        ),
        # When it was made counts more than when it was shown.
        (
            'ebucore:locator "http://h/a.mp4" ; ebucore:dateBroadcast "2001-01-01" ; ebucore:dateCreated "2000-12-31"',
            {"video": "http://h/a.mp4", "date": "2000-12-31"},
        ),
        (
            'ebucore:locator "http://h/a.mp4" ; ebucore:mainTitle "Main" ; ebucore:title "Any" ; rdfs:label "a"',
            {"video": "http://h/a.mp4", "title": "Main"},
        ),
    ],
)
def test_the_ways_of_saying_it(turtle, expected, ask_graph):
    assert ask_graph(f":film {turtle} .") == MediaResource(**expected)


def test_a_file_that_says_what_it_instantiates(ask_graph):
    turtle = ':film ebucore:instantiates [ ebucore:title "A" ] ; ebucore:locator "http://h/a.mp4" .'
    assert ask_graph(turtle).title == "A"


@pytest.mark.parametrize(
    ("turtle", "message"),
    [
        ("", "found nothing about it"),
        (':other ebucore:locator "http://h/a.mp4" .', "found nothing about it"),
        (':film ebucore:title "A" .', r"found the locators \[\]"),
        (':film ebucore:locator "Shelf 12", "file:///etc/passwd" .', "Shelf 12"),
    ],
)
def test_nothing_to_fetch(turtle, message, ask_graph):
    with pytest.raises(ValueError, match=message):
        ask_graph(turtle)


@pytest.mark.parametrize(
    ("address", "endpoint", "expected"),
    [
        ("sparql+http://h/sparql#http://h/1", "", True),
        ("sparql+https://h/sparql#http://h/1", "", True),
        ("http://h/1", "", False),
        ("http://h/1", "http://h/sparql", True),
        ("urn:film:1", "http://h/sparql", True),
        ("http://h/1.mp4", "http://h/sparql", False),
        ("films/1", "http://h/sparql", False),
    ],
)
def test_which_addresses_are_answered_for(address, endpoint, expected, settings):
    assert EBUCoreResolver(replace(settings, sparql_endpoint=endpoint)).matches(address) is expected


def test_the_endpoint_may_be_a_setting(site, settings):
    endpoint = site.put_graph("/sparql", PREFIXES + PROGRAMME)
    resolver = EBUCoreResolver(replace(settings, sparql_endpoint=endpoint))
    assert resolver.resolve("http://example.org/media2").title == "Another"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "relative/path",
        "http://h/a b",
        "http://h/a> } UNION { ?film ?property ?value } #",
        'http://h/"',
        "http://h/{x}",
        "http://h/\\u003e",
        "http://h/\n",
        "http://h/^`|",
        "http://h/\x7f",
    ],
)
def test_nothing_can_be_smuggled_into_a_query(text, site, settings):
    endpoint = site.put_graph("/sparql", PREFIXES + PROGRAMME)
    with pytest.raises(ValueError, match="expected the absolute IRI"):
        EBUCoreResolver(settings).resolve(f"sparql+{endpoint}#{text}")
    assert site.asked == []


def test_iris_of_every_script_are_taken():
    assert iri("http://example.org/映画?a=b#c").n3() == "<http://example.org/映画?a=b#c>"


def test_an_address_without_a_resource(settings):
    with pytest.raises(ValueError, match="expected an address such as"):
        EBUCoreResolver(settings).resolve("sparql+http://127.0.0.1/sparql")


@pytest.mark.parametrize(
    ("text", "status", "error", "message"),
    [
        ("<html>welcome</html>", 200, ValueError, "the address of the endpoint itself"),
        ("{}", 200, ValueError, "SPARQL results in JSON"),
        ('{"boolean": true}', 200, ValueError, "SPARQL results in JSON"),
        ('{"head": {"vars": ["film"]}, "results": {"bindings": [{"film": {"type": "?"}}]}}', 200, ValueError, "JSON"),
        ("timeout of the query", 500, OSError, r"status 500: timeout of the query"),
        ("what?", 400, OSError, "status 400"),
    ],
)
def test_an_endpoint_that_answers_something_else(text, status, error, message, site, limits):
    endpoint = site.put("/sparql", lambda asked: asked.send_text(text, status=status))
    with pytest.raises(error, match=message):
        select(endpoint, "SELECT * { ?film ?property ?value }", limits)


def test_an_endpoint_that_never_ends_or_never_begins(site, limits):
    def flood(asked):
        asked.begin(200, {"Transfer-Encoding": "chunked"})
        while not site.stopping.is_set():
            asked.send(b" " * 10**6, chunked=True, end=False)

    with pytest.raises(ValueError, match="got more"):
        select(site.put("/flood", flood), "SELECT * {}", limits)
    silent = site.put("/silent", lambda asked: site.stall(asked, b"", 10))
    with pytest.raises(ConnectionError, match="timed out"):
        select(silent, "SELECT * {}", replace(limits, timeout=0.1))


def test_an_endpoint_with_an_address_that_asks_already(site, limits):
    """Some endpoints take their data set in the address."""
    turtle = PREFIXES + PROGRAMME
    endpoint = site.put_graph("/sparql", turtle, methods=("GET",)) + "?dataset=a"
    query = (
        "SELECT ?o { <http://example.org/programme2> <http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#title> ?o }"
    )
    assert [str(row[0]) for row in select(endpoint, query, limits)] == ["Another"]
    assert "dataset=a&query=" in site.asked[-1][1]


def test_private_endpoints_are_refused_unless_allowed(site, settings, limits):
    endpoint = site.put_graph("/sparql", PREFIXES + PROGRAMME)
    with pytest.raises(ValueError, match="public internet"):
        select(endpoint, "SELECT * {}", replace(limits, private=False))


def test_old_endpoints_that_type_their_texts(site, settings):
    """Virtuoso long said `typed-literal`."""
    rows = [{"film": {"type": "uri", "value": "http://example.org/film"}, "value": {"value": "http://h/a.mp4"}}]
    rows[0]["property"] = {"type": "uri", "value": "http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#locator"}
    rows[0]["value"] |= {"type": "typed-literal", "datatype": "http://www.w3.org/2001/XMLSchema#anyURI"}
    columns = ["film", "link", "agent", "property", "value"]
    text = json.dumps({"head": {"vars": columns}, "results": {"bindings": rows}})
    endpoint = site.put("/sparql", lambda asked: asked.send_text(text))
    found = EBUCoreResolver(settings).resolve(f"sparql+{endpoint}#http://example.org/film")
    assert found.video == "http://h/a.mp4"
