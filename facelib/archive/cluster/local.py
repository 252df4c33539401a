"""A cluster of this machine's cores, for trying things out and for a single large machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from facelib.archive.cluster.connect import import_distributed
from facelib.project.processes import allowed_cores


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A running cluster.

    Attributes:
        address: Of its scheduler, for the parameter `scheduler`.
        dashboard: The link to its dashboard.
        workers: How many there are, each with one thread.
    """

    address: str
    dashboard: str
    workers: int


@contextmanager
def start_cluster(workers: int = 0, *, port: int = 0, dashboard_port: int = 0) -> Iterator[LocalCluster]:
    """Start a scheduler and workers on this machine, and stop them at the end of the block.

    Only this machine can reach them: whoever reaches a Dask scheduler can run any program on its workers.

    Args:
        workers: How many; each indexes one film at a time on one core. 0: one per core.
        port: The scheduler's port; 0: any free port.
        dashboard_port: The dashboard's port; 0: any free port.

    Raises:
        ImportError: When the extra `scale` is not installed.
        ValueError: When the number of workers is negative.
        OSError: When the port is taken.
    """
    if workers < 0:
        raise ValueError(f"expected 1 worker or more, or 0 for one per core, got {workers!r}")
    distributed = import_distributed()
    workers = workers or allowed_cores()
    try:
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            scheduler_port=port,
            dashboard_address=f"127.0.0.1:{dashboard_port}",
        )
    except RuntimeError as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        raise OSError(
            f"expected a cluster to start at port {port}, got: {cause}; where another program has the port, choose "
            f"another one, or 0 for any that is free"
        ) from None
    with cluster:
        yield LocalCluster(cluster.scheduler_address, cluster.dashboard_link, workers)
