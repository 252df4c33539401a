"""Names of files are chosen from what others say, and stay in their folder."""

from __future__ import annotations

import pytest

from facelib.gather.sources.address import film_name, free_name, is_address, redacted

AT = "http://example.org/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("film.mp4", False),
        ("/films/a.mp4", False),
        (r"D:\films\a.mp4", False),
        ("D:/films", False),
        ("http://example.org", True),
        ("ftp://example.org", True),
        ("sparql+https://example.org/sparql#urn:a", True),
        ("urn:film:1", True),
    ],
)
def test_addresses_are_told_from_paths(text, expected):
    assert is_address(text) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # The server's word, in every way of writing it.
        ({"disposition": 'attachment; filename="a b.mkv"'}, "a b.mkv"),
        ({"disposition": "attachment; filename=a.mkv"}, "a.mkv"),
        ({"disposition": "attachment; filename*=UTF-8''%C3%A9t%C3%A9.mkv"}, "été.mkv"),
        ({"disposition": 'attachment; filename="été.mkv"'.encode().decode("latin-1")}, "été.mkv"),
        # It may not lead elsewhere.
        ({"disposition": 'attachment; filename="../../etc/passwd.mp4"'}, "passwd.mp4"),
        ({"disposition": r'attachment; filename="..\\..\\boot.mp4"'}, "boot.mp4"),
        ({"disposition": 'attachment; filename="/"'}, "x.mp4"),
        ({"disposition": 'attachment; filename=".."'}, "x.mp4"),
        ({"disposition": 'attachment; filename=".hidden.mp4"'}, "hidden.mp4"),
        ({"disposition": 'attachment; filename="con.mp4"'}, "_con.mp4"),
        ({"disposition": 'attachment; filename="a\x00b\x1b[31m.mp4"'}, "a b [31m.mp4"),
        ({"disposition": 'attachment; filename="a:b*c?.mp4"'}, "a-b-c-.mp4"),
        # What cannot be read counts as nothing.
        ({"disposition": "attachment; filename*=nonsense''%ff%"}, None),
        ({"disposition": ";;;="}, "x.mp4"),
        ({"disposition": "inline"}, "x.mp4"),
        # The end of the address where it names a film, else the title, else the end of the address.
        ({"address": AT + "a/la%20mer.webm?x=y.avi#t=10"}, "la mer.webm"),
        ({"address": AT + "a%2F..%2Fb.mp4"}, "b.mp4"),
        ({"address": AT + "get?id=1", "title": "Nicht/Doch"}, "Nicht-Doch.mp4"),
        ({"address": AT + "get?id=1", "suffix": ".webm"}, "get.webm"),
        ({"address": AT + "get.php/"}, "get.php.mp4"),
        ({"address": AT}, "film.mp4"),
    ],
)
def test_name_of_a_fetched_film(given, expected):
    name = film_name(**({"address": AT + "x"} | given))
    assert name == expected if expected else "/" not in name and name[0] != "."


def test_long_names_keep_their_end_and_fit_a_file_system():
    name = film_name(AT + "é" * 300 + ".webm")
    assert name.endswith("é.webm")
    assert len(name.encode()) <= 120


def test_films_that_would_share_their_results_get_a_number():
    assert free_name("a.mp4", []) == "a.mp4"
    assert free_name("a.mp4", ["A.webm", "a (2).mp4"]) == "a (3).mp4"


@pytest.mark.parametrize("form", ["http://ann:secret@h/a?b=c", "sparql+https://ann:secret@h/sparql#http://x/y"])
def test_no_password_is_shown(form):
    assert redacted(form) == form.replace("ann:secret@", "")
