"""The line that says how far a step is, on a real terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals"),
]

LOOP = """
import time
from tqdm.auto import tqdm
for _ in tqdm(range(8), desc="faces", unit="picture", mininterval=0):
    time.sleep(0.15)
"""


def seen_on_a_terminal(folder: Path, *arguments: str, columns: int = 100) -> str:
    """Run `facelib` on a pseudo-terminal; return all that it showed, without the codes that move the cursor."""
    master, slave = os.openpty()
    code = "from facelib.cli import main; main()"
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(columns)}
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, stdout=slave, stderr=slave
    ):
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux tells so that nobody writes any more
                break
            if not part:
                break
            seen += part
    os.close(master)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())


def test_each_step_is_shown_with_its_own_bars_and_the_time_left(tmp_path, make_notebook):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    for name in ("11_first", "12_second"):
        make_notebook(tmp_path / "nb" / f"{name}.ipynb", "x: int = 0", LOOP)
    seen = seen_on_a_terminal(tmp_path, "run", "--project", "demo", "--notebooks", "nb", "--steps", "11,12")
    first, second = seen.split("12_second: ...")
    assert re.search(r"11_first: cell 3 of 3  faces: +\d+% \d/8 \[\d\d:\d\d<\d\d:\d\d", first)
    assert re.search(r"12_second: cell 3 of 3  faces: +\d+% \d/8 \[\d\d:\d\d<\d\d:\d\d", second)
    assert "11_first: done in" in first
    assert "11_first: cell" not in second  # the line does not begin with how far the step before was
    assert "12_second: done in" in second


def test_the_line_is_cut_where_the_terminal_ends(tmp_path, make_notebook):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    make_notebook(tmp_path / "nb" / "11_first.ipynb", "x: int = 0", LOOP)
    seen = seen_on_a_terminal(tmp_path, "run", "--project", "demo", "--notebooks", "nb", "--steps", "11", columns=40)
    shown = [line for line in re.split(r"[\r\n]+", seen) if "%" in line]
    assert shown
    assert all(len(line) <= 40 and "cell 3 of 3" in line and line.endswith("…") for line in shown)
