"""Contents known by their SHA-256, each file read once."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from facelib.pipeline.freshness import Made, file_states
from facelib.project import Project, digest


@pytest.mark.parametrize("values", [(), (1, "a"), ({"a": [1, 2.5, None]},)])
def test_equal_values_give_equal_digests(values):
    assert digest(*values) == digest(*values) != digest(*values, 1)


def test_a_file_is_read_again_only_when_its_size_or_time_changes(tmp_path):
    project = Project("p", tmp_path / "data", tmp_path / "output")
    project.videos.mkdir(parents=True)
    film = project.videos / "a.mp4"
    film.write_bytes(b"first")
    os.utime(film, ns=(5, 5))
    first = project.digest(film)
    assert first == hashlib.sha256(b"first").hexdigest()
    film.write_bytes(b"other")
    os.utime(film, ns=(5, 5))  # as though nothing had been written
    assert project.digest(film) == first
    os.utime(film, ns=(6, 6))
    assert project.digest(film) == hashlib.sha256(b"other").hexdigest()
    (project.output / "digests.json").write_text("damaged")
    assert project.digest(film) == hashlib.sha256(b"other").hexdigest()


def test_files_whose_names_are_not_utf8_stand_in_records(tmp_path):
    project = Project("p", tmp_path / "data", tmp_path / "output")
    picture = project.people / os.fsdecode(b"Ren\xe9e") / os.fsdecode(b"\xff.jpg")
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"seen")
    states = file_states(project, [picture])
    assert states == {"data/people/Ren\\xe9e/\\xff.jpg": hashlib.sha256(b"seen").hexdigest()}
    Made("1", "", {}, states, {}).write(tmp_path / "step.json")
    assert json.loads((tmp_path / "step.json").read_text(encoding="utf-8"))["inputs"] == states
