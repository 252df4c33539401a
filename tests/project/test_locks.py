"""One holder at a time, whatever becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from facelib.project.locks import file_lock


def test_only_one_at_a_time(tmp_path):
    path = tmp_path / "new" / ".lock"
    with (
        file_lock(path, what="other run"),
        pytest.raises(BlockingIOError, match=rf"no other run, found one under way \(process {os.getpid()}\)"),
        file_lock(path, what="other run"),
    ):
        pass
    with file_lock(path, what="other run"):
        pass


def test_a_killed_holder_holds_nothing(tmp_path):
    path = tmp_path / ".lock"
    code = (
        "import sys, time; from facelib.project.locks import holding\n"
        "with holding(sys.argv[1], what='x'): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError, match=str(process.pid)), file_lock(path, what="x"):
            pass
        process.kill()
    with file_lock(path, what="x"):
        pass
