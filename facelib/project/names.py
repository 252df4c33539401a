"""The names of people: which are valid, which are reserved, and which are nearly the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations, count
from typing import Literal

UNKNOWN = "unknown"
"""The answer for a face of nobody in the gallery."""

NOT_A_FACE = "not a face"
"""The name of a track that the user marked as not a face."""

_Likeness = Literal["same", "order", "spelling"]
"""How two names match: up to case, accents, spaces and Unicode form; with words swapped; up to a letter or two."""

_LEAST_ALIKE = 0.8
_ISOLATES = dict.fromkeys(map(ord, "\u2068\u2069"))  # of `wording.isolated`: a name copied from a page brings them
_JOINER = re.compile("[\u200c\u200d]")  # in Persian and Sinhala names, and in joined emoji
_LONGEST = 200  # bytes, as file systems allow 255 and a suffix may come


def is_group(label: str) -> bool:
    """Return whether a name is that of a group of unknown people, such as `Unknown 2`.

    Examples:
        >>> is_group("Unknown 2"), is_group("Unknown Soldier")
        (True, False)
    """
    return group_number(label) > 0


def group_number(label: str) -> int:
    """Return the number of a group such as `Unknown 2`, and 0 for every other name."""
    start, _, number = label.partition(" ")
    return int(number) if start == "Unknown" and number.isascii() and number.isdigit() else 0


def free_groups(taken: Collection[str]) -> Iterator[str]:
    """Yield the names that groups of unknown people may still get, without end.

    Examples:
        >>> names = free_groups({"Unknown 1"})
        >>> next(names), next(names)
        ('Unknown 2', 'Unknown 3')
    """
    return (name for name in (f"Unknown {number}" for number in count(1)) if name not in taken)


def is_proposed(name: str) -> bool:
    """Return whether a person found in films still has the name that facelib proposed, such as `Person 2`."""
    return re.fullmatch(r"Person \d+", name) is not None


def reserved_label(name: str) -> str:
    """Return a reserved name as facelib writes it, however it is spelt; empty for every other name.

    Examples:
        >>> [reserved_label(name) for name in ("UNKNOWN", "not  a Face", "unknown 02", "Ada")]
        ['unknown', 'not a face', 'Unknown 2', '']
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    start, _, number = plain.partition(" ")
    if plain in {UNKNOWN, NOT_A_FACE}:
        return plain
    return f"Unknown {int(number)}" if start == UNKNOWN and number.isdecimal() else ""


def is_reserved(name: str) -> bool:
    """Return whether a name is reserved, in any case, spacing and Unicode form.

    Examples:
        >>> [is_reserved(name) for name in ("UNKNOWN", "unknown  1", "Not a Face", "Unknown Soldier")]
        [True, True, True, False]
    """
    return bool(reserved_label(name))


def is_same_name(one: str, other: str) -> bool:
    """Return whether two names differ at most in case, spaces, invisible characters and Unicode form.

    Examples:
        >>> is_same_name("Ren\u00e9e ", "rene\u0301e"), is_same_name("Ren\u00e9e", "Renee")
        (True, False)
    """
    return _folded(one) == _folded(other)


def same_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of names of which `is_same_name` holds, in the order given.

    Examples:
        >>> same_names(["ADA", "Ada ", "Grace"])
        [('ADA', 'Ada ')]
    """
    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        alike.setdefault(_folded(name), []).append(name)
    return [pair for found in alike.values() for pair in combinations(found, 2)]


def as_known(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return how each name that somebody typed is spelt: as the known one of which `is_same_name` holds.

    One that is not known is spelt as the first of those given, without spare spaces.

    Examples:
        >>> as_known([" ada", "GRACE ", "Grace"], ["Ada"])
        {' ada': 'Ada', 'GRACE ': 'GRACE', 'Grace': 'GRACE'}
    """
    names = list(dict.fromkeys(names))
    spelt: dict[str, str] = {}
    for name in [*known, *(" ".join(name.split()) for name in names)]:
        spelt.setdefault(_folded(name), name)
    return {name: name if name in known else spelt[_folded(name)] for name in names}


def checked_name(name: str) -> str:
    """Return a person's name normalised, after checking that it can name the folder of the person's pictures.

    Examples:
        >>> checked_name("  Ada   Lovelace ")
        'Ada Lovelace'

    Raises:
        ValueError: When it is empty, starts with a dot, holds a slash or a control character, is too long for a
            folder's name, or is reserved, such as `unknown`.
    """
    plain = unicodedata.normalize("NFC", " ".join(name.translate(_ISOLATES).split()))
    if not plain or plain.startswith(".") or set("/\\") & set(plain) or not can_be_shown(plain):
        raise ValueError(f"expected a name that a folder can have, without slashes or a dot at its start, got {name!r}")
    if len(plain.encode()) > _LONGEST:
        raise ValueError(f"expected a name of at most {_LONGEST} bytes, got {len(plain.encode())}: {name!r}")
    if is_reserved(plain):
        raise ValueError(f"expected a person's name, got {name!r}, a reserved name; choose another")
    return plain


def why_no_label(label: str) -> str:
    """Return why a track cannot be called so; nothing for a person's name, a reserved one, and none at all.

    Examples:
        >>> why_no_label("05/01/26")
        "expected a name that a folder can have, without slashes or a dot at its start, got '05/01/26'"
    """
    try:
        if label and not is_reserved(label):
            checked_name(label)
    except ValueError as error:
        return str(error)
    return ""


def can_be_shown(name: str) -> bool:
    """Return whether a name holds nothing but what is seen, and joiners between letters, as some scripts need them.

    Examples:
        >>> can_be_shown("Al\u200ci"), can_be_shown("Ada\u200b"), can_be_shown("\u200dAda")
        (True, False, False)
    """
    return all(part.isprintable() for part in _JOINER.split(name)) and not _JOINER.search(name[:1] + name[-1:])


@dataclass(frozen=True, slots=True)
class NearName:
    """A known name close to the given one, and how they are alike."""

    name: str
    likeness: _Likeness


def near_names(name: str, known: Iterable[str]) -> list[NearName]:
    """Return the known names that a name may be a misspelling of, the closest first.

    A name that is itself known has none. Up to two letters may differ in a name of five letters or more, one in a name
    of four; words may be swapped, as in "Lovelace, Ada".

    Examples:
        >>> people = ["Ada Lovelace", "Grace Hopper"]
        >>> near_names("lovelace, ada", people)
        [NearName(name='Ada Lovelace', likeness='order')]
        >>> near_names("Grace Hoper", people)[0].likeness, near_names("Tob", people)
        ('spelling', [])
    """
    people = list(dict.fromkeys(known))
    if name in people:
        return []
    ranks: dict[_Likeness, int] = {"same": 0, "order": 1, "spelling": 2}
    found = [(other, likeness) for other in people if (likeness := _likeness(name, other)) is not None]
    found.sort(key=lambda pair: (ranks[pair[1]], -_ratio(_plain(name), _plain(pair[0])), pair[0]))
    return [NearName(other, likeness) for other, likeness in found]


def known_name(name: str, known: Iterable[str]) -> str:
    """Return a name normalised, spelt as the known one that differs only by case, accents or spaces.

    Examples:
        >>> known_name("ada  LOVELACE", ["Ada Lovelace"])
        'Ada Lovelace'

    Raises:
        ValueError: As `checked_name`.
    """
    plain = checked_name(name)
    return next((near.name for near in near_names(plain, known) if near.likeness == "same"), plain)


def _folded(name: str) -> str:
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).split())


def _likeness(one: str, other: str) -> _Likeness | None:
    first, second = _plain(one), _plain(other)
    if first == second:
        return "same"
    if sorted(first.split()) == sorted(second.split()):
        return "order"
    sorted_words = " ".join(sorted(first.split())), " ".join(sorted(second.split()))
    return "spelling" if _close(first, second) or _close(*sorted_words) else None


def _close(one: str, other: str) -> bool:
    """Return whether two plain names differ by a letter or two."""
    shorter, longer = sorted((len(one), len(other)))
    most = 1 if shorter < 5 else 2
    return (
        shorter >= 4
        and longer - shorter <= most
        and _differing(one, other) <= most
        and _ratio(one, other) >= _LEAST_ALIKE
    )


def _plain(name: str) -> str:
    """Return a name without case, accents, punctuation and spare spaces."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.split())


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _differing(one: str, other: str) -> int:
    """Return the least number of letters that differ: the larger number of those in one name and not in the other."""
    shared = sum(block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks())
    return max(len(one), len(other)) - shared
