"""Download one film: streamed, resumed after an interruption, checked, never half written."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import requests
from tqdm.auto import tqdm

from facelib.films.media.decode import UnreadableFilm, probe
from facelib.gather.sources.address import film_name, redacted
from facelib.gather.sources.content import HEAD, container_suffix
from facelib.gather.sources.web import PASSING, WebLimits, ask, new_session, plain_reason, read_body, status_line
from facelib.project import write_text
from facelib.project.digests import sha256_of
from facelib.project.wording import sized

log = logging.getLogger(__name__)

_LOOK_EVERY = 16 * 1024 * 1024  # bytes between two looks at the disk


class _Broken(Exception):
    """An attempt that ended early; another one may resume it."""

    def __init__(self, reason: object, *, wait: float = 0.0) -> None:
        super().__init__(str(reason))
        self.wait = wait


class _TooLarge(OSError):
    """A film that the limits do not allow."""


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial download: two hidden files, the bytes so far and their metadata.

    Attributes:
        address: Where it comes from.
        path: The bytes so far, `.<name>-<digest of the address>.part`.
        validator: What identifies this version of the film: a strong ETag, else the time of change;
            empty where the server sends neither, and then nothing can be continued.
        total: Bytes of the whole film; None while unknown.
        disposition: The server's name for it, as its `Content-Disposition`.
        suffix: The container, as found in its first bytes.
        sha256: Of the whole film, once it is here and checked.
    """

    address: str
    path: Path
    validator: str = ""
    total: int | None = None
    disposition: str = ""
    suffix: str = ""
    sha256: str = ""

    @classmethod
    def find(cls, address: str, folder: Path) -> Self:
        """Return the partial download of an address, empty if there is none."""
        digest = hashlib.sha256(address.encode()).hexdigest()[:12]
        fresh = cls(redacted(address), folder / f".{film_name(address, suffix='')[:40]}-{digest}.part")
        try:
            known = json.loads(fresh.note.read_text(encoding="utf-8"))
            return replace(fresh, **known) if fresh.path.is_file() else fresh
        except (OSError, ValueError, TypeError):
            return fresh

    @property
    def note(self) -> Path:
        """The file with the metadata of the download."""
        return self.path.with_suffix(".json")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def keep(self) -> Self:
        """Write the metadata."""
        known = {name: value for name, value in asdict(self).items() if name not in {"address", "path"}}
        write_text(json.dumps(known), self.note)
        return self

    def forget(self) -> Self:
        """Remove both files, and return an empty download."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        return type(self)(self.address, self.path)


def download(address: str, folder: str | Path, *, limits: WebLimits | None = None) -> Partial:
    """Fetch a film to a hidden file in a folder, and check it; what an earlier call has fetched is continued.

    The connection may break, stall or be refused for a while: the fetch continues where it stopped (RFC 9110,
    `Range` with `If-Range`), or from the beginning where the film has changed or the server cannot go on. The first
    bytes are looked at before anything else is fetched, and the whole film's first frame is decoded at the end.

    Returns:
        The whole film, with its `sha256`; its caller moves `path` to where it belongs, then calls `forget`.

    Raises:
        ValueError: When the address is none of `http(s)`, or leads off the public internet.
        UnreadableFilm: When what is there is not a film; nothing of it is kept.
        OSError: When the server refuses, goes silent for good, or the film is too large for the limits or the
            disk. What was fetched is kept, except of a film that is too large.
    """
    limits = limits or WebLimits()
    Path(folder).mkdir(parents=True, exist_ok=True)
    partial = Partial.find(address, Path(folder))
    if partial.sha256:
        return partial
    try:
        with new_session(limits) as session:
            return _checked(_fetch(session, address, partial, limits))
    except (UnreadableFilm, _TooLarge):
        partial.forget()
        raise


def _fetch(session: requests.Session, address: str, partial: Partial, limits: WebLimits) -> Partial:
    """Retry until the whole film is here."""
    farthest, attempt, wait = partial.size, 0, 0.0
    while True:
        attempt += 1
        time.sleep(limits.wait_before(attempt, wait))
        try:
            return _go_on(session, address, partial, limits)
        except _Broken as error:
            partial = Partial.find(address, partial.path.parent)
            if partial.size > farthest:
                farthest, attempt = partial.size, 1
            if attempt >= limits.attempts:
                raise ConnectionError(
                    f"expected a film at {partial.address!r}, gave up after {limits.attempts} attempts in a row: "
                    f"{error}. {partial.size} bytes are kept; run it again to continue"
                ) from error
            wait = error.wait
            log.warning("%s: %s; trying again", partial.address, error)


def _go_on(session: requests.Session, address: str, partial: Partial, limits: WebLimits) -> Partial:
    """Download the missing bytes over one connection."""
    size = partial.size if partial.validator else 0
    headers = {"Range": f"bytes={size}-", "If-Range": partial.validator} if size else {}
    with ExitStack() as stack:
        try:
            response = stack.enter_context(ask(session, address, limits, headers=headers))
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ValueError(f"expected an http(s) address, got {partial.address!r}: {error}") from error
        except requests.RequestException as error:
            raise _Broken(plain_reason(error)) from error
        if response.status_code == 416:
            # The server has nothing behind what is here: either that is all, or it has less.
            if size and response.headers.get("Content-Range", "").strip() == f"bytes */{size}":
                return partial
            partial.forget()
            raise _Broken("the server has less of the film than is here already")
        if response.status_code == 206:
            partial = _continued(response, partial, size)
        else:
            _check_status(response, partial)
            partial = _begun(response, partial.forget())
        _refuse_too_large(partial, limits, here=partial.size)
        _receive(response, partial.keep(), limits)
    if partial.total is not None and partial.size != partial.total:
        if partial.size > partial.total:
            partial.forget()
        raise _Broken(f"the server announced {partial.total} bytes and sent {partial.size}")
    return partial


def _check_status(response: requests.Response, partial: Partial) -> None:
    answer = status_line(response)
    if response.status_code in PASSING:
        asked = response.headers.get("Retry-After", "")
        raise _Broken(f"the server answered {answer}", wait=float(asked) if asked.isdecimal() else 0.0)
    if response.status_code != 200:
        raise OSError(f"expected a film at {partial.address!r}, the server answered {answer}")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() not in {"", "identity"}:
        raise OSError(f"expected a film at {partial.address!r} as it is, the server sends it packed as {encoding!r}")


def _begun(response: requests.Response, partial: Partial) -> Partial:
    """Read what the server says of a film that it sends from the beginning."""
    length = response.headers.get("Content-Length", "")
    return replace(
        partial,
        validator=_validator(response),
        total=int(length) if length.isdecimal() and "Transfer-Encoding" not in response.headers else None,
        disposition=response.headers.get("Content-Disposition", ""),
    )


def _continued(response: requests.Response, partial: Partial, size: int) -> Partial:
    """Check that what the server sends is the rest of what is here."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    total = None if found is None or found[2] == "*" else int(found[2])
    fits = found is not None and int(found[1]) == size > 0 and _validator(response) in {"", partial.validator}
    if not fits or (None not in {total, partial.total} and total != partial.total):
        partial.forget()
        raise _Broken("the film on the server has changed since its first part was fetched; beginning again")
    return replace(partial, total=total or partial.total)


def _validator(response: requests.Response) -> str:
    """Return what `If-Range` takes: a strong ETag, else the time of change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _receive(response: requests.Response, partial: Partial, limits: WebLimits) -> None:
    """Append the body to the file, looking at its first bytes as soon as they are here."""
    size = partial.size
    bar = tqdm(
        total=partial.total,
        initial=size,
        unit="B",
        unit_scale=True,
        desc=film_name(partial.address),
        leave=False,
        disable=None,
    )
    with bar, open(partial.path, "ab") as file:
        looked, measured = size >= HEAD, size
        for block in _blocks(response, limits):
            try:
                file.write(block)
                file.flush()
            except OSError as error:
                raise OSError(
                    f"expected to write to {str(partial.path)!r}, got: {error}; what was fetched is kept"
                ) from error
            size += len(block)
            bar.update(len(block))
            if not looked and size >= HEAD:
                looked = bool(_container(partial))
            if size - measured > _LOOK_EVERY or size > limits.largest:
                measured = size
                _refuse_too_large(partial, limits, here=size)
        os.fsync(file.fileno())


def _blocks(response: requests.Response, limits: WebLimits) -> Iterator[bytes]:
    try:
        yield from read_body(response, limits)
    except ConnectionError as error:
        raise _Broken(error) from error


def _refuse_too_large(partial: Partial, limits: WebLimits, *, here: int) -> None:
    whole = max(here, partial.total or 0)
    if whole > limits.largest:
        size = f"{'at least ' if partial.total is None else ''}{sized(whole, beside=limits.largest)}"
        raise _TooLarge(
            f"expected a film of at most {sized(limits.largest)} at {partial.address!r}, it has {size}; "
            "raise largest_download to fetch it"
        )
    free, needed = shutil.disk_usage(partial.path.parent).free, whole - here + limits.spare
    if free < needed:
        raise OSError(
            f"expected {sized(needed)} free on the disk of {str(partial.path.parent)!r} to fetch "
            f"{partial.address!r}, found {sized(free, beside=needed)}; free some space and run it again",
        )


def _container(partial: Partial) -> str:
    with open(partial.path, "rb") as file:
        return container_suffix(file.read(HEAD), source=partial.address)


def _checked(partial: Partial) -> Partial:
    """Look at the whole film: its container, its first frame, its digest."""
    suffix = _container(partial)
    try:
        probe(partial.path)
    except UnreadableFilm as error:
        reason = str(error).replace(repr(str(partial.path)), "it")
        raise UnreadableFilm(f"expected a film at {partial.address!r}, it cannot be decoded: {reason}") from error
    return replace(partial, suffix=suffix, sha256=sha256_of(partial.path)).keep()
