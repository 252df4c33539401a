"""The notebooks in order, through papermill: checked parameters, one report each, fresh steps left alone."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import facelib.plots.quick_nbformat  # noqa: F401  # isort: skip  # before papermill
import papermill
from nbclient.exceptions import CellControlSignal, DeadKernelError
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from facelib.pipeline.freshness import STEP_FILES, FileStates, Made, StepFiles, file_states, find_record, same
from facelib.pipeline.kernel import Kernels, ThisPython
from facelib.pipeline.notebooks import Notebook, check_parameters, check_project, find_notebooks
from facelib.pipeline.parameters import NotebookParameters
from facelib.pipeline.progress import ENGINE, TellingEngine, Watch
from facelib.pipeline.report import write_report
from facelib.project import Project, file_lock

logger = logging.getLogger(__name__)

StepState = Literal["running", "done", "fresh", "failed"]
PROCESS_ENDED = "the notebook's Python process ended unexpectedly"
"""How the message of a step begins whose process was killed or ran out of memory."""

_OF_FILMS = (5, 6)  # these hold the single films that they work on, so that others may work on other films meanwhile
_HOW = {"scheduler"}  # parameters that say how results are made, not which
_NOTHING = StepFiles(lambda project, given: [], lambda project, given: [])


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step.

    Attributes:
        number: The number that the notebook's name starts with.
        name: The notebook's name without `.ipynb`, such as `02_embed_faces`.
        state: `running` (only in progress reports), `done`, `fresh` (its files still fit: not run) or `failed`.
        notebook: The executed notebook.
        report: The HTML page of it; it may be missing where a step failed before its first cell.
        seconds: How long it took.
        message: Why it failed, otherwise empty.
    """

    number: int
    name: str
    state: StepState
    notebook: Path
    report: Path
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    notebook: Notebook
    parameters: NotebookParameters
    files: StepFiles

    @property
    def number(self) -> int:
        return self.notebook.number

    @property
    def name(self) -> str:
        return self.notebook.source.stem

    @property
    def values(self) -> dict[str, object]:
        """Every parameter's value: the given one or its default."""
        return dict(self.parameters)

    @property
    def given(self) -> dict[str, object]:
        """The values that were given."""
        return {name: value for name, value in self.values.items() if name in self.parameters.model_fields_set}

    def injected(self, project: Project) -> dict[str, object]:
        """What papermill puts into the notebook: the parameters that it shows, and the others as its options."""
        places = {"project": project.name, "data_dir": str(project.data_dir), "output_dir": str(project.output_dir)}
        shown = {name: value for name, value in (places | self.given).items() if name in self.notebook.shown}
        options = {name: value for name, value in self.given.items() if name not in self.notebook.shown}
        return shown | ({"options": options} if options else {})

    def made(self, project: Project, inputs: FileStates) -> Made:
        outputs = file_states(project, self.files.outputs(project, self.values))
        given = {name: value for name, value in self.given.items() if name not in _HOW}
        return Made.now(self.notebook.source, given, inputs, outputs)

    def inputs(self, project: Project) -> FileStates:
        return file_states(project, self.files.inputs(project, self.values))


def run_pipeline(
    project: Project,
    *,
    steps: Sequence[int] | None = None,
    parameters: Mapping[str, object] | None = None,
    force: bool = False,
    notebooks: Path | None = None,
    progress: Callable[[StepResult], None] | None = None,
    watch: Watch | None = None,
    kernels: Kernels | None = None,
) -> list[StepResult]:
    """Run the notebooks of a project in order, each into `runs/<time>/` with an HTML report.

    A step is skipped as fresh when its files, its inputs, its parameters, its notebook and facelib are what they
    were when it last ended well. The first step that fails ends the run; what was done stays.

    Args:
        project: The project; its folders may be relative to the working folder.
        steps: Numbers of the notebooks to run, in any order; None: the main steps 1 to 7.
        parameters: Values by name. Each goes to every chosen notebook that takes it.
        force: Run also what is fresh.
        notebooks: The folder of the notebooks; None: facelib's own. Nothing is written there.
        progress: Called when a step starts (state `running`) and when it ends.
        watch: Called often while a step runs, with how far it is.
        kernels: Those of several runs that follow each other; None: those of this run alone.

    Raises:
        ValueError: When a step or a parameter is unknown, or a parameter is of another type than its notebook says.
        OSError: When there is no such project, the output folder cannot be written, a film named is not there, or a
            run of the same project is under way.
        KeyboardInterrupt: When stopped by the user; the kernel is stopped first.

    Returns:
        One result per step, up to the first that failed.
    """
    place = Project(project.name, project.data_dir.absolute(), project.output_dir.absolute())
    chosen = _choose_steps(notebooks, steps, parameters or {})
    check_project(place, steps=[step.number for step in chosen], parameters=parameters)
    for step in chosen:
        step.files.inputs(place, step.values)  # A missing film is reported before anything runs.
    _check_folder(place)
    results = []
    run: Path | None = None
    with nullcontext(kernels) if kernels else Kernels(forks=notebooks is None) as kernels:
        for done, step in enumerate(chosen):
            alone = file_lock(place.output / ".run.lock", what=f"other run of the project {place.name!r}")
            with nullcontext() if step.number in _OF_FILMS else alone:
                result = None if force else _fresh(place, step)
                if result is None:
                    run = run or _new_run(place)
                    python = kernels.manager(left=len(chosen) - done)
                    result = _run_step(place, step, run, python, progress, watch)
            results.append(result)
            if progress is not None:
                progress(result)
            if result.state == "failed":
                break
    return results


def _choose_steps(folder: Path | None, steps: Sequence[int] | None, parameters: Mapping[str, object]) -> list[_Step]:
    notebooks = find_notebooks(folder, steps)
    check_parameters(notebooks, parameters)
    return [_Step(one, one.check(parameters), STEP_FILES.get(one.number, _NOTHING)) for one in notebooks]


def _fresh(project: Project, step: _Step) -> StepResult | None:
    newest = find_record(project, step.name)
    if step.files is _NOTHING or newest is None or step.files.unfinished(project, step.values):
        return None
    path, record = newest
    if not same(record, step.made(project, step.inputs(project))):
        return None
    return StepResult(step.number, step.name, "fresh", path.with_suffix(".ipynb"), path.with_suffix(".html"))


def _run_step(
    project: Project,
    step: _Step,
    run: Path,
    python: type[ThisPython],
    progress: Callable[[StepResult], None] | None,
    watch: Watch | None,
) -> StepResult:
    started = time.monotonic()
    notebook, report = run / f"{step.name}.ipynb", run / f"{step.name}.html"
    result = StepResult(step.number, step.name, "running", notebook, report)
    if progress is not None:
        progress(result)
    inputs = step.inputs(project)
    try:
        message = _execute(project, step, notebook, python, watch)
        if notebook.is_file():
            write_report(notebook, report, pictures=step.notebook.source.parent)
    except OSError as error:
        raise OSError(
            f"expected to write the notebook of {step.name} and its report to {str(run)!r}, got: {error}; "
            f"put that right, and run this again: it continues from here"
        ) from error
    made = step.made(project, inputs)
    if not message and made.outputs and not any(made.outputs.values()):
        message = f"expected the notebook to write {' or '.join(map(repr, made.outputs))}, found none of them"
    if not message:
        made.write(run / f"{step.name}.json")
    return replace(result, state="failed" if message else "done", seconds=time.monotonic() - started, message=message)


def _execute(project: Project, step: _Step, notebook: Path, python: type[ThisPython], watch: Watch | None) -> str:
    """Run one notebook; return why it failed, or nothing."""
    papermill_engines.register(ENGINE, TellingEngine)
    run = partial(
        papermill.execute_notebook,
        step.notebook.source,
        notebook,
        parameters=step.injected(project),
        kernel_name="python3",
        language="python",
        progress_bar=False,
        kernel_manager_class=python,
        engine_name=ENGINE,
        watch=watch or (lambda _: None),
    )
    try:
        try:
            run()
        except RuntimeError as error:
            if "Kernel died before replying" not in str(error):
                raise
            # Two kernels that start at one moment may choose the same free port; the loser starts again.
            logger.warning("the notebook's Python process did not start; trying once more")
            run()
    except PapermillExecutionError as error:
        return re.sub(r"\x1b\[[0-9;]*m", "", f"{error.ename}: {error.evalue}").strip()  # without terminal colours
    except (DeadKernelError, CellControlSignal) as error:
        logger.debug("the kernel ended", exc_info=True)
        return f"{PROCESS_ENDED}, perhaps for lack of memory ({error})"
    return ""


def _new_run(project: Project) -> Path:
    """Make a folder named by the local time; a number is added where that is taken."""
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    for number in range(1, 1000):
        folder = project.runs / (stamp if number == 1 else f"{stamp}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise OSError(f"expected to make a folder in {str(project.runs)!r}, found a thousand of this second")


def _check_folder(project: Project) -> None:
    """Raise an OSError when the output folder cannot be written."""
    try:
        project.runs.mkdir(parents=True, exist_ok=True)
        os.close(os.open(project.output / ".run.lock", os.O_CREAT | os.O_RDWR))
    except OSError as error:
        raise OSError(f"expected an output folder that can be written, got {str(project.output)!r}: {error}") from error
