"""Markers, XML of Final Cut Pro 7, ELAN, IIIF, EBUCore, chapters, actors: read again, every frame in its place."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from fractions import Fraction
from xml.etree import ElementTree

import av
import opentimelineio as otio
import pytest
from pympi import Eaf
from rdflib import RDF, Graph
from rdflib.term import Identifier

from facelib.films.exports import export_film, read_wikidata

NEW = ("resolve", "fcp7", "avid", "eaf", "iiif", "ebucore", "chapters", "nfo")
NTSC_FILM, NTSC, NTSC_FAST = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
RATES = [(NTSC_FILM, False), (Fraction(25), False), (NTSC, True), (NTSC_FAST, True), (NTSC_FAST, False)]

# Across the first minute, where drop-frame timecode leaves numbers out, and to the last of 4,000 frames.
SPANS = [("Ada", 0, 0), ("Grace", 100, 1797), ("Ada", 1798, 1801), ("Grace", 3590, 3999)]


# Of the vocabulary of EBUCore, and RDF's own.
TERMS = {
    "MediaResource", "MediaFragment", "Annotation", "Person", "hasMediaFragment", "hasContributor", "title", "duration",
    "start", "end", "hasAnnotationTarget", "hasAnnotationRelatedAgent", "annotationConfidence", "type", "label",
}  # fmt: skip


@pytest.fixture(params=RATES, ids=lambda one: f"{float(one[0]):.3f}{' drop' * one[1]}", scope="module")
def rate(request):
    return request.param


@pytest.fixture(scope="module")
def film(rate, film_in, tmp_path_factory):
    return film_in(tmp_path_factory.mktemp("film"), rate[0], 4000)


@pytest.fixture(scope="module")
def written(rate, film, files_in):
    """The exports of a film at a rate, with a timecode of its own."""
    return export_film(film, files_in(film.parent, film, *SPANS), formats=NEW, longest_gap=0.0, drop_frame=rate[1])


def frame_of(timecode: str, rate: Fraction, drop: bool) -> int:
    """Return the number of a timecode by counting out, as SMPTE 12M says it."""
    assert (";" in timecode) is drop
    hours, minutes, seconds, frames = map(int, re.split("[:;]", timecode))
    count = round(rate)
    total = ((hours * 60 + minutes) * 60 + seconds) * count + frames
    minutes += hours * 60
    return total - (count // 15) * (minutes - minutes // 10) * drop


def test_every_form_is_exact_to_the_frame(written, rate):
    frames, drop = rate
    spans = sorted((first, last + 1, name) for name, first, last in SPANS)
    seconds = [(float(start / frames), float(end / frames), name) for start, end, name in spans]

    text = written["resolve"].read_text("utf-8")
    assert text.splitlines()[1] == f"FCM: {'' if drop else 'NON-'}DROP FRAME"
    found = re.findall(
        r"V     C        (\S+) (\S+) \1 \2  \n \|C:ResolveColor(\w+) \|M:(.*) \|D:(\d+)$", text, re.MULTILINE
    )
    starts = [frame_of(begin, frames, drop) for begin, *_ in found]
    assert [
        (start, start + int(length), name) for start, (*_, name, length) in zip(starts, found, strict=True)
    ] == spans
    assert [frame_of(behind, frames, drop) for _, behind, *_ in found] == [start + 1 for start in starts]
    assert len({colour for _, _, colour, *_ in found}) == 2
    events = otio.adapters.read_from_file(str(written["resolve"]), rate=float(frames if drop else round(frames)))
    clips = [clip for clip in events.tracks[0] if isinstance(clip, otio.schema.Clip)]
    assert [round(clip.source_range.start_time.value) for clip in clips] == starts

    with written["avid"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row[2] for row in rows] == ["V1"] * len(spans)
    starts = [frame_of(row[1], frames, drop) for row in rows]
    assert [(start, start + int(row[5]), row[4]) for start, row in zip(starts, rows, strict=True)] == spans

    eaf = Eaf(str(written["eaf"]))
    tiers = {name: [(start, end) for start, end, _ in eaf.get_annotation_data_for_tier(name)] for name in eaf.tiers}
    got = sorted((start, end, name) for name, own in tiers.items() for start, end in own)
    assert [(round(a / 1000 * frames), round(b / 1000 * frames), name) for a, b, name in got] == spans
    assert eaf.media_descriptors[0]["MEDIA_URL"].endswith("/film.mp4")
    used = [slot for tier in eaf.tiers.values() for one in tier[0].values() for slot in one[:2]]
    assert sorted(used) == sorted(eaf.timeslots) and len(used) == len(set(used))  # none moves with another

    graph = Graph().parse(written["ebucore"])
    query = """
        PREFIX e: <http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#>
        PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        SELECT ?start ?end ?name ?sure WHERE {
          ?film a e:MediaResource ; e:hasMediaFragment ?part .
          ?part a e:MediaFragment ; e:start ?start ; e:end ?end ; e:hasContributor ?who .
          ?told a e:Annotation ; e:hasAnnotationTarget ?part ; e:hasAnnotationRelatedAgent ?who ;
            e:annotationConfidence ?sure .
          ?who a e:Person ; rdfs:label ?name } ORDER BY ?start"""
    rows = [(float(row.start), float(row.end), str(row.name)) for row in graph.query(query)]
    assert {float(row.sure) for row in graph.query(query)} == {0.9}
    assert {str(term).partition("#")[2] for term in {*graph.predicates(), *graph.objects(None, RDF.type)}} <= TERMS
    assert [row[2] for row in rows] == [span[2] for span in spans]
    assert [row[:2] for row in rows] == [pytest.approx(span[:2], abs=2e-6) for span in seconds]


def test_the_timeline_for_premiere_is_exact_to_the_frame(written, rate):
    frames, drop = rate
    root = ElementTree.parse(written["fcp7"]).getroot()
    rates = {(one.findtext("timebase"), one.findtext("ntsc")) for one in root.iter("rate")}
    assert rates == {(str(round(frames)), "TRUE" if frames.denominator > 1 else "FALSE")}
    assert {one.text for one in root.iter("displayformat")} == {"DF" if drop else "NDF"}
    size = root.find("sequence/media/video/format/samplecharacteristics")
    assert size is not None and (size.findtext("width"), size.findtext("height")) == ("32", "24")
    timeline = otio.adapters.read_from_file(str(written["fcp7"]), "fcp_xml")
    found = []
    for track in timeline.video_tracks()[1:]:
        for clip in track:
            if isinstance(clip, otio.schema.Clip):
                place, shown = clip.range_in_parent(), clip.source_range
                assert place.start_time.value == shown.start_time.value and shown.duration.rate == pytest.approx(
                    float(frames)
                )
                start = round(place.start_time.value)
                found.append((start, start + round(place.duration.value), clip.name))
                assert clip.media_reference.target_url.endswith("/film.mp4")
    assert sorted(found) == sorted((first, last + 1, name) for name, first, last in SPANS)
    film = timeline.video_tracks()[0][0]
    assert round(film.duration().value) == 4000
    markers = [(round(one.marked_range.start_time.value), one.name) for one in timeline.tracks.markers]
    assert sorted(markers) == sorted((first, name) for name, first, _ in SPANS)


def test_the_manifest_is_a_presentation_of_version_three(written, rate):
    manifest = json.loads(written["iiif"].read_text("utf-8"))
    assert manifest["@context"] == "http://iiif.io/api/presentation/3/context.json" and manifest["type"] == "Manifest"
    (canvas,) = manifest["items"]
    duration = pytest.approx(4000 / float(rate[0]), abs=1e-5)
    assert (canvas["type"], canvas["width"], canvas["height"], canvas["duration"]) == ("Canvas", 32, 24, duration)
    (page,) = canvas["items"]
    (painting,) = page["items"]
    assert (painting["motivation"], painting["target"]) == ("painting", canvas["id"])
    assert (painting["body"]["type"], painting["body"]["format"]) == ("Video", "video/mp4")
    (people,) = canvas["annotations"]
    got = []
    for one in people["items"]:
        target, _, fragment = one["target"].partition("#")
        assert target == canvas["id"] and one["motivation"] == "tagging"
        start, end, *box = map(float, re.fullmatch(r"t=(.*),(.*)&xywh=(\d+),(\d+),(\d+),(\d+)", fragment).groups())
        assert box == [4, 6, 8, 10]
        got.append((round(start * rate[0]), round(end * rate[0]), one["body"]["value"]))
    assert sorted(got) == sorted((first, last + 1, name) for name, first, last in SPANS)
    assert [one["label"] for one in manifest["structures"]] == [{"none": ["Grace"]}, {"none": ["Ada"]}]
    identities = re.findall(r'"id": "([^"]*)"', written["iiif"].read_text("utf-8"))
    assert len({one for one in identities if "#" not in one}) == len([one for one in identities if "#" not in one])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_chapters_are_in_a_film_into_which_they_are_put(film, written, rate, tmp_path, suffix):
    made = tmp_path / f"made.{suffix}"
    maps = ["-map_metadata", "0", "-map_chapters", "1", "-codec", "copy"]
    command = ["ffmpeg", "-v", "error", "-i", str(film), "-i", str(written["chapters"]), *maps, str(made)]
    subprocess.run(command, check=True, capture_output=True)
    with av.open(str(made)) as container:
        read = [
            (one["start"] * one["time_base"], one["end"] * one["time_base"], one["metadata"]["title"])
            for one in container.chapters()
        ]
    got = [(round(start * rate[0]), round(end * rate[0]), title) for start, end, title in read]
    assert got == [
        (0, 1, "Ada"), (1, 100, "(nobody)"), (100, 1798, "Grace"), (1798, 1802, "Ada"), (1802, 3590, "(nobody)"),
        (3590, 4000, "Grace"),
    ]  # fmt: skip


def test_the_film_s_own_timecode(film_at, files_of):
    film = film_at(25, 50, name="film.mov", timecode="10:00:00:00")
    made = export_film(film, files_of(film, ("Ada", 10, 19)), formats=NEW)
    assert "\t10:00:00:10\t" in made["avid"].read_text()
    assert "10:00:00:10 10:00:00:11 10:00:00:10 10:00:00:11" in made["resolve"].read_text()
    root = ElementTree.parse(made["fcp7"]).getroot()
    assert root.findtext("sequence/timecode/string") == "10:00:00:00"
    assert root.findtext("sequence/timecode/frame") == str(10 * 3600 * 25)


def test_awkward_names_come_back(film_at, files_of, awkward_names):
    film = film_at(25, 200, sound=True)
    rows = [(name, 20 * number, 20 * number + 9) for number, name in enumerate(awkward_names)]
    made = export_film(film, files_of(film, *rows), formats=NEW)
    lines = [name.replace("\n", " ") for name in awkward_names]
    assert [line.split("\t")[4] for line in made["avid"].read_text("utf-8").splitlines()] == lines
    assert re.findall(r"\|M:(.*) \|D:", made["resolve"].read_text("utf-8")) == lines
    assert set(Eaf(str(made["eaf"])).tiers) == set(lines)
    actors = [one.findtext("name") for one in ElementTree.parse(made["nfo"]).getroot().iter("actor")]
    assert sorted(actors) == sorted(lines)
    labels = {str(row[0]) for row in Graph().parse(made["ebucore"]).query("SELECT ?l WHERE { ?p rdfs:label ?l }")}
    assert labels == set(lines)
    timeline = otio.adapters.read_from_file(str(made["fcp7"]), "fcp_xml")
    assert {clip.name for track in timeline.video_tracks()[1:] for clip in track if clip.name} == set(lines)
    assert len(timeline.audio_tracks()) == 1
    with av.open(str(made["chapters"]), format="ffmetadata") as container:
        assert [one["metadata"]["title"] for one in container.chapters()][::2] == lines


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("my film #1 (100%).mp4", "my%20film%20#1%20(100%).mp4"),  # as it is, but for what no address may hold
        ("https://x.org/Käse<1>.mp4", "https://x.org/K%C3%A4se%3C1%3E.mp4"),
        ("https://x.org/a%20b.mp4?id=1&part=2", "https://x.org/a%20b.mp4?id=1&part=2"),
    ],
)
def test_an_address_holds_what_addresses_may_hold(film_at, files_of, address, written):
    film = film_at(25, 10)
    made = export_film(film, files_of(film, ("Ada", 0, 9)), formats=["ebucore", "iiif", "fcp7"], address=address)
    (title,) = (
        Graph()
        .parse(made["ebucore"], publicID="https://x.org/")
        .query(
            "SELECT ?t WHERE { ?f ?p ?t . ?f a ?c ; <http://www.ebu.ch/metadata/ontologies/ebucore/ebucore#title> ?t }"
        )
    )
    assert str(title.t) == "film"
    assert ElementTree.parse(made["fcp7"]).getroot().findtext(".//pathurl") == written
    canvas = json.loads(made["iiif"].read_text())["items"][0]
    assert canvas["items"][0]["items"][0]["body"]["id"] == written


def test_films_of_one_folder_have_manifests_and_canvases_of_their_own(film_at, files_of):
    found = []
    for name in ("one.mp4", "two.mp4"):
        film = film_at(25, 10, name=name)
        manifest = json.loads(export_film(film, files_of(film, ("Ada", 0, 9)), formats=["iiif"])["iiif"].read_text())
        found.append({manifest["id"], manifest["items"][0]["id"], manifest["structures"][0]["id"]})
        assert manifest["id"] == f"{film.as_uri()}.manifest.json"
    assert not found[0] & found[1]


def test_the_addresses_of_a_long_film_are_not_compared_with_each_other(film_at, files_of, monkeypatch):
    compared, film, counts = [], film_at(25, 800), []

    def counting(one, *others):
        compared.append(one)
        return str.startswith(one, *others)

    monkeypatch.setattr(Identifier, "startswith", counting)
    for appearances in (50, 200):
        spans = [("Ada", 4 * number, 4 * number + 1) for number in range(appearances)]
        compared.clear()
        export_film(film, files_of(film, *spans), formats=["ebucore"], longest_gap=0.0)
        counts.append(len(compared))
    assert 0 < counts[1] < 8 * counts[0]


def test_a_film_with_nobody_in_it(film_at, files_of):
    film = film_at(25, 10)
    made = export_film(film, files_of(film), formats=NEW)
    assert made["avid"].read_text() == "" and list(Eaf(str(made["eaf"])).tiers) == []
    assert len(otio.adapters.read_from_file(str(made["fcp7"]), "fcp_xml").video_tracks()) == 1
    assert json.loads(made["iiif"].read_text())["items"][0]["annotations"][0]["items"] == []
    assert len(Graph().parse(made["ebucore"])) == 3


class TestActors:
    def test_longest_on_screen_first(self, film_at, files_of):
        film = film_at(25, 100)
        made = export_film(film, files_of(film, ("Ada", 0, 9), ("Grace", 10, 90)), formats=["nfo"])
        root = ElementTree.parse(made["nfo"]).getroot()
        assert root.tag == "movie" and root.findtext("title") == "film"
        assert [(one.findtext("name"), one.findtext("order")) for one in root.iter("actor")] == [
            ("Grace", "0"),
            ("Ada", "1"),
        ]


class TestWikidata:
    def test_people_are_tied_to_their_entity(self, film_at, files_of, tmp_path):
        listed = tmp_path / "wikidata.csv"
        listed.write_text(
            "person,id\nAda,https://www.wikidata.org/wiki/Q7259\nNobody here,Q1\nGrace,\n", encoding="utf-8-sig"
        )
        assert read_wikidata(listed) == {"Ada": "Q7259", "Nobody here": "Q1"}
        film = film_at(25, 50)
        files = files_of(film, ("Ada", 0, 9), ("Grace", 10, 19))
        made = export_film(film, files, formats=["ebucore"], wikidata=read_wikidata(listed))
        same = Graph().parse(made["ebucore"]).query("SELECT ?l ?e WHERE { ?p owl:sameAs ?e ; rdfs:label ?l }")
        assert [tuple(map(str, row)) for row in same] == [("Ada", "http://www.wikidata.org/entity/Q7259")]

    def test_a_list_saved_with_semicolons(self, tmp_path):
        (tmp_path / "list.csv").write_text("person;id\nLovelace, Ada;Q7259\n")
        assert read_wikidata(tmp_path / "list.csv") == {"Lovelace, Ada": "Q7259"}

    def test_no_list(self, tmp_path):
        assert read_wikidata(tmp_path / "none.csv") == {}

    @pytest.mark.parametrize(
        ("text", "said"), [("name,id\nAda,Q1\n", "columns person and id"), ("person,id\nAda,7259\n", "id of Wikidata")]
    )
    def test_a_damaged_list(self, tmp_path, text, said):
        (tmp_path / "list.csv").write_text(text)
        with pytest.raises(ValueError, match=said):
            read_wikidata(tmp_path / "list.csv")
