"""The command line: `facelib run`, `live`, `align`, `demo`, `doctor` and `models`. Each command calls the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

# Everything heavy is imported inside the commands: `facelib --help` answers at once.
if TYPE_CHECKING:
    import pandas as pd

    from facelib.pipeline import StepResult
    from facelib.project import Project


class _Commands(TyperGroup):
    """Turns the errors that a user can do something about into one line on stderr and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # such as `facelib models | head`
            raise
        except (ValueError, OSError, ImportError) as error:  # an extra that is not installed says so
            if ctx.params["debug"]:
                raise
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("\nStopped. What was done stays; the same command goes on from there.", err=True)
            raise typer.Exit(130) from None


main = typer.Typer(
    name="facelib",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ProjectName = Annotated[str, typer.Option("--project", help="The project: the name of its folder in the data folder.")]
DataFolder = Annotated[Path, typer.Option("--data-dir", help="Holds NAME/people/<Person Name>/* and NAME/videos/*.")]
OutputFolder = Annotated[Path, typer.Option("--output-dir", help="Everything made is written to NAME/ in here.")]


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"facelib {version('facelib')}")
        raise typer.Exit


@main.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="FACELIB_DEBUG", help="Show the whole traceback of an error.")
    ] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Who is in a film, and when: recognise a known cast in films."""


@main.command()
def run(
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
    steps: Annotated[
        str | None, typer.Option(help="Which notebooks, such as 2-5, 2,4 or 3.", show_default="1-7")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter of the notebooks; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also the steps whose files are still fresh.")] = False,
    notebooks: Annotated[
        Path | None, typer.Option(help="A folder of notebooks to run instead of facelib's own.", show_default=False)
    ] = None,
) -> None:
    """Run the notebooks of a project in order, with an HTML report each."""
    # Usage is checked first: loading the pipeline takes a second.
    numbers, values = parse_steps(steps), parse_parameters(parameter or [])
    from facelib.pipeline import run_pipeline
    from facelib.project import Project

    place = Project(project, data_dir, output_dir)
    results = run_pipeline(
        place,
        steps=numbers,
        parameters=values,
        force=force,
        notebooks=notebooks,
        progress=_print_step,
        progress_bar=sys.stderr.isatty(),
    )
    _print_places(place, results)
    if results[-1].state == "failed":
        raise typer.Exit(1)
    if any(result.number in (5, 6) for result in results):
        whole = _print_problems(place)
        _print_scores(place)
        if not whole:
            raise typer.Exit(1)


@main.command()
def demo(project: ProjectName = "demo", data_dir: DataFolder = Path("data")) -> None:
    """Make a project to try: two people, a film of them and strangers, and the truth about it."""
    from facelib.demo import make_demo
    from facelib.project import Project

    place = Project(project, data_dir)
    make_demo(place, progress=sys.stderr.isatty())
    typer.echo(f"The demo project {project!r} lies in {place.data}")
    typer.echo(
        f"Next: facelib run --project {project}" + ("" if data_dir == Path("data") else f" --data-dir {data_dir}")
    )


@main.command()
def live(
    source: Annotated[str, typer.Argument(help="A camera's number, an address (rtsp://, http:// ...), or a film.")],
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
    headless: Annotated[bool, typer.Option("--headless", help="No window: print one JSON line per change.")] = False,
    record: Annotated[
        Path | None, typer.Option(help="Record the annotated picture to this .mp4.", show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, help="End after so many seconds.", show_default="never")] = 0,
    detector: Annotated[str, typer.Option(help="Finds the faces: a name or the path of an .onnx file.")] = "centerface",
    embedder: Annotated[str, typer.Option(help="The embedding network.", show_default="the recognizer's")] = "",
    between: Annotated[
        float, typer.Option("--seconds-between-recognitions", min=0, help="Raise it to spare the machine.")
    ] = 0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin a film anew at its end.")] = False,
    patience: Annotated[
        float | None, typer.Option(help="Give up after so many seconds without a picture.", show_default="never")
    ] = None,
) -> None:
    """Say who is in front of a camera, in a stream, or in a film while it plays."""
    import math
    import threading

    # OpenCV and PyAV bring libxcb each: with PyAV's loaded first, OpenCV's windows wait for ever.
    import cv2  # noqa: F401

    from facelib.live import LiveSession, command
    from facelib.project import Project

    if not headless:
        command.check_display()
    gone = threading.Event()
    with command.asked_to_stop() as asked:
        session = LiveSession(
            source,
            Project(project, data_dir, output_dir),
            detector=detector,
            embedder=embedder,
            seconds_between_recognitions=between,
            loop=loop,
            patience=math.inf if patience is None else patience,
            record=record,
            on_change=command.print_changes(sys.stdout, gone=gone) if headless else None,
        )
        if headless:
            command.play_headless(session, seconds=seconds, asked=asked, gone=gone)
        else:
            command.play_in_window(session, seconds=seconds, asked=asked)
    problems = [change.message for change in session.changes() if change.kind in {"failed", "unrecorded"}]
    if problems:
        typer.echo(f"Error: {'; '.join(problems)}", err=True)
        raise typer.Exit(1)
    if record is not None:
        typer.echo(f"recorded {_shown(record)}", err=True)


@main.command()
def align(
    source: Annotated[Path, typer.Argument(help="A folder of pictures, usually with a folder a person.")],
    destination: Annotated[Path, typer.Argument(help="Where the crops go, in folders of the same names.")],
    image_size: Annotated[int, typer.Option(help="Side of the crops, pixels.")] = 160,
    margin: Annotated[float, typer.Option(help="Part of the face's side that is added on each side.")] = 0.125,
    method: Annotated[str, typer.Option(help="margin, 'five points' or dlib.")] = "margin",
    detector: Annotated[str, typer.Option(help="What finds the faces.")] = "centerface",
    processes: Annotated[int | None, typer.Option(help="How many work at a time.", show_default="one a core")] = None,
    random_order: Annotated[bool, typer.Option("--random-order", help="For several runs on one folder.")] = False,
) -> None:
    """Cut the face out of every picture of a folder tree; run again, it goes on where it stopped."""
    from facelib.gather.crops import align_tree

    table = align_tree(
        source,
        destination,
        image_size=image_size,
        margin=margin,
        method=method,  # type: ignore[arg-type]  # checked there
        detector=detector,
        processes=processes,
        random_order=random_order,
        progress=sys.stderr.isatty(),
    )
    failed = table.loc[table["crop"] == "", "reason"].str.partition(":")[0].value_counts()
    typer.echo(f"{int((table['crop'] != '').sum())} of {len(table)} pictures are aligned in {_shown(destination)}")
    for reason, count in failed.items():
        typer.echo(f"{count} without a crop: {reason}")
    if len(failed):
        typer.echo(f"They are listed in {_shown(destination / 'failed.csv')}")


@main.command()
def doctor() -> None:
    """Say what is installed, which provider runs, which weights are there, and what is wrong."""
    from facelib.cli.doctor import check

    findings = check()
    for finding in findings:
        mark = {
            True: typer.style("ok   ", fg="green"),
            None: typer.style("note ", fg="yellow"),
            False: typer.style("WRONG", fg="red", bold=True),
        }[finding.ok]
        typer.echo(f"{mark} {finding.subject}: {finding.found}")
        if not finding.ok and finding.remedy:
            typer.echo(f"      {finding.remedy}")
    wrong = sum(finding.ok is False for finding in findings)
    typer.echo(f"{wrong} of {len(findings)} things checked need something done." if wrong else "All is well.")
    if wrong:
        raise typer.Exit(1)


models = typer.Typer(invoke_without_command=True)
main.add_typer(models, name="models")


@models.callback()
def list_models(ctx: typer.Context) -> None:
    """List the networks: where they come from, their licence, and whether commercial use is allowed.

    `facelib models import FILE` adds FaceNet's, from the file in which it was published.
    """
    if ctx.invoked_subcommand is not None:
        return
    from facelib.nets.catalogue import weights_table

    table = weights_table()
    table["here"] = table["present"].map({True: "yes", False: "no"})
    table["origin"] = (table["origin"] + "; " + table["note"]).str.removesuffix("; ")
    table["network"] = table["name"] + "\n" + table["kind"]
    _print_table(table[["network", "here", "commercial", "licence", "origin"]])
    missing = table[~table["present"] & (table["url"] != "")]
    if len(missing):
        typer.echo("Fetched at first use where there is a network, else by hand into the folder FACELIB_MODELS:")
    for name, url, file in missing[["name", "url", "file"]].itertuples(index=False):
        typer.echo(f"{name}: {url}  as {file}")


@models.command("import")
def import_model(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="FaceNet's weights: facenet-pytorch's state dict, safetensors, TensorFlow's frozen graph (.pb, or the "
            "zip archive with it), or Keras' HDF5.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The ONNX file to write.", show_default="where facelib looks for networks by name"),
    ] = None,
    standardisation: Annotated[
        str,
        typer.Option(
            help="How pixels enter the network: fixed, or 'per picture' (mean and deviation of each, as FaceNet's "
            "networks of 2017 want); auto goes by the length of the vectors."
        ),
    ] = "auto",
) -> None:
    """Make an ONNX network of FaceNet's published weights; every layer's shape is checked, and the result compared."""
    from facelib.train.facenet import import_facenet

    typer.echo(f"Reading {file}; the conversion takes about half a minute ...")
    made = import_facenet(file, output, standardisation=standardisation)  # type: ignore[arg-type]
    typer.echo(str(made))
    name = "facenet" if output is None and made.path.stem.startswith("facenet_2018") else str(_shown(made.path))
    typer.echo(f"Next: facelib run --project NAME -p embedder={name}")


def parse_steps(text: str | None) -> list[int] | None:
    """Read which steps are wanted.

    Example:
        >>> parse_steps("2-4"), parse_steps("2,4"), parse_steps("3")
        ([2, 3, 4], [2, 4], [3])

    Raises:
        typer.BadParameter: When the text is not numbers and ranges.
    """
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
            raise typer.BadParameter(f"expected steps such as 2-5, 2,4 or 3, got {text!r}", param_hint="'--steps'")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def parse_parameters(pairs: Sequence[str]) -> dict[str, object]:
    """Read `name=value` pairs; values are read as papermill reads them, and lists as JSON.

    Example:
        >>> parse_parameters(["k=5", "detector=cnn", 'videos=["a.mp4"]'])
        {'k': 5, 'detector': 'cnn', 'videos': ['a.mp4']}

    Raises:
        typer.BadParameter: When a pair has no equals sign, or its value opens a list that is not whole.
    """
    from facelib.pipeline.parameters import parse_value

    values: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        try:
            if not (equals and name.strip().isidentifier()):
                raise ValueError(f"expected NAME=VALUE, got {pair!r}")
            values[name.strip()] = parse_value(text)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'-p'") from None
    return values


def _print_step(step: StepResult) -> None:
    line = {
        "running": "...",
        "done": f"done in {step.seconds:.1f} s",
        "fresh": "fresh: nothing it depends on has changed (--force runs it again)",
        "failed": f"FAILED after {step.seconds:.1f} s: {step.message}",
    }[step.state]
    typer.echo(f"{step.name}: {line}", err=step.state == "failed")


def _print_places(project: Project, results: Sequence[StepResult]) -> None:
    """Say where the results lie; after a failure, where to look."""
    from facelib.project import FilmFiles

    last = results[-1]
    if last.state == "failed":
        typer.echo(f"See the report {_shown(last.report)} or the notebook {_shown(last.notebook)}", err=True)
    typer.echo("")
    for result in results:
        if result.state != "failed":
            typer.echo(f"report    {_shown(result.report)}")
    for folder in sorted((project.output / "videos").glob("*/")):
        files = FilmFiles(folder)
        for kind, path in (("film", files.annotated), ("figure", files.timeline), ("table", files.appearances)):
            if path.is_file():
                typer.echo(f"{kind:9} {_shown(path)}")


def _print_problems(project: Project) -> bool:
    """Say what went wrong with films; return whether all of them were finished."""
    import pandas as pd

    if not project.film_summary.is_file():
        return True
    summary = pd.read_csv(project.film_summary, keep_default_na=False)
    problems = summary.loc[summary["problem"] != "", ["film", "problem"]]
    for film, problem in problems.itertuples(index=False):
        typer.echo(f"problem   {film}: {problem}")
    return problems.empty


def _print_scores(project: Project) -> None:
    """Say how right each film is whose truth is known, see `facelib.evaluate.find_truths`."""
    from facelib.evaluate import find_truths, load_truth, score_film

    for film, truth in find_truths(project, project.find_videos()).of_film.items():
        files = project.film(film)
        if files.detections.is_file() and files.tracks.is_file():
            typer.echo(f"right     {files.folder.name}: {score_film(files, load_truth(truth))}")


def _print_table(table: pd.DataFrame) -> None:
    """Print a table as wide as the terminal, 80 columns where there is none; long cells are broken, never cut."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    sheet = Table(show_lines=True, box=box.HORIZONTALS)
    for name in table.columns:
        longest = max((len(word) for cell in table[name] for word in str(cell).split()), default=0)
        # Words are kept whole where they are short enough to leave room for the other columns.
        sheet.add_column(str(name), overflow="fold", min_width=min(longest, 13))
    for row in table.astype(object).where(table.notna(), "").astype(str).itertuples(index=False):
        sheet.add_row(*map(Text, row))
    Console().print(sheet)


def _shown(path: Path) -> str:
    """Return a path relative to the working folder where it lies below it."""
    return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)
