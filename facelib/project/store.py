"""Immutable objects at an address: a folder (`file://`) or a bucket (`s3://`), each written once if absent."""

from __future__ import annotations

import hashlib
import html
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from facelib.project.digests import sha256_of
from facelib.project.files import write_all

_PATIENCE = timedelta(seconds=90)  # for a server that throttles, or is being started again
_RETRIES = 1_000  # within that time; the pauses in between are drawn by chance, and may all be short
_REFUSED = re.compile(r"status code: 40[13]\b")
_NO_NAME = "object with invalid path"
_SAID = re.compile(r"<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", re.DOTALL)
_CLOCK = "set the clock of this machine right, and run this again"
_REMEDY = (
    "the environment holds the address and the credentials: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)


def is_remote(address: str | Path) -> bool:
    """Return whether an address names shared storage instead of a folder of this machine.

    Examples:
        >>> is_remote("s3://films/data"), is_remote("data")
        (True, False)
    """
    return "://" in str(address) and not str(address).startswith("file://")


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What is known of an object without reading it: its bytes, and its ETag, which changes with its content."""

    size: int
    tag: str


@dataclass(frozen=True)
class Store:
    """Objects under one address. An object is written whole or not at all, and never changed.

    Attributes:
        address: Such as `s3://bucket/folder`, with nothing escaped in it, or `file:///folder`; a bucket's credentials
            come from the environment.

    Raises:
        ImportError: When the extra `scale` is not installed.
    """

    address: str

    @classmethod
    def at(cls, place: str | Path) -> Store:
        """Return the store at an address or in a folder."""
        text = str(place)
        return cls(text if "://" in text else Path(place).absolute().as_uri())

    @property
    def folder(self) -> Path | None:
        """The folder of the objects; None where they lie on no file system."""
        from urllib.parse import urlparse
        from urllib.request import url2pathname

        parsed = urlparse(self.address)
        return Path(url2pathname(parsed.path)) if parsed.scheme == "file" else None

    @cached_property
    def _objects(self) -> Any:
        try:
            from obstore.store import LocalStore, from_url
        except ImportError:
            raise ImportError(
                "expected the package obstore, which reads and writes shared storage, found none; "
                "install it: make scale, or pip install '.[scale]' in the checkout"
            ) from None
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            return LocalStore(self.folder)
        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        kind, _, place = self.address.partition("://")
        try:
            return from_url(
                f"{kind}://{quote(place, safe='/:@')}",  # as it is: `#1` in a project's name begins no fragment
                client_options={"allow_http": True} if plain else None,
                retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
            )
        except Exception as error:  # obstore's own exceptions share no public base
            raise ValueError(f"expected an address such as s3://bucket/folder, got {self.address!r}: {error}") from None

    def put_once(self, name: str, content: bytes | Path) -> bool:
        """Write bytes, or a file's, as an object if there is none of this name; return whether this call has done it.

        Raises:
            OSError: When it cannot be written.
        """
        from obstore.exceptions import AlreadyExistsError

        with self._told(name):
            try:
                self._objects.put(name, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def put_next(self, form: str, content: bytes) -> int:
        """Write an object under the number after the last of its folder, once, whoever else writes; return the number.

        Args:
            form: How it is named by its number, such as `corrections/{:08d}.csv`.
            content: Its bytes, unlike those of any other object there.

        Raises:
            OSError: When the store cannot be read or written.
        """
        last = max(self.find(form.rpartition("/")[0]), default="")  # by name, so numbers have leading zeros
        number = int(last.rpartition("/")[2].partition(".")[0]) + 1 if last else 1
        while not self.put_once(name := form.format(number), content):
            if self.get(name) == content:  # a write that was sent twice
                break
            number += 1
        return number

    def put(self, name: str, content: bytes | Path) -> str:
        """Write bytes, or a file's, as an object in the place of any other of this name; return its ETag.

        Raises:
            OSError: When it cannot be written.
        """
        with self._told(name):
            return str(self._objects.put(name, content)["e_tag"])

    def delete(self, name: str) -> None:
        """Remove an object; none of this name is no error.

        Raises:
            OSError: When it cannot be removed.
        """
        with self._told(name), suppress(FileNotFoundError):
            self._objects.delete(name)

    def get(self, name: str) -> bytes:
        """Return an object's bytes.

        Raises:
            FileNotFoundError: When there is none of this name.
            OSError: When it cannot be read.
        """
        with self._told(name):
            return bytes(self._objects.get(name).bytes())

    def facts(self, name: str) -> ObjectFacts:
        """Return an object's size and ETag.

        Raises:
            FileNotFoundError: When there is none of this name.
            OSError: When it cannot be read.
        """
        with self._told(name):
            found = self._objects.head(name)
        return ObjectFacts(int(found["size"]), str(found["e_tag"]))

    def get_range(self, name: str, start: int, end: int, *, tag: str) -> bytes:
        """Return the bytes from `start` to before `end` of an object that still has an ETag.

        Raises:
            OSError: When it was changed, is gone, or cannot be read.
        """
        from obstore.exceptions import PreconditionError

        with self._told(name):
            try:
                found = self._objects.get(name, options={"range": (start, end), "if_match": tag})
                return bytes(found.bytes())
            except PreconditionError:
                raise OSError(
                    f"expected {self.address.rstrip('/')}/{name} to stay as it is while it is read, it was changed; "
                    f"run this again"
                ) from None

    def fetch(self, name: str, path: Path) -> str:
        """Put an object at a path, without holding it in memory; return the SHA-256 of its bytes.

        Where the store is a folder, the file is the object itself under a second name: it may be replaced, not edited.

        Raises:
            FileNotFoundError: When there is none of this name.
            OSError: When it cannot be read, or the file not written.
        """
        if self.folder is not None:
            with suppress(OSError):  # on another disk, or where files have one name each
                os.link(self.folder / name, path)
                return sha256_of(path)
        hashed = hashlib.sha256()
        with path.open("wb", buffering=0) as file:
            for chunk in self._chunks(name):
                hashed.update(chunk)
                self._write(name, path, file, chunk)
        return hashed.hexdigest()

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of an object's bytes, which are read and not kept.

        Raises:
            FileNotFoundError: When there is none of this name.
            OSError: When it cannot be read.
        """
        hashed = hashlib.sha256()
        for chunk in self._chunks(name):
            hashed.update(chunk)
        return hashed.hexdigest()

    def _chunks(self, name: str) -> Iterator[Any]:
        with self._told(name):
            yield from self._objects.get(name).stream(min_chunk_size=1 << 20)

    def _write(self, name: str, path: Path, file: IO[bytes], chunk: Any) -> None:
        try:
            write_all(file, chunk)
        except OSError as error:
            place = f"{self.address.rstrip('/')}/{name}"
            raise OSError(
                f"expected room for {place!r} in {str(path.parent)!r}: {error.strerror}; make room there, and run this "
                f"again: it continues from here"
            ) from error

    def find(self, below: str = "") -> dict[str, str]:
        """Return the ETags of the objects in a folder of the store by their names, sorted.

        Objects that stand for a folder in which others lie, as the web pages of storages make them, are left out.

        Raises:
            OSError: When the store cannot be read.
        """
        with self._told(below):
            found = [one for batch in self._objects.list(below or None) for one in batch]
        folders = _folders_of(map(_path, found))
        there = (one for one in sorted(found, key=_path) if one["size"] or _path(one) not in folders)
        return {_path(one): str(one["e_tag"]) for one in there}

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Turn what obstore raises into an OSError that says what to do."""
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        where = f"{self.address.rstrip('/')}/{name}" if name else self.address
        try:
            yield
        except FileNotFoundError:
            raise FileNotFoundError(f"expected an object at {where!r}, found none") from None
        except BaseError as error:
            # Of a listing that is refused, obstore says no more than the status.
            if isinstance(error, PermissionDeniedError | UnauthenticatedError) or _REFUSED.search(str(error)):
                remedy = _CLOCK if "TimeTooSkewed" in str(error) else _REMEDY
                raise PermissionError(
                    f"expected the right to read and write {where!r}, it was refused: {_reason(error)}; {remedy}"
                ) from None
            if _NO_NAME in str(error):
                raise OSError(
                    f"expected in {where!r} objects that are called as files can be, got: {_reason(error)}; rename it"
                ) from None
            raise OSError(f"expected {where!r} to answer, got: {_reason(error)}; {_REMEDY}") from None


def _path(one: Any) -> str:
    return str(one["path"])


def _folders_of(names: Iterable[str]) -> set[str]:
    """Return the folders of some objects, with those above; the store's own is empty."""
    found = {""}
    for name in names:
        while (name := name.rpartition("/")[0]) not in found:
            found.add(name)
    return found


def _reason(error: Exception) -> str:
    """Return what an error of obstore says on its first line, without its source, and what the server said."""
    first = str(error).split("\n", 1)[0].split(": <", 1)[0]
    said = _SAID.search(str(error))
    return f"{first}, {said[1]}: {html.unescape(said[2]).rstrip('.')}" if said else first
