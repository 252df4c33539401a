import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

import pandas as pd
import papermill
import pytest
import typer
from typer.testing import CliRunner

from facelib.cli import main
from facelib.cli.printing import folded, print_table
from facelib.cli.results import print_results
from facelib.cli.run import parse_steps
from facelib.pipeline.run import StepResult
from facelib.project import write_text

from ..forked import FACELIB
from ..processes import without_rights


@pytest.fixture
def folder(tmp_path, make_notebook, monkeypatch):
    """A working folder with a project and one notebook that writes the map, or fails."""
    parameters = 'project: str = ""\ndata_dir: str = ""\noutput_dir: str = ""\nseed: int = 0  # 13 is unlucky'
    write = (
        "from facelib.project import Project, write_text\nwrite_text('', Project(project, data_dir, output_dir).map)"
    )
    make_notebook(tmp_path / "nb" / "03_map.ipynb", parameters, "assert seed != 13, 'unlucky'", write)
    (tmp_path / "data" / "demo" / "people").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(main, arguments)


RUN = ("run", "--project", "demo", "--notebooks", "nb", "--steps", "3")


def test_version_and_help():
    assert invoke("--version").output == f"facelib {version('facelib')}\n"
    helped = invoke("--help")
    assert helped.exit_code == 0
    assert all(command in helped.output for command in ("run", "demo", "align", "live", "doctor", "models"))


@pytest.mark.parametrize(("word", "told"), [("train", "--steps 8"), ("archive", "--steps 10"), ("rum", "mean 'run'")])
def test_a_wrong_command_says_which_is_meant(word, told):
    wrong = invoke(word)
    assert wrong.exit_code == 2 and told in re.sub(r"[\s│]+", " ", wrong.output)


@pytest.mark.parametrize("columns", [80, 110])
def test_no_option_is_cut(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = [invoke(*command, "--help").output for command in (["run"], ["search"], ["forget"], ["live"], ["cluster"])]
    assert [text for text in shown if "…" in text or max(map(len, text.splitlines())) > columns] == []
    assert "--seconds-between-recognitions" in shown[3]


def test_nothing_is_cut_in_a_narrow_terminal():
    ask = (
        "from facelib.cli import main; from typer.testing import CliRunner\n"
        "for command in ([], ['run'], ['search'], ['cluster']):\n"
        "    print(CliRunner().invoke(main, [*command, '-h'], terminal_width=60).output)"
    )
    told = subprocess.run(
        [sys.executable, "-c", ask], env=os.environ | {"COLUMNS": "60"}, capture_output=True, text=True, check=True
    ).stdout
    assert "…" not in told and not re.search(r"\w\.\.\.", told.replace("people...", ""))
    assert "--dashboard-port" in told and max(map(len, told.splitlines())) <= 60
    assert "whether commercial use is" in told  # the end of what is said of the last command


def test_settings_of_the_server_fit_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    pytest.importorskip("fastapi")
    _, settings = invoke("serve", "--help").output.split("Settings in the environment")
    assert max(map(len, settings.splitlines()[1:])) <= 80
    assert "[default: none]" in settings and "[default: false]" in settings and "None" not in settings


def test_a_network_that_does_not_run_is_one_line_and_other_ends_keep_their_code(monkeypatch):
    def fail(error):
        def doctor(*_, **__):
            raise error

        monkeypatch.setattr("facelib.cli.models.print_table", doctor)
        done = invoke("models")
        return done.exit_code, done.output

    assert fail(RuntimeError("expected n.onnx to run")) == (1, "Error: expected n.onnx to run\n")
    assert fail(typer.Exit(3)) == (3, "")
    assert fail(typer.Exit()) == (0, "")


def test_help_is_quick_because_nothing_heavy_is_imported():
    heavy = "{'pandas', 'numpy', 'papermill', 'plotly', 'cv2', 'onnxruntime'}"
    code = f"import sys, facelib.cli; print({heavy} & set(sys.modules) or 'none')"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "none\n"


def test_a_damaged_truth_is_told_and_the_places_all_the_same(make_reviewed, make_film, capsys):
    project = make_reviewed({"film.mp4": [("Ada", "", 0.9)]})
    make_film(project.videos / "film.mp4", frames=3)
    write_text("frame;name\n", project.data / "truth" / "film.csv")
    report = project.runs / "1" / "06_review.html"
    assert print_results(project, [StepResult(6, "06_review", "done", report.with_suffix(".ipynb"), report)])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("left out  film: not compared with its truth: expected the columns") for line in lines)
    assert any(line.startswith("report    ") for line in lines)


@pytest.mark.kernel
def test_a_film_that_another_run_held_is_told_and_no_other(make_reviewed, make_film, make_notebook, capsys):
    project = make_reviewed({"a.mp4": [("Ada", "", 0.9)], "b.mp4": []})
    for film in ("a.mp4", "b.mp4"):
        make_film(project.videos / film, frames=3)
    meet = "with problems.of(place.videos / film, 'drawing the names'), place.hold(film): pass"
    cells = [
        "from facelib.films.problems import Problems; from facelib.pipeline.showing import show_problems",
        "from facelib.project import Project; place = Project(*given); problems = Problems(place)",
        f"for film in ('a.mp4', 'b.mp4'):\n    {meet}",
        "show_problems(problems)",
    ]
    given = project.name, str(project.data_dir), str(project.output_dir)
    notebook, report = project.runs / "1" / "05_films.ipynb", project.runs / "1" / "05_films.html"
    step = StepResult(5, "05_films", "done", notebook, report)
    with project.hold("a.mp4"):
        source = make_notebook(notebook, f"given = {given}", *cells)
        papermill.execute_notebook(source, notebook, kernel_name="python3", progress_bar=False)
        assert not print_results(project, [step])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("problem", "left out"))]
    assert line.startswith("left out  a.mp4: drawing the names failed: expected no other run on the film 'a.mp4'")
    with project.hold("b.mp4"):  # now, by a run that has begun since
        assert print_results(project, [replace(step, state="fresh")])


def test_where_the_files_of_many_films_lie_is_one_line(make_reviewed, capsys):
    project = make_reviewed({f"{number}.mp4": [("Ada", "", 0.9)] for number in range(6)})
    for number in range(6):
        project.film(f"{number}.mp4").appearances.touch()
    report = project.runs / "1" / "06_review.html"
    print_results(project, [StepResult(6, "06_review", "done", report.with_suffix(".ipynb"), report)])
    places = [line for line in capsys.readouterr().out.splitlines() if line.startswith("table")]
    assert places == [f"tables    {os.path.join(project.output, 'videos', '*', 'appearances.csv')} (6 of them)"]


@pytest.mark.kernel
def test_a_run_tells_its_steps_and_where_the_results_lie(folder):
    film = folder / "output" / "demo" / "videos" / "clip"
    film.mkdir(parents=True)
    for name in ("annotated.mp4", "appearances.csv"):
        (film / name).touch()
    page = folder / "output" / "demo" / "index.html"
    page.touch()
    write_text('facelibData("project", {"reports":[]});\n', folder / "output" / "demo" / "page" / "project.js")
    done = invoke(*RUN, "-p", "seed=5")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "03_map: ..."
    assert lines[1].startswith("03_map: done in ")
    assert [line.split()[0] for line in lines[3:]] == ["page", "report", "film", "table", "Next:"]
    assert lines[4].startswith(os.path.join("report    output", "demo", "runs", ""))
    assert '"purpose":"03_map"' in (page.parent / "page" / "project.js").read_text()
    assert (folder / "output" / "demo" / "map.parquet").is_file()
    assert "fresh" in invoke(*RUN, "-p", "seed=5").output
    assert "done in" in invoke(*RUN, "-p", "seed=5", "--force").output


@pytest.mark.kernel
def test_on_a_terminal_a_line_says_how_far_the_step_is(tmp_path, make_notebook):
    loop = "import time\nfrom tqdm.auto import tqdm\nfor _ in tqdm(range(8), desc='film.mp4'):\n    time.sleep(0.2)"
    make_notebook(tmp_path / "nb" / "09_loop.ipynb", "x: int = 0", loop)
    (tmp_path / "data" / "demo").mkdir(parents=True)
    command = [*FACELIB, "run", "--project", "demo", "--notebooks", "nb", "--steps", "9"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, text=True) as run:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # Linux says so when the other side has closed
            while chunk := os.read(ours, 4096):
                shown += chunk
        printed = run.stdout.read()
    os.close(ours)
    assert run.returncode == 0
    assert re.search(rb"09_loop: cell 3 of 3  film\.mp4: +\d+% \d/8 \[", shown), shown
    assert printed.splitlines()[0] == "09_loop: ..."
    assert "film.mp4" not in printed


@pytest.mark.kernel
def test_a_step_that_fails_is_told_with_its_report(folder):
    failed = invoke(*RUN, "-p", "seed=13")
    assert failed.exit_code == 1
    assert "AssertionError: unlucky" in failed.stderr
    assert "03_map.html" in failed.stderr
    assert "Traceback" not in failed.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--steps", "x"), 2, "expected steps such as 2-5"),
        (("--steps", "5-2"), 2, "expected steps such as 2-5"),
        (("--steps", ""), 2, "expected steps such as 2-5"),
        (("--steps", "4"), 1, "expected steps among [3]"),
        (("-p", "seed"), 2, "expected NAME=VALUE, got 'seed'"),
        (("-p", "=5"), 2, "expected NAME=VALUE, got '=5'"),
        (("-p", "seed=[1"), 2, "expected JSON"),
        (("-p", "sed=5"), 1, "Did you mean 'seed'"),
        (("-p", "seed=five"), 1, "expected a whole number"),
        (("--project", "../up"), 1, "expected the name of a project's folder"),
        (("--project", ""), 2, "expected the name of a project"),
        (("--project", "dmeo"), 1, "got 'dmeo'. Did you mean 'demo'?"),
        (("--project", "nothing"), 1, "Projects there: 'demo'."),
        (("--data-dir", "none"), 1, "'facelib demo' makes one to try"),
        (("--output-dir", "nb/03_map.ipynb"), 1, "expected an output folder that can be written"),
    ],
)
def test_mistakes_are_one_clear_message(folder, arguments, code, message):
    result = invoke(*RUN, *arguments)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output


def digest(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "command",
    [
        ("run",),
        ("run", "-p", "names="),  # step 1, with nobody to look for
        ("page",),
        ("live", "0", "--headless"),
        ("merge", "Tob", "Toby"),
        ("keep-apart", "Tob", "Toby"),
        ("separate", "Tob", "Toby"),
    ],
    ids=" ".join,
)
def test_a_wrong_project_is_told_and_nothing_is_made(folder, command):
    before = digest(folder)
    result = invoke(*command, "--project", "dmeo")
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: expected a project in 'data', got 'dmeo'. Did you mean 'demo'?")
    assert digest(folder) == before


@pytest.mark.parametrize(
    "wrong",
    [
        ["run", "--project", "dmeo"],
        ["run", "--project", "demo", "-p", "sed=5"],
        ["run", "--help-parameters"],
        ["page", "--project", "dmeo"],
        ["live", "0", "--project", "dmeo"],
        ["search", "--project", "dmeo"],
        ["merge", "Tob", "Toby", "--project", "dmeo"],
        ["keep-apart", "Tob", "Toby", "--project", "dmeo"],
        ["separate", "Tob", "Toby", "--project", "dmeo"],
        ["forget", "Tob", "--project", "dmeo"],
    ],
    ids=" ".join,
)
def test_a_wrong_project_or_parameter_is_told_before_anything_heavy_is_imported(folder, wrong):
    heavy = "{'numpy', 'cv2', 'PIL', 'pandas', 'papermill', 'plotly', 'onnxruntime', 'sklearn', 'av', 'duckdb'}"
    code = f"import sys\nfrom facelib.cli import main\ntry: main({wrong!r})\nexcept SystemExit: pass\n"
    code += f"print('imported', {heavy} & set(sys.modules) or 'none')"
    output = subprocess.check_output([sys.executable, "-c", code], text=True, stderr=subprocess.DEVNULL)
    assert output.endswith("imported none\n")


def test_a_wrong_project_is_told_well_under_a_second(folder):
    code = (
        "import sys, time, typer\nbegan = time.process_time()\n"  # to start with typer takes a tenth of a second
        "from facelib.cli import main\ntry: main(['run', '--project', 'dmeo'])\nexcept SystemExit: pass\n"
        "print(time.process_time() / began, len(sys.modules))"  # the same on a slow machine and on a busy one
    )
    told = [subprocess.check_output([sys.executable, "-c", code], stderr=subprocess.DEVNULL).split() for _ in range(3)]
    assert min(float(times) for times, _ in told) < 8
    assert int(told[0][1]) < 450


def test_every_parameter_is_listed_by_notebook_with_its_meaning_those_of_its_cell_first(monkeypatch):
    from facelib.pipeline.parameters import NOTEBOOKS

    monkeypatch.setenv("COLUMNS", "80")
    shown = invoke("run", "--help-parameters")
    assert shown.exit_code == 0, shown.output
    assert max(map(len, shown.output.splitlines()[:-2])) <= 80
    words = shown.output.split()
    for name, model in NOTEBOOKS.items():
        described = [one.name for one in model.described()[3:]]
        assert name in words and set(described) <= set(words)
    one = invoke("run", "--help-parameters", "--steps", "1").output
    assert "02_embed_faces" not in one
    assert "whole number, 1 to 1000; default: 50" in one
    cell, _, further = one.partition('default: "dlib"')
    assert "people_from" in cell and "max_num" in further


def test_the_parameters_of_ones_own_notebooks_are_listed(folder):
    shown = invoke("run", "--help-parameters", "--notebooks", "nb")
    assert "03_map" in shown.output
    assert "whole number; default: 0" in shown.output


def test_debug_shows_the_traceback(folder):
    result = CliRunner().invoke(main, [*RUN, "-p", "sed=5"], env={"FACELIB_DEBUG": "1"})
    assert isinstance(result.exception, ValueError)


@pytest.mark.skipif(os.name == "nt", reason="names of files are UTF-8 there")
def test_a_locale_without_utf_8_is_told_before_a_name_fails(tmp_path):
    program = [*FACELIB, "run", "--project", "Renée"]
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: expected names of files in UTF-8, got 'ascii' from LC_ALL")
    assert done.stderr.endswith(b"set the environment variable PYTHONUTF8=1\n")


def test_a_full_disk_is_told_with_the_remedy(folder, small_disk):
    for name in ("Ada", "Bo"):
        (folder / "data" / "demo" / "people" / name).mkdir()
    (small_disk / "demo").mkdir()
    with suppress(OSError), open(small_disk / "large", "wb", buffering=0) as large:
        while True:
            large.write(bytes(4096))

    merge = ("merge", "Ada", "Bo", "--project", "demo", "--output-dir", str(small_disk))
    told = "; make room there, and run the same command again"
    assert invoke(*merge).stderr == (
        f"Error: expected room for '{small_disk}/demo/corrections.csv', got: No space left on device{told}\n"
    )
    (small_disk / "large").unlink()
    assert invoke(*merge).exit_code == 0


def test_a_read_only_output_folder_is_told_before_anything_runs(folder):
    output = folder / "output"
    output.mkdir()
    output.chmod(0o555)
    result = subprocess.run([*without_rights(), *FACELIB, *RUN], capture_output=True, text=True)
    output.chmod(0o755)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: expected an output folder that can be written, got ")
    assert result.stderr.count("\n") == 1
    assert list(output.iterdir()) == []


def test_nobody_is_forgotten_where_a_folder_cannot_be_read(folder):
    results = folder / "output" / "demo" / "videos" / "film"
    results.mkdir(parents=True)
    results.chmod(0)
    command = [*without_rights(), *FACELIB, "forget", "Ann", "--project", "demo", "--yes"]
    result = subprocess.run(command, capture_output=True, text=True)
    results.chmod(0o755)
    expected = f"Error: [Errno 13] Permission denied: {os.path.join('output', 'demo', 'videos', 'film')!r}\n"
    assert (result.returncode, result.stderr) == (1, expected)


def test_whoever_forgets_a_name_that_nobody_has_is_told_and_not_asked(folder):
    (folder / "data" / "demo" / "people" / "Eileen Collins").mkdir(parents=True)
    told = invoke("forget", "Eileen Colins", "--project", "demo")
    assert told.exit_code == 1
    assert "got 'Eileen Colins'. Did you mean 'Eileen Collins'?" in told.output and "for good" not in told.output
    asked = invoke("forget", "Eileen Collins", "--project", "demo")
    assert "for good? [y/N]" in asked.output and (folder / "data" / "demo" / "people" / "Eileen Collins").is_dir()


@pytest.mark.parametrize(
    ("text", "steps"), [(None, None), ("3", [3]), ("2-5", [2, 3, 4, 5]), ("2,4", [2, 4]), ("1, 3-4", [1, 3, 4])]
)
def test_steps_are_read(text, steps):
    assert parse_steps(text) == steps


@pytest.mark.parametrize("text", ["", "a", "3-", "-3", "5-2", "1-99999999999", "9" * 5000, "\u0663"])
def test_other_steps_are_refused(text):
    with pytest.raises(typer.BadParameter, match="expected steps such as 2-5"):
        parse_steps(text)


@pytest.mark.parametrize("rows", [0, 2])
def test_tables_fit_80_columns_and_nothing_is_cut(rows, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = [f"word{number}" for number in range(30)]
    print_table(pd.DataFrame({"name": ["net"] * rows, "note": [" ".join(words)] * rows, "size": [None] * rows}))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert all(printed.count(f"{word} ") == rows for word in words)
    assert "…" not in printed


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("    2 people", ["    2 people"]),
        ("    1 of 5 pictures used: 3 without a face", ["    1 of 5 pictures used: 3", "    without a face"]),
        (
            "    李小龍李小龍李小龍 李小龍龍",
            ["    李小龍李小龍李小龍", "    李小龍龍"],
        ),  # two columns each
        ("    see data/clips/a-very-long-name-indeed.mp4", ["    see", "    data/clips/a-very-long-name-indeed.mp4"]),
    ],
)
def test_sentences_are_broken_between_words_on_a_terminal_and_nowhere_else(text, lines, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert folded(text, indent=4) == text
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert folded(text, indent=4).splitlines() == lines


def test_models_shows_licences_at_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = invoke("models")
    assert shown.exit_code == 0, shown.output
    table, _, addresses = shown.output.partition("Fetched at first use")
    assert max(map(len, table.splitlines())) <= 80
    assert all(word in table for word in ("licence", "commercial", "yunet", "embedder", "Apache-2.0", "non-commercial"))
    # Addresses are whole, to be copied.
    assert all(" as " in line and "https://" in line for line in addresses.splitlines()[1:])


def test_doctor_says_of_each_thing_whether_it_is_well():
    from facelib.cli.checks import check

    shown = invoke("doctor")
    assert shown.exit_code == int(any(finding.ok is False for finding in check()))
    assert all(finding.subject in shown.output for finding in check())


def test_demo_makes_a_project(copy_demo, tmp_path):
    project = copy_demo(tmp_path)
    assert project.people.is_dir()
    assert "facelib run --project demo" in (tmp_path / "said.txt").read_text("utf-8")
    project.data.rename(project.data.with_name("try"))
    again = invoke("demo", "--data-dir", str(project.data_dir), "--project", "try")
    assert again.exit_code == 0, again.output
    assert "facelib run --project try" in again.output
    assert [path.name for path in project.data_dir.iterdir()] == ["try"]
