"""The kernels of a run: each a process of its own, forked with the library already there where several are needed."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from importlib.util import find_spec

import pytest

from facelib.pipeline import run_pipeline
from facelib.pipeline.kernel import LIBRARY, Kernels, KernelServer, ThisPython
from facelib.project import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

LOOK = """
import builtins, json, os, sys
seen = {"process": os.getpid(), "loaded": "colorsys" in sys.modules, "left": hasattr(builtins, "left"),
        "here": os.getcwd(), "renderer": os.environ["PLOTLY_RENDERER"]}
builtins.left = True
with open(out, "a") as file:
    print(json.dumps(seen), file=file)
"""


@pytest.fixture
def small(monkeypatch):
    """Let the processes that fork kernels import one small module beside the kernel's own."""
    modules = ["ipykernel.kernelapp", "colorsys", "no_such_module"]
    monkeypatch.setattr("facelib.pipeline.kernel.KernelServer", partial(KernelServer, modules))


@pytest.mark.kernel
def test_a_forked_kernel_has_the_library_and_nothing_of_another_notebook(small, make_notebook, tmp_path):
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (project.people / "Ann").mkdir(parents=True)
    parameters = 'project: str = ""\ndata_dir: str = ""\noutput_dir: str = ""\nout: str = ""'
    for number in (11, 12):
        make_notebook(tmp_path / "nb" / f"{number}_look.ipynb", parameters, LOOK)
    given = {"steps": [11, 12], "notebooks": tmp_path / "nb", "parameters": {"out": str(tmp_path / "out")}}
    with Kernels() as forked:
        for kernels in (forked, Kernels(forks=False)):
            assert [step.state for step in run_pipeline(project, **given, kernels=kernels)] == ["done"] * 2
    seen = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [one.pop("loaded") for one in seen] == [True, True, False, False]
    assert len({one.pop("process") for one in seen}) == 4
    assert all(one == seen[0] for one in seen) and seen[0]["left"] is False


def test_they_are_forked_where_more_than_one_is_needed(small):
    with Kernels() as kernels:
        assert kernels.manager(left=1) is ThisPython
        first = kernels.manager(left=2).command
        assert first != ThisPython.command and kernels.manager(left=1).command == first
    assert kernels.manager(left=2) is ThisPython  # that process has ended
    with Kernels() as kernels:
        kernels.later = 1
        assert kernels.manager(left=1) is not ThisPython
    with Kernels(forks=False) as kernels:
        assert kernels.manager(left=7) is ThisPython


def test_where_no_socket_can_be_made_each_starts_by_itself(monkeypatch, tmp_path):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with pytest.raises(OSError, match="expected a shorter name"):
        KernelServer()
    assert list(long.iterdir()) == []
    with Kernels() as kernels:
        assert kernels.manager(left=2) is ThisPython


@pytest.mark.parametrize("name", LIBRARY)
def test_what_is_imported_beforehand_exists(name):
    assert find_spec(name) is not None
