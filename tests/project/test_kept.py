"""What is made of a file is made again only when the file has changed."""

import os
import weakref

import pytest

from facelib.project.kept import kept_by_file


@pytest.fixture
def counted():
    """A function that tells a file's text and how often it was really called."""
    calls = []

    @kept_by_file(most=2)
    def read(path, *, upper=False):
        calls.append(path.name)
        text = path.read_text()
        return text.upper() if upper else text

    return read, calls


def test_a_file_is_read_once_until_it_changes(counted, tmp_path):
    read, calls = counted
    path = tmp_path / "a.txt"
    path.write_text("one")
    assert [read(path), read(path)] == ["one", "one"] and calls == ["a.txt"]
    path.write_text("three")  # another size
    assert read(path) == "three"
    path.write_text("seven")
    os.utime(path, ns=(0, 5))  # another time
    assert read(path) == "seven" and len(calls) == 3


def test_each_option_has_its_own_result(counted, tmp_path):
    read, calls = counted
    (tmp_path / "a.txt").write_text("one")
    assert [read(tmp_path / "a.txt", upper=upper) for upper in (True, False, True)] == ["ONE", "one", "ONE"]
    assert len(calls) == 2


def test_the_oldest_goes_first(counted, tmp_path):
    read, calls = counted
    for name in ("a", "b", "c", "b", "a"):
        (tmp_path / name).exists() or (tmp_path / name).write_text(name)
        assert read(tmp_path / name) == name
    assert calls == ["a", "b", "c", "a"]


def test_what_nobody_holds_goes(tmp_path):
    class Opened:
        pass

    @kept_by_file(most=None)
    def open_file(path, *, mode):
        return Opened()

    (tmp_path / "a").write_text("one")
    first = open_file(tmp_path / "a", mode="r")
    assert open_file(tmp_path / "a", mode="r") is first
    assert open_file(tmp_path / "a", mode="w") is not first
    gone = weakref.ref(first)
    del first
    assert gone() is None


def test_a_failure_is_not_kept(counted, tmp_path):
    read, calls = counted
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        read(tmp_path / "a.txt")
    with pytest.raises(UnicodeDecodeError):
        read(tmp_path / "a.txt")
    assert len(calls) == 2
