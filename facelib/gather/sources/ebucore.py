"""Media resources described in EBUCore, in a graph behind a SPARQL endpoint.

The ontology is that of https://www.ebu.ch/metadata/ontologies/ebucore/; it leaves much to its users: a property may
point to a resource or hold a text, and people, dates and licences are said in several ways. The common ones are read
here, with their equivalents in the W3C's Ontology for Media Resources, Dublin Core, FOAF and schema.org.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urljoin

from rdflib.query import ResultRow
from rdflib.term import Identifier, Literal, URIRef

from facelib.gather.sources.address import is_address, names_a_film, redacted
from facelib.gather.sources.media import MediaResource, SourceSettings
from facelib.gather.sources.sparql import iri, select

PREFIXES: Mapping[str, str] = {
    "ebucore": "http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#",
    "ma": "http://www.w3.org/ns/ma-ont#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "schema": "http://schema.org/",
    "schemas": "https://schema.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}

# The first property with a value wins.
_LOCATORS = ("ebucore:locator", "ma:locator", "schema:contentUrl", "schemas:contentUrl")
_TITLES = (
    "ebucore:mainTitle", "ebucore:title", "ebucore:publishedTitle", "ebucore:originalTitle", "ma:title",
    "dcterms:title", "dc:title", "schema:name", "schemas:name", "rdfs:label",
)  # fmt: skip
_DATES = (
    "ebucore:dateCreated", "dcterms:created", "schema:dateCreated", "schemas:dateCreated", "ebucore:dateIssued",
    "ebucore:dateBroadcast", "ebucore:publicationStartDateTime", "ebucore:publishedStartDateTime", "dcterms:issued",
    "schema:datePublished", "schemas:datePublished", "dcterms:date", "dc:date",
)  # fmt: skip
_LICENCES = (
    "dcterms:license", "schema:license", "schemas:license", "ebucore:rightsLink", "ebucore:rightsExpression",
    "ebucore:isCopyrightedBy", "dcterms:rights", "dc:rights",
)  # fmt: skip
_DESCRIPTIONS = ("ebucore:summary", "ebucore:description", "dcterms:description", "dc:description")
_CAST = ("ebucore:hasCastMember", "schema:actor", "schemas:actor")
_CONTRIBUTORS = (
    "ebucore:hasContributor", "ma:hasContributor", "dcterms:contributor", "dc:contributor", "schema:contributor",
    "schemas:contributor",
)  # fmt: skip
_NAMES = ("ebucore:agentName", "foaf:name", "schema:name", "schemas:name", "rdfs:label", "skos:prefLabel")
_GIVEN = ("ebucore:givenName", "foaf:givenName", "foaf:firstName", "schema:givenName", "schemas:givenName")
_FAMILY = ("ebucore:familyName", "foaf:familyName", "foaf:lastName", "schema:familyName", "schemas:familyName")
_GROUPS = ("ebucore:Organisation", "foaf:Organization", "foaf:Group", "schema:Organization", "schemas:Organization")

# A programme and the files it is instantiated by describe one film together; either may be asked for.
_SAME_FILM = (
    "BIND(<asked> AS ?film)",
    "<asked> ebucore:isInstantiatedBy ?film .",
    "?film ebucore:isInstantiatedBy <asked> .",
    "<asked> ebucore:instantiates ?film .",
    "?film ebucore:instantiates <asked> .",
)
_FACTS = (
    "VALUES ?property { <facts> } ?film ?property ?value .",
    "VALUES ?property { <dates> } ?film ebucore:hasPublicationHistory/ebucore:hasPublicationEvent ?event . "
    "?event ?property ?value .",
    "VALUES ?property { <licences> } ?film ebucore:hasRights|ebucore:isCoveredBy ?rights . ?rights ?property ?value .",
    "VALUES ?link { <people> } ?film ?link ?value . FILTER(isLiteral(?value))",
    "VALUES ?link { <people> } VALUES ?property { <names> } ?film ?link ?agent . ?agent ?property ?value .",
    "VALUES ?link { <people> } VALUES ?property { <names> } ?film ?link ?member . ?member ebucore:isAgent ?agent . "
    "?agent ?property ?value .",
)
_MOST_ROWS = 5000


class EBUCoreResolver:
    """Finds films by the addresses of media resources and programmes, at a SPARQL endpoint.

    Two forms of address are answered for:

    - `sparql+https://host/sparql#http://host/film/1` names the endpoint, then, behind the first `#`, the resource;
    - where the settings name an endpoint, every address that does not end as films do (`.mp4`, ...) is a resource.

    The resource is an `ebucore:MediaResource`, or an `ebucore:EditorialObject` (a programme, an item) that is
    instantiated by one.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings

    def matches(self, address: str) -> bool:
        """Return whether the address has one of the two forms."""
        if address.startswith(("sparql+http://", "sparql+https://")):
            return True
        return bool(self.settings.sparql_endpoint) and is_address(address) and not names_a_film(address)

    def resolve(self, address: str) -> MediaResource:
        """Ask the endpoint about a resource.

        Raises:
            ValueError: When the address has not one of the two forms, the endpoint does not know the resource, or
                knows no `http(s)` address of its film.
            OSError: When the endpoint does not answer.
        """
        endpoint, resource = self._split(address)
        for graph in ("{ <facts> }", "{ GRAPH ?graph { <facts> } }"):  # some endpoints keep the default graph empty
            rows = select(endpoint, _query(resource, graph), self.settings.limits)
            if rows:
                return _read(rows, resource, endpoint)
        raise ValueError(
            f"expected {str(resource)!r} to be described at {redacted(endpoint)!r}, found nothing about it"
        )

    def _split(self, address: str) -> tuple[str, URIRef]:
        if not address.startswith("sparql+"):
            return self.settings.sparql_endpoint, iri(address)
        endpoint, mark, resource = address.removeprefix("sparql+").partition("#")
        if not mark:
            raise ValueError(
                "expected an address such as 'sparql+https://host/sparql#http://host/film/1', "
                f"got {redacted(address)!r}"
            )
        return endpoint, iri(resource)


def _query(resource: URIRef, graph: str) -> str:
    lists = {
        "<facts>": (*_LOCATORS, *_TITLES, *_DATES, *_LICENCES, *_DESCRIPTIONS),
        "<dates>": _DATES,
        "<licences>": _LICENCES,
        "<people>": (*_CAST, *_CONTRIBUTORS),
        "<names>": (*_NAMES, *_GIVEN, *_FAMILY, "rdf:type"),
    }
    # Each branch holds the resource itself, so that no endpoint looks through all titles for those of one film.
    branches = [f"{{ {film} {fact} }}" for film in _SAME_FILM for fact in _FACTS]
    for place, names in lists.items():
        branches = [branch.replace(place, " ".join(names)) for branch in branches]
    facts = " UNION ".join(branch.replace("<asked>", resource.n3()) for branch in branches)
    prefixes = " ".join(f"PREFIX {name}: <{base}>" for name, base in PREFIXES.items())
    where = graph.replace("<facts>", facts)
    return f"{prefixes} SELECT DISTINCT ?film ?link ?agent ?property ?value WHERE {where} LIMIT {_MOST_ROWS}"


def _read(rows: Sequence[ResultRow], resource: URIRef, endpoint: str) -> MediaResource:
    facts: defaultdict[str, list[Identifier]] = defaultdict(list)
    for row in rows:
        if row.get("link") is None:
            facts[_short(row["property"])].append(row["value"])
    licence = next(iter(_texts(facts, _LICENCES)), "")
    description = next(iter(_texts(facts, _DESCRIPTIONS)), "")
    return MediaResource(
        video=_video(_texts(facts, _LOCATORS), resource, endpoint),
        title=next(iter(_texts(facts, _TITLES)), ""),
        date=next(iter(_texts(facts, _DATES)), ""),
        people=_people(rows),
        licence=licence,
        details=(("description", description),) if description else (),
    )


def _video(locators: Sequence[str], resource: URIRef, endpoint: str) -> str:
    """Choose among the addresses of a film's files: those that end as films do first, then in alphabetical order."""
    addresses = [urljoin(str(resource), text) for text in locators if is_address(text) or text.startswith("/")]
    usable = sorted({text for text in addresses if text.startswith(("http://", "https://"))})
    if not usable:
        raise ValueError(
            f"expected {str(resource)!r} to have an http(s) address of a film at {redacted(endpoint)!r}, "
            f"found the locators {list(locators)!r}"
        )
    return min(usable, key=lambda text: (not names_a_film(text), text))


def _people(rows: Iterable[ResultRow]) -> tuple[str, ...]:
    """Return the names of people: the cast, then other contributors; organisations are left out."""
    agents: defaultdict[tuple[bool, Identifier], dict[str, list[Identifier]]]
    agents = defaultdict(lambda: defaultdict(list))
    names: set[tuple[bool, str]] = set()
    for row in rows:
        if (link := row.get("link")) is None:
            continue
        other = _short(link) not in _CAST
        if row.get("agent") is None:
            names.add((other, _plain(row["value"])))
        else:
            agents[other, row["agent"]][_short(row["property"])].append(row["value"])
    names |= {(other, _name(known)) for (other, _), known in agents.items()}
    return tuple(dict.fromkeys(name for _, name in sorted(names) if name))


def _name(known: Mapping[str, list[Identifier]]) -> str:
    if any(_short(kind) in _GROUPS for kind in known.get("rdf:type", [])):
        return ""
    parts = [next(iter(_texts(known, properties)), "") for properties in (_NAMES, _GIVEN, _FAMILY)]
    return parts[0] or " ".join(part for part in parts[1:] if part)


def _texts(facts: Mapping[str, list[Identifier]], properties: Iterable[str]) -> list[str]:
    """Return what the properties say, the first property's first; texts without a language or in English first."""
    found = []
    for name in properties:
        values = sorted(facts.get(name, []), key=lambda value: (_language(value), _plain(value)))
        found += [_plain(value) for value in values if _plain(value)]
    return found


def _language(value: Identifier) -> int:
    language = (value.language or "") if isinstance(value, Literal) else ""
    return 0 if not language else 1 if language.lower().startswith("en") else 2


def _plain(value: Identifier) -> str:
    return " ".join(str(value).split())


def _short(name: Identifier) -> str:
    """Return a property's name with its prefix."""
    text = str(name)
    return next((f"{short}:{text[len(base) :]}" for short, base in PREFIXES.items() if text.startswith(base)), text)
