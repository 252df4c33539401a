"""The kernels that the pipeline runs notebooks in: this very Python, whatever kernels the user has installed."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from contextlib import suppress
from queue import Empty
from types import TracebackType
from typing import ClassVar, Self

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from facelib.pipeline.modules import LIBRARY
from facelib.project.fork_server import ForkServer, forked
from facelib.project.processes import memory_settings


def forked_kernel(address: str) -> list[str]:
    """Return the command of a kernel forked by the server at an address, as in a kernel's specification."""
    return forked(address, "ipykernel.kernelapp", "-f", "{connection_file}")


class _Client(AsyncKernelClient):
    """A client that goes on as soon as its kernel has answered; Jupyter's waits 0.2 s for what else may come."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, at most so many seconds.

        Raises:
            RuntimeError: When it does not, or ends before.
        """
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while time.monotonic() < end:
            self.kernel_info()
            with suppress(Empty):
                reply = await self.get_shell_msg(timeout=1)
                if reply["msg_type"] == "kernel_info_reply":
                    await self.get_iopub_msg(timeout=0.2)  # where nothing comes, what the cells show would be lost too
                    self._handle_kernel_info_reply(reply)
                    return
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
        raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")


class ThisPython(AsyncKernelManager):
    """Starts ipykernel in the running interpreter.

    A kernel called `python3` in the user's Jupyter folder may belong to another Python, where facelib is missing.

    Attributes:
        server: The address of a `ForkServer` that forks the kernel; empty starts it by itself.
    """

    server: ClassVar[str] = ""
    shutdown_wait_time = 30.0  # seconds; a slow machine takes longer than the usual five
    _stopping: asyncio.Future[None] | None = None

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel: this interpreter, with plotly set to leave figures as data for the report."""
        native = get_kernel_dict()
        command = forked_kernel(self.server) if self.server else [sys.executable, *native["argv"][1:]]
        # Of the kernel's own log, only what ends it: it warns of every start over TCP and of every interruption.
        options = ["--log-level=CRITICAL", "--IPKernelApp.kernel_class=facelib.pipeline.stopping.StoppingKernel"]
        environment = {"PLOTLY_RENDERER": "plotly_mimetype", **memory_settings()}
        return KernelSpec(**native | {"argv": [*command, *options], "env": environment})

    @default("client_factory")
    def _client_factory_default(self) -> type[_Client]:
        return _Client

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        """Look more often whether the kernel has ended: most take less than that."""
        await super()._async_wait(pollinterval / 10)

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]
        """Interrupt the kernel and stop it, giving it the seconds in which its half-written files are removed.

        On Ctrl-C nbclient asks twice at once; a second interruption would break off the cleaning up of the first.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(super().shutdown_kernel(now=False))
        await asyncio.shield(self._stopping)


class Kernels:
    """The kernels of a run: where more than one notebook is to be run, they are forked from one process.

    Args:
        server: The address of a `ForkServer` that forks all of them; empty: one is started when it saves time.
        forks: Whether one may be started, as for notebooks that import the library.

    Attributes:
        later: How many notebooks will be run after those that are known of.
    """

    def __init__(self, server: str = "", *, forks: bool = True) -> None:
        self._server = server
        self._started: ForkServer | None = None
        self._forks = forks and sys.platform == "linux"
        self.later = 0

    def manager(self, *, left: int) -> type[ThisPython]:
        """Return what starts the kernel of the next notebook; `left` may still be run, with this one."""
        if not self._server and self._forks and left + self.later > 1:
            try:
                self._started = ForkServer(LIBRARY)
                self._server = self._started.address
            except OSError:
                self._forks = False
        return type("ForkedPython", (ThisPython,), {"server": self._server}) if self._server else ThisPython

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End the process that was started, if any."""
        if self._started is not None:
            self._started.close()
