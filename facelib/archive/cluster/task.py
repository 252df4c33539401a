"""What a worker is asked to do, where it leaves the tables, and how often a film has brought down its process."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facelib.films.tracking import TrackingSettings
from facelib.project import FilmFiles, atomic_write, digest
from facelib.project.digests import sha256_of
from facelib.project.store import Store

MOST_ATTEMPTS = 3
"""A film is set aside after so many that failed."""
_INDEX, _OBJECTS = "index", "objects"


@dataclass(frozen=True, slots=True)
class IndexTask:
    """One film to be indexed.

    Attributes:
        film: Its path, the same on all machines, or its address.
        size: Its bytes; a film of another size is not the one that was meant.
        store: The address of the project's store.
        detector: The arguments of `facelib.load_detector`.
        embedder: The arguments of `facelib.load_embedder`.
        tracking: The fields of `facelib.films.tracking.TrackingSettings`.
        made: What the tables are to be made from, see `facelib.films.indexed.made_from`.
        tag: The ETag of the object whose content `made` names: the film is read in place. Empty where it is not known;
            the film is fetched then.
    """

    film: str
    size: int
    store: str
    detector: Mapping[str, Any]
    embedder: Mapping[str, Any]
    tracking: Mapping[str, Any]
    made: Mapping[str, Any]
    tag: str = ""

    @property
    def key(self) -> str:
        """The key of the tables: equal where everything that they are made from is."""
        return digest(dict(self.made))

    @property
    def settings(self) -> TrackingSettings:
        """How faces are found and tracked."""
        return TrackingSettings(**self.tracking)


def is_stored(store: Store, key: str) -> bool:
    """Return whether the store has the tables of a key."""
    try:
        return bool(store.get(f"{_INDEX}/{key}.json"))
    except FileNotFoundError:
        return False


def store_tables(store: Store, key: str, files: FilmFiles) -> None:
    """Write a film's tables into the store under their digests, and last the list of them under the key.

    Raises:
        OSError: When the store cannot be written.
    """
    digests = {path.name: sha256_of(path) for path in (*files.index, files.followed)}
    for path in (*files.index, files.followed):
        store.put_once(f"{_OBJECTS}/{digests[path.name]}", path)
    store.put_once(f"{_INDEX}/{key}.json", json.dumps(digests, sort_keys=True).encode())


def take_tables(store: Store, key: str, files: FilmFiles) -> None:
    """Write the tables of a key into a film's folder; the record that makes them count is written last.

    Raises:
        FileNotFoundError: When the store lacks them.
        OSError: When one is damaged, or the folder cannot be written.
    """
    digests = json.loads(store.get(f"{_INDEX}/{key}.json"))
    files.followed.unlink(missing_ok=True)  # it describes tables that are about to change
    for path in (*files.index, files.followed):
        wanted = digests[path.name]
        with atomic_write(path) as temporary:
            found = store.fetch(f"{_OBJECTS}/{wanted}", temporary)
            if found != wanted:
                raise OSError(
                    f"expected {path.name!r} with the SHA-256 {wanted!r} in {store.address!r}, it has {found!r}; "
                    f"remove it there and run this again"
                )


def add_attempt(store: Store, key: str, reason: str) -> int:
    """Write down how an attempt failed, such as `its process was killed by SIGKILL`; return how many there are now.

    Raises:
        OSError: When the store cannot be written.
    """
    content = json.dumps({"reason": reason, "token": secrets.token_hex(8)}).encode()
    return store.put_next(f"attempts/{key}/{{:03d}}.json", content)


def attempts(store: Store, key: str) -> list[str]:
    """Return the reasons of the attempts that failed, in order.

    Raises:
        OSError: When the store cannot be read.
    """
    return [str(json.loads(store.get(name))["reason"]) for name in store.find(f"attempts/{key}")]


def set_aside(store: Store, key: str) -> str:
    """Return why a film is set aside, with the remedy; empty where it may be tried (again).

    Raises:
        OSError: When the store cannot be read.
    """
    reasons = attempts(store, key)
    if len(reasons) < MOST_ATTEMPTS:
        return ""
    return (
        f"set aside after {len(reasons)} attempts, in the last of which {reasons[-1]}; convert the film with another "
        f"program, or give the workers more memory, and remove {store.address}/attempts/{key} to try it again"
    )
