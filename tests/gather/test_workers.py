import os
import signal
import subprocess
import sys

import psutil
import pytest

from facelib.gather.workers import spread
from tests.waiting import PATIENCE

from ..processes import command_of

# Tasks are texts and the work is to evaluate them: what is worked on by another process must be importable there.


@pytest.mark.parametrize("processes", [1, 2])
def test_every_task_comes_back_with_its_result(processes):
    tasks = [f"{number} * {number}" for number in range(7)]
    assert sorted(spread(eval, tasks, processes=processes)) == sorted((task, eval(task)) for task in tasks)


@pytest.mark.parametrize("processes", [1, 2])
def test_no_task_is_no_work(processes):
    assert list(spread(eval, [], processes=processes)) == []


def test_a_task_that_kills_its_process_takes_no_other_with_it():
    tasks = ["1 + 1", "__import__('os')._exit(3)", "2 + 2", "3 + 3", "4 + 4", "5 + 5"]
    results = dict(spread(eval, tasks, processes=2))
    assert results == {task: None if "_exit" in task else eval(task) for task in tasks}


def test_processes_have_one_thread_each():
    found = (
        "(__import__('os').environ['OMP_NUM_THREADS'], __import__('cv2').getNumThreads(), __import__('os').getpid())"
    )
    results = [result for _, result in spread(eval, [found] * 2, processes=2)]
    assert [result[:2] for result in results] == [("1", 1)] * 2
    assert os.getpid() not in {result[2] for result in results}


@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_work_raises_ends_it(processes):
    with pytest.raises(ZeroDivisionError):
        list(spread(eval, ["1", "1 / 0", *["2"] * 30], processes=processes))


def test_no_process_is_refused():
    with pytest.raises(ValueError, match="at least one process, got 0"):
        list(spread(eval, ["1"], processes=0))


def test_a_script_without_a_guard_is_told_what_to_do(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from facelib.gather.workers import spread\nprint(list(spread(eval, ['1', '2'], processes=2)))\n")
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 1
    assert "if __name__ == '__main__':" in ended.stderr.splitlines()[-1]


def test_processes_end_with_the_first_one_even_when_it_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import time\nfrom facelib.gather.workers import spread\n"
        "if __name__ == '__main__':\n"
        "    for _, number in spread(eval, ['1 + 1', '__import__(\"time\").sleep(600)'], processes=2):\n"
        "        print(number, flush=True)\n"
        "        time.sleep(600)\n"
    )
    first = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline()
    others = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    _, alive = psutil.wait_procs([one for one in others if "spawn" in " ".join(command_of(one))], timeout=PATIENCE)
    assert alive == []
    assert len(others) >= 1
