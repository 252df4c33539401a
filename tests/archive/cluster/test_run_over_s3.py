"""`facelib run` on a project on S3, by a real server and two workers, and the server killed meanwhile."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from facelib.archive.cluster import start_cluster
from facelib.nets.cache import cache_folder
from facelib.project import Project
from facelib.project.store import Store
from facelib.recognize import load_recognizer

from .conftest import Gate, empty_bucket

pytest.importorskip("obstore")
pytest.importorskip("distributed")

STEPS = "1-7"
FILMS = "s3://films/data/demo/videos"
# Of each machine and run alone; the page names the reports of the run.
OWN = re.compile(r"^(runs/|store/|digests\.json|\.|index\.html|corrections)|(^|/)page/")
CHANCE = re.compile(rb'urn:uuid:[0-9a-f-]+|"recognizer_sha256": "[0-9a-f]+"')


def results(project: Project, films: object) -> dict[str, str]:
    """Return the SHA-256 of all that a run leaves, without what is a machine's own, as where its films lie."""
    paths = {path.relative_to(project.output).as_posix(): path for path in project.output.rglob("*") if path.is_file()}
    lying = re.compile(f"{re.escape(str(films))}|{FILMS}".encode())
    return {
        name: hashlib.sha256(lying.sub(b"FILMS", content(path))).hexdigest()
        for name, path in paths.items()
        if not OWN.search(name)
    }


def content(path: Path) -> bytes:
    """Return a file's bytes without addresses in memory, times of writing, and names made of where a film lies."""
    if path.parent.name == "unknowns":
        return str(pq.read_table(path).replace_schema_metadata(None).to_pydict()).encode()
    if path.suffix == ".skops":
        recognizer = load_recognizer(path)[0]
        return recognizer.vectors_.tobytes() + recognizer.codes_.tobytes() + "\n".join(recognizer.classes_).encode()
    return CHANCE.sub(b"", path.read_bytes())


@pytest.fixture
def run(facelib_command) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts a run, with a folder for its own cache."""

    def start(*arguments: str, cache: Path) -> subprocess.Popen[str]:
        command = [*facelib_command, "run", "--project", "demo", "--steps", STEPS, *arguments]
        environment = os.environ | {"XDG_CACHE_HOME": str(cache), "FACELIB_MODELS": str(cache_folder())}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)

    return start


def test_a_run_over_s3_leaves_what_a_local_run_leaves(server, copy_run, run, forked_films, tmp_path):
    local, films = copy_run(tmp_path / "local")
    wanted = results(local, films)
    empty_bucket()
    for path in [path for path in local.data.rglob("*") if path.is_file()]:
        Store("s3://films/data/demo").put(path.relative_to(local.data).as_posix(), path)

    places = ["--data-dir", "s3://films/data", "--output-dir", "s3://films/output"]
    with (
        Gate.before(server) as gate,
        start_cluster(2) as cluster,
        run(*places, "--scheduler", cluster.address, cache=tmp_path / "one") as working,
    ):
        assert working.stdout is not None
        said, killed = "", [gate.kill_at("PUT", "/faces.parquet")]  # when what a step made is to be sent
        for line in working.stdout:
            said += line
            if line.startswith("05_annotate_video: ..."):
                killed.append(gate.kill_at("GET", "/videos/"))  # when a worker is to read a film
    assert working.returncode == 1 and "problem   broken.mp4: " in said, said  # all but one film is finished
    for back in killed:
        back.join(60)
        assert not back.is_alive()
    (copy,) = (tmp_path / "one").glob("facelib/shared/*")
    here = Project("demo", copy / "data", copy / "output")
    assert results(here, here.videos) == wanted

    fetched = Project("demo", tmp_path / "fetched" / "data", tmp_path / "fetched" / "output")
    store = Store("s3://films/output/demo")
    for name in store.find():
        (fetched.output / name).parent.mkdir(parents=True, exist_ok=True)
        store.fetch(name, fetched.output / name)
    assert results(fetched, here.videos) == wanted
    page = (fetched.output / "page" / "project.js").read_text()
    assert "07_evaluate" in page  # the last that a run writes

    shutil.rmtree(tmp_path / "one")  # another machine goes on where this one ended
    with run(*places, cache=tmp_path / "another") as again:
        said = again.communicate()[0]
    assert again.returncode == 1 and "problem   broken.mp4: " in said, said
    assert said.count("fresh: nothing it depends on has changed") == 7
