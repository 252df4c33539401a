"""Pictures in archives, read without unpacking anything: every name and size is checked first."""

from __future__ import annotations

import gzip
import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facelib.images import PICTURE_SUFFIXES
from facelib.project.wording import sized

_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
_BLOCK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        total: Bytes of all that is in it, unpacked.
        file: Bytes of the largest picture.
        files: Number of its files and folders.
    """

    total: int = 20 * 10**9
    file: int = 50 * 10**6
    files: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture in an archive.

    Attributes:
        name: Its path in the archive, which stays below the folder it would be unpacked to.
        content: The file's bytes, not yet checked; empty where they cannot be read.
        problem: Why they cannot be read, or nothing.
    """

    name: PurePosixPath
    content: bytes
    problem: str = ""


def list_archive(archive: str | Path, limits: ArchiveLimits | None = None) -> list[PurePosixPath]:
    """Check an archive from end to end, and return the pictures in it, in its order; hidden files are skipped.

    An archive is a `.tar`, `.tar.gz` or `.zip` file, recognised by content.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it is no archive, is damaged or cut short, holds more than the limits allow, or anything
            that does not belong among pictures: paths that lead out of its folder, links, devices, encrypted files.
    """
    path, limits = _checked(archive), limits or ArchiveLimits()
    with _told(path):
        return [name for name, _ in (_list_zip(path, limits) if _is_zip(path) else _list_tar(path, limits))]


def read_archive(archive: str | Path, limits: ArchiveLimits | None = None) -> Iterator[Entry]:
    """Yield the pictures of an archive; call `list_archive` first, which checks it.

    Raises:
        FileNotFoundError: As `list_archive`.
        ValueError: As `list_archive`, before anything is given.
    """
    path, limits = _checked(archive), limits or ArchiveLimits()
    with _told(path):
        if _is_zip(path):
            yield from _read_zip(path, _list_zip(path, limits), limits)
        else:
            yield from _read_tar(path, dict(_list_tar(path, limits)), limits)


def _checked(archive: str | Path) -> Path:
    path = Path(archive)
    if not path.is_file():
        raise FileNotFoundError(f"expected an archive (.tgz, .tar or .zip), found no file at {str(path)!r}")
    return path


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Name the archive in every error; the reader's own errors pass through."""
    try:
        yield
    except _Refused as error:
        raise ValueError(f"{path.name} is refused: {error}") from None
    except _BROKEN as error:
        raise ValueError(
            f"expected a whole archive (.tgz, .tar or .zip) at {str(path)!r} ({path.stat().st_size} bytes), got: "
            f"{error}; fetch it again"
        ) from error


class _Refused(Exception):
    """An archive that breaks a limit."""


def _is_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _safe(name: str) -> PurePosixPath:
    """Return a member's path if it stays inside the folder."""
    parts = re.split(r"[/\\]", name)
    if name[:1] in ("/", "\\") or ".." in parts or re.match(r"[A-Za-z]:", name) or not name.isprintable():
        raise _Refused(f"the name {name!r} leads out of the folder it is unpacked to, or is none for a file")
    return PurePosixPath(*parts)


def _is_wanted(path: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in PICTURE_SUFFIXES and not hidden


class _Sizes:
    """Counts the entries and bytes of an archive and refuses too many."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits, self._files, self._bytes = limits, 0, 0

    def add(self, size: int) -> None:
        if size < 0:
            raise _Refused(f"it has a file of {size} bytes")
        self._files, self._bytes = self._files + 1, self._bytes + size
        if self._files > self._limits.files:
            raise _Refused(f"it holds more than {self._limits.files} files")
        if self._bytes > self._limits.total:
            raise _Refused(f"unpacked it has more than {sized(self._limits.total)}")


class _Stream(io.RawIOBase):
    """A stream that is read forwards, in pieces and in total of bounded size.

    A few kilobytes of an archive can tell its reader to take gigabytes into memory.
    """

    def __init__(self, stream: io.BufferedIOBase, limits: ArchiveLimits) -> None:
        self._stream, self._limits = stream, limits

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= self._limits.file + _BLOCK:
            raise _Refused(f"it has a block of {size} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset > 2 * self._limits.total:
            raise _Refused(f"unpacked it has more than {sized(self._limits.total)}")
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def read_rest(self) -> None:
        """Read to the end, where the checksum of a compressed stream is verified."""
        while self.read(_BLOCK):
            if self.tell() > 2 * self._limits.total:
                raise _Refused(f"unpacked it has more than {sized(self._limits.total)}")


@contextmanager
def _tar(path: Path, limits: ArchiveLimits) -> Iterator[tuple[tarfile.TarFile, _Stream]]:
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        with gzip.open(file) if packed else file as opened:
            stream = _Stream(opened, limits)
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                yield archive, stream


def _forget(archive: tarfile.TarFile) -> None:
    archive.members.clear()  # type: ignore[attr-defined]  # it remembers all it has read, and there may be millions


def _list_tar(path: Path, limits: ArchiveLimits) -> list[tuple[PurePosixPath, str]]:
    found, sizes = [], _Sizes(limits)
    with _tar(path, limits) as (archive, stream):
        while (member := archive.next()) is not None:
            _forget(archive)
            sizes.add(member.size)
            name = _safe(member.name)
            if not (member.isfile() or member.isdir()) or member.issparse():
                raise _Refused(f"{member.name!r} is neither a file nor a folder but a link or a device")
            if member.isfile() and _is_wanted(name):
                found.append((name, member.name))
        stream.read_rest()
    return found


def _read_tar(path: Path, wanted: dict[PurePosixPath, str], limits: ArchiveLimits) -> Iterator[Entry]:
    with _tar(path, limits) as (archive, _):
        while (member := archive.next()) is not None:
            _forget(archive)
            name = _safe(member.name)
            if name not in wanted or not member.isfile():
                continue
            if member.size > limits.file:
                yield Entry(name, b"", _too_large(member.size, limits))
                continue
            file = archive.extractfile(member)
            assert file is not None
            yield Entry(name, file.read())


def _list_zip(path: Path, limits: ArchiveLimits) -> list[tuple[PurePosixPath, zipfile.ZipInfo]]:
    found, sizes = [], _Sizes(limits)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            sizes.add(member.file_size)
            name = _safe(member.filename)
            if stat.S_IFMT(member.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
                raise _Refused(f"{member.filename!r} is neither a file nor a folder but a link or a device")
            if member.flag_bits & 1:
                raise _Refused(f"{member.filename!r} is encrypted; unpack it with its password and give the folder")
            if not member.is_dir() and _is_wanted(name):
                found.append((name, member))
    return found


def _read_zip(
    path: Path, wanted: list[tuple[PurePosixPath, zipfile.ZipInfo]], limits: ArchiveLimits
) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for name, member in wanted:
            if member.file_size > limits.file:
                yield Entry(name, b"", _too_large(member.file_size, limits))
                continue
            try:
                yield Entry(name, archive.read(member))
            except _BROKEN as error:
                yield Entry(name, b"", f"damaged: {error}")


def _too_large(size: int, limits: ArchiveLimits) -> str:
    return f"larger than {sized(limits.file)}: it has {sized(size, beside=limits.file)}"
