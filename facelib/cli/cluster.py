"""`facelib cluster`: a Dask scheduler with workers on this machine."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from typing import Annotated

import typer

_MORE = """For more machines: install facelib on each, with data and output under the same path or at one s3:// address;
start 'dask scheduler' on one and 'dask worker ADDRESS --nthreads 1 --nworkers -1' on the others; under SLURM use
dask-jobqueue (SLURMCluster), on Kubernetes dask-kubernetes (KubeCluster). Keep the ports inside your network: whoever
reaches a scheduler can run programs on its workers."""


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
    from facelib.archive.cluster import start_cluster
    from facelib.project.wording import counted

    with ExitStack() as stack:
        # Workers inherit that Ctrl-C is not for them: this process stops them, and can itself be stopped once they run.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            started = stack.enter_context(start_cluster(workers, port=port, dashboard_port=dashboard_port))
        finally:
            signal.signal(signal.SIGINT, before)
        typer.echo(f"Scheduler: {started.address} ({counted(started.workers, 'worker')})")
        typer.echo(f"Dashboard: {started.dashboard}")
        typer.echo(f"Use it with: facelib run --project NAME --scheduler {started.address}")
        typer.echo(_MORE)
        threading.Event().wait()
