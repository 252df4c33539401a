import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from facelib.pipeline import notebooks_folder, run_pipeline
from facelib.pipeline import run as pipeline_run
from facelib.pipeline.freshness import STEP_FILES, Made, file_states, find_record, notebook_digest, same
from facelib.pipeline.notebooks import check_project
from facelib.project import Project
from facelib.project.digests import sha256_of
from tests.waiting import PATIENCE, wait_until

PLACES = """
project: str = "demo"  # the project
data_dir: str = "data"
output_dir: str = "output"
"""
FIND = "from facelib.project import Project, atomic_write, write_text\nplace = Project(project, data_dir, output_dir)"
EMBED = """
import sys
write_text(f"{sys.executable} {detector} {place.people.is_absolute()}", place.faces)
"""
MAP = """
import os, time
write_text(str(os.getpid()), place.output / "pid")
if trouble == "error": raise ValueError("unlucky\\nseed")
if trouble == "death": os._exit(9)
if trouble == "exit": sys.exit(0)
with atomic_write(place.map) as half:
    half.write_text("half")
    if trouble == "slow": time.sleep(600)
"""


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory, make_notebook):
    """A folder with two notebooks that write what steps 2 and 3 write."""
    folder = tmp_path_factory.mktemp("notebooks")
    make_notebook(folder / "02_embed.ipynb", PLACES + 'detector: str = "cnn"', FIND, EMBED)
    make_notebook(folder / "03_map.ipynb", PLACES + 'trouble: str = ""\nseed: int = 0', "import sys", FIND, MAP)
    return folder


@pytest.fixture
def project(tmp_path):
    """A project of one person with one picture (nobody opens it here)."""
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (project.people / "Ann").mkdir(parents=True)
    (project.people / "Ann" / "1.jpg").write_bytes(b"1")
    return project


def states(results):
    return [(result.number, result.state) for result in results]


def digests(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.kernel
def test_steps_run_once_and_again_only_when_something_changed(project, notebooks, tmp_path, monkeypatch):
    # A kernel called python3 that belongs to something else must not be taken.
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "no", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.chdir(tmp_path)
    relative = Project("demo")
    before, seen = digests(notebooks), []

    first = run_pipeline(relative, steps=[3, 2], notebooks=notebooks, progress=seen.append)
    assert states(first) == [(2, "done"), (3, "done")]
    assert states(seen) == [(2, "running"), (2, "done"), (3, "running"), (3, "done")]
    assert project.faces.read_text() == f"{sys.executable} cnn True"
    assert all(result.notebook.is_file() and result.report.is_file() and result.seconds > 0 for result in first)
    assert first[0].notebook.parent == first[1].notebook.parent
    assert first[0].notebook.parent.parent == project.runs
    assert digests(notebooks) == before

    again = run_pipeline(project, steps=[2, 3], notebooks=notebooks)
    assert states(again) == [(2, "fresh"), (3, "fresh")]
    assert [result.report for result in again] == [result.report for result in first]
    assert len(list(project.runs.iterdir())) == 1

    # Another parameter for step 2: step 3 follows, for its input is another file now.
    changed = run_pipeline(project, steps=[2, 3], parameters={"detector": "hog"}, notebooks=notebooks)
    assert states(changed) == [(2, "done"), (3, "done")]
    assert "hog" in project.faces.read_text()

    forced = run_pipeline(project, steps=[3], force=True, notebooks=notebooks)
    assert states(forced) == [(3, "done")]


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("error", "ValueError: unlucky\nseed"),
        ("death", "Python process ended"),
        ("exit", "expected the notebook to write 'output/map.parquet', found none"),
    ],
)
def test_a_step_that_fails_ends_the_run_and_is_run_again(project, notebooks, make_notebook, tmp_path, trouble, message):
    folder = tmp_path / "notebooks"
    (folder).mkdir()
    (folder / "03_map.ipynb").write_bytes((notebooks / "03_map.ipynb").read_bytes())
    make_notebook(folder / "06_after.ipynb", "x: int = 0")
    results = run_pipeline(project, steps=[3, 6], parameters={"trouble": trouble}, notebooks=folder)
    assert states(results) == [(3, "failed")]
    assert message in results[0].message
    assert results[0].notebook.is_file()
    assert results[0].report.is_file()
    assert find_record(project, "03_map") is None
    assert not project.map.exists()


@pytest.mark.kernel
def test_steps_without_known_files_always_run(project, make_notebook, tmp_path):
    make_notebook(tmp_path / "nb" / "09_other.ipynb", "x: int = 0")
    for _ in range(2):
        assert states(run_pipeline(project, steps=[9], notebooks=tmp_path / "nb")) == [(9, "done")]
    assert len(list(project.runs.iterdir())) == 2


FORKED = """
from facelib.pipeline import fork_server, kernel, run
server = fork_server.ForkServer(fork_server.KERNEL)
run.Kernels = lambda *, forks: kernel.Kernels(server.address)
"""
both_kinds_of_kernels = pytest.mark.parametrize("before", ["", FORKED], ids=["started", "forked"])


def start_slow_run(project, notebooks, before):
    """Start a run in a process of its own and wait until it is in the middle of writing the map."""
    arguments = ["run", "--project", project.name, "--data-dir", str(project.data_dir)]
    arguments += ["--output-dir", str(project.output_dir), "--notebooks", str(notebooks), "--steps", "3"]
    command = [sys.executable, "-c", f"{before}from facelib.cli import main; main()", *arguments, "-p", "trouble=slow"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: run.poll() is not None or list(project.output.glob(".map.*")))
    assert run.poll() is None
    return run


def wait_for_end_of(process_id):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{process_id}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":  # ended; its parent has not looked yet
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.kernel
@both_kinds_of_kernels
def test_a_second_run_is_refused_and_ctrl_c_leaves_nothing_half_written(project, notebooks, before):
    run = start_slow_run(project, notebooks, before)
    with pytest.raises(BlockingIOError, match=rf"no other run of the project 'demo'.*process {run.pid}"):
        run_pipeline(project, steps=[3], notebooks=notebooks)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors and "warning" not in errors
    assert wait_for_end_of((project.output / "pid").read_text())
    assert list(project.output.glob(".map.*")) == []
    assert not project.map.exists()


@pytest.mark.kernel
@both_kinds_of_kernels
def test_a_killed_run_is_picked_up_by_running_again(project, notebooks, before, tmp_path_factory, monkeypatch):
    scratch = tmp_path_factory.mktemp("t")  # a socket's address is short
    monkeypatch.setenv("TMPDIR", str(scratch))
    run = start_slow_run(project, notebooks, before)
    family = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.communicate(timeout=PATIENCE)
    assert wait_for_end_of((project.output / "pid").read_text())
    assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []
    assert not project.map.exists() and not list(scratch.glob("*.json"))
    assert states(run_pipeline(project, steps=[3], notebooks=notebooks)) == [(3, "done")]
    assert project.map.read_text() == "half"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": [4]}, r"expected steps among \[2, 3\], .* got \[4\]"),
        ({"steps": []}, r"expected steps among \[2, 3\], .* got \[\]"),
        ({"steps": None}, r"got \[1, 2, 3, 4, 5, 6, 7\]"),
        ({"notebooks": Path("no")}, r"expected notebooks such as '05_annotate_video\.ipynb' in 'no', found none"),
        ({"parameters": {"sed": 1}}, "got 'sed'. Did you mean 'seed'"),
        ({"parameters": {"seed": "one"}}, "expected a whole number for the parameter 'seed', got 'one'"),
        ({"parameters": {"project": "other"}}, "expected 'project' to be given by --project"),
    ],
)
def test_mistakes_are_told_before_anything_runs(project, notebooks, given, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run_pipeline(project, **({"steps": [2, 3], "notebooks": notebooks} | given))
    assert not project.output.exists()


@pytest.mark.parametrize(
    ("steps", "parameters", "made"),
    [
        ([2], {}, False),
        ([1, 2], {}, False),
        ([1, 2], {"names": []}, False),
        ([2], {"names": ["Ann"]}, False),  # step 1, which would look for her, is not run
        ([1, 2], {"names": ["Ann"]}, True),
        ([1], {"people_from": "pictures"}, True),
    ],
)
def test_only_step_1_makes_a_project_and_only_when_told_what_of(tmp_path, steps, parameters, made):
    project = Project("new", tmp_path / "data", tmp_path / "output")
    if made:
        check_project(project, steps=steps, parameters=parameters)
    else:
        with pytest.raises(FileNotFoundError, match=r"expected a project in .*/data', got 'new'"):
            check_project(project, steps=steps, parameters=parameters)


def test_a_project_without_its_pictures_is_one_still(tmp_path):
    project = Project("old", tmp_path / "data", tmp_path / "output")
    project.output.mkdir(parents=True)
    project.faces.touch()
    check_project(project, steps=[4])


def test_a_film_that_is_not_there_is_told_before_anything_runs(project, make_notebook, tmp_path):
    make_notebook(tmp_path / "nb" / "02_a.ipynb", PLACES)
    make_notebook(tmp_path / "nb" / "05_b.ipynb", PLACES + "videos: list[str] = []")
    with pytest.raises(FileNotFoundError, match=r"expected a film named 'no\.mp4'"):
        run_pipeline(project, steps=[2, 5], parameters={"videos": ["no.mp4"]}, notebooks=tmp_path / "nb")
    assert not project.output.exists()


def test_an_output_folder_that_is_a_file_is_told(project, notebooks, tmp_path):
    (tmp_path / "output").write_text("")
    with pytest.raises(OSError, match=r"expected an output folder that can be written, got .*output/demo"):
        run_pipeline(project, steps=[2], notebooks=notebooks)


def test_a_disk_that_fills_up_is_told_with_the_place(project, make_notebook, tmp_path, small_disk):
    fill = "try:\n    open(f'{output_dir}/large', 'wb', 0).write(bytes(40_000_000))\nexcept OSError: pass"
    make_notebook(tmp_path / "nb" / "09_fill.ipynb", PLACES, fill, fill)
    small = Project(project.name, project.data_dir, small_disk)
    with pytest.raises(OSError, match=rf"09_fill and its report to '{small.runs}.*No space left.*run this again"):
        run_pipeline(small, notebooks=tmp_path / "nb", steps=[9])


def test_the_notebooks_of_the_checkout_are_found():
    assert notebooks_folder() == Path(pipeline_run.__file__).parents[2] / "notebooks"


# What makes a step stale: each case changes one thing about a finished step 2.
CHANGES = {
    "nothing": (lambda project, source: None, True),
    "a new picture": (lambda project, source: (project.people / "Ann" / "2.jpg").write_bytes(b"2"), False),
    "a changed picture": (lambda project, source: (project.people / "Ann" / "1.jpg").write_bytes(b"22"), False),
    "a copied picture": (lambda project, source: os.utime(project.people / "Ann" / "1.jpg", ns=(5, 5)), True),
    "the output written again": (lambda project, source: project.faces.write_text("faces"), True),
    "a new person": (lambda project, source: (project.people / "Bob").mkdir(), False),
    "a file that is no picture": (lambda project, source: (project.people / "Ann" / "notes.txt").touch(), True),
    "another output": (lambda project, source: project.faces.write_text("other"), False),
    "the output gone": (lambda project, source: project.faces.unlink(), False),
    "outputs in the notebook": (
        lambda project, source: source.write_text(source.read_text().replace('"outputs": []', '"outputs": [{}]')),
        True,
    ),
    "another notebook": (
        lambda project, source: source.write_text(source.read_text().replace("is_absolute", "exists")),
        False,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_makes_a_step_stale(project, notebooks, tmp_path, change):
    source = tmp_path / "nb" / "02_embed.ipynb"
    source.parent.mkdir()
    source.write_bytes((notebooks / "02_embed.ipynb").read_bytes())
    project.output.mkdir(parents=True)
    project.faces.write_text("faces")
    (step,) = pipeline_run._choose_steps(source.parent, [2], {})
    step.made(project, step.inputs(project)).write(project.runs / "1" / "02_embed.json")
    alter, fresh = CHANGES[change]
    alter(project, source)
    (step,) = pipeline_run._choose_steps(source.parent, [2], {})
    assert (pipeline_run._fresh(project, step) is not None) is fresh


def test_records_survive_moving_the_project_and_broken_ones_do_not_count(project, notebooks, tmp_path):
    picture = project.people / "Ann" / "1.jpg"
    assert list(file_states(project, [picture, project.map, tmp_path / "else.mp4"])) == [
        "data/people/Ann/1.jpg",
        "output/map.parquet",
        (tmp_path / "else.mp4").as_posix(),
    ]
    assert find_record(project, "02_embed") is None
    made = Made.now(notebooks / "02_embed.ipynb", {"x": float("nan")}, file_states(project, [picture]), {})
    made.write(project.runs / "a" / "02_embed.json")
    made.write(project.runs / "b" / "02_embed.json")
    for name, text in (("c", ""), ("d", "[]"), ("e", "{}"), ("f", '{"finished": ')):
        (project.runs / name).mkdir()
        (project.runs / name / "02_embed.json").write_text(text)
    path, record = find_record(project, "02_embed")
    assert path == project.runs / "b" / "02_embed.json"
    assert same(record, made)
    assert not same(record | {"facelib": "0"}, made)
    assert made.notebook == notebook_digest(notebooks / "02_embed.ipynb")
    assert json.loads(path.read_text())["inputs"] == {"data/people/Ann/1.jpg": sha256_of(picture)}


@pytest.mark.parametrize("step", [2, 4, 5])
def test_a_network_of_ones_own_is_among_what_a_step_reads(step, project):
    given = {"embedder": "output/demo/training/embedding.onnx", "detector": "centerface"}
    read = STEP_FILES[step].inputs(project, given)
    assert Path("output/demo/training/embedding.onnx") in read
    assert Path("centerface") not in read


def test_training_reads_the_people_and_the_networks(project, tmp_path):
    (tmp_path / "lfw" / "Ada").mkdir(parents=True)
    (tmp_path / "lfw" / "Ada" / "1.jpg").touch()
    read = STEP_FILES[8].inputs(project, {"people_from": str(tmp_path / "lfw")})
    assert tmp_path / "lfw" / "Ada" / "1.jpg" in read
    assert project.people / "Ann" / "1.jpg" in STEP_FILES[8].inputs(project, {"people_from": ""})


def test_gathering_reads_what_it_leaves_out_too(project):
    read = STEP_FILES[1].inputs
    before = read(project, {})
    project.videos.mkdir()
    odd = [project.people / "Unknown 1", project.people / "loose.jpg", project.videos / "notes.txt"]
    odd[0].mkdir()
    for path in odd[1:]:
        path.write_bytes(b"\xff\xd8\xff\xe0 a picture")
    assert set(read(project, {})) - set(before) == set(odd)
