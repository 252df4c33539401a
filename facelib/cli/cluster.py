"""`facelib cluster`: a Dask scheduler with workers on this machine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import Annotated

import typer

_MORE = """For more machines: install facelib on each, with data and output under the same path or at one s3:// address;
start 'dask scheduler' on one and 'dask worker ADDRESS --nthreads 1 --nworkers -1' on the others; under SLURM use
dask-jobqueue (SLURMCluster), on Kubernetes dask-kubernetes (KubeCluster). Keep the ports inside your network: whoever
reaches a scheduler can run programs on its workers."""


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block; processes that are started within inherit that it is not for them."""
    mask = getattr(signal, "pthread_sigmask", None)  # Windows has none: there it is passed over
    if mask is not None:
        resource_tracker.ensure_running()  # else the first thread that needs it would let Ctrl-C through
        waiting = mask(signal.SIG_BLOCK, {signal.SIGINT})  # in the threads that are started within, too
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if mask is not None:
            mask(signal.SIG_SETMASK, waiting)


def cluster(
    workers: Annotated[
        int, typer.Option(min=0, help="How many; each searches one film at a time on one core. 0: one for each core.")
    ] = 0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The scheduler's port; 0: any free port.")] = 8786,
    dashboard_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The dashboard's port; 0: any free port.")
    ] = 8787,
) -> None:
    """Start a Dask scheduler and workers on this machine, for 'facelib run --scheduler', until Ctrl-C."""
    with ExitStack() as stack:
        with _ctrl_c_later():  # this process stops its workers, once they run
            from facelib.archive.cluster import start_cluster
            from facelib.project.wording import counted

            started = stack.enter_context(start_cluster(workers, port=port, dashboard_port=dashboard_port))
        typer.echo(f"Scheduler: {started.address} ({counted(started.workers, 'worker')})")
        typer.echo(f"Dashboard: {started.dashboard}")
        typer.echo(f"Use it with: facelib run --project NAME --scheduler {started.address}")
        typer.echo(_MORE)
        threading.Event().wait()
