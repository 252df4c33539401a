"""What a widget knows of the notebook that it lives in, in real kernels: who sits before it, and which cell runs."""

from __future__ import annotations

import time

import pytest
from jupyter_client.manager import start_new_kernel

from facelib.widgets.notebook import RunningCell, is_attended
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def run():
    """Return a function that runs a cell, as a front end with or without somebody before it; it returns what it said.

    A cell that breaks fails the test.
    """
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PATIENCE)

    def run(code: str, *, attended: bool) -> list[str]:
        said: list[str] = []

        def take(message):
            if message["msg_type"] == "error":
                said.extend(message["content"]["traceback"])
            elif message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])

        reply = client.execute_interactive(code, allow_stdin=attended, output_hook=take, timeout=PATIENCE)
        assert reply["content"]["status"] == "ok", "".join(said)
        return "".join(said).split()

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_without_a_kernel_nobody_sits_there_and_no_cell_runs():
    cell = RunningCell()
    assert not is_attended() and not cell.running
    cell.close()
    cell.close()


@pytest.mark.kernel
def test_a_kernel_knows_who_asks_and_whether_a_cell_runs(run):
    run("import time, threading; from facelib.widgets.notebook import RunningCell, is_attended", attended=False)
    assert run("print(is_attended())", attended=True) == ["True"]
    assert run("print(is_attended())", attended=False) == ["False"]
    # What a thread sees while a cell runs, between two cells, and after a cell that broke.
    run(
        "def look():\n"
        "    while not stopped:\n"
        "        seen.append(cell.running)\n"
        "        time.sleep(0.02)\n"
        "cell, seen, stopped = RunningCell(), [], []\n"
        "threading.Thread(target=look).start()",
        attended=True,
    )
    begin = "begin = len(seen)\nwhile len(seen) < begin + 5: time.sleep(0.02)\nprint(all(seen[begin:]))"
    assert run(begin, attended=True) == ["True"]
    idle = "print(False in seen[begin:])"
    wait_until(lambda: run(idle, attended=True) == ["True"], pause=0.1)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run("begin = len(seen); 1 / 0", attended=True)
    wait_until(lambda: run(idle, attended=True) == ["True"], pause=0.1)
    run("cell.close(); cell.close()", attended=True)
    run("begin = len(seen) + 1; time.sleep(0.2)", attended=True)
    time.sleep(0.5)
    assert run("print(False in seen[begin:]); stopped.append(True)", attended=True) == ["False"]  # it follows no more


@pytest.mark.kernel
def test_watching_before_a_person_returns_at_once_and_no_long_cell_ends_it(run, make_tuned_demo, tmp_path):
    project = make_tuned_demo(tmp_path, 0.4)
    run(
        "import time; from facelib.project import Project; from facelib.widgets import LiveCamera\n"
        f"project = Project('demo', {str(project.data_dir)!r}, {str(project.output_dir)!r})\n"
        "camera = LiveCamera(project.videos / 'demo.mp4', project, detector='haar', loop=True, patience=2.0)",
        attended=True,
    )
    # It would wait for an hour; a bad number is refused at once all the same.
    assert run("camera.watch(3600); print(camera.session.running)", attended=True) == ["True"]
    assert run("try: camera.watch(-1)\nexcept ValueError: print('refused')", attended=True) == ["refused"]
    # No page answers, but none could be heard while the cell runs; afterwards it is missed.
    assert run("time.sleep(3); print(camera.session.running)", attended=True) == ["True"]
    ended = "print(camera.session.running, camera.state)"
    wait_until(lambda: run(ended, attended=True) == ["False", "stopped"], pause=2.5)  # each cell excuses the page anew
    # Where nobody sits the cell waits, and the camera is free after it.
    assert run("camera.watch(1, progress=False); print(camera.state)", attended=False) == ["stopped"]
    assert run("print('data:image/jpeg' in camera.snapshot_page().html)", attended=False) == ["True"]
