"""Kernels and commands that start at once: forked from one process that has imported the library."""

import json
import sys
from collections.abc import Iterator

import pytest
from ipykernel.kernelspec import get_kernel_dict

from facelib.pipeline.fork_server import LIBRARY, ForkServer, forked
from facelib.pipeline.kernel import Kernels, forked_kernel

FACELIB = [sys.executable, "-c", "from facelib.cli import main; main()"]
COMMANDS = ("facelib.cli", "facelib.live", "facelib.pipeline.run", "facelib.server.serve", "nbconvert")
"""What commands import once they run, beside what notebooks do."""
REST = ("facelib.widgets.archive_search", "facelib.widgets.live_view", "facelib.widgets.live_view_report")
"""What the notebooks import that a run of the pipeline does not need."""


@pytest.fixture(scope="session")
def fork_server(_private_jupyter: None) -> Iterator[str]:
    """The address of a process that has imported the library, from which others are forked; empty: not on Linux."""
    if sys.platform != "linux":
        yield ""
        return
    server = ForkServer((*LIBRARY, *REST, *COMMANDS))
    yield server.address
    server.close()


@pytest.fixture(scope="session")
def facelib_command(fork_server: str) -> list[str]:
    """The command line as a process of its own, which starts at once; `FACELIB` starts it as users do."""
    return forked(fork_server, "facelib.cli") if fork_server else FACELIB


@pytest.fixture(scope="session")
def kernel_server(fork_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kernels that start at once, for Jupyter and for the pipeline, forked from one process for all tests."""
    if not fork_server:
        yield
        return
    folder = tmp_path_factory.mktemp("kernels")
    place = folder / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(get_kernel_dict() | {"argv": forked_kernel(fork_server)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setattr("facelib.pipeline.run.Kernels", lambda *, forks: Kernels(fork_server))
        yield
