"""A connection to a Dask scheduler, checked within seconds: that it is there, and that its workers can do the work."""

from __future__ import annotations

import logging
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

_SECONDS = 30.0  # for a scheduler to answer, as Dask has it: it may be busy
_LONGEST_GREETING = 2**20  # bytes
_SAME = ("distributed", "facelib")
_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+:\d+/?")
_log = logging.getLogger(__name__)


def import_distributed() -> Any:
    """Return the module, of the extra `scale`.

    Raises:
        ImportError: When it is not installed.
    """
    try:
        import distributed
    except ImportError:
        raise ImportError(
            "expected the package distributed, found none; install it: make scale, or pip install '.[scale]' in the "
            "checkout"
        ) from None
    return distributed


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a `distributed.Client` of a scheduler whose workers have facelib and Dask in the versions of this machine.

    Raises:
        ImportError: When the extra `scale` is not installed.
        ValueError: When it is no address, or a version differs.
        ConnectionError: When no scheduler answers.
    """
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"expected the address of a Dask scheduler such as 'tcp://host:8786', got {address!r}")
    address = address.rstrip("/")
    client = _client(address)
    try:
        _check_versions(client, address)
        yield client
    finally:
        client.close(timeout=2)


def _client(address: str) -> Any:
    distributed = import_distributed()
    try:
        _listen(address)
        with warnings.catch_warnings(action="ignore"):  # of versions that differ, which are checked below
            return distributed.Client(address, timeout=_SECONDS, set_as_default=False)
    except Exception as error:  # a server of another kind gives errors of many kinds
        raise ConnectionError(
            f"expected a Dask scheduler at {address!r}, none answered within {_SECONDS:.0f} s "
            f"({type(error).__name__}); start one with 'facelib cluster', or leave the parameter 'scheduler' empty to "
            f"use this machine alone"
        ) from None


def _listen(address: str) -> None:
    """Raise an OSError where no Dask scheduler speaks: Dask's own client waits without end for some other servers."""
    kind, _, place = address.partition("://")
    if kind != "tcp":
        return
    host, _, port = place.rpartition(":")
    with (
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS) as connection,
        connection.makefile("rb") as said,
    ):
        length = int.from_bytes(said.read(8), "little")  # a scheduler speaks first
        greeting = said.read(length) if length < _LONGEST_GREETING else b""
    if b"python" not in greeting:  # its version
        raise ConnectionError(f"expected the greeting of a Dask scheduler, got {greeting!r}")


def _check_versions(client: Any, address: str) -> None:
    try:
        with warnings.catch_warnings(action="ignore"):
            found = client.get_versions(packages=["facelib"])
    except Exception as error:
        raise ConnectionError(
            f"expected the scheduler at {address!r} to tell its version, got {type(error).__name__}"
        ) from None
    if not found["workers"]:
        _log.warning("%s has no workers yet; start some with 'dask worker %s --nthreads 1'", address, address)
    workers = {f"worker {one}": told for one, told in found["workers"].items()}
    for machine, told in {"the scheduler": found["scheduler"] or {}, **workers}.items():
        names = ["distributed"] if machine == "the scheduler" else _SAME  # a scheduler needs no facelib
        wanted, there = {name: version(name) for name in names}, dict(told.get("packages", {}))
        others = [name for name in names if there.get(name) != wanted[name]]
        if others:
            has = " and ".join(f"{name} {there[name]}" if there.get(name) else f"no {name}" for name in others)
            raise ValueError(
                f"expected {' and '.join(f'{name} {wanted[name]}' for name in names)} on all machines, {machine} of "
                f"{address!r} has {has}; install the same versions there, or choose another scheduler"
            )
