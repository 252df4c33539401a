"""Servers started as programs of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE


@contextmanager
def serving(
    command: Sequence[str], *options: str, log: Path | None = None, **environment: str
) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Start a server on a free port; yield its process, its address and the token it shows (empty: none).

    What it logs goes to a file, and is shown where the block fails: a pipe that nobody reads stops a server once it is
    full, after some four hundred requests.
    """
    program = [*command, "serve", *([] if "--port" in options else ["--port", "0"]), *options]
    with tempfile.TemporaryDirectory() as folder:
        path = log or Path(folder) / "log"
        with open(path, "w", encoding="utf-8") as file:
            pipes = {"stdout": subprocess.PIPE, "stderr": file, "text": True, "env": os.environ | environment}
            process = subprocess.Popen(program, **pipes)  # type: ignore[call-overload]
        try:
            with process:
                try:
                    address = re.search(r"at (http://\S+)", process.stdout.readline())[1]
                    first = process.stdout.readline() if environment.get("FIRST", "yes") == "yes" else ""
                    yield process, address, first.strip().rpartition(" ")[2]
                finally:
                    process.terminate()
                    process.communicate(timeout=PATIENCE)
        except BaseException:
            print(path.read_text("utf-8")[-20_000:], file=sys.stderr)
            raise
