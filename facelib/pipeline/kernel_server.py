"""A process that has imported the library, and forks a kernel for each notebook that is run; Linux only.

Each notebook of a run would spend two seconds on imports. Here they are done once; every kernel is still a fresh
process in which no notebook has run. This file is a program that needs the standard library alone, so that it starts at
once. `serve LISTENER MODULE...` is that process, given the number of an open socket and what to import.
`start ADDRESS -f CONNECTION_FILE` stands for one kernel towards Jupyter: it passes signals on, ends when the kernel
does, and takes the kernel with it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any


def serve(listener: str, *modules: str) -> None:
    """Import modules, and fork kernels until standard input ends, which whoever started this keeps open."""
    # Registered first, it runs last: to take the imports apart at its end would cost each kernel a second.
    atexit.register(os._exit, 0)
    for name in modules:
        with suppress(Exception):  # a notebook that needs it says so
            import_module(name)
    gc.freeze()  # what is imported is no rubbish, and to look through it would copy its memory for each kernel
    # The only threads are those of libraries in C, such as an allocator's, which expect to be forked.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    with socket.socket(fileno=int(listener)) as socket_:
        while sys.stdin not in select.select([socket_, sys.stdin], [], [])[0]:
            connection, _ = socket_.accept()
            if os.fork() == 0:
                break
            connection.close()
            _reap()
        else:
            _reap()
            _remove(socket_.getsockname())
            return
    _supervise(connection)


def _remove(address: str) -> None:
    """Remove the socket and its folder: whoever made them may have been killed."""
    with suppress(OSError):
        os.unlink(address)
        os.rmdir(os.path.dirname(address))


def _reap() -> None:
    """Take note of supervisors that have ended, and of the time that their kernels have used."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _supervise(connection: socket.socket) -> None:
    """Fork one kernel, pass signals on to it, and tell its end; it ends at once when nobody is there any more."""
    content, files, *_ = socket.recv_fds(connection, 65536, 3)
    while b"\n" not in content:
        part = connection.recv(65536)
        if not part:
            os._exit(0)
        content += part
    request, _, early = content.partition(b"\n")
    kernel = os.fork()
    with suppress(OSError):  # whoever of the two comes first
        os.setpgid(kernel, kernel)
    if kernel == 0:
        connection.close()
        _run_kernel(json.loads(request), files)
        return
    for file in files:
        os.close(file)
    for number in early:
        os.killpg(kernel, number)
    end = os.pidfd_open(kernel)
    while end not in (ready := select.select([connection, sys.stdin, end], [], [])[0]):
        asked = connection.recv(1) if connection in ready else b""
        os.killpg(kernel, asked[0] if asked else signal.SIGKILL)
        if not asked:
            break
    _, status = os.waitpid(kernel, 0)
    code = os.waitstatus_to_exitcode(status)
    try:
        connection.sendall(bytes([code if code >= 0 else 128 - code]))
    finally:
        os._exit(0)


def _run_kernel(request: dict[str, Any], files: list[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["ipykernel_launcher", *request["arguments"], f"--IPKernelApp.parent_handle={os.getppid()}"]
    import_module("ipykernel.kernelapp").launch_new_instance()


def start(address: str, *arguments: str) -> None:
    """Have a kernel started, and stand for it."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: connection.sendall(bytes([number])))
    request = {"folder": os.getcwd(), "environment": dict(os.environ), "arguments": arguments}
    socket.send_fds(connection, [b" "], [0, 1, 2])
    connection.sendall(json.dumps(request).encode() + b"\n")
    answer = connection.recv(1)
    sys.exit(answer[0] if answer else 1)


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    {"serve": serve, "start": start}[sys.argv[1]](*sys.argv[2:])
