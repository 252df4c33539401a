"""Jupyter kernels that start at once: a process that has imported the library forks for each that is asked for.

A notebook's kernel needs seconds to import what facelib stands on. Here the imports are done once; every kernel is
still a fresh process in which no notebook has run. `python kernel_server.py serve ADDRESS` is that process;
`python kernel_server.py start ADDRESS -f CONNECTION_FILE` stands for one kernel towards Jupyter: it passes signals on,
ends when the kernel does, and takes the kernel with it. Linux only.
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
from importlib import import_module
from typing import Any

IMPORTS = (
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


def serve(address: str) -> None:
    """Import the library and fork kernels until the process is ended."""
    # Registered first, it runs last: to take the imports apart at its end would cost each kernel a second.
    atexit.register(os._exit, 0)
    for name in IMPORTS:
        import_module(name)
    gc.freeze()  # what is imported is no rubbish, and to look through it would copy its memory for each kernel
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the supervisors
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _supervise(connection)


def _supervise(connection: socket.socket) -> None:
    content, files, *_ = socket.recv_fds(connection, 65536, 3)
    while not content.endswith(b"\n"):
        content += connection.recv(65536)
    kernel = os.fork()
    if kernel == 0:
        connection.close()
        _run_kernel(json.loads(content), files)
        return
    end = os.pidfd_open(kernel)
    while end not in select.select([connection, end], [], [])[0]:
        asked = connection.recv(1)
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
    os.setsid()
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
    del sys.path[0]  # the folder of the tests, which no kernel sees
    {"serve": serve, "start": start}[sys.argv[1]](*sys.argv[2:])
