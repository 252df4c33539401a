"""The kernels that the pipeline runs notebooks in: this very Python, whatever kernels the user has installed."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import ClassVar, Self

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

_PROGRAM = str(Path(__file__).with_name("kernel_server.py"))
_LONGEST_ADDRESS = 100  # bytes; a socket's has some 108 at most
_INLINE = "module://matplotlib_inline.backend_inline"  # what a kernel chooses before matplotlib is imported

LIBRARY = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "cleanlab.rank",
    "facelib.archive.cluster.films",
    "facelib.detect.centerface",
    "facelib.detect.landmarks",
    "facelib.detect.mtcnn",
    "facelib.evaluate",
    "facelib.films.annotate",
    "facelib.films.exports",
    "facelib.films.identify",
    "facelib.films.present",
    "facelib.films.reel",
    "facelib.gallery.map",
    "facelib.gallery.strangers",
    "facelib.gather.film_faces",
    "facelib.gather.prepare",
    "facelib.pipeline.choosing",
    "facelib.pipeline.parameters",
    "facelib.pipeline.showing",
    "facelib.plots.film",
    "facelib.plots.gallery",
    "facelib.plots.mistakes",
    "facelib.plots.people",
    "facelib.recognize.quick_skops",
    "facelib.recognize.tuning",
    "facelib.review",
    "facelib.widgets",
    "imagehash",
    "narwhals._pandas_like.namespace",
    "openTSNE",
    "pi_heif",
    "plotly.graph_objs",
    "pyarrow.dataset",
)
"""What the notebooks import, at their beginning or on the way."""


class ThisPython(AsyncKernelManager):
    """Starts ipykernel in the running interpreter.

    A kernel called `python3` in the user's Jupyter folder may belong to another Python, where facelib is missing.

    Attributes:
        server: Forks the kernel as long as it runs; None starts it by itself.
    """

    server: ClassVar[KernelServer | None] = None
    _stopping: asyncio.Future[None] | None = None

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel: this interpreter, with plotly told to leave figures as data for the report."""
        native = get_kernel_dict()
        forked = self.server is not None and self.server.running
        command = self.server.command if self.server is not None and forked else [sys.executable, *native["argv"][1:]]
        # Of the kernel's own log, only what ends it: it warns of every start over TCP and of every interruption.
        return KernelSpec(
            **native | {"argv": [*command, "--log-level=CRITICAL"], "env": {"PLOTLY_RENDERER": "plotly_mimetype"}}
        )

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]
        """Interrupt the kernel and stop it, giving it the few seconds in which its half-written files are removed.

        On Ctrl-C nbclient asks twice at once; a second interruption would break off the cleaning up of the first.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(super().shutdown_kernel(now=False))
        await asyncio.shield(self._stopping)


class KernelServer:
    """A process that imports the library once and forks kernels; see `kernel_server.py`. Linux only.

    It ends with this process, however that ends, and takes its kernels with it.

    Args:
        modules: What it imports.

    Attributes:
        command: Starts a kernel, as in a kernel's specification.

    Raises:
        OSError: When no socket can be made, as in a folder for temporary files whose name is too long.
    """

    def __init__(self, modules: Sequence[str] = LIBRARY) -> None:
        """Start it; kernels that are asked for at once wait until it is ready."""
        self._folder = TemporaryDirectory(prefix="facelib-kernels-")  # its owner's alone
        try:
            address = str(Path(self._folder.name) / "at")
            if len(address.encode()) > _LONGEST_ADDRESS:
                raise OSError(f"expected a shorter name of the folder for temporary files, got {address!r}")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(address)
                listener.listen()
                self._process = subprocess.Popen(
                    [sys.executable, _PROGRAM, "serve", str(listener.fileno()), *modules],
                    env={"MPLBACKEND": _INLINE} | os.environ,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[listener.fileno()],
                    start_new_session=True,  # Ctrl-C is for who started it
                )
        except BaseException:
            self._folder.cleanup()
            raise
        # Without `site` the stand-in itself is up in 20 ms.
        self.command = [sys.executable, "-S", "-E", _PROGRAM, "start", address, "-f", "{connection_file}"]

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, and the kernels that are left."""
        self._process.communicate()
        self._folder.cleanup()


class Kernels:
    """The kernels of a run: where more than one notebook is to be run, they are forked from one process.

    Args:
        server: Forks all of them, and is not closed; None: one is started when it saves time.
        forks: Whether one may be started, as for notebooks that import the library.

    Attributes:
        later: How many notebooks will be run after those that are known of.
    """

    def __init__(self, server: KernelServer | None = None, *, forks: bool = True) -> None:
        """Start nothing yet."""
        self._given = self._server = server
        self._forks = forks and sys.platform == "linux"
        self.later = 0

    def manager(self, *, left: int) -> type[ThisPython]:
        """Return what starts the kernel of the next notebook.

        Args:
            left: How many notebooks may still be run, with this one.
        """
        if self._server is None and self._forks and left + self.later > 1:
            try:
                self._server = KernelServer()
            except OSError:
                self._forks = False
        return ThisPython if self._server is None else _forked_by(self._server)

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End the process that was started, if any."""
        if self._server is not None and self._server is not self._given:
            self._server.close()


def _forked_by(running: KernelServer) -> type[ThisPython]:
    class ForkedPython(ThisPython):
        server = running

    return ForkedPython
