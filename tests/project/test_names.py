"""Which names a person can have, and which known ones are nearly the same."""

from __future__ import annotations

import unicodedata

import pytest

from facelib.project.names import checked_name, is_reserved, known_name, near_names
from facelib.project.wording import isolated

CAST = ["Ada Lovelace", "Grace Hopper", "Harrison Ford", "Renée Zellweger", "Tom", "Ann", "Anna"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Ada Lovelace", []),  # known letter by letter
        ("ada  lovelace", [("Ada Lovelace", "same")]),
        ("Renee Zellweger", [("Renée Zellweger", "same")]),
        (unicodedata.normalize("NFD", "Renée Zellweger"), [("Renée Zellweger", "same")]),
        ("Lovelace, Ada", [("Ada Lovelace", "order")]),
        ("Harison Ford", [("Harrison Ford", "spelling")]),
        ("Harrisson Ford", [("Harrison Ford", "spelling")]),
        ("Hoper Grace", [("Grace Hopper", "spelling")]),  # swapped and misspelt
        ("Tob", []),  # three letters tell nothing
        ("Harrison Smith", []),
        ("Ana", []),
        ("", []),
    ],
)
def test_near_names(name: str, found: list[tuple[str, str]]) -> None:
    assert [(near.name, near.likeness) for near in near_names(name, CAST)] == found


@pytest.mark.parametrize(
    "name",
    [
        "unknown",
        "UNKNOWN",
        "Unknown 1",
        "unknown  12",
        unicodedata.normalize("NFKC", "unknown 3"),
        "Not A Face",
        "unknown \uff13",
    ],
)
def test_answers_of_their_own_are_nobodys_names(name: str) -> None:
    assert is_reserved(name)
    with pytest.raises(ValueError, match="a reserved name"):
        checked_name(name)


@pytest.mark.parametrize("name", ["Unknown Soldier", "Unknown 1 A", "Face"])
def test_names_that_only_look_like_answers_are_taken(name: str) -> None:
    assert checked_name(name) == name


def test_a_name_copied_from_a_page_is_the_same_name() -> None:
    shown = isolated("\u05d3\u05d5\u05d3 97 %").removesuffix(" 97 %")
    assert len(shown) == 5
    assert checked_name(shown) == "\u05d3\u05d5\u05d3"


def test_a_known_name_is_taken_as_it_is_spelt() -> None:
    assert known_name(" RENÉE zellweger", CAST) == "Renée Zellweger"
    assert known_name("Renee  Witherspoon", CAST) == "Renee Witherspoon"
