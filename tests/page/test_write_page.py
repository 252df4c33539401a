"""The page's files say what the tables say, whatever people and films are called."""

from __future__ import annotations

import json
import os
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelib.films.exports import exact_appearances, read_clock
from facelib.page import data as page_data
from facelib.page import write_page
from facelib.page.bundle import bundle
from facelib.page.film import natural
from facelib.page.write import write_reports
from facelib.project import write_table

from .conftest import Square
from .reading import all_boxes, frame_times, read_script, unpacked

HOSTILE = [
    "</script><script>alert(1)</script>",
    '=HYPERLINK("x")',
    "\u202eevil\u202c",
    "שלום עולם",
    "A & <b>B</b>",
    "\u2028",
]
VARIABLE = np.cumsum([0.04, 0.04, 0.12, 0.02, 0.08] * 20).tolist()


def squares(*names: str) -> list[Square]:
    return [Square(name, 10 * i, 10 * i + 30, (20, 30), (200, 120)) for i, name in enumerate(names)]


def test_film_data_equal_the_tables(make_squares):
    project = make_squares({"a.mp4": squares("Ada", "Bo", "Ada")}, times=VARIABLE)
    write_page(project, progress=False)
    files = project.film("a.mp4")
    key, film = read_script(files.page_data)
    assert key == "film a"
    assert np.abs(frame_times(film) - read_clock(project.videos / "a.mp4").times).max() < 1e-6
    tracks = pd.read_parquet(files.tracks)
    assert unpacked(film["tracks"]["track"]).tolist() == tracks["track"].tolist()
    assert unpacked(film["tracks"]["first"]).tolist() == tracks["start_frame"].tolist()
    assert unpacked(film["tracks"]["last"]).tolist() == tracks["end_frame"].tolist()
    names = [film["labels"][i]["name"] for i in unpacked(film["tracks"]["label"])]
    assert names == tracks["person"].tolist()
    assert np.allclose(unpacked(film["tracks"]["confidence"]), tracks["confidence"])
    boxes = all_boxes(film)
    detections = pd.read_parquet(files.detections)
    assert set(boxes) == set(zip(detections["track"], detections["frame"], strict=True))
    for row in detections.itertuples():
        assert np.abs(boxes[row.track, row.frame] - [row.left, row.top, row.right, row.bottom]).max() <= 0.5


def test_project_data_equal_the_exact_appearances(make_squares):
    project = make_squares({"a.mp4": squares("Ada", "Bo"), "b.mp4": squares("Bo")}, cast=["Cy"])
    write_page(project, progress=False)
    _, data = read_script(project.page_data)
    assert [person["name"] for person in data["people"]] == ["Ada", "Bo", "Cy"]
    for entry in data["films"]:
        film = project.videos / f"{entry['id']}.mp4"
        exact = exact_appearances(pd.read_parquet(project.film(film).tracks), read_clock(film), unknown=True)
        stretches = entry["stretches"]
        names = [data["people"][i]["name"] for i in unpacked(stretches["person"])]
        assert names == exact["person"].tolist()
        assert unpacked(stretches["start"]).tolist() == exact["start"].tolist()
        assert unpacked(stretches["end"]).tolist() == exact["end"].tolist()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_data_and_never_markup(make_squares, name):
    project = make_squares({"a & b's 50%.mp4": squares(name)}, name="x <b>&amp;")
    text = write_page(project, progress=False).read_text(encoding="utf-8")
    assert "x &lt;b&gt;&amp;amp;" in text
    assert text.count("<script") == text.count("</script") == 1
    _, data = read_script(project.page_data)
    assert name in [person["name"] for person in data["people"]]
    for path in (project.page_data, project.film("a & b's 50%.mp4").page_data):
        assert "<" not in path.read_text(encoding="utf-8")
    # The address of the film leads to it from the page.
    film = read_script(project.film("a & b's 50%.mp4").page_data)[1]
    assert film["sources"][0]["href"].endswith("/videos/a%20%26%20b%27s%2050%25.mp4")


def test_unknown_people_have_groups_and_faces_that_are_none_are_left_out(make_squares):
    shown = [
        Square("unknown", 0, 9, cluster="Unknown 2"),
        Square("unknown", 20, 29, cluster="Unknown 10"),
        Square("unknown", 40, 49),
        Square("not a face", 60, 69),
        Square("Ada", 80, 89),
    ]
    project = make_squares({"a.mp4": shown})
    write_page(project, progress=False)
    _, film = read_script(project.film("a.mp4").page_data)
    assert [(label["name"], label["kind"]) for label in film["labels"]] == [
        ("Ada", "cast"),
        ("Unknown 2", "group"),
        ("Unknown 10", "group"),
        ("unknown", "unknown"),
    ]
    assert unpacked(film["tracks"]["track"]).tolist() == [0, 1, 2, 4]


def test_a_film_without_anybody_is_shown_too(make_squares):
    project = make_squares({"a.mp4": squares("Ada")})
    files = project.film("a.mp4")
    for path in (files.tracks, files.detections):
        write_table(pd.read_parquet(path).iloc[:0], path)
    write_page(project, progress=False)
    assert unpacked(read_script(files.page_data)[1]["tracks"]["track"]).tolist() == []


def test_without_tables_it_says_what_to_run(make_squares):
    with pytest.raises(FileNotFoundError, match="run 05_annotate_video first"):
        write_page(make_squares({}), progress=False)


@pytest.mark.parametrize("harm", ["detections cut", "tracks cut", "looks within", "no detections", "film replaced"])
def test_a_film_without_whole_tables_of_its_own_is_left_out(make_squares, caplog, harm):
    project = make_squares({"a.mp4": squares("Ada"), "b.mp4": squares("Bo")})
    files, kind = project.film("b.mp4"), harm.split()[0]
    if kind == "no":
        files.detections.unlink()
    elif kind == "film":
        files.followed.write_text(json.dumps({"made": {"film": "another"}}))
    else:
        path = getattr(files, kind)
        content = path.read_bytes()
        path.write_bytes(content[:-20] if harm != "looks within" else content[:4] + bytes(90) + content[94:])
    write_page(project, progress=False)
    assert project.film("a.mp4").page_data.is_file() and not project.film("b.mp4").page_data.exists()
    assert [text.partition(":")[0] for text in caplog.messages] == ["b.mp4 is left out of the page"]


def test_a_damaged_picture_of_a_face_stays_grey(make_squares):
    project = make_squares({"a.mp4": squares("Ada")}, cast=["Ada"])
    files = project.film("a.mp4")
    looks = pd.read_parquet(files.looks)
    write_table(looks.assign(picture=b"no JPEG"), files.looks)
    write_page(project, progress=False)
    with Image.open(files.page_data.parent / "faces-0.jpg") as sheet:
        assert np.unique(np.asarray(sheet)).tolist() == [128]


def test_only_films_that_changed_are_written_anew(make_squares):
    project = make_squares({"a.mp4": squares("Ada"), "b.mp4": squares("Bo")})
    write_page(project, progress=False)
    times = {film: project.film(film).page_data.stat().st_mtime_ns for film in ("a.mp4", "b.mp4")}
    tracks = pd.read_parquet(project.film("b.mp4").tracks)
    write_table(tracks.assign(person="Cy"), project.film("b.mp4").tracks)
    write_page(project, progress=False)
    changed = [film for film, time in times.items() if project.film(film).page_data.stat().st_mtime_ns != time]
    assert changed == ["b.mp4"]
    assert read_script(project.film("b.mp4").page_data)[1]["labels"] == [{"name": "Cy", "kind": "cast"}]


def test_names_that_change_while_the_page_is_written_are_on_the_next_one(make_squares, monkeypatch):
    project = make_squares({"a.mp4": squares("Ada")})
    tracks, read = project.film("a.mp4").tracks, page_data.read_without_embeddings

    def read_before(path):
        found = read(path)
        monkeypatch.undo()
        write_table(pd.read_parquet(tracks).assign(person="Cy"), tracks)
        return found

    monkeypatch.setattr(page_data, "read_without_embeddings", read_before)
    for name in ("Ada", "Cy"):
        write_page(project, progress=False)
        assert [one["name"] for one in read_script(project.film("a.mp4").page_data)[1]["labels"]] == [name]


def test_scripts_that_were_cut_short_are_written_anew(make_squares, caplog):
    project = make_squares({"a.mp4": squares("Ada")})
    write_page(project, progress=False)
    film, page = project.film("a.mp4").page_data, project.page_data
    whole = film.read_bytes(), page.read_bytes()
    for path, content in zip((film, page), whole, strict=True):
        path.write_bytes(content[:-40])
    write_reports(project)  # at the end of any run, which it must not stop
    assert f"facelib page --project {project.name}" in caplog.text
    write_page(project, progress=False)
    assert (film.read_bytes(), page.read_bytes()) == whole


def test_films_that_browsers_cannot_play_fall_back_on_the_annotated_one(make_squares):
    project = make_squares({"a.mkv": squares("Ada")})
    files = project.film("a.mkv")
    os.link(project.videos / "a.mkv", files.annotated)
    write_page(project, progress=False)
    sources = read_script(files.page_data)[1]["sources"]
    assert [link["title"] for link in sources] == ["annotated"]
    assert sources[0]["href"] == "videos/a/annotated.mp4"


def test_a_film_that_is_gone_is_shown_by_its_annotated_copy(make_squares):
    project = make_squares({"a.mp4": squares("Ada")})
    films = project.find_videos()
    films[0].rename(project.film(films[0]).annotated)
    write_page(project, films, progress=False)
    assert len(read_script(project.page_data)[1]["films"]) == 1


@pytest.mark.parametrize("damaged", ["film", "annotated"])
@pytest.mark.parametrize("content", [b"", b"no film at all"])
def test_a_film_that_was_damaged_since_is_shown_by_the_other_copy(make_squares, damaged, content):
    project = make_squares({"a.mp4": squares("Ada")})
    film = project.find_videos()[0]
    files = project.film(film)
    shutil.copy(film, files.annotated)
    (film if damaged == "film" else files.annotated).write_bytes(content)
    write_page(project, [film], progress=False)
    kinds = [one["title"] for one in read_script(files.page_data)[1]["sources"]]
    assert kinds == (["annotated"] if damaged == "film" else ["source"])


def test_modules_keep_to_what_can_be_joined():
    script = bundle("page_files.js")
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert script.index("// unpack.js") < script.index("// film.js") < script.index("// app.js")
    json.dumps(script)


def test_numbers_in_names_count():
    assert sorted(["b 2", "b 10", "b", "b ²", "a 3"], key=natural) == ["a 3", "b", "b 2", "b 10", "b ²"]
