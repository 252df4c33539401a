import gzip
import io
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

from facelib.gather.archives import ArchiveLimits, Entry, list_archive, read_archive

from .conftest import picture_bytes

FILES = {
    "lfw/Ada_Lovelace/Ada_Lovelace_0001.jpg": picture_bytes(1),
    "lfw/Grace_Hopper/Grace_Hopper_0001.jpg": picture_bytes(2),
    "lfw/Grace_Hopper/Grace_Hopper_0002.PNG": picture_bytes(3, kind="PNG"),
}
OTHERS = {"lfw/README.txt": b"no picture", "lfw/.hidden/1.jpg": b"x", "__MACOSX/lfw/Ada_Lovelace/1.jpg": b"x"}


def make_tar(path, files, *, members=(), mode="w:gz"):
    """Write files, then members without content of their own."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in members:
            archive.addfile(member)
    return path


def make_zip(path, files, *, members=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for member in members:
            archive.writestr(member, "target")
    return path


MAKERS = {
    "lfw.tgz": make_tar,
    "lfw.tar": lambda path, files, **options: make_tar(path, files, mode="w", **options),
    "lfw.zip": make_zip,
}


@pytest.fixture(params=MAKERS)
def make(request, tmp_path):
    """Return a function that makes an archive, of each kind in turn; its name's ending does not matter."""
    return lambda files, **options: MAKERS[request.param](tmp_path / request.param.replace(".", "-"), files, **options)


def test_the_pictures_of_an_archive_are_given_in_its_order(make):
    archive = make({**FILES, **OTHERS})
    assert [str(name) for name in list_archive(archive)] == list(FILES)
    assert list(read_archive(archive)) == [Entry(PurePosixPath(name), content) for name, content in FILES.items()]


def test_an_empty_archive_has_no_pictures(make):
    assert list_archive(make({})) == []
    assert list(read_archive(make({}))) == []


@pytest.mark.parametrize(
    "name",
    [
        "../out.jpg",
        "lfw/../../out.jpg",
        "/etc/out.jpg",
        r"..\out.jpg",
        r"lfw\..\..\out.jpg",
        r"C:\out.jpg",
        "C:out.jpg",
    ],
)
def test_paths_that_climb_out_are_refused_before_anything_is_given(make, name):
    archive = make({**FILES, name: picture_bytes(4)})
    with pytest.raises(ValueError, match=r"refused: the name .* leads out of the folder"):
        list_archive(archive)
    with pytest.raises(ValueError, match="leads out of the folder"):
        next(read_archive(archive))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    member = tarfile.TarInfo("lfw/Ada_Lovelace/2.jpg")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(ValueError, match="neither a file nor a folder but a link or a device"):
        list_archive(make_tar(tmp_path / "a.tgz", FILES, members=[member]))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind):
    member = zipfile.ZipInfo("lfw/Ada_Lovelace/2.jpg")
    member.external_attr = (kind | 0o644) << 16
    with pytest.raises(ValueError, match="neither a file nor a folder but a link or a device"):
        list_archive(make_zip(tmp_path / "a.zip", FILES, members=[member]))


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", FILES)
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="is encrypted"):
        list_archive(archive)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ArchiveLimits(total=5000), "unpacked it has more than"),
        (ArchiveLimits(files=2), "more than 2 files"),
    ],
)
def test_too_much_is_refused(make, limits, message):
    archive = make({name: bytes(3000) for name in FILES})
    with pytest.raises(ValueError, match=message):
        list_archive(archive, limits)


def test_a_picture_that_is_too_large_is_told_and_the_others_are_given(make):
    names = list(FILES)
    archive = make({**FILES, names[1]: bytes(100_000)})
    entries = list(read_archive(archive, ArchiveLimits(file=50_000)))
    assert [str(entry.name) for entry in entries] == names
    assert [entry.problem.partition(":")[0] for entry in entries] == ["", "larger than 50 kB", ""]


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_an_archive_that_was_cut_short_is_told(make, part):
    archive = make({name: content * 20 for name, content in FILES.items()})
    content = archive.read_bytes()
    archive.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"expected a whole archive .* fetch it again"):
        list(read_archive(archive))


def test_a_damaged_tgz_is_told(tmp_path):
    archive = make_tar(tmp_path / "a.tgz", FILES)
    content = bytearray(archive.read_bytes())
    content[-6] ^= 1  # of the checksum at its end
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="expected a whole archive"):
        list_archive(archive)


def test_a_damaged_picture_in_a_zip_leaves_the_others(tmp_path):
    archive = make_zip(tmp_path / "a.zip", FILES)
    content = bytearray(archive.read_bytes())
    content[content.index(b"Ada_Lovelace_0001.jpg") + 200] ^= 0xFF
    archive.write_bytes(content)
    entries = list(read_archive(archive))
    assert [bool(entry.problem) for entry in entries] == [True, False, False]


def test_what_is_no_archive_is_told(tmp_path):
    (tmp_path / "page.tgz").write_text("<html>not here any more</html>")
    with pytest.raises(ValueError, match=r"whole archive \(.tgz, .tar or .zip\) at '.*page.tgz'"):
        list_archive(tmp_path / "page.tgz")
    with pytest.raises(FileNotFoundError, match="found no file"):
        list_archive(tmp_path / "none.tgz")


def bomb(path, name, size):
    """Write a small tgz with a header that announces a block of `size` bytes of zeros, of the kind `name`."""
    member = tarfile.TarInfo("lfw/" + "a" * 90)
    member.size, member.type = size, name
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member.tobuf())
        for _ in range(size // 10_000_000):
            file.write(bytes(10_000_000))
    return path


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_header_of_gigabytes_is_refused_in_little_memory(tmp_path, kind):
    archive = bomb(tmp_path / "a.tgz", kind, 400_000_000)
    code = (
        "import resource, sys\nfrom facelib.gather.archives import list_archive\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    list_archive(sys.argv[1])\nexcept ValueError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    said, more = subprocess.check_output([sys.executable, "-c", code, archive], text=True).splitlines()
    assert "refused" in said
    assert int(more) * (1 if sys.platform == "darwin" else 1024) < 200e6


def test_a_file_of_less_than_nothing_is_refused(tmp_path):
    member = tarfile.TarInfo("lfw/1.jpg")
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 11 + b"\x00"  # base 256: a negative size would be read for ever
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\x00 " % sum(header)
    (tmp_path / "a.tar").write_bytes(bytes(header) + bytes(1024))
    with pytest.raises(ValueError, match=r"archive|refused"):
        list_archive(tmp_path / "a.tar")
