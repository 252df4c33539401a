"""OpenTimelineIO, edit decision lists and FCPXML: every frame in its place, at every rate."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pandas as pd
import pytest

from facelib.films.exports import export_film
from facelib.films.media.timecode import RATES

NTSC_FILM, NTSC, NTSC_FAST = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
EDITING = ("otio", "edl", "fcpxml")

# Frames of the film, across the first minute, where drop-frame timecode leaves numbers out, and to the last frame.
SPANS = [("Ada", 0, 0), ("Grace", 100, 1797), ("Ada", 1798, 1801), ("Grace", 1850, 1999)]


def label(frame: int, rate: Fraction, drop: bool) -> str:
    """SMPTE 12M timecode, counted out: in each minute but every tenth, the first 2 (or 4) numbers do not exist."""
    count = round(rate)
    number = -1
    for _ in range(frame + 1):
        number += 1
        minute, rest = divmod(number, 60 * count)
        if drop and minute % 10 and rest == 0:
            number += count // 15
    seconds, frames = divmod(number, count)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{';' if drop else ':'}{frames:02}"


def events(path: Path) -> list[tuple[str, ...]]:
    """The events of an edit decision list as its text has them: reel, and four timecodes."""
    text = path.read_text("utf-8")
    return [
        (line[1], *line[2].split()) for line in re.finditer(r"^\d{3,}  (.{8}) V     C        (.*)$", text, re.MULTILINE)
    ]


def seconds(text: str | None) -> Fraction:
    assert text is not None and text.endswith("s")
    return Fraction(text[:-1])


@pytest.mark.parametrize(
    ("rate", "drop"),
    [*((rate, False) for rate in RATES), (NTSC, True), (NTSC_FAST, True)],
    ids=lambda value: str(value),
)
def test_every_rate_is_exact_to_the_frame(film_at, files_of, rate, drop):
    film = film_at(rate, 2000)
    files = files_of(film, *SPANS)
    written = export_film(film, files, formats=EDITING, longest_gap=0.0, drop_frame=drop)
    expected = [(name, first, last + 1) for name, first, last in SPANS]

    text = written["edl"].read_text("utf-8")
    assert text.startswith(f"TITLE: film\nFCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}\n")
    labels = [(label(start, rate, drop), label(end, rate, drop)) for _, start, end in expected]
    assert events(written["edl"]) == [("FILM    ", *pair, *pair) for pair in labels]

    # Read by the adapter: without dropped numbers, timecode counts as if the rate were whole.
    read = otio.adapters.read_from_file(str(written["edl"]), rate=float(rate if drop else round(rate)))
    clips = [clip for clip in read.tracks[0] if isinstance(clip, otio.schema.Clip)]
    assert [(clip.name, *frames_of(clip)) for clip in clips] == expected

    timeline = otio.adapters.read_from_file(str(written["otio"]))
    assert [track.name for track in timeline.tracks] == ["film", "Grace", "Ada"]
    assert frames_of(timeline.tracks[0][0]) == (0, 2000)
    assert timeline.tracks[0][0].source_range.duration.rate == float(rate)
    found = [
        (track.name, *frames_of(clip), int(clip.range_in_parent().start_time.value))
        for track in timeline.tracks[1:]
        for clip in track
        if isinstance(clip, otio.schema.Clip)
    ]
    assert sorted(found) == sorted((*row, row[1]) for row in expected)

    root = ElementTree.parse(written["fcpxml"]).getroot()
    check_structure(root)
    frame = seconds(root.find("resources/format").get("frameDuration"))
    assert frame == 1 / rate
    times = [element.get(key) for element in root.iter() for key in ("start", "duration", "offset", "tcStart")]
    assert all((seconds(time) / frame).denominator == 1 for time in times if time)
    for path in ("event/asset-clip/keyword", "event/project/sequence/spine/asset-clip/asset-clip"):
        spans = [(clip.get("value") or clip.get("name"), *xml_frames(clip, frame)) for clip in root.findall(path)]
        assert spans == expected
    assert root.find("event/project/sequence").get("tcFormat") == ("DF" if drop else "NDF")


def frames_of(clip: otio.schema.Clip) -> tuple[int, int]:
    span = clip.source_range
    return int(span.start_time.value), int(span.end_time_exclusive().value)


def xml_frames(clip: ElementTree.Element, frame: Fraction) -> tuple[int, int]:
    start = seconds(clip.get("start"))
    assert clip.get("offset") in (None, clip.get("start"))  # in place: the film starts where its parent does
    return int(start / frame), int((start + seconds(clip.get("duration"))) / frame)


# Out of Apple's document type definition of FCPXML 1.8: children in this order, attributes that must and may be.
STRUCTURE = {
    "fcpxml": ("resources event", "version", ""),
    "resources": ("format asset", "", ""),
    "format": ("", "id", "name frameDuration fieldOrder width height paspH paspV colorSpace"),
    "asset": ("", "id src", "name uid start duration hasVideo format hasAudio audioSources audioChannels audioRate"),
    "event": ("asset-clip project", "", "name uid"),
    "project": ("sequence", "", "name uid id modDate"),
    "sequence": ("spine", "format", "duration tcStart tcFormat audioLayout audioRate renderFormat keywords"),
    "spine": ("asset-clip", "", "lane offset name format"),
    "asset-clip": (
        "asset-clip keyword",
        "ref",
        "srcEnable audioStart audioDuration name lane offset start duration enabled format tcFormat audioRole",
    ),
    "keyword": ("", "start value", "duration note"),
}


def check_structure(root: ElementTree.Element) -> None:
    identities = [element.get("id") for element in root.find("resources")]
    assert len(set(identities)) == len(identities)
    assert root.get("version") == "1.8"
    for element in root.iter():
        children, must, may = (set(names.split()) for names in STRUCTURE[element.tag])
        order = STRUCTURE[element.tag][0].split()
        places = [order.index(child.tag) for child in element]
        assert places == sorted(places)
        assert {child.tag for child in element} <= children
        assert must <= set(element.keys()) <= must | may, element.tag
        assert {element.get("ref"), element.get("format")} - {None} <= set(identities)
        assert element.get("tcFormat") in (None, "DF", "NDF")
        assert element.get("srcEnable") in (None, "all", "audio", "video")


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
@pytest.mark.filterwarnings("ignore:The behavior of this method will change:FutureWarning")  # the adapter's own
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")  # the same from Python 3.12
def test_opentimelineios_adapter_reads_fcpxml(film_at, files_of, rate):
    """At whole rates: it counts 23.976, 29.97 and 59.94 as 23, 29 and 59."""
    film = film_at(rate, 200)
    files = files_of(film, ("Ada", 3, 50), ("Grace", 20, 70), ("Ada", 90, 199))
    path = export_film(film, files, formats=["fcpxml"], longest_gap=0.0)["fcpxml"]
    (timeline,) = otio.adapters.read_from_file(str(path))
    assert timeline.name == "film: people"
    found = {
        track.name: [(clip.name, *frames_of(clip)) for clip in track if isinstance(clip, otio.schema.Clip)]
        for track in timeline.tracks
    }
    assert found == {"0": [("film", 0, 200)], "1": [("Ada", 3, 51), ("Ada", 90, 200)], "2": [("Grace", 20, 71)]}
    assert timeline.tracks[1][1].range_in_parent().start_time.value == 3
    assert timeline.tracks[0][0].media_reference.target_url == film.as_uri()


@pytest.mark.parametrize(("code", "drop"), [("01:00:00;00", True), ("01:00:00:00", False)])
def test_times_start_at_the_films_own_timecode(film_at, files_of, code, drop):
    film = film_at(NTSC, 100, name="reel.mov", timecode=code)
    written = export_film(film, files_of(film, ("Ada", 10, 19)), formats=EDITING)
    separator = ";" if drop else ":"
    times = (f"01:00:00{separator}10", f"01:00:00{separator}20")
    assert events(written["edl"]) == [("REEL    ", *times, *times)]
    hour = 107_892 if drop else 108_000
    timeline = otio.adapters.read_from_file(str(written["otio"]))
    clip = timeline.tracks[1][1]
    assert timeline.global_start_time.value == hour and frames_of(clip) == (hour + 10, hour + 20)
    assert clip.available_range().start_time.value == hour
    sequence = ElementTree.parse(written["fcpxml"]).getroot().find("event/project/sequence")
    assert seconds(sequence.get("tcStart")) == hour / NTSC
    assert xml_frames(sequence.find("spine/asset-clip/asset-clip"), 1 / NTSC) == (hour + 10, hour + 20)


def test_people_on_screen_together_share_an_event_and_have_a_comment_each(film_at, files_of):
    film = film_at(25, 100)
    files = files_of(film, ("Ada", 0, 49), ("Grace", 25, 74), ("unknown", 0, 99, "Unknown 1"))
    written = export_film(film, files, formats=["edl"], unknown=True)
    read = otio.adapters.read_from_file(str(written["edl"]), rate=25)
    assert [(clip.name, *frames_of(clip)) for clip in read.tracks[0]] == [
        ("Ada + Unknown 1", 0, 25),
        ("Ada + Grace + Unknown 1", 25, 50),
        ("Grace + Unknown 1", 50, 75),
        ("Unknown 1", 75, 100),
    ]
    assert list(read.tracks[0][0].metadata["cmx_3600"]["comments"]) == ["PERSON: Ada", "PERSON: Unknown 1"]


def test_awkward_names_survive(film_at, files_of, awkward_names):
    film = film_at(25, 20 * len(awkward_names), name='R&D "山" <1>, --> 2.mp4')
    files = files_of(film, *((name, 20 * i, 20 * i + 9) for i, name in enumerate(awkward_names)))
    written = export_film(film, files, formats=EDITING, longest_gap=0.0)
    names = [" ".join(name.split()) for name in awkward_names]
    read = otio.adapters.read_from_file(str(written["edl"]), rate=25)
    clips = [clip for clip in read.tracks[0] if isinstance(clip, otio.schema.Clip)]
    assert [clip.metadata["cmx_3600"]["comments"][0].removeprefix("PERSON: ") for clip in clips] == names
    assert [clip.name for clip in clips] == names
    assert {clip.metadata["cmx_3600"]["reel"] for clip in clips} == {"RD12"}
    timeline = otio.adapters.read_from_file(str(written["otio"]))
    assert sorted(track.name for track in timeline.tracks[1:]) == sorted(names)
    root = ElementTree.parse(written["fcpxml"]).getroot()
    check_structure(root)
    assert [one.get("note") for one in root.iter("keyword")] == names
    assert not any("," in str(one.get("value")) for one in root.iter("keyword"))  # would be two keywords
    assert root.find("resources/asset").get("src") == film.as_uri()


@pytest.mark.parametrize(
    ("stem", "reel"),
    [("scene_a", "SCENEA"), ("Le Fabuleux Destin", "LEFABULE"), ("été", "ETE"), ("山田", "FILM"), ("black", "FILM")],
)
def test_reels_are_eight_letters_and_digits(film_at, files_of, stem, reel):
    film = film_at(25, 10, name=f"{stem}.mp4")
    path = export_film(film, files_of(film, ("Ada", 0, 9)), formats=["edl"])["edl"]
    assert [event[0].strip() for event in events(path)] == [reel]
    assert len(list(otio.adapters.read_from_file(str(path), rate=25).tracks[0])) == 1


def test_more_than_999_events_are_all_there(film_at, files_of):
    film = film_at(25, 3000)
    files = files_of(film, *(("Ada", frame, frame) for frame in range(0, 3000, 2)))
    path = export_film(film, files, formats=["edl"], longest_gap=0.0)["edl"]
    clips = otio.adapters.read_from_file(str(path), rate=25).find_clips()
    assert [frames_of(clip)[0] for clip in clips] == list(range(0, 3000, 2))


def test_nobody_on_screen_leaves_valid_timelines(film_at, files_of):
    film = film_at(NTSC, 10)
    written = export_film(film, files_of(film), formats=EDITING)
    assert written["edl"].read_text() == "TITLE: film\nFCM: DROP FRAME\n\n"
    assert not otio.adapters.read_from_file(str(written["edl"]), rate=float(NTSC)).find_clips()
    timeline = otio.adapters.read_from_file(str(written["otio"]))
    assert [track.name for track in timeline.tracks] == ["film"] and timeline.duration().value == 10
    root = ElementTree.parse(written["fcpxml"]).getroot()
    check_structure(root)
    assert not list(root.iter("keyword"))


def test_a_film_with_sound_brings_it_along_and_stacked_clips_are_silent(film_at, files_of):
    film = film_at(25, 25, sound=True)
    written = export_film(film, files_of(film, ("Ada", 0, 9)), formats=["otio", "fcpxml"])
    timeline = otio.adapters.read_from_file(str(written["otio"]))
    assert [track.kind for track in timeline.tracks] == ["Video", "Audio", "Video"]
    root = ElementTree.parse(written["fcpxml"]).getroot()
    assert root.find("resources/asset").get("hasAudio") == "1"
    assert root.find("event/project/sequence/spine/asset-clip/asset-clip").get("srcEnable") == "video"


def test_a_variable_rate_is_conformed_and_overlaps_nowhere(film_at, files_of):
    ticks = [0, 33, 67, 100, 350, 383, 417, 450, 600, 633, 667, 700]
    film = film_at(30, ticks=ticks, time_base=Fraction(1, 1000))
    files = files_of(film, ("Ada", 0, 3), ("Grace", 4, 7), ("Ada", 8, 11))
    written = export_film(film, files, formats=EDITING, longest_gap=0.0)
    # Each begins and ends at the frame of 1/30 second that is nearest to its time.
    assert events(written["edl"]) == [
        ("FILM    ", "00:00:00:00", "00:00:00:11", "00:00:00:00", "00:00:00:11"),
        ("FILM    ", "00:00:00:11", "00:00:00:18", "00:00:00:11", "00:00:00:18"),
        ("FILM    ", "00:00:00:18", "00:00:00:22", "00:00:00:18", "00:00:00:22"),
    ]
    timeline = otio.adapters.read_from_file(str(written["otio"]))
    assert [frames_of(clip) for clip in timeline.tracks[1] if isinstance(clip, otio.schema.Clip)] == [(0, 11), (18, 22)]


def test_a_frame_at_120_a_second_lasts_at_least_one_frame_of_the_timeline(film_at, files_of):
    film = film_at(120, 120)
    table = pd.read_csv(export_film(film, files_of(film, ("Ada", 3, 3)), formats=["csv"])["csv"])
    assert (table["timeline_end"] - table["timeline_start"]).tolist() == [1]
    assert (table["end"] - table["start"]).tolist() == pytest.approx([1 / 120], abs=2e-6)


@pytest.mark.parametrize(("rate", "drop"), [(25, False), (NTSC, True)])
def test_an_edit_decision_list_is_as_opentimelineios_adapter_writes_it(film_at, files_of, rate, drop):
    film = film_at(rate, 2000, name="Ein Film.mp4", timecode="01:00:00:00")
    files = files_of(film, *SPANS, ("山田太郎", 120, 1500), ("a" * 200, 1990, 1999))
    path = export_film(film, files, formats=["edl"], longest_gap=0.0, drop_frame=drop)["edl"]
    read = otio.adapters.read_from_file(str(path), rate=float(rate))
    head, written = path.read_text("utf-8").split("\n\n", 1)
    assert head == f"TITLE: Ein Film\nFCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}"
    read.name = ""  # the adapter writes it, and no mode
    assert written.count("V     C") == 7
    assert otio.adapters.write_to_string(read, "cmx_3600", rate=float(rate)) == written


@pytest.mark.real_data
def test_the_shots_of_a_real_scene(shared_data, files_of):
    film = shared_data / "sitcom" / "videos" / "scene_a.mp4"
    lines = (shared_data / "sitcom" / "truth" / "scene_a.shots").read_text().splitlines()
    shots = [tuple(int(number) for number in line.split()) for line in lines if line.strip()]
    files = files_of(film, *((f"Shot {i}", *shot) for i, shot in enumerate(shots)))
    path = export_film(film, files, formats=["edl"], address="https://example.org/scene.mp4")["edl"]
    clips = list(otio.adapters.read_from_file(str(path), rate=float(NTSC_FILM)).tracks[0])
    assert [frames_of(clip) for clip in clips] == [(first, last + 1) for first, last in shots]
    assert {clip.media_reference.target_url for clip in clips} == {"https://example.org/scene.mp4"}
