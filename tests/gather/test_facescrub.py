import hashlib
import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage

import facelib
from facelib.gather.facescrub import LIST_COLUMNS, fetch_facescrub, read_facescrub
from tests.waiting import kill_once

from ..bombs import bomb
from .conftest import endless, picture_bytes, sends
from .test_crops import contents

HEAD = "name\timage_id\tface_id\turl\tbbox\tsha256"
BOX = (20, 10, 60, 50)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def write_list(path, rows):
    """Write a list: person, number, address, box, sha256 of each row."""
    lines = [f"{name}\t{number}\t{number + 1000}\t{url}\t{box}\t{sha}" for name, number, url, box, sha in rows]
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def faces(site, tmp_path):
    """A list of four pictures of two people, all of which are there."""
    rows = []
    for number, person in enumerate(["Ada Lovelace", "Grace Hopper", "Ada Lovelace", "Ada Lovelace"]):
        content = picture_bytes(number, size=(200, 160))
        address = site.put(f"/{number}.jpg", sends(content))
        rows.append((person, number, address, ",".join(map(str, BOX)), digest(content)))
    return write_list(tmp_path / "facescrub.txt", rows)


def fetch(path, destination, limits, **options):
    return fetch_facescrub(path, destination, limits=limits, progress=False, **options)


def test_a_list_is_read(faces):
    table = read_facescrub(faces)
    assert list(table.columns) == LIST_COLUMNS
    assert table["person"].tolist() == ["Ada Lovelace", "Grace Hopper", "Ada Lovelace", "Ada Lovelace"]
    assert table[["left", "top", "right", "bottom"]].to_numpy().tolist() == [list(BOX)] * 4
    assert table["reason"].tolist() == [""] * 4


@pytest.mark.parametrize(
    ("box", "sha256", "number", "message"),
    [
        ("1,2,3", "a" * 64, "1", "left,top,right,bottom"),
        ("5,5,5,9", "a" * 64, "1", "left,top,right,bottom"),
        ("a,b,c,d", "a" * 64, "1", "left,top,right,bottom"),
        ("", "a" * 64, "1", "left,top,right,bottom"),
        ("1,2,3,4", "abc", "1", "sha256 of 64"),
        ("1,2,3,4", "a" * 64, "../1", "expected numbers"),
    ],
)
def test_rows_that_cannot_be_used_say_why(tmp_path, box, sha256, number, message):
    (tmp_path / "list.txt").write_text(f"{HEAD}\nAda\t{number}\t2\thttp://example.org/1.jpg\t{box}\t{sha256}\n")
    assert message in read_facescrub(tmp_path / "list.txt")["reason"].item()
    table = fetch_facescrub(tmp_path / "list.txt", tmp_path / "people", progress=False)
    assert message in table["reason"].item()


def test_an_empty_list_and_no_list(tmp_path):
    assert read_facescrub(write_list(tmp_path / "empty.txt", [])).empty
    assert fetch_facescrub(tmp_path / "empty.txt", tmp_path / "people", progress=False).empty
    (tmp_path / "other.txt").write_text("name,url\nAda,http://example.org/1.jpg\n")
    with pytest.raises(ValueError, match=r"separated by tabs.*found none called \['name'"):
        read_facescrub(tmp_path / "other.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ValueError, match="UTF-8"):
        read_facescrub(tmp_path / "bytes.txt")
    with pytest.raises(FileNotFoundError, match="found no file"):
        read_facescrub(tmp_path / "none.txt")


def test_the_listed_face_of_each_picture_is_kept(faces, tmp_path, limits):
    table = fetch(faces, tmp_path / "people", limits, margin=0.25)
    assert table["reason"].tolist() == [""] * 4
    assert sorted(table["picture"]) == [
        "Ada Lovelace/facescrub 0-1000.png",
        "Ada Lovelace/facescrub 2-1002.png",
        "Ada Lovelace/facescrub 3-1003.png",
        "Grace Hopper/facescrub 1-1001.png",
    ]
    with PillowImage.open(io.BytesIO(picture_bytes(0, size=(200, 160)))) as picture:
        expected = np.asarray(picture)[0:60, 10:70]  # 40 pixels, and 10 on each side
    assert np.array_equal(facelib.read_image(tmp_path / "people/Ada Lovelace/facescrub 0-1000.png"), expected)


def test_whole_pictures_are_kept_as_they_came(faces, tmp_path, limits):
    fetch(faces, tmp_path / "people", limits, margin=None, people=["Grace Hopper"])
    kept = {name: content for name, content in contents(tmp_path / "people").items() if name != "facescrub.csv"}
    assert kept == {"Grace Hopper/facescrub 1-1001.jpg": picture_bytes(1, size=(200, 160))}


def test_nothing_is_asked_for_twice(faces, tmp_path, limits, site):
    first = fetch(faces, tmp_path / "people", limits)
    asked = len(site.asked)
    (tmp_path / "people" / first["picture"].iloc[0]).unlink()
    again = fetch(faces, tmp_path / "people", limits)
    assert len(site.asked) == asked == 4
    assert again["picture"].tolist() == ["", *first["picture"].iloc[1:]]
    assert again["reason"].iloc[0].startswith("taken away since")


def test_as_many_as_wanted_are_fetched_of_each(faces, tmp_path, limits, site):
    table = fetch(faces, tmp_path / "people", limits, most_per_person=1)
    assert table["source"].str[-6:].tolist() == ["/0.jpg", "/1.jpg"]
    again = fetch(faces, tmp_path / "people", limits, most_per_person=2)
    assert again["source"].str[-6:].tolist() == ["/0.jpg", "/2.jpg", "/1.jpg"]


def test_somebody_who_is_not_on_the_list_is_told(faces, tmp_path, limits):
    with pytest.raises(ValueError, match=r"nobody called \['Alan'\]"):
        fetch(faces, tmp_path / "people", limits, people=["Ada Lovelace", "Alan"])


def test_bad_answers_are_listed_and_the_good_ones_kept(tmp_path, limits, site):
    good, other, page = picture_bytes(1), picture_bytes(2), b"<html>gone</html>"
    box, huge = "10,10,50,50", bomb(50_000, 50_000)
    rows = [
        ("Ada", 0, site.put("/good", sends(good, kind="text/html")), box, digest(good)),
        ("Ada", 1, site.put("/other", sends(other)), box, digest(good)),
        ("Ada", 2, site.address("/gone"), box, digest(good)),
        ("Ada", 3, site.put("/page", sends(page)), box, digest(page)),
        ("Ada", 4, site.put("/huge", sends(huge, kind="image/png")), box, digest(huge)),
        ("Ada", 5, site.put("/endless", endless), box, digest(good)),
        ("Ada", 6, site.put("/far", sends(other)), "500,500,600,600", digest(other)),
        ("Ada", 7, "file:///etc/passwd", box, digest(good)),
        ("../Ada", 8, site.put("/climbs", sends(good)), box, digest(good)),
    ]
    table = fetch(write_list(tmp_path / "list.txt", rows), tmp_path / "people", limits)
    reasons = dict(zip(table["source"].str.rpartition("/")[2], table["reason"], strict=True))
    said = {
        "good": "", "other": "another file than the listed one", "gone": "404", "page": "not a picture",
        "huge": "too large", "endless": "larger than 20 MB", "far": "outside of the picture",
        "passwd": "expected an http(s) address", "climbs": "expected a name that a folder can have",
    }  # fmt: skip
    assert set(reasons) == set(said)
    assert [name for name, part in said.items() if part not in reasons[name]] == []
    assert sorted(contents(tmp_path / "people")) == ["Ada/facescrub 0-1000.png", "facescrub.csv"]
    assert not (tmp_path / "Ada").exists()


def test_what_failed_is_asked_for_again_only_when_told_to(tmp_path, limits, site):
    content = picture_bytes(1)
    path = write_list(tmp_path / "l.txt", [("Ada", 1, site.address("/late.jpg"), "9,9,50,50", digest(content))])
    assert "404 Not Found" in fetch(path, tmp_path / "people", limits)["reason"].item()
    site.put("/late.jpg", sends(content))
    assert "404 Not Found" in fetch(path, tmp_path / "people", limits)["reason"].item()
    assert fetch(path, tmp_path / "people", limits, try_again=True)["reason"].item() == ""
    assert "404 Not Found" not in (tmp_path / "people" / "facescrub.csv").read_text()


def test_private_machines_are_not_asked(faces, tmp_path, site):
    table = fetch_facescrub(faces, tmp_path / "people", progress=False)
    assert table["reason"].str.contains("public internet").all()
    assert site.asked == []


def test_killed_and_run_again_it_leaves_what_an_unbroken_run_does(faces, tmp_path, limits, site):
    fetch(faces, tmp_path / "whole", limits)
    code = (
        "import sys; from facelib.gather.facescrub import fetch_facescrub\n"
        "from facelib.gather.sources import WebLimits\n"
        "fetch_facescrub(*sys.argv[1:], limits=WebLimits(private=True), progress=False)"
    )
    held = site.answers["/3.jpg"]
    site.put("/3.jpg", lambda asked: site.stall(asked, b"", 100))
    running = subprocess.Popen([sys.executable, "-c", code, faces, tmp_path / "broken"])
    kill_once(lambda: any((tmp_path / "broken").rglob("facescrub 2-1002.png")), running)
    site.put("/3.jpg", held)
    table = fetch(faces, tmp_path / "broken", limits)
    assert table["reason"].tolist() == [""] * 4
    whole, broken = contents(tmp_path / "whole"), contents(tmp_path / "broken")
    listed = [pd.read_csv(io.BytesIO(one.pop("facescrub.csv"))).drop(columns="when") for one in (whole, broken)]
    assert broken == whole
    assert listed[0].equals(listed[1])
