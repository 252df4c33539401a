"""`facelib live`: who is in front of a camera, in a stream, or in a film while it plays."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from facelib.cli.options import DataFolder, OutputFolder, ProjectName, find_project
from facelib.cli.printing import relative


class LiveCommand(TyperCommand):
    """The command whose longest option a box of 80 columns would cut: there its help stands without a box."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write what it does, and its options."""
        if shutil.get_terminal_size().columns < 110:
            self.rich_markup_mode = None
        super().format_help(ctx, formatter)


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
        float, typer.Option("--seconds-between-recognitions", min=0, help="Raise it to use less processor time.")
    ] = 0,
    loop: Annotated[bool, typer.Option("--loop", help="Start a film again at its end.")] = False,
    patience: Annotated[
        float | None, typer.Option(help="Give up after so many seconds without a picture.", show_default="never")
    ] = None,
) -> None:
    """Name the faces in front of a camera, in a stream, or in a film while it plays."""
    place = find_project(project, data_dir, output_dir)
    import math

    # OpenCV and PyAV bring libxcb each: with PyAV's loaded first, OpenCV's windows wait for ever.
    import cv2  # noqa: F401

    from facelib.films.fonts import font_problem
    from facelib.live import LiveSession, command

    if not headless:
        command.check_display()
    printer = command.ChangePrinter(sys.stdout)
    with command.asked_to_stop() as asked:
        session = LiveSession(
            source,
            place,
            detector=detector,
            embedder=embedder,
            seconds_between_recognitions=between,
            loop=loop,
            patience=math.inf if patience is None else patience,
            record=record,
            on_change=printer if headless else None,
        )
        if (not headless or record is not None) and (problem := font_problem(session.people)):
            typer.echo(f"WARNING: {problem}", err=True)
        if headless:
            command.play_headless(session, seconds=seconds, asked=asked, gone=printer.gone)
        else:
            command.play_in_window(session, seconds=seconds, asked=asked)
    problems = [change.message for change in session.changes() if change.kind in {"failed", "unrecorded"}]
    problems += [printer.problem] if printer.problem else []
    if problems:
        typer.echo(f"Error: {'; '.join(problems)}", err=True)
        raise typer.Exit(1)
    if record is not None:
        typer.echo(f"recorded {relative(record)}", err=True)
