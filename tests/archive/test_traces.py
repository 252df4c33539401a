"""Mentions of a name in bytes: found in every spelling, and not inside the names of others."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from facelib.archive.traces import Mentions


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", False),
        ("Al", True),
        ("people/Al/1.jpg,0.3", True),
        ("was Al; is Bo", True),
        ("Alan", False),  # a longer word
        ("Albert Al", True),
        ("Al Pacino", False),  # somebody else
        ("Al Pacino and Al", True),
        (json.dumps("one\nAl"), True),  # behind an escape
        ("people%2FAl%2F1.jpg", True),
        ("signal", False),
        ("ÄAl", False),
    ],
)
def test_a_short_name_is_no_part_of_another(content: str, found: bool) -> None:
    assert Mentions(["Al"], ["Al Pacino", "Bo"]).within(content.encode()) is found


@pytest.mark.parametrize("name", ["Zoë Müller", "O'Brien & Söhne", "Ада Лавлейс", "日本", "a.b*c"])
def test_every_spelling_is_found(name: str) -> None:
    mentions = Mentions([name])
    for text in (name, unicodedata.normalize("NFD", name), json.dumps(name), json.dumps(json.dumps(name))):
        assert mentions.within(f"x {text} y".encode()), text
    assert not mentions.within(b"x somebody y")


def test_lines_and_digests(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("person,n\nAl,1\nAl Pacino,2\n" + "a" * 64 + ",3\n")
    mentions = Mentions(["Al"], ["Al Pacino"], ["a" * 64])
    assert mentions.within_file(path)
    assert mentions.without_lines(path) == b"person,n\nAl Pacino,2\n"
    assert mentions.without_lines(tmp_path / "other.json") is None
    (tmp_path / "empty.csv").touch()
    assert not mentions.within_file(tmp_path / "empty.csv")
    assert not Mentions([]).within(b"anything at all")
