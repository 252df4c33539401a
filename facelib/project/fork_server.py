"""The process from which kernels, jobs and films are forked; see `forking.py`, the program that it runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from facelib.project.processes import memory_settings

_PROGRAM = str(Path(__file__).with_name("forking.py"))
_LONGEST_ADDRESS = 100  # bytes; a socket's has some 108 at most
_INLINE = "module://matplotlib_inline.backend_inline"  # what a kernel chooses before matplotlib is imported


class ForkServer:
    """A process that imports modules once and forks others; see `forking.py`. Linux only.

    It ends with this process, however that ends, and takes what it has forked with it.

    Args:
        modules: What it imports; `module:function` calls a function of the module as well.
        environment: Its environment variables while it does; None: those of this process. Each forked process has
            those of whoever asks for it.

    Attributes:
        address: Of its socket, for `forked`.

    Raises:
        OSError: When no socket can be made, as in a folder for temporary files whose name is too long.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start it; processes that are asked for at once wait until it is ready."""
        self._folder = TemporaryDirectory(prefix="facelib-forks-")  # its owner's alone
        try:
            self.address = str(Path(self._folder.name) / "at")
            if len(self.address.encode()) > _LONGEST_ADDRESS:
                raise OSError(f"expected a shorter name of the folder for temporary files, got {self.address!r}")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(self.address)
                listener.listen()
                # The debugger, which a kernel imports, warns on the terminal where modules are frozen.
                program = [sys.executable, "-Xfrozen_modules=off", _PROGRAM, "serve", str(listener.fileno())]
                self._process = subprocess.Popen(
                    [*program, *modules],
                    env={
                        "MPLBACKEND": _INLINE,
                        **memory_settings(),
                        **(os.environ if environment is None else environment),
                    },
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[listener.fileno()],
                    start_new_session=True,  # Ctrl-C is for who started it
                )
        except BaseException:
            self._folder.cleanup()
            raise

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, and the processes that are left."""
        self._process.communicate()
        self._folder.cleanup()


def forked(address: str, module: str, *arguments: str) -> list[str]:
    """Return the command that does what `python -m module` does, in a process forked by the server at an address.

    Where none listens there any more, the command runs the module by itself.
    """
    # Without `site` the stand-in itself is up in 20 ms.
    return [sys.executable, "-S", "-E", _PROGRAM, "start", address, module, *arguments]
