"""Servers started as programs of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Start a server on a free port; yield its process, its address and the token it shows (empty: none)."""
    program = [sys.executable, "-c", "from facelib.cli import main; main()", "serve", "--port", "0", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": os.environ | environment}
    with subprocess.Popen(program, **pipes) as process:  # type: ignore[call-overload]
        try:
            address = re.search(r"at (http://\S+)", process.stdout.readline())[1]
            first = process.stdout.readline() if environment.get("FIRST", "yes") == "yes" else ""
            yield process, address, first.strip().rpartition(" ")[2]
        finally:
            process.terminate()
            process.communicate(timeout=60)
