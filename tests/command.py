"""`facelib` in tests: its kernels and jobs are forked from the process that it was itself forked from."""

import sys
from types import SimpleNamespace

import facelib.pipeline.kernel
import facelib.server.jobs.process
from facelib.cli import main as facelib_main


def shared_forks(address: str) -> SimpleNamespace:
    """Return what stands for a `ForkServer` that others use as well, so that nobody ends it."""
    return SimpleNamespace(address=address, running=True, close=lambda: None)


def main() -> None:
    """Run `facelib`; the first argument is the address of that process."""
    shared = shared_forks(sys.argv[1])
    for module in (facelib.pipeline.kernel, facelib.server.jobs.process):
        module.ForkServer = lambda *_: shared
    sys.argv[:2] = ["facelib.cli"]
    facelib_main()
