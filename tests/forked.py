"""Processes that start at once, forked from ones that have imported the library: kernels, commands, the tests' own."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping

import pytest
from ipykernel.kernelspec import get_kernel_dict

from facelib.pipeline.modules import LIBRARY, REPORT
from facelib.project.fork_server import ForkServer, forked

FACELIB = [sys.executable, "-c", "from facelib.cli import main; main()"]
COMMANDS = (
    "facelib.live",
    "facelib.pipeline.run",
    "facelib.server.serve",
    "psycopg",
    "tests.command",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "PIL.Image:init",
    REPORT,
    "tests.ready:unpack",
    "tests.ready:start_server",
    "tests.ready:note_modules",
)
"""What commands need beside what notebooks do; see `ForkServer`."""
REST = ("facelib.widgets.archive_search", "facelib.widgets.live_view", "facelib.widgets.live_view_report")
"""What the notebooks import that a run of the pipeline does not need."""
TESTS = (
    "facelib.archive.cluster",
    "facelib.server.app",
    "playwright.sync_api",
    "skimage.data",
    "tests.forked",
)
"""What most tests import beside that."""


class Forks:
    """The processes from which those of one run of the tests are forked: the tests' own, and what these start.

    Args:
        variables: Further environment variables of the processes that import the library.
        training: Whether tests of training are among them, which import PyTorch.

    Attributes:
        address: From where what the tests start is forked, as `fork_server` gives it.
    """

    def __init__(self, variables: Mapping[str, str], *, training: bool) -> None:
        environment = {**os.environ, **variables, "MPLBACKEND": "Agg", "JUPYTER_PLATFORM_DIRS": "1"}
        library = (*LIBRARY, *REST, *COMMANDS)
        # tqdm chooses its bars when it is imported: behind a kernel's modules, those of notebooks.
        tests = ("tqdm.auto", *library, *TESTS, *["facelib.train"] * training)
        self._for_tests = ForkServer(tests, environment)
        self._started = ForkServer(library, environment)
        self.address = self._started.address

    @property
    def python(self) -> str:
        """The command that does what Python does with a program on its command line."""
        return shlex.join(forked(self._for_tests.address, "tests.forked"))

    def close(self) -> None:
        """End them."""
        self._for_tests.close()
        self._started.close()


def main() -> None:
    """Run a program that stands on the command line, behind Python's options."""
    exec(sys.argv[-1], {"__name__": "__main__"})


@pytest.fixture(scope="session")
def fork_server(_private_jupyter: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a process that has imported the library, from which others are forked; empty: not on Linux."""
    if sys.platform != "linux":
        yield ""
    elif address := getattr(request.config, "workerinput", {}).get("fork_server"):
        yield address
    else:
        server = ForkServer((*LIBRARY, *REST, *COMMANDS))
        yield server.address
        server.close()


@pytest.fixture(scope="session")
def facelib_command(fork_server: str) -> list[str]:
    """The command line as a process of its own, which starts at once, as do its kernels and jobs.

    `FACELIB` starts it as users do.
    """
    return forked(fork_server, "tests.command", fork_server) if fork_server else FACELIB


@pytest.fixture(scope="session")
def kernel_server(fork_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kernels that start at once, for Jupyter and for the pipeline, forked from one process for all tests."""
    if not fork_server:
        yield
        return
    from facelib.pipeline.kernel import Kernels, forked_kernel  # which takes half a second

    folder = tmp_path_factory.mktemp("kernels")
    place = folder / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(get_kernel_dict() | {"argv": forked_kernel(fork_server)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setattr("facelib.pipeline.run.Kernels", lambda *, forks: Kernels(fork_server))
        yield
