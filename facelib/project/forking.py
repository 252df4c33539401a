"""A process that has imported what others need, and forks them; Linux only.

Each notebook, job and film of a cluster would spend seconds on imports. Here they are done once; every process
is still a fresh one in which nothing has run. This file is a program that needs the standard library alone, so that it
starts at once. `serve LISTENER MODULE...` is that process, given the number of an open socket and what to import;
`MODULE:FUNCTION` calls a function of the module as well, which makes what each process would make for itself.
`start ADDRESS MODULE ARGUMENT...` does what `python -m MODULE ARGUMENT...` does, in a forked process: it calls `main`
of the module. It stands for that process towards whoever started it: it passes signals on, ends when the process does,
and takes the process with it. Where nobody listens at the address, it runs the module itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any


def serve(listener: str, *modules: str) -> None:
    """Import modules and call functions, then fork processes until standard input ends, which the parent keeps open."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever is stopped before its program begins ends without a word
    # Registered first, it runs last: to take the imports apart at its end would cost each process a second.
    codes: list[int] = []
    atexit.register(_leave, codes)
    before = dict(os.environ)
    gc.disable()  # of what is imported next to nothing is rubbish, and it is looked through again and again
    for name in modules:
        if sys.stdin in select.select([sys.stdin], [], [], 0)[0]:  # whoever started it has ended meanwhile
            break
        module, _, function = name.partition(":")
        with suppress(Exception):  # a program that needs it says so
            found = import_module(module)
            if function:
                getattr(found, function)()
    # Such as where OpenCV's windows find Qt: what is imported already does not set it again.
    imported = {name: value for name, value in os.environ.items() if before.get(name) != value}
    gc.enable()
    gc.freeze()  # what is imported is no rubbish, and to look through it would copy its memory for each process
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
            address = socket_.getsockname()
            with suppress(OSError):  # whoever made the socket and its folder may have been killed
                os.unlink(address)
                os.rmdir(os.path.dirname(address))
            return
    _supervise(connection, imported, codes)


def _leave(codes: list[int]) -> None:
    with suppress(OSError, ValueError):  # nobody reads any more, or it is closed
        sys.stdout.flush()
    os._exit(codes[-1] if codes else 0)


def _reap() -> None:
    """Take note of supervisors that have ended, and of the time that their processes have used."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _supervise(connection: socket.socket, imported: dict[str, str], codes: list[int]) -> None:
    """Fork one process, pass signals on to it, and report its end; it ends when nobody is there any more."""
    content, files, *_ = socket.recv_fds(connection, 65536, 3)
    while b"\n" not in content:
        part = connection.recv(65536)
        if not part:
            os._exit(0)
        content += part
    request, _, early = content.partition(b"\n")
    forked = os.fork()
    with suppress(OSError):  # whoever of the two comes first
        os.setpgid(forked, forked)
    if forked == 0:
        connection.close()
        _run(json.loads(request), imported, files, codes)
        return
    for file in files:
        os.close(file)
    for number in early:
        os.killpg(forked, number)
    end = os.pidfd_open(forked)
    while end not in (ready := select.select([connection, sys.stdin, end], [], [])[0]):
        asked = connection.recv(1) if connection in ready else b""
        os.killpg(forked, asked[0] if asked else signal.SIGKILL)
        if not asked:
            break
    _, status = os.waitpid(forked, 0)
    code = os.waitstatus_to_exitcode(status)
    try:
        connection.sendall(bytes([code if code >= 0 else 128 - code]))
    finally:
        os._exit(0)


def _run(request: dict[str, Any], imported: dict[str, str], files: list[int], codes: list[int]) -> None:
    """Run a program in its own environment and what imports have added; the code it ends with goes to `codes`."""
    import shutil  # the stand-ins, which start at once, do without

    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(imported | request["environment"])
    resource.setrlimit(resource.RLIMIT_DATA, request["memory"])
    module, *arguments = request["program"]
    if module.startswith("ipykernel."):  # it would look after another process than this one's
        arguments.append(f"--IPKernelApp.parent_handle={os.getppid()}")
    sys.argv = [module, *arguments]
    # What an import made for a while, as matplotlib does where it may not write at home, the first to end would remove.
    atexit.unregister(shutil.rmtree)
    try:
        program = import_module(module).main
        signal.signal(signal.SIGINT, signal.default_int_handler)
        program()
    except BaseException as error:
        code = getattr(error, "code", 1)  # of a SystemExit: a number, None, or a message
        codes.append(code if isinstance(code, int) else int(code is not None))
        raise


def start(address: str, *program: str) -> None:
    """Have a program run in a forked process, and act in its place."""
    connection, parent = socket.socket(socket.AF_UNIX), os.getppid()
    try:
        connection.connect(address)
    except OSError:
        os.execv(sys.executable, [sys.executable, "-m", *program])

    def pass_on(number: int, _: object) -> None:
        with suppress(OSError):  # the process has just ended
            connection.sendall(bytes([number]))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    memory = resource.getrlimit(resource.RLIMIT_DATA)
    request = {"folder": os.getcwd(), "environment": dict(os.environ), "memory": memory, "program": program}
    socket.send_fds(connection, [b" "], [0, 1, 2])
    connection.sendall(json.dumps(request).encode() + b"\n")
    end_of_parent = os.pidfd_open(parent)
    if os.getppid() == parent and connection.fileno() in select.select([connection.fileno(), end_of_parent], [], [])[0]:
        with suppress(ConnectionResetError):  # it has ended before it saw the last signal
            answer = connection.recv(1)
            sys.exit(answer[0] if answer else 1)
    sys.exit(1)  # the process goes with this one, as it would have ended with its parent


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    {"serve": serve, "start": start}[sys.argv[1]](*sys.argv[2:])
