"""One holder at a time, whatever becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from facelib.project import file_lock, writer_lock


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
        "import sys, time; from facelib.project import file_lock\n"
        "with file_lock(sys.argv[1], what='x'): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError, match=str(process.pid)), file_lock(path, what="x"):
            pass
        process.kill()
    with file_lock(path, what="x"):
        pass


def test_writers_wait_for_each_other(tmp_path):
    path = tmp_path / "list.csv"
    code = (
        "import sys, time; from facelib.project import writer_lock\n"
        "with writer_lock(sys.argv[1]): print('held', flush=True); time.sleep(0.5); open(sys.argv[1], 'w').write('1')"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with writer_lock(path):
            assert path.read_text() == "1"
