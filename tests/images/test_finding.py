"""Pictures below a folder: told by suffix or content; everything else is listed, but for the system's own files."""

import os
from pathlib import Path

import numpy as np
import pytest

from facelib.images import encode_jpeg, find_pictures_below, is_ignored

JPEG = encode_jpeg(np.full((8, 8, 3), 90, np.uint8))


def put(path: Path, content: bytes = JPEG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found(folder: Path) -> tuple[list[str], dict[str, str]]:
    below = find_pictures_below(folder)
    return [str(path.relative_to(folder)) for path in below.pictures], {
        str(path.relative_to(folder)): reason for path, reason in below.left_out
    }


def test_an_empty_folder_holds_nothing(tmp_path):
    assert found(tmp_path) == ([], {})


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        find_pictures_below(tmp_path / "nowhere")


def test_everything_is_either_taken_or_listed(tmp_path):
    for name in ("1.jpg", "2.JFIF", "3", "4.txt", "2011/5.jpeg", "2011/summer/6.png"):  # content tells, at any depth
        put(tmp_path / name)
    put(tmp_path / "notes.md", b"whom to ask")
    put(tmp_path / "broken.jpg", b"")  # called a picture: the reader says what is wrong with it
    for name in (".hidden.jpg", "@eaDir/1.jpg", "__MACOSX/._1.jpg", "Thumbs.db", "$RECYCLE.BIN/x.jpg", ".git/y.png"):
        put(tmp_path / name)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    pictures, left_out = found(tmp_path)
    assert pictures == ["1.jpg", "2.JFIF", "2011/5.jpeg", "2011/summer/6.png", "3", "4.txt", "broken.jpg"]
    assert left_out == {"notes.md": "not a picture", "gone.jpg": "a broken link", "pipe": "not a file"}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("portrait.jxl", b"\xff\x0a\x00\x10", "a JPEG XL picture"),
        ("portrait", b"\0\0\0\x0cJXL \r\n\x87\n and more", "a JPEG XL picture"),
        ("scan.pdf", b"%PDF-1.7\n", "a PDF document"),
        ("logo.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript drawing"),
        ("logo.svg", b"<?xml version='1.0'?><svg/>", "an SVG drawing"),
        ("IMG_1.CR3", b"\0\0\0\x18ftypcrx ", "a raw picture of a camera"),
        ("DSCF1.raf", b"FUJIFILMCCD-RAW 0201", "a raw picture of a camera"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, kind):
    put(tmp_path / name, content)
    assert found(tmp_path) == ([], {name: f"{kind}, which cannot be read: save it as JPEG"})


def test_links_that_lead_back_are_followed_once(tmp_path):
    put(tmp_path / "a" / "1.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    pictures, left_out = found(tmp_path)
    assert pictures == ["a/1.jpg"]
    assert left_out == {"a/loop": "a link to a folder above it", "b": "a link to a folder that is read already"}


def test_a_link_to_a_folder_above_the_one_searched_brings_nothing_in(tmp_path):
    put(tmp_path / "Ada" / "1.jpg")
    put(tmp_path / "Grace" / "2.jpg")
    (tmp_path / "Ada" / "loop").symlink_to("..")
    pictures, left_out = found(tmp_path / "Ada")
    assert (pictures, left_out) == (["1.jpg"], {"loop": "a link to a folder above it"})


def test_names_that_are_not_text_are_taken(tmp_path):
    path = os.fsencode(tmp_path) + b"/ren\xe9e.jpg"
    Path(os.fsdecode(path)).write_bytes(JPEG)
    assert [os.fsencode(one) for one in find_pictures_below(tmp_path).pictures] == [path]


@pytest.mark.parametrize(
    ("name", "ignored"),
    [("", False), (".x", True), ("@eadir", True), ("LOST+FOUND", True), ("Icon\r", True), ("Iconic", False)],
)
def test_what_belongs_to_the_system(name, ignored):
    assert is_ignored(name) == ignored
