"""Exports as a whole: what is written where, and tables, graph and MOTChallenge text read again."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import networkx as nx
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rdflib import Graph
from trackers.io.mot import load_mot_file

from facelib.films.exports import FORMATS, export_film
from facelib.films.exports.mot import names_beside
from facelib.project import FilmFiles


@pytest.fixture
def scene(film_at, files_of):
    """Two of the cast, two unknown people of whom one is in a group, and a lamp; 50 frames, 25 a second."""
    film = film_at(25, 50)
    return film, files_of(
        film,
        ("Ada", 0, 19),
        ("Grace", 10, 19),
        ("Ada", 20, 29),
        ("unknown", 0, 9, "Unknown 1"),
        ("unknown", 30, 39),
        ("not a face", 0, 49, "Unknown 2"),
    )


def test_all_formats_are_written_into_the_folder_of_exports(scene):
    film, files = scene
    written = export_film(film, files)
    assert tuple(written) == FORMATS
    assert all(path.parent == files.exports and path.stat().st_size for path in written.values())
    names = {path.name for path in files.exports.iterdir()}
    assert names == {path.name for path in written.values()} | {"mot_names.csv"}  # and nothing half written


def test_only_the_formats_asked_for_are_written(scene):
    film, files = scene
    assert list(export_film(film, files, formats=["srt", "csv"])) == ["srt", "csv"]
    assert sorted(path.name for path in files.exports.iterdir()) == ["appearances.csv", "people.srt"]


def test_two_exports_of_the_same_tables_are_the_same(scene):
    film, files = scene
    first = {name: path.read_bytes() for name, path in export_film(film, files).items()}
    second = {name: path.read_bytes() for name, path in export_film(film, files).items()}
    assert first == second


def test_a_wrong_format_and_missing_tracks_say_what_to_do(scene, tmp_path):
    film, files = scene
    with pytest.raises(ValueError, match=r"csv, json.*'docx'"):
        export_film(film, files, formats=["docx"])
    with pytest.raises(FileNotFoundError, match="05_annotate_video"):
        export_film(film, FilmFiles(tmp_path / "nothing"))
    assert not files.exports.exists()


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        # Ends are those of the last frame: 30 frames are 1.2 seconds, not 1.16.
        (False, [("Ada", 0.0, 1.2, 0, 29, 0, 30, "0 2"), ("Grace", 0.4, 0.8, 10, 19, 10, 20, "1")]),
        (
            True,
            [
                ("Ada", 0.0, 1.2, 0, 29, 0, 30, "0 2"),
                ("Unknown 1", 0.0, 0.4, 0, 9, 0, 10, "3"),
                ("Grace", 0.4, 0.8, 10, 19, 10, 20, "1"),
            ],
        ),
    ],
)
def test_tables_are_exact_to_the_frame(scene, unknown, expected):
    film, files = scene
    written = export_film(film, files, formats=["csv", "json", "parquet"], unknown=unknown)
    columns = ["person", "start", "end", "start_frame", "end_frame", "timeline_start", "timeline_end", "tracks"]
    tables = [
        pd.read_csv(written["csv"], dtype={"tracks": str}),
        pq.read_table(written["parquet"]).to_pandas(),
        pd.DataFrame(json.loads(written["json"].read_text("utf-8"))["appearances"]),
    ]
    for table in tables:
        assert list(table[columns].itertuples(index=False, name=None)) == expected
        assert table["end_timecode"].iloc[0] == "00:00:01.200"


def test_json_tells_the_film_and_who_is_with_whom(scene):
    film, files = scene
    document = json.loads(export_film(film, files, formats=["json"])["json"].read_text("utf-8"))
    assert document["film"] == {
        "name": "film.mp4",
        "address": film.as_uri(),
        "width": 32,
        "height": 24,
        "seconds": 2.0,
        "frames": 50,
        "constant_rate": True,
        "timeline_rate": "25/1",
    }
    assert [(row["person"], row["seconds"], row["shots"]) for row in document["people"]] == [
        ("Ada", 1.2, 2),
        ("Grace", 0.4, 1),
    ]
    assert document["together"] == [{"person": "Ada", "other": "Grace", "seconds": 0.4, "stretches": 1}]


def test_graphml_keeps_its_attributes(scene):
    film, files = scene
    graph = nx.read_graphml(export_film(film, files, formats=["graphml"], unknown=True)["graphml"])
    assert dict(graph.nodes(data="seconds")) == {"Ada": 1.2, "Grace": 0.4, "Unknown 1": 0.4}
    assert graph.nodes["Ada"]["stretches"] == 1
    edges = {frozenset(edge[:2]): edge[2] for edge in graph.edges(data=True)}
    assert edges == {
        frozenset({"Ada", "Grace"}): {"seconds": 0.4, "stretches": 1},
        frozenset({"Ada", "Unknown 1"}): {"seconds": 0.4, "stretches": 1},
    }


def test_mot_text_has_all_tracks_but_those_that_are_no_faces(scene):
    film, files = scene
    path = export_film(film, files, formats=["mot"])["mot"]
    frames = load_mot_file(path)
    assert sorted(frames) == list(range(1, 41))  # counted from 1; the lamp alone lasts to the end
    assert sorted(frames[1].ids) == [1, 4]
    assert frames[1].boxes[0] == pytest.approx([4.4, 5.6, 8.0, 10.0])
    assert frames[1].confidences[0] == pytest.approx(0.9877)
    assert path.read_text().splitlines()[0] == "1,1,4.4,5.6,8.0,10.0,0.9877,-1,-1,-1"
    names = pd.read_csv(names_beside(path), keep_default_na=False)
    assert names[["id", "person", "cluster"]].to_numpy().tolist() == [
        [1, "Ada", ""],
        [2, "Grace", ""],
        [3, "Ada", ""],
        [4, "unknown", "Unknown 1"],
        [5, "unknown", ""],
    ]


def test_a_shot_whose_boxes_are_stored_in_pieces_is_exported_as_a_whole(scene):
    film, files = scene
    boxes = pd.read_parquet(files.detections).assign(shot=0)
    exports = []
    for rows in (len(boxes), 7):
        boxes.to_parquet(files.detections, row_group_size=rows)
        written = export_film(film, files, formats=["mot", "annotations", "iiif"])
        exports.append({name: path.read_bytes() for name, path in written.items()})
    assert exports[0] == exports[1]


def test_nobody_on_screen_gives_tables_without_rows(film_at, files_of):
    film = film_at(25, 10)
    written = export_film(film, files_of(film))
    csv, parquet = pd.read_csv(written["csv"]), pd.read_parquet(written["parquet"])
    assert list(csv.columns) == list(parquet.columns) and len(csv) == len(parquet) == 0
    assert parquet["start"].dtype == "float64" and parquet["start_frame"].dtype == "int64"
    document = json.loads(written["json"].read_text("utf-8"))
    assert document["people"] == document["together"] == document["appearances"] == []
    assert len(nx.read_graphml(written["graphml"])) == 0
    assert written["mot"].read_bytes() == b"" and len(pd.read_csv(names_beside(written["mot"]))) == 0


def test_awkward_names_survive_in_tables_and_graph(film_at, files_of, awkward_names):
    film = film_at(25, 50)
    written = export_film(film, files_of(film, *((name, 5 * i, 5 * i + 6) for i, name in enumerate(awkward_names))))
    text = {"person": str, "tracks": str}
    assert pd.read_csv(written["csv"], dtype=text)["person"].tolist() == awkward_names
    assert pd.read_parquet(written["parquet"])["person"].tolist() == awkward_names
    document = json.loads(written["json"].read_text("utf-8"))
    assert [row["person"] for row in document["appearances"]] == awkward_names
    one_line = {" ".join(name.split()) for name in awkward_names}
    assert set(nx.read_graphml(written["graphml"])) == one_line
    assert pd.read_csv(names_beside(written["mot"]), dtype=text)["person"].tolist() == awkward_names


def test_names_that_differ_only_in_control_signs_stay_two_people_in_the_graph(film_at, files_of):
    film = film_at(25, 20)
    files = files_of(film, ("Ada\x07 B", 0, 9), ("Ada B", 0, 9))
    graph = nx.read_graphml(export_film(film, files, formats=["graphml"])["graphml"])
    assert len(graph) == 2 and graph.number_of_edges() == 1


@pytest.mark.parametrize("name", ["x\x7f\x01.mp4", 'a"<b>&\n.mp4', "{}%s#?.mp4", "\ufffe.mp4"])
def test_whatever_a_film_is_called_its_exports_can_be_read(film_in, files_of, tmp_path, name):
    film = film_in(tmp_path, 25, 20, name="plain.mp4").rename(tmp_path / name)
    written = export_film(film, files_of(film, ("Ada", 0, 9)))
    for path in written.values():
        if path.suffix in {".xml", ".fcpxml", ".eaf", ".nfo", ".graphml"}:
            ElementTree.parse(path)
        elif path.suffix in {".json", ".jsonld", ".otio"}:
            json.loads(path.read_text("utf-8"))
    assert Graph().parse(written["ebucore"], format="turtle")


@pytest.mark.real_data
def test_a_real_film_with_its_truth_as_tracks(shared_data, files_of):
    """Every labelled face of two seconds and more comes back from MOTChallenge text and from the tables."""
    film = shared_data / "film_clips" / "videos" / "marques1.mp4"
    truth = pd.read_csv(shared_data / "film_clips" / "truth" / "marques1.csv")
    spans = truth.groupby("person")["frame"].agg(["min", "max"])
    files = files_of(film, *((str(person), int(row["min"]), int(row["max"])) for person, row in spans.iterrows()))
    written = export_film(film, files)
    table = pd.read_csv(written["csv"])
    cast = spans.drop(index="unknown", errors="ignore")
    assert len(cast) >= 1
    for person, (first, last) in cast.iterrows():
        row = table[table["person"] == person].iloc[0]
        assert (row["start"], row["end"]) == pytest.approx((first / 30, (last + 1) / 30), abs=1e-5)
    assert len(load_mot_file(written["mot"])) == len(set(truth["frame"]))
